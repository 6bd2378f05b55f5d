"""A revision takes effect on its day, in the organisation's zone, whatever the scheduler did."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from documents import workflow
from documents.models import Revision
from documents.tasks import take_effect
from qms.people.models import Person
from qms.periods import day_of, today
from qms.scope.workflow import set_up_organisation
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast
from tests.kernel.test_workflow import at_once
from tests.sampling import PROVING

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2")]


def in_zone(zone: str) -> ZoneInfo:
    keeper = factories.person("quality_manager", "administrator")
    set_up_organisation(by=keeper, name="Northgate", country="CA", time_zone=zone)
    return ZoneInfo(zone)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Toronto", date(2027, 2, 10)),
        ("America/Toronto", date(2027, 3, 14)),  # the clock goes forward at two
        ("America/Toronto", date(2027, 11, 7)),  # and back at two
        ("Pacific/Auckland", date(2027, 4, 4)),
        ("Pacific/Auckland", date(2027, 9, 26)),
        ("America/Havana", date(2027, 3, 14)),  # forward at midnight: the day has no first hour
    ],
)
@pytest.mark.parametrize("slept", [timedelta(0), timedelta(days=3)])
def test_it_takes_effect_on_its_day_also_when_the_scheduler_slept_over_midnight(
    zone: str, day: date, slept: timedelta
) -> None:
    at = in_zone(zone)
    noon_before = datetime(day.year, day.month, day.day, 12, tzinfo=at) - timedelta(days=1)
    with time_machine.travel(noon_before, tick=False) as clock:
        cast = Cast()
        old = cast.approved(cast.draft())
        new = workflow.start_revision(old.document, by=cast.author)
        cast.approved(new, effective_from=day)
        midnight = datetime(day.year, day.month, day.day, tzinfo=at).timestamp()
        if zone == "America/Havana":
            midnight = datetime(day.year, day.month, day.day, 1, tzinfo=at).timestamp()
        clock.move_to(midnight - 1)
        assert day_of(datetime.fromtimestamp(midnight - 1, tz=ZoneInfo("UTC"))) < day
        assert take_effect() == 0
        clock.move_to(midnight + slept.total_seconds())
        assert take_effect() == 1
        assert take_effect() == 0
        old.refresh_from_db()
        new.refresh_from_db()
        assert (old.status, new.status) == ("superseded", "effective")
        # In force one after the other, with no day of both and none without.
        assert (old.ended_on, new.effective_from) == (day, day)
        for asked in (day - timedelta(days=1), day, day + timedelta(days=2)):
            (in_force,) = Revision.objects.effective(at=asked)
            assert in_force == (old if asked < day else new)


def test_a_page_shows_what_is_in_force_although_no_scheduler_runs() -> None:
    cast = Cast()
    old = cast.approved(cast.draft())
    new = workflow.start_revision(old.document, by=cast.author)
    cast.approved(new, effective_from=today() + timedelta(days=1))
    reader = factories.person()
    with time_machine.travel(datetime.now(ZoneInfo("UTC")) + timedelta(days=1, hours=1)):
        client = Client()
        client.force_login(reader, backend="qms.people.access.RoleBackend")
        page = client.get(old.document.get_absolute_url()).content.decode()
    assert "In force: revision 2" in page
    new.refresh_from_db()
    assert new.status == "effective"
    assert new.history.first().history_user.is_system


@pytest.mark.slow
def test_what_cannot_take_effect_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    tomorrow = today() + timedelta(days=1)
    waiting = [cast.approved(cast.draft(), effective_from=tomorrow) for _ in range(3)]
    guard = workflow.make_effective.guards[1]
    stuck = waiting[1].pk
    monkeypatch.setattr(
        workflow.make_effective,
        "guards",
        (lambda revision, by: "Stuck." if revision.pk == stuck else guard(revision, by),),
    )
    assert workflow.make_due_revisions_effective(tomorrow) == 2
    assert sorted(Revision.objects.values_list("status", flat=True)) == [
        "approved",
        "effective",
        "effective",
    ]


# Races ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", range(50 if PROVING else 4))
@pytest.mark.slow
def test_of_eight_who_approve_at_once_one_wins_and_one_revision_is_in_force(run: int) -> None:
    cast = Cast()
    old = cast.approved(cast.draft())
    new = workflow.start_revision(old.document, by=cast.author)
    crowd = [factories.person("quality_manager") for _ in range(8)]
    workflow.name_signatories(new, "approval", crowd, by=cast.author)
    amend(new, by=cast.author, changes={"approval_quorum": 1})
    cast.reviewed(new)

    def approve(pk: int) -> None:
        person = Person.objects.get(pk=pk)
        workflow.approve(Revision.objects.get(pk=new.pk), by=person, proof=factories.proof(person))

    answers = at_once(*(lambda pk=each.pk: approve(pk) for each in crowd))
    assert answers.count("ok") == 1
    assert all("is not possible" in a or "Enough have signed" in a for a in answers if a != "ok")
    assert list(Revision.objects.effective()) == [new]
    new.refresh_from_db()
    versions = list(new.history.order_by("history_id").values_list("version", flat=True))
    assert versions == list(range(1, new.version + 1))
    (seat,) = new.signatories.filter(part="approval").exclude(signed_on=None)
    assert seat.person == new.approved_by
