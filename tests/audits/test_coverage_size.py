"""The matrix of a large organisation: 40 processes, every clause, three years (9.2.1).

Usable means: all of it is one table whose heads stay in sight, its cells lead somewhere, and its
page neither grows in questions nor beyond what a phone can load.
"""

import gzip
import re
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audits import coverage, workflow
from audits.models import Audit, AuditProgramme
from qms import clauses, clock
from qms.people.models import Person
from qms.periods import add_months, today
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process
from tests import factories
from tests.many import questions

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("9.2.1")]
PROCESSES, YEARS = 40, 3
MOST_QUESTIONS, MOST_KILOBYTES, MOST_ZIPPED = 20, 1500, 120


@pytest.fixture
def large(made: tuple[AuditProgramme, Person], db: None) -> tuple[AuditProgramme, Person]:
    """The programme and who keeps it, of this test alone."""
    return deepcopy(made)


@pytest.fixture(scope="module")
def made(for_the_file: None) -> tuple[AuditProgramme, Person]:
    """Forty processes that share all clauses, and an audit of each in each of three years."""
    manager = factories.person("quality_manager")
    lead, owner = factories.person("lead_auditor"), factories.person("process_owner")
    every = [each.ref.key for each in clauses.clauses("2026", assessable=True)]
    programme = workflow.create_programme(
        by=manager, title="Three years", starts_on=today(), years=YEARS, objectives="Find out."
    )
    for n in range(PROCESSES):
        own = every[n % 5 :: 5]
        made = create_process(
            by=manager, code=f"P{n:02}", name=f"Process {n}", owner=owner, clauses=own
        )
        process = activate(made, by=manager)
        for year in range(YEARS):
            day = add_months(today(), 12 * year) + timedelta(days=7 * n)
            workflow.plan_audit(
                by=manager, process=process, planned_on=day, lead=lead, programme=programme
            )
    return programme, manager


def test_a_matrix_of_forty_processes_and_three_years_is_usable(
    large: tuple[AuditProgramme, Person], client: Client
) -> None:
    programme, manager = large
    assert Process.objects.active().count() == PROCESSES
    assert Audit.objects.count() == PROCESSES * YEARS
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    page = reverse("audits:programme_coverage", args=[programme.pk])
    client.get(page)
    for query in ("", "?year=2"):
        asked = questions(lambda at=page + query: client.get(at))
        assert asked <= MOST_QUESTIONS, asked
    content = client.get(page).content
    assert len(content) < MOST_KILOBYTES * 1000, len(content)
    assert len(gzip.compress(content)) < MOST_ZIPPED * 1000, len(gzip.compress(content))
    table = re.search(r"<table.*?</table>", content.decode(), re.DOTALL)
    assert table is not None
    assert table[0].count('scope="col"') == PROCESSES + 1
    assert table[0].count('scope="row"') >= 65
    assert table[0].count("<a ") >= PROCESSES * 10


def test_the_matrix_asks_the_same_for_two_and_for_forty_processes(
    large: tuple[AuditProgramme, Person],
) -> None:
    programme, manager = large
    coverage.matrix(programme, manager)  # what is read once in the life of a process is read now
    many = questions(lambda: coverage.matrix(programme, manager))
    for process in Process.objects.exclude(code__in=("P00", "P01")):
        for audit in process.audits.all():
            workflow.void(audit, by=manager, reason="Left out.")
    few = questions(lambda: coverage.matrix(programme, manager))
    assert many == few


def test_the_file_of_the_matrix_has_a_row_for_each_cell_that_says_something(
    large: tuple[AuditProgramme, Person], client: Client
) -> None:
    programme, manager = large
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    page = reverse("audits:programme_coverage", args=[programme.pk])
    answer: Any = client.get(f"{page}?format=csv")
    rows = b"".join(answer).decode().splitlines()
    assert len(rows) > PROCESSES * 10


def test_holes_of_a_large_programme_are_still_a_list(
    large: tuple[AuditProgramme, Person], client: Client
) -> None:
    programme, manager = large
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    gone = Audit.objects.filter(process__code="P07").order_by("planned_on").last()
    assert gone is not None
    workflow.void(gone, by=manager, reason="Called off.")
    with time_machine.travel(clock.now(), tick=True):
        shown = client.get(programme.get_absolute_url()).content.decode()
    assert "Process 7" in shown
    assert isinstance(gone.planned_on, date)
