"""`make bench`: how long pages take, as multiples of a plain list measured in the same run.

Seconds of one machine say little on another; the ratio to a page that only lists 50 rows with
session, template and count says what our own code adds. Everything is asked in turn, again and
again, so that a busy moment of the machine falls on all alike. Figures go to var/bench.json.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "var" / "bench.json"
READINGS, INDICATORS = 10_000, 500
PROCESSES, YEARS = 40, 3  # of the audit programme whose coverage is drawn
SIZES = {"small": 1_000, "default": 10_000, "large": 100_000}


@dataclass
class Page:
    """One page: its name, how to ask for it, and what it may cost in plain lists and questions."""

    name: str
    ask: Callable[[], Any]
    most: float
    most_queries: int


@dataclass(frozen=True)
class Figure:
    """What was measured: the median in milliseconds, the ratio to the plain list, questions."""

    name: str
    milliseconds: float
    ratio: float
    most: float
    queries: int
    most_queries: int

    @property
    def holds(self) -> bool:
        return self.ratio <= self.most and self.queries <= self.most_queries


@contextmanager
def database() -> Iterator[None]:
    """A throw-away database on the test stack's own servers."""
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    from tests.conftest import Stack

    stack = Stack()
    stack.start()
    try:
        setup_test_environment()
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        yield
    finally:
        connection.close()
        teardown_test_environment()
        stack.stop()


def fill(count: int) -> Any:
    """A company with so many documents in force; returns its quality manager."""
    from django.db import connection

    from documents import workflow
    from documents.content import from_markdown
    from documents.models import Revision
    from qms.finding.models import Entry, Word
    from qms.scope.workflow import create_process, set_up_organisation
    from tests import factories
    from tests.many import multiply

    manager = factories.person("quality_manager", name="Ana Ruiz")
    author = factories.person("process_owner", name="Olga Stein")
    set_up_organisation(by=manager, name="Roy", country="CA", time_zone="America/Toronto")
    process = create_process(by=manager, code="BUY", name="Buying", owner=author)
    document = workflow.create_document(
        by=author,
        title="Receiving inspection",
        kind="procedure",
        owner=author,
        process=process,
        text=from_markdown("# Purpose\n\nCount the parcels. " * 40),
        reviewers=[manager],
        approvers=[factories.person("top_management", name="Tom Berg")],
    )
    revision = document.revisions.get()
    workflow.submit(revision, by=author)
    for step, part in ((workflow.review, "review"), (workflow.approve, "approval")):
        person = workflow.signatories_of(revision, part).seats[0].person
        step(revision, by=person, proof=factories.proof(person))
    document.refresh_from_db()
    words = "'Receiving ' || (array['inspection','calibration','storage','packing'])[1 + mod(n, 4)]"
    multiply(document, count - 1, number="'OLD-' || n", title=f"{words} || ' ' || n")
    last = connection.cursor()
    last.execute("select max(id) from documents_document")
    first = last.fetchone()[0] - (count - 1)
    multiply(Revision.objects.get(pk=revision.pk), count - 1, document_id=f"{first} + n")
    entry = Entry.objects.get(record_id=document.pk, title="Receiving inspection")
    _multiply_entries(entry, count - 1, first, words)
    Word.objects.bulk_create([Word(word=word) for word in ("calibration", "storage", "packing")])
    _lengthen_history(first + 500, 200)
    _fill_indicators(manager)
    _fill_audits(manager)
    last.execute("vacuum analyze")  # as the server does by itself after such a load
    return manager


def _fill_indicators(manager: Any) -> None:
    """An indicator with 10,000 readings on a control chart, and 500 others of two years."""
    from datetime import timedelta
    from decimal import Decimal

    from objectives import workflow
    from objectives.models import Indicator
    from qms.periods import today
    from tests.many import multiply

    begun = today() - timedelta(days=READINGS)
    told = {"by": manager, "unit": "h", "starts_on": begun, "frequency": "daily"}
    charted = workflow.add_indicator(title="Turnaround", chart="i-mr", **told)
    other = workflow.add_indicator(title="Scrap", **told)
    for indicator, times in ((charted, READINGS - 1), (other, 23)):
        reading = workflow.record_reading(
            by=manager, indicator=indicator, measured_for=begun, value=Decimal(50)
        )
        day = f"date '{begun}' + n"
        multiply(reading, times, measured_for=day, period_start=day, value="50 + mod(n * 7919, 11)")
    multiply(other, INDICATORS - 1, number="'IND-' || (1000 + n)", title="'Scrap ' || n")
    newest = list(Indicator.objects.filter(title__startswith="Scrap ").order_by("pk"))
    assert len(newest) == INDICATORS - 1
    for reading in other.measurements.all():
        multiply(reading, INDICATORS - 1, indicator_id=f"{newest[0].pk - 1} + n")


