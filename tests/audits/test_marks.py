"""Where the mark and the certificate are shown, and what comes down (ISO/IEC 17021-1 8.3)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from audits import readiness, workflow
from audits.dashboard import certificate_tile
from audits.models import Certificate, MarkUse
from qms import clock
from qms.people.models import Person
from qms.periods import add_months, today
from qms.refusals import Refused, Stale
from qms.scope.workflow import add_site
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.scenes import Cast, a_mark_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def use(cast: Cast) -> MarkUse:
    return a_mark_use(cast)


def steps_of(use: MarkUse) -> dict[str, tuple[Any, Any]]:
    kind = ContentType.objects.get_for_model(MarkUse)
    rows = WorkItem.objects.filter(record_type=kind, record_id=use.pk)
    return {each.step: (each.person, each.due) for each in rows}


def enter(cast: Cast, certificate: Certificate, **more: Any) -> MarkUse:
    given = {
        "medium": "letters",
        "place": "Foot of invoices",
        "shows": "words",
        "wording": "Certified by BSI.",
        "owner": cast.member,
    } | more
    return workflow.enter_mark_use(by=cast.manager, certificate=certificate, **given)


def test_a_use_is_looked_at_again_and_again(cast: Cast, use: MarkUse) -> None:
    assert steps_of(use)["look"] == (cast.member, today() + timedelta(days=30))
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    assert steps_of(use)["look"] == (cast.member, add_months(today(), 12))
    with pytest.raises(Refused, match="Say what is wrong"):
        workflow.check_use(use, by=cast.member, checked_on=today(), found="wrong")
    workflow.check_use(
        use, by=cast.member, checked_on=today(), found="wrong", note="It names no body."
    )
    assert steps_of(use)["look"] == (cast.member, today() + timedelta(days=14))
    workflow.check_use(use, by=cast.manager, checked_on=today(), found="right")
    assert use.next_due == add_months(today(), 12)


def test_only_who_sees_to_it_and_the_quality_manager_look_at_it(cast: Cast, use: MarkUse) -> None:
    with pytest.raises(PermissionDenied, match="Whoever sees to it"):
        workflow.check_use(use, by=cast.lead, checked_on=today(), found="right")
    with pytest.raises(PermissionDenied):
        workflow.take_down(use, by=cast.lead, down_on=today())


@pytest.mark.parametrize("lost", ["suspended", "withdrawn", "expired", "transferred"])
def test_what_names_a_certificate_that_does_not_hold_is_to_be_taken_down(
    cast: Cast, use: MarkUse, lost: str, time_machine: Any, client: Client
) -> None:
    certificate, by = use.certificate, cast.manager
    if lost == "suspended":
        workflow.suspend(certificate, by=by, reason="Late.", began_on=today())
    elif lost == "withdrawn":
        workflow.withdraw(certificate, by=by, reason="Given up.")
    elif lost == "transferred":
        workflow.transfer(
            certificate, by=by, reason="Cheaper.", transferred_to="DNV", transferred_on=today()
        )
    else:
        time_machine.move_to(clock.now() + timedelta(days=901))
        workflow.expire(certificate, by=by)
    assert steps_of(use).keys() == {"take_down"}
    assert steps_of(use)["take_down"][0] == cast.member
    assert list(MarkUse.objects.to_take_down(today())) == [use]
    use.refresh_from_db()
    with pytest.raises(Refused, match=r"nothing may name it|was valid through"):
        workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    with pytest.raises(Refused, match=r"nothing may name it|was valid through"):
        enter(cast, certificate)
    factories.sign_in(client, cast.manager)
    for page in (certificate.get_absolute_url(), use.get_absolute_url()):
        assert "Take it down" in client.get(page).content.decode()
    assert "to be taken down" in client.get(reverse("audits:mark_list")).content.decode()
    workflow.take_down(use, by=cast.member, down_on=today())
    assert steps_of(use) == {}
    assert not MarkUse.objects.to_take_down(today()).exists()


def test_a_certificate_past_its_day_holds_for_nothing_though_nobody_recorded_it(
    cast: Cast, use: MarkUse, time_machine: Any
) -> None:
    time_machine.move_to(clock.now() + timedelta(days=901))
    assert list(MarkUse.objects.to_take_down(today())) == [use]
    assert "was valid through" in (workflow.not_in_force(use.certificate) or "")


def test_after_a_suspension_it_is_shown_again_and_looked_at_anew(cast: Cast, use: MarkUse) -> None:
    certificate, by = use.certificate, cast.manager
    workflow.suspend(certificate, by=by, reason="Late.", began_on=today())
    workflow.take_down(use, by=cast.member, down_on=today())
    with pytest.raises(Refused, match="suspended"):
        workflow.show_again(use, by=by)
    workflow.lift(certificate, by=by, reason="Verified.", ended_on=today())
    use.refresh_from_db()
    workflow.show_again(use, by=by)
    assert steps_of(use)["look"][1] == today() + timedelta(days=14)


def test_what_says_a_scope_that_was_reduced_is_looked_at_within_two_weeks(
    cast: Cast, use: MarkUse
) -> None:
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    workflow.reduce_scope(
        use.certificate, by=cast.manager, reason="One site closed.", scope_text="Cast valves"
    )
    assert steps_of(use)["look"][1] == today() + timedelta(days=14)


REWORDED = "Our products are certified by BSI."


def by_call(cast: Cast, use: MarkUse, client: Client) -> None:
    amend(use, by=cast.manager, changes={"wording": REWORDED}, reason="Nicer.")


def by_page(cast: Cast, use: MarkUse, client: Client) -> None:
    given = {
        "certificate": use.certificate_id,
        "medium": use.medium,
        "place": use.place,
        "shows": use.shows,
        "wording": REWORDED,
        "owner": use.owner_id,
        "every_months": use.every_months,
        "version": use.version,
        "reason": "Nicer.",
    }
    factories.sign_in(client, cast.manager)
    answer = client.post(reverse("audits:mark_edit", args=[use.pk]), given)
    assert answer.status_code == 303, answer.content.decode()


def by_api(cast: Cast, use: MarkUse, client: Client) -> None:
    factories.sign_in(client, cast.manager)
    given = {"version": use.version, "reason": "Nicer.", "wording": REWORDED}
    answer = client.patch(f"/api/v1/mark-uses/{use.pk}/", given, content_type="application/json")
    assert answer.status_code == 200, answer.content.decode()


@pytest.mark.parametrize("route", [by_call, by_page, by_api])
def test_what_was_found_right_holds_for_no_other_words(
    cast: Cast, use: MarkUse, client: Client, route: Any
) -> None:
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    route(cast, use, client)
    use.refresh_from_db()
    assert (use.wording, use.found, use.last_on) == (REWORDED, "", today())
    assert steps_of(use)["look"][1] == today() + timedelta(days=14)
    factories.sign_in(client, cast.manager)
    assert "nobody has compared them again" in client.get(use.get_absolute_url()).content.decode()
    assert "Changed since the last look" in client.get(reverse("audits:mark_list")).content.decode()
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    assert use.found == "right"


def test_who_sees_to_it_and_how_often_changes_nothing_of_what_was_found(
    cast: Cast, use: MarkUse
) -> None:
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    changes = {"owner": cast.manager, "every_months": 6}
    amend(use, by=cast.manager, changes=changes, reason="Another desk.")
    assert use.found == "right"


def test_whoever_looked_at_the_words_before_is_told_they_changed(cast: Cast, use: MarkUse) -> None:
    seen = use.version
    amend(use, by=cast.manager, changes={"wording": REWORDED}, reason="Nicer.")
    with pytest.raises(Stale):
        workflow.check_use(use, by=cast.member, version=seen, checked_on=today(), found="right")


@pytest.mark.parametrize("what", ["the words", "the certificate"])
def test_a_look_from_before_something_changed_says_nothing_about_it(
    cast: Cast, use: MarkUse, what: str
) -> None:
    yesterday = today() - timedelta(days=1)
    if what == "the words":
        amend(use, by=cast.manager, changes={"wording": REWORDED}, reason="Nicer.")
    else:
        workflow.reduce_scope(
            use.certificate, by=cast.manager, reason="Less.", scope_text="Cast valves"
        )
    use.refresh_from_db()
    with pytest.raises(Refused, match="a look before that saw something else"):
        workflow.check_use(use, by=cast.member, checked_on=yesterday, found="right")
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")


@pytest.mark.parametrize("how", ["reduced", "edited", "sites"])
def test_what_was_right_under_another_scope_is_not_said_to_be_right(
    cast: Cast, use: MarkUse, how: str
) -> None:
    bad = enter(cast, use.certificate)
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    workflow.check_use(bad, by=cast.member, checked_on=today(), found="wrong", note="No body.")
    certificate, by = use.certificate, cast.manager
    if how == "reduced":
        workflow.reduce_scope(certificate, by=by, reason="Less.", scope_text="Cast valves")
    elif how == "edited":
        amend(certificate, by=by, changes={"scope_text": "Cast valves"}, reason="Typed anew.")
    else:
        workflow.cover_sites(certificate, by=by, sites=[add_site(by=cast.manager, name="Depot")])
    use.refresh_from_db()
    bad.refresh_from_db()
    assert (use.found, bad.found, bad.note) == ("", "wrong", "No body.")
    assert steps_of(use)["look"][1] == today() + timedelta(days=14)


def test_on_the_day_after_the_printed_one_whoever_sees_to_it_is_told(
    cast: Cast, use: MarkUse
) -> None:
    ends = today() + timedelta(days=40)
    amend(use.certificate, by=cast.manager, changes={"expires_on": ends}, reason="As printed.")
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    assert steps_of(use)["look"] == (cast.member, ends + timedelta(days=1))


@pytest.mark.parametrize("lost", ["suspended", "past its day"])
def test_the_list_calls_nothing_right_that_may_not_be_shown(
    cast: Cast, use: MarkUse, client: Client, lost: str, time_machine: Any
) -> None:
    workflow.check_use(use, by=cast.member, checked_on=today(), found="right")
    if lost == "suspended":
        workflow.suspend(use.certificate, by=cast.manager, reason="Late.", began_on=today())
    else:
        time_machine.move_to(clock.now() + timedelta(days=901))
    factories.sign_in(client, cast.manager)
    told = b"".join(
        client.get(reverse("audits:mark_list") + "?format=csv").streaming_content
    ).decode()
    assert "To be taken down" in told
    assert "are right" not in told


def test_the_mark_stays_off_packaging_and_words_may_be_on_it(cast: Cast, use: MarkUse) -> None:
    with pytest.raises(Refused, match="as if the product were certified"):
        enter(cast, use.certificate, medium="packaging", shows="mark")
    worded = enter(cast, use.certificate, medium="packaging", shows="words")
    with pytest.raises(Refused, match="as if the product were certified"):
        amend(worded, by=cast.manager, changes={"shows": "mark"}, reason="Nicer.")
    with pytest.raises(IntegrityError), transaction.atomic():
        MarkUse._base_manager.filter(pk=worded.pk).update(shows="mark")


@pytest.mark.parametrize(
    ("lost", "figure"), [("", "Mar 2029"), ("suspended", "Suspended"), ("past its day", "Expired")]
)
def test_the_tile_says_what_became_of_the_certificate(
    cast: Cast, use: MarkUse, time_machine: Any, lost: str, figure: str
) -> None:
    ends = date(2029, 3, 9)
    amend(use.certificate, by=cast.manager, changes={"expires_on": ends}, reason="As printed.")
    if lost == "suspended":
        workflow.suspend(use.certificate, by=cast.manager, reason="Late.", began_on=today())
    elif lost:
        time_machine.move_to(datetime(2029, 3, 10, 12, tzinfo=UTC))
    tile = certificate_tile(today(), {})
    assert tile.figure == figure
    assert (tile.tone == "late") == bool(lost)


def test_what_names_a_certificate_that_is_followed_may_name_the_next(
    cast: Cast, use: MarkUse, client: Client, time_machine: Any
) -> None:
    old, by = use.certificate, cast.manager
    time_machine.move_to(clock.now() + timedelta(days=10))
    workflow.transfer(old, by=by, reason="Near.", transferred_to="DNV", transferred_on=today())
    new = workflow.apply_for_certificate(
        by=by,
        body=workflow.enter_body(by=by, name="DNV"),
        scope_text=old.scope_text,
        predecessor=old,
    )
    factories.sign_in(client, by)
    assert "Take it down." in client.get(use.get_absolute_url()).content.decode()
    days = {"decided_on": today(), "issued_on": today(), "expires_on": old.expires_on}
    workflow.grant(new, by=by, number="DNV 1", **days)
    assert "which follows, or take it down" in client.get(use.get_absolute_url()).content.decode()
    amend(use, by=by, changes={"certificate": new}, reason="Transferred.")
    assert steps_of(use).keys() == {"look"}
    assert use.found == ""


@pytest.mark.django_db(transaction=True)
def test_words_edited_while_somebody_looks_are_not_said_to_be_right() -> None:
    cast = Cast()
    use = a_mark_use(cast)
    start = Barrier(2)

    def press(number: int) -> str:
        mine = MarkUse.objects.get(pk=use.pk)
        try:
            start.wait(timeout=10)
            if number:
                by = Person.objects.get(pk=cast.manager.pk)
                amend(mine, by=by, changes={"wording": REWORDED}, reason="Nicer.")
            else:
                by = Person.objects.get(pk=cast.member.pk)
                seen = {"version": use.version, "checked_on": today(), "found": "right"}
                workflow.check_use(mine, by=by, **seen)
            return "done"
        except Stale:
            return "stale"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(press, range(2)))
    use.refresh_from_db()
    assert outcomes in (["done", "done"], ["stale", "done"])
    assert (use.wording, use.found) == (REWORDED, "")


def test_an_application_is_named_nowhere(cast: Cast) -> None:
    applied = workflow.apply_for_certificate(
        by=cast.manager,
        body=workflow.enter_body(by=cast.manager, name="DNV"),
        scope_text="Valves",
    )
    with pytest.raises(Refused, match="applied for; nothing may name it"):
        enter(cast, applied)


def test_the_body_is_shown_where_the_mark_is_and_what_is_wrong_with_it(
    cast: Cast, use: MarkUse
) -> None:
    visit = workflow.plan_visit(
        by=cast.manager,
        certificate=use.certificate,
        kind="surveillance",
        planned_on=today() + timedelta(days=60),
    )
    asked = readiness.asked_at(visit, clock.now(), cast.manager)
    shown = next(each for each in asked if "mark" in each.question)
    assert (shown.counts, shown.blockers) == (["1 use in the register"], [])
    workflow.check_use(
        use, by=cast.member, checked_on=today(), found="wrong", note="It names no body."
    )
    asked = readiness.asked_at(visit, clock.now(), cast.manager)
    shown = next(each for each in asked if "mark" in each.question)
    assert [each.sentence for each in shown.blockers] == [
        "The page about us: it is to be put right."
    ]
