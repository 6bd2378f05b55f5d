"""The programmes generated for the three demo companies leave nothing out unsaid (9.2.1).

The companies are set up by the demo's own functions, with their people, roles, sites, processes,
owners, members and deputies. What the proposal says is checked against days counted here, not by
the code that made it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from audits import planning, workflow
from audits.models import AuditProgramme
from audits.programme import HoleKind, Proposal
from qms.demo import setup
from qms.demo.life import Life, companies
from qms.periods import Period, add_months, today
from qms.scope.models import Process
from tests import factories
from tests.sampling import spread

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.1")]
MONTHS_BETWEEN = 15


@dataclass
class Firm:
    """A demo company on the day its processes are drawn, and its programme."""

    life: Life
    processes: list[Process]

    def programme(self, years: int) -> AuditProgramme:
        return workflow.create_programme(
            by=self.life.who("quality"),
            title="Audits",
            starts_on=add_months(today(), 1),
            years=years,
            edition=self.life.told["organisation"]["edition"],
            objectives="Find out.",
            risks="Illness.",
            methods="On site.",
            resources="The auditors we have.",
        )


def firm_of(name: str) -> Firm:
    life = Life(name, today=today())
    setup._join(life)
    setup._describe(life)
    setup._draw_processes(life)
    return Firm(life, list(Process.objects.active().order_by("code")))


@pytest.fixture
def firm(company: str, db: None) -> Firm:
    return firm_of(company)


@dataclass
class Planned:
    """What a programme of a company would be, told without the database."""

    codes: dict[int, str]
    tied: dict[str, set[int]]  # who owns, works in or stands in for a process, by its code
    ends_on: date
    found: Proposal


_planned: dict[tuple[str, int], Planned] = {}


@pytest.fixture(params=spread(companies(), quick=1))
def company(request: Any) -> Any:
    return request.param


@pytest.fixture(params=[1, 3])
def planned(request: Any, company: str, db: None) -> Planned:
    """The programme of so many years; a company is set up once for all who only read it."""
    if (company, request.param) not in _planned:
        firm = firm_of(company)
        told, people = firm.life.told["processes"], firm.life.people
        programme = firm.programme(request.param)
        _planned[company, request.param] = Planned(
            {process.pk: process.code for process in firm.processes},
            {
                code: {
                    people[key].pk
                    for key in (own["owner"], *own["members"], *own.get("deputies", []))
                }
                for code, own in told.items()
            },
            programme.ends_on,
            planning.proposal_for(programme, today()),
        )
    return _planned[company, request.param]


def days_of(found: Proposal) -> dict[int, list[date]]:
    """The days on which each process would be audited, whoever is found for it."""
    days: defaultdict[int, list[date]] = defaultdict(list)
    for each in found.audits:
        if each.day is not None and each.auditor is not None:
            days[each.subject.key].append(each.day)
    return {key: sorted(many) for key, many in days.items()}


def long_gaps(days: list[date], until: date) -> list[tuple[date, date]]:
    """From which audit to which it is more than 15 months; at last to the end of the programme."""
    steps = [*pairwise(days), *([(days[-1], until)] if days else [])]
    return [(one, other) for one, other in steps if add_months(one, MONTHS_BETWEEN) < other]


@pytest.mark.slow
def test_every_process_is_covered_in_every_programme_year_or_listed(planned: Planned) -> None:
    found = planned.found
    days = days_of(found)
    listed = {(hole.key, hole.window) for hole in found.holes if hole.kind == HoleKind.YEAR}
    missing = {
        (key, year)
        for key in planned.codes
        for year in found.years
        if not any(day in year for day in days.get(key, ()))
    }
    assert listed == missing
    assert not missing, "each of the three companies has auditors enough for all its processes"


@pytest.mark.slow
def test_every_gap_of_more_than_fifteen_months_is_listed(planned: Planned) -> None:
    days = days_of(planned.found)
    listed = {hole.key for hole in planned.found.holes if hole.kind == HoleKind.GAP}
    assert listed == {key for key, many in days.items() if long_gaps(many, planned.ends_on)}


@pytest.mark.slow
def test_nobody_is_proposed_who_owns_works_in_or_stands_in_for_the_process(
    planned: Planned,
) -> None:
    for each in planned.found.audits:
        if each.auditor is not None:
            assert each.auditor.key not in planned.tied[planned.codes[each.subject.key]]


@pytest.mark.slow
def test_a_gap_that_is_made_is_listed_with_its_process(firm: Firm) -> None:
    """Taken over and then postponed far: the programme says it, whoever planned it."""
    programme = firm.programme(3)
    found = planning.proposal_for(programme, today())
    quality, boss = firm.life.who("quality"), firm.life.who("ceo")
    audits = workflow.take_over(
        programme,
        by=quality,
        chosen=[workflow.key_of(each) for each in found.audits if each.auditor],
        seen=workflow.seal_of(found),
    )
    workflow.approve(programme, by=boss, proof=factories.proof(boss))
    process = firm.processes[0]
    own = sorted(
        (each for each in audits if each.process_id == process.pk), key=lambda a: a.planned_on
    )
    for audit in own[1:]:
        workflow.void(audit, by=quality, reason="Called off.")
    holes = planning.holes(programme, today())
    assert {hole.kind for hole in holes if hole.key == process.pk} >= {HoleKind.GAP, HoleKind.YEAR}
    left = [audit.planned_on for audit in own[:1]]
    empty = [year for year in programme.cycle if not any(day in year for day in left)]
    said = [hole for hole in holes if hole.key == process.pk and hole.kind == HoleKind.YEAR]
    assert [hole.window for hole in said] == empty


@pytest.mark.slow
def test_the_same_company_gets_the_same_programme_again(firm: Firm) -> None:
    programme = firm.programme(3)
    first = planning.proposal_for(programme, today())
    assert workflow.seal_of(first) == workflow.seal_of(planning.proposal_for(programme, today()))
    spans = [Period(each.window.start, each.window.end) for each in first.audits]
    assert all(span.end - span.start < timedelta(days=400) for span in spans)
