"""Where the mark and the certificate are shown, and what comes down (ISO/IEC 17021-1 8.3)."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from audits import readiness, workflow
from audits.models import Certificate, MarkUse
from qms import clock
from qms.periods import add_months, today
from qms.refusals import Refused
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


def test_the_mark_stays_off_packaging_and_words_may_be_on_it(cast: Cast, use: MarkUse) -> None:
    with pytest.raises(Refused, match="as if the product were certified"):
        enter(cast, use.certificate, medium="packaging", shows="mark")
    worded = enter(cast, use.certificate, medium="packaging", shows="words")
    with pytest.raises(Refused, match="as if the product were certified"):
        amend(worded, by=cast.manager, changes={"shows": "mark"}, reason="Nicer.")
    with pytest.raises(IntegrityError), transaction.atomic():
        MarkUse._base_manager.filter(pk=worded.pk).update(shows="mark")


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