def _fill_audits(manager: Any) -> None:
    """A programme of three years: forty processes that share all clauses, each audited yearly."""
    from datetime import timedelta

    from audits import workflow
    from qms import clauses
    from qms.periods import add_months, today
    from qms.scope.workflow import activate, create_process
    from tests import factories

    lead, owner = factories.person("lead_auditor"), factories.person("process_owner")
    every = [each.ref.key for each in clauses.clauses("2026", assessable=True)]
    programme = workflow.create_programme(
        by=manager, title="Three years", starts_on=today(), years=YEARS, objectives="Find out."
    )
    for n in range(PROCESSES):
        code, own = f"A{n:02}", every[n % 5 :: 5]
        made = create_process(by=manager, code=code, name=f"Area {n}", owner=owner, clauses=own)
        process = activate(made, by=manager)
        for year in range(YEARS):
            day = add_months(today(), 12 * year) + timedelta(days=7 * n)
            workflow.plan_audit(
                by=manager, process=process, planned_on=day, lead=lead, programme=programme
            )


def _multiply_entries(entry: Any, times: int, first: int, title: str) -> None:
    """The index has a generated column, which is written by nobody."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "insert into finding_entry"  # noqa: S608 - expressions of our own
            " (record_type_id, record_id, language, number, title, keywords, words, note, url)"
            f" select record_type_id, {first} + n, language, 'OLD-' || n, {title} || ' ' || n,"
            " keywords, words || ' lot ' || n || ' batch ' || mod(n::bigint * 7919, 100003),"
            f" note, '/documents/' || {first} + n || '/'"
            " from finding_entry, generate_series(1, %s) as n where id = %s",
            [times, entry.pk],
        )


def _lengthen_history(document: int, times: int) -> None:
    """A document that was edited so often, each time with another title and next review."""
    from django.db import connection

    from documents.models import Document

    history: Any = Document.history.model
    kept = [field.column for field in history._meta.concrete_fields if not field.primary_key]
    told = {"id": str(document), "title": "h.title || ' ' || n", "version": "n"}
    told |= {"history_change_reason": "'Named better.'", "next_review": "current_date + n"}
    columns = ", ".join(kept)
    values = ", ".join(told.get(column, f"h.{column}") for column in kept)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into documents_historicaldocument ({columns}) select {values}"  # noqa: S608 - names of columns
            " from (select * from documents_historicaldocument order by history_id limit 1) as h,"
            " generate_series(1, %s) as n",
            [times],
        )


PLAIN = """{% extends "base.html" %}{% block content %}<h1>{{ count }}</h1>
<table>{% for row in rows %}<tr><td><a href="/documents/{{ row.pk }}/">{{ row.number }}</a></td>
<td>{{ row.title }}</td><td>{{ row.get_kind_display }}</td><td>{{ row.owner.name }}</td>
<td>{{ row.process.name }}</td><td>{{ row.next_review|date:"j M Y" }}</td>
<td>{{ row.get_status_display }}</td></tr>{% endfor %}</table>{% endblock %}"""


def plain_list(request: Any) -> Any:
    """The yardstick: 50 rows of the same table in our frame, with person, count and a template.

    What anybody would write by hand: no filter, no sorting, no columns to choose, no export.
    """
    from django.http import HttpResponse
    from django.template import engines

    from documents.models import Document

    rows = Document.objects.select_related("owner", "process").order_by("number")
    context = {"title": "Plain", "count": rows.count(), "rows": list(rows[:50])}
    return HttpResponse(engines["django"].from_string(PLAIN).render(context, request))


def pages(client: Any) -> list[Page]:
    """What is measured, with its targets."""
    from audits.models import AuditProgramme
    from documents.models import Document
    from objectives.models import Indicator

    coverage = f"/audits/programmes/{AuditProgramme.objects.get().pk}/coverage/"
    some = Document.objects.order_by("pk")[500]  # the one with a long history
    charted = Indicator.objects.get(title="Turnaround")

    withdrawn = iter(Document.objects.exclude(status="withdrawn").order_by("pk")[600:900])
    new = {"title": "Receiving", "kind": "procedure", "owner": some.owner_id, "language": "en"}
    new |= {"confidentiality": "open", "process": some.process_id, "review_months": 12}

    def create() -> Any:
        return client.post("/documents/new/", new)

    def withdraw() -> Any:
        document = next(withdrawn)
        body = {"reason": "No longer needed.", "version": document.version}
        return client.post(f"/documents/{document.pk}/do/withdraw/", body)

    def get(address: str) -> Callable[[], Any]:
        return lambda: client.get(address)

    return [
        Page("plain list", get("/bench/plain/"), 1, 12),
        Page("master list", get("/documents/"), 1.5, 12),
        Page("master list, page 40", get("/documents/?page=40"), 1.5, 12),
        Page("master list, filtered", get("/documents/?title=storage&sort=title"), 1.5, 12),
        Page("a document", get(f"/documents/{some.pk}/"), 2, 20),
        Page("an indicator, 10,000 readings", get(charted.get_absolute_url()), 2, 20),
        # Ten times the rows of the plain list.
        Page("500 indicators", get("/objectives/indicators/"), 15, 12),
        # 40 processes by every clause: two thousand cells where the plain list has fifty rows.
        Page("coverage, all three years", get(coverage), 15, 20),
        Page("coverage, one year", get(f"{coverage}?year=2"), 15, 20),
        Page("my work", get("/"), 2, 15),
        Page("leadership", get("/leadership/"), 2, 15),
        Page("create a document", create, 2, 20),
        Page("withdraw a document", withdraw, 2, 20),
        Page("search, a common word", get("/search/?q=calibration"), 2, 6),
        Page("search, a rare word", get("/search/?q=batch+7919"), 2, 6),
        Page("search, a typing error", get("/search/?q=callibraton"), 2, 6),
    ]


def measure(client: Any, rounds: int) -> list[Figure]:
    """Ask every page in turn, so many times; medians."""
    from tests.many import questions

    asked = pages(client)
    times: dict[str, list[float]] = {page.name: [] for page in asked}
    for page in asked:
        answer = page.ask()
        assert answer.status_code in (200, 303), page.name
    for _round in range(rounds):
        for page in asked:
            begin = time.perf_counter()
            answer = page.ask()
            times[page.name].append(time.perf_counter() - begin)
            assert answer.status_code in (200, 303), page.name
    medians = {name: statistics.median(many) for name, many in times.items()}
    floor = medians["plain list"]
    return [
        Figure(
            page.name,
            round(medians[page.name] * 1000, 1),
            round(medians[page.name] / floor, 2),
            page.most,
            questions(page.ask),
            page.most_queries,
        )
        for page in asked
    ]


def main() -> int:
    """Measure, print, keep. Returns 1 when a target is missed and `--strict` is given."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--strict", action="store_true")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    # What watches the tests' queries would be measured with them.
    settings.INSTALLED_APPS = [each for each in settings.INSTALLED_APPS if each != "zeal"]
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "zeal" not in each]
    django.setup()
    from django.test import Client
    from django.urls import path

    from qms import urls

    urls.urlpatterns.insert(0, path("bench/plain/", plain_list))
    with database():
        manager = fill(SIZES[asked.scale])
        client = Client()
        client.force_login(manager, backend="qms.people.access.RoleBackend")
        figures = measure(client, asked.rounds)
    print(f"{SIZES[asked.scale]:,} documents, medians of {asked.rounds}\n")
    print(f"{'page':31}{'ms':>8}{'plain lists':>13}{'of':>6}{'questions':>11}{'of':>5}")
    for each in figures:
        mark = "" if each.holds else "  missed"
        print(
            f"{each.name:31}{each.milliseconds:8}{each.ratio:13}{each.most:6}"
            f"{each.queries:11}{each.most_queries:5}{mark}"
        )
    TARGET.parent.mkdir(exist_ok=True)
    told = {"scale": asked.scale, "rounds": asked.rounds, "figures": [asdict(f) for f in figures]}
    TARGET.write_text(json.dumps(told, indent=2))
    missed = [each for each in figures if not each.holds]
    return 1 if missed and asked.strict else 0


if __name__ == "__main__":
    sys.exit(main())
