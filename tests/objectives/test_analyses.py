"""Figures of a period are looked at, concluded by signature and kept as they were (9.1.3)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from objectives import evidence, workflow
from objectives.control import control_of
from objectives.models import Analysis
from objectives.prints import analysis_pdf
from qms import contributions
from qms.actions.models import Action
from qms.periods import Period, today
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from reviews.workflow import plan_review
from tests import factories
from tests.many import multiply, questions
from tests.objectives.test_control import CALM, Firm
from tests.reviews.test_views import signed_in
from tests.scenes import Cast, an_analysis

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.3")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def an_indicator(cast: Cast, value: str = "12.5") -> object:
    indicator = workflow.add_indicator(
        by=cast.manager,
        title="Scrap",
        unit="%",
        starts_on=today() - timedelta(days=90),
        responsible=cast.owner,
        process=cast.process(),
    )
    read(cast, indicator, value)
    return indicator


def read(cast: Cast, indicator: object, value: str, days: int = 40) -> None:
    workflow.record_reading(
        by=cast.owner,
        indicator=indicator,
        measured_for=today() - timedelta(days=days),
        value=Decimal(value),
    )


def concluded(cast: Cast, analysis: Analysis) -> Analysis:
    return workflow.conclude_analysis(analysis, by=cast.owner, proof=factories.proof(cast.owner))


def test_a_draft_shows_the_figures_of_today_and_a_conclusion_keeps_them(cast: Cast) -> None:
    indicator, analysis = an_indicator(cast), an_analysis(cast)
    page = signed_in(cast.newcomer).get(analysis.get_absolute_url()).content.decode()
    assert "12.5 %" in page
    concluded(cast, analysis)
    (line,) = analysis.lines_of("indicator")
    assert (line["number"], line["value"], line["readings"]) == (indicator.number, "12.5 %", 1)
    read(cast, indicator, "99", days=5)
    page = signed_in(cast.newcomer).get(analysis.get_absolute_url()).content.decode()
    assert "12.5 %" in page
    assert "99.0 %" not in page
    assert Signature.objects.of(analysis).get().meaning == "Concluded"


def test_only_what_belongs_to_the_process_is_looked_at(cast: Cast) -> None:
    an_indicator(cast)
    whole = workflow.begin_analysis(
        by=cast.manager,
        period_start=today() - timedelta(days=60),
        period_end=today() - timedelta(days=1),
    )
    assert whole.owner == cast.manager
    elsewhere = workflow.add_indicator(
        by=cast.manager,
        title="Parcels",
        unit="pieces",
        starts_on=today() - timedelta(days=90),
        responsible=cast.owner,
    )
    client = signed_in(cast.manager)
    assert elsewhere.number in client.get(whole.get_absolute_url()).content.decode()
    assert elsewhere.number not in client.get(an_analysis(cast).get_absolute_url()).content.decode()


def test_it_says_what_it_shows_and_what_is_decided_after_its_period(cast: Cast) -> None:
    analysis = an_analysis(cast)
    amend(analysis, by=cast.owner, changes={"decisions": ""})
    with pytest.raises(Refused, match="Say what is decided"):
        concluded(cast, analysis)
    amend(
        analysis, by=cast.owner, changes={"decisions": "Nothing; it runs.", "period_end": today()}
    )
    with pytest.raises(Refused, match="runs until"):
        concluded(cast, analysis)
    with pytest.raises(Refused, match="ends before it starts"):
        workflow.begin_analysis(
            by=cast.manager, period_start=today(), period_end=today() - timedelta(days=1)
        )


def test_a_period_of_a_process_is_analysed_once(cast: Cast) -> None:
    analysis = an_analysis(cast)
    with pytest.raises(Refused, match=f"{analysis.number} looks at these days already"):
        an_analysis(cast)
    workflow.void_analysis(analysis, by=cast.manager, reason="Too early.")
    assert an_analysis(cast).number != analysis.number


def test_another_process_owner_concludes_it_not(cast: Cast) -> None:
    analysis = an_analysis(cast)
    with pytest.raises(PermissionDenied):
        workflow.conclude_analysis(analysis, by=cast.author, proof=factories.proof(cast.author))


def test_what_is_decided_becomes_actions_that_name_it(cast: Cast) -> None:
    analysis = an_analysis(cast)
    due = today() + timedelta(days=30)
    made = signed_in(cast.owner).post(
        f"{analysis.get_absolute_url()}action/",
        {"title": "Look on Fridays", "owner": cast.owner.pk, "due": due.isoformat()},
    )
    assert made.status_code == 303
    assert Action.objects.get().origin == analysis


def test_it_goes_to_the_review_the_pack_and_paper(cast: Cast) -> None:
    analysis = concluded(cast, an_analysis(cast))
    period = Period(today(), today())
    lines = [line for each in contributions.review_inputs("c3") for line in each.compile(period)]
    assert any(line.label.startswith(analysis.number) for line in lines)
    ((number, *_rest),) = list(evidence.analysis_register(period, analysis.recorded_at))
    assert number == analysis.number
    assert analysis_pdf(analysis).startswith(b"%PDF")


def test_a_planned_review_asks_the_owners_of_processes_that_measure(cast: Cast) -> None:
    an_indicator(cast)
    review = plan_review(by=cast.manager, chair=cast.boss, planned_on=today() + timedelta(days=20))
    items = WorkItem.objects.filter(record_type__model="review", record_id=review.pk)
    asked = items.get(person=cast.owner)
    assert asked.due == review.planned_on - timedelta(days=7)
    assert f"process={cast.process().pk}" in asked.url
    concluded(cast, an_analysis(cast))
    assert not items.filter(person=cast.owner).exists()


@pytest.mark.slow
def test_a_draft_asks_as_little_for_many_indicators_as_for_one(cast: Cast) -> None:
    firm = Firm()
    indicator = firm.indicator([*CALM, 75])
    firm.explain(indicator, control_of(indicator).signals[0].day)
    analysis = workflow.begin_analysis(
        by=cast.manager,
        period_start=today() - timedelta(days=90),
        period_end=today() - timedelta(days=1),
    )
    client = signed_in(cast.newcomer)

    def page() -> str:
        return client.get(analysis.get_absolute_url()).content.decode()

    few = questions(page)
    assert "A cause we know and need not act on: A machine stood still." in page()
    other = firm.indicator([*CALM, 80], title="Another")
    multiply(other, 50)
    assert questions(page) == few
