"""What audits came to: each figure against records counted by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from audits import figures, workflow
from audits.models import Audit
from qms import clock
from qms.people.models import Person
from qms.people.workflow import set_outside_access
from qms.periods import Period, today
from qms.workflow import amend
from tests import factories, scenes
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.3")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def reported(cast: Cast, *grades: str, clause: str = "2026:8.6", days: int = 0) -> Audit:
    """An audit of today, reported so many days later, with findings of these grades."""
    audit = workflow.start(workflow.confirm(scenes.an_audit(cast), by=cast.lead), by=cast.lead)
    for grade in grades:
        workflow.record_finding(
            audit,
            by=cast.member,
            grade=grade,
            clause=clause,
            requirement="Records.",
            evidence="Order 4.",
            statement="A record was missing.",
        )
    with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
        scenes.issue(cast, audit)
    return Audit.objects.get(pk=audit.pk)


def found(person: Person, year: int | None = None) -> figures.Figures:
    return figures.figures_of(person, year or today().year, today())


def test_without_audits_there_is_nothing_to_count_and_no_share(cast: Cast) -> None:
    empty = found(cast.manager)
    assert empty.is_empty
    assert (empty.on_time.percent, empty.reports_on_time.percent) == (None, None)
    assert empty.by_clause.spec is None


@pytest.mark.slow
def test_findings_are_counted_by_grade_clause_and_process_once_released(cast: Cast) -> None:
    audit = reported(cast, "major", "minor", "minor", "good")
    draft = workflow.start(workflow.confirm(scenes.an_audit(cast), by=cast.lead), by=cast.lead)
    workflow.record_finding(draft, by=cast.member, grade="major", statement="Not yet.")
    seen = found(cast.manager)
    assert seen.by_process == ((audit.process.name, (1, 2, 0, 0, 0, 1)),)
    assert seen.by_year.rows[-1][:3] == (str(today().year), "1", "2")
    assert [row[:2] for row in seen.by_clause.rows] == [
        ("8.6", "3")  # good practice is no finding to count
    ]
    assert seen.open_findings == 3
    assert dict(seen.ages.rows)["up to 30 days"] == "3"


@pytest.mark.slow
def test_age_is_counted_from_the_day_it_was_detected(cast: Cast) -> None:
    reported(cast, "minor")
    ages = [(29, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3), (900, 3)]
    for days, at in ages:
        seen = figures.figures_of(cast.manager, today().year, today() + timedelta(days=days))
        assert [row[1] for row in seen.ages.rows].index("1") == at, days


@pytest.mark.parametrize(("late", "share"), [(0, "1 of 1"), (1, "0 of 1")])
def test_on_time_is_by_the_last_day_of_the_window(cast: Cast, late: int, share: str) -> None:
    programme = scenes.a_programme(cast)
    window = Period(today(), today() + timedelta(days=10))
    audit = workflow.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today(),
        lead=cast.lead,
        programme=programme,
        window=window,
    )
    workflow.confirm(audit, by=cast.lead)
    with time_machine.travel(window.end + timedelta(days=late), tick=False):
        workflow.start(audit, by=cast.lead)
        seen = found(cast.manager, audit.planned_on.year)
    assert f"{seen.on_time.part} of {seen.on_time.whole}" == share


def test_without_a_window_the_day_first_planned_counts_and_a_postponed_one_is_late(
    cast: Cast,
) -> None:
    audit = scenes.an_audit(cast)
    later = today() + timedelta(days=2)
    workflow.postpone(audit, by=cast.lead, planned_on=later, reason="Illness.")
    seen = figures.figures_of(cast.manager, audit.planned_on.year, today() + timedelta(days=1))
    assert (seen.on_time, seen.late) == (figures.Share(0, 1), 0)
    seen = figures.figures_of(cast.manager, audit.planned_on.year, today() + timedelta(days=9))
    assert (seen.on_time.percent, seen.late) == (Decimal(0), 1)


@pytest.mark.parametrize(("days", "kept"), [(14, 1), (15, 0)])
def test_a_report_is_on_time_within_its_days(cast: Cast, days: int, kept: int) -> None:
    audit = reported(cast, days=days)
    seen = figures.figures_of(cast.manager, audit.planned_on.year, today() + timedelta(days=40))
    assert seen.reports_on_time == figures.Share(kept, 1)


def test_the_load_counts_leading_and_taking_part(cast: Cast) -> None:
    first = scenes.an_audit(cast)
    second = scenes.an_audit(cast)
    workflow.void(second, by=cast.manager, reason="Called off.")
    third = workflow.plan_audit(
        by=cast.lead, process=cast.process(), planned_on=first.planned_on, lead=cast.lead
    )
    amend(third, by=cast.lead, changes={"objectives": "Find out."})
    assert found(cast.manager).load.rows == ((cast.lead.name, "2"), (cast.member.name, "1"))


def test_an_outside_auditor_counts_only_what_they_see(cast: Cast) -> None:
    reported(cast, "minor")
    until = today() + timedelta(days=9)
    outside = set_outside_access(
        factories.person(), by=cast.keeper, until=until, reason="For one audit."
    )
    seen = found(Person.objects.get(pk=outside.pk))
    assert (seen.reported.whole, seen.by_process, seen.open_findings) == (0, (), 0)


@pytest.mark.parametrize("query", ["", "?year=1700", "?year=x", "?year=2031&print=1"])
@pytest.mark.slow
def test_the_page_says_what_on_time_means(cast: Cast, client: Client, query: str) -> None:
    client.force_login(cast.manager, backend="qms.people.access.RoleBackend")
    assert "nothing to count" in client.get(f"/audits/figures/{query}").content.decode()
    reported(cast, "minor")
    shown = client.get(f"/audits/figures/{query}").content.decode()
    assert "On time is an audit that took place by the last day of its window" in shown
    assert "The numbers as a table" in shown or "nothing to" in shown
