"""Customers are asked how satisfied they are, again and again; forms may be about them (9.1.2)."""

from datetime import timedelta

import pytest

from qms import contributions
from qms.contributions import form_subjects, receive_entry
from qms.customers import workflow
from qms.customers.models import Customer, SatisfactionReview
from qms.equipment.models import Calibration
from qms.periods import Period, add_months, today
from qms.providers.models import ProviderEvaluation
from qms.refusals import Refused
from tests.scenes import Cast, a_customer, a_provider, a_satisfaction_review, an_instrument

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.2")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def test_a_review_sets_the_next_day_and_is_told_to_the_management_review(cast: Cast) -> None:
    made = a_satisfaction_review(cast)
    customer = Customer.objects.get()
    assert (customer.verdict, customer.next_due) == ("partly", add_months(today(), 12))
    lines = [
        line
        for each in contributions.review_inputs("c1")
        for line in each.compile(Period(today(), today()))
    ]
    assert {line.label: line.value for line in lines}["Reviews: partly satisfied"] == "1"
    workflow.void_review(made, by=cast.manager, reason="The wrong customer.")
    customer.refresh_from_db()
    assert (customer.verdict, customer.last_on) == ("", None)


def test_who_is_not_satisfied_is_answered(cast: Cast) -> None:
    customer = a_customer(cast)
    said = {"reviewed_on": today(), "source": "talk", "verdict": "not", "heard": "Late again."}
    with pytest.raises(Refused, match="Say what follows"):
        workflow.record_review(customer, by=cast.owner, **said)
    with pytest.raises(Refused, match="still ahead"):
        ahead = today() + timedelta(days=1)
        workflow.record_review(customer, by=cast.owner, **{**said, "reviewed_on": ahead})
    with pytest.raises(Refused, match="is there already"):
        workflow.enter_customer(by=cast.manager, name="water WORKS", buys="Seals", owner=cast.owner)
    with pytest.raises(Refused, match="1 to 120 months"):
        workflow.enter_customer(
            by=cast.manager, name="Mill", buys="Seals", owner=cast.owner, every_months=0
        )
    workflow.end(customer, by=cast.owner, reason="They closed.")
    with pytest.raises(Refused, match="do not deliver"):
        workflow.record_review(customer, by=cast.owner, **said, follows="A call.")


def test_a_form_is_filled_in_about_a_row_of_a_register(cast: Cast) -> None:
    """What a form's entry says goes by the same door as the page, typed as people type it."""
    day = today().isoformat()
    entries = {
        "provider": (
            a_provider(cast),
            {
                "evaluated_on": day,
                "results": "Delivery: 3\nCertificate: met",
                "verdict": "suitable",
                "conclusion": "Good.",
            },
            ProviderEvaluation,
            ("results", "Delivery 3", "Results: “Delivery 3” has no result."),
        ),
        "equipment": (
            an_instrument(cast),
            {
                "calibrated_on": day,
                "laboratory": "Metrolab",
                "reference": "Blocks",
                "as_found": "0,01",
                "unit": "mm",
                "result": "pass",
            },
            Calibration,
            ("as_found", "1,234", "Deviation as found: “1,234” can be read in two ways."),
        ),
        "customer": (
            a_customer(cast),
            {"reviewed_on": day, "source": "survey", "verdict": "satisfied", "heard": "All well."},
            SatisfactionReview,
            ("verdict", "delighted", "Verdict: Select a valid choice."),
        ),
    }
    known = {each.kind: each for each in form_subjects()}
    assert set(entries) <= set(known)
    for kind, (subject, values, model, (name, typed, words)) in entries.items():
        assert list(known[kind].find(cast.owner, subject.name, 5)) == [subject]
        assert isinstance(subject, known[kind].model)
        with pytest.raises(Refused) as why:
            receive_entry(kind, subject, {**values, name: typed}, by=cast.owner)
        assert str(why.value).startswith(words)
        with pytest.raises(Refused, match="does not take: password"):
            receive_entry(kind, subject, {**values, "password": "x"}, by=cast.owner)
        made = receive_entry(kind, subject, values, by=cast.owner)
        assert isinstance(made, model)
        assert made.created_by == cast.owner
