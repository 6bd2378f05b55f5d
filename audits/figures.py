"""What the audits of some years came to: progress, punctuality, findings, load, age (9.2, 9.1.3).

Everything is counted from the records each time, in a fixed number of questions, and only from what
the person may see.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from audits.grades import wordings
from audits.models import Audit, AuditProgramme, AuditTeamMember, Finding
from audits.workflow.audits import REPORT_DAYS
from capa.models import Nonconformity
from qms import charts
from qms.charts import Chart
from qms.clauses import ClauseRef
from qms.periods import Period, due_in
from qms.shares import Share

YEARS = 4  # beside each other, the year chosen the last of them
MOST_CLAUSES = 20
GRADES = Finding.Grade
TONES = {
    GRADES.MAJOR: "late",
    GRADES.MINOR: "soon",
    GRADES.OBSERVATION: "info",
    GRADES.OPPORTUNITY: "quiet",
    GRADES.CONFORMITY: "none",
    GRADES.GOOD: "fine",
}
AGES = ((30, "up to 30 days", "fine"), (60, "31 to 60 days", "info"), (90, "61 to 90 days", "soon"))
OLDER = ("more than 90 days", "late")
ON_TIME = (
    "On time is an audit that took place by the last day of its window; without a window, by the"
    " day it was first planned for. Counted are audits that took place, and those whose day has"
    " passed without."
)
REPORT_ON_TIME = (
    f"A report is on time when the auditee has it, signed, within {REPORT_DAYS} days of the audit."
)
NOTHING_WRONG = (GRADES.CONFORMITY, GRADES.GOOD)


@dataclass(frozen=True)
class Progress:
    """How far a programme is today."""

    programme: AuditProgramme
    reported: Share
    late: int


@dataclass(frozen=True)
class Others:
    """Audits of a kind that comes on top of the programme: planned for the year, reported, late."""

    kind: str
    words: str
    planned: int
    reported: int
    late: int


@dataclass(frozen=True)
class Figures:
    """Everything the page of a year shows; `is_empty` where no audit was ever planned."""

    year: int
    years: tuple[int, ...]
    reported: Share
    on_time: Share
    reports_on_time: Share
    late: int
    programmes: tuple[Progress, ...]
    by_year: Chart
    by_clause: Chart
    by_process: tuple[tuple[str, tuple[int, ...]], ...]
    load: Chart
    ages: Chart
    open_findings: int
    others: tuple[Others, ...]
    is_empty: bool


def figures_of(person: Any, year: int, today: date) -> Figures:
    """The figures of a calendar year, with the years before it beside them."""
    period = Period.year(year)
    audits = list(
        Audit.objects.visible_to(person)
        .exclude(status=Audit.Status.VOID)
        .filter(planned_on__range=(period.start, period.end))
        .select_related("lead")
        .order_by("planned_on", "pk")
    )
    every, audits = audits, [each for each in audits if each.kind == Audit.Kind.INTERNAL]
    findings = _findings(person, year)
    of_the_year = [each for each in findings if each["audit__issued_on"].year == year]
    open_ones = _open_nonconformities(person)
    return Figures(
        year=year,
        years=_years(person, today),
        reported=Share(sum(a.issued_on is not None for a in audits), len(audits)),
        on_time=_on_time(audits, today),
        reports_on_time=_reports_on_time(audits, today),
        late=sum(is_late(each, today) for each in audits),
        programmes=_programmes(person, today),
        by_year=_by_year(findings, year),
        by_clause=_by_clause(of_the_year, year),
        by_process=_by_process(of_the_year),
        load=_load([each for each in every if not each.is_theirs], year),
        others=_others(every, today),
        ages=_ages(open_ones, today),
        open_findings=len(open_ones),
        is_empty=not (every or findings or Audit.objects.visible_to(person).exists()),
    )


def _years(person: Any, today: date) -> tuple[int, ...]:
    """The years there are audits in, the newest first; always this one too."""
    rows = Audit.objects.visible_to(person).exclude(status=Audit.Status.VOID)
    found = {day.year for day in rows.dates("planned_on", "year")}
    return tuple(sorted(found | {today.year}, reverse=True))


def day_by(audit: Audit) -> date:
    """Until when an audit takes place to be on time."""
    return audit.window_end or audit.originally_planned_on


def is_late(audit: Audit, today: date) -> bool:
    """Whether its day passed and it did not take place."""
    return audit.conducted_on is None and audit.planned_on < today


def _on_time(audits: Sequence[Audit], today: date) -> Share:
    judged = [a for a in audits if a.conducted_on or day_by(a) < today]
    kept = [a for a in judged if a.conducted_on and a.conducted_on <= day_by(a)]
    return Share(len(kept), len(judged))


def _reports_on_time(audits: Sequence[Audit], today: date) -> Share:
    due = [
        (audit, due_in(REPORT_DAYS, audit.conducted_on)) for audit in audits if audit.conducted_on
    ]
    judged = [(audit, day) for audit, day in due if audit.signed_on or day < today]
    return Share(sum(bool(a.signed_on and a.signed_on <= day) for a, day in judged), len(judged))


def _programmes(person: Any, today: date) -> tuple[Progress, ...]:
    rows = list(AuditProgramme.objects.visible_to(person).current(today))
    audits = Audit.objects.visible_to(person).exclude(status=Audit.Status.VOID)
    of: defaultdict[int, list[Audit]] = defaultdict(list)
    for audit in audits.filter(programme__in=rows):
        of[audit.programme_id].append(audit)
    return tuple(
        Progress(
            each,
            Share(sum(a.issued_on is not None for a in of[each.pk]), len(of[each.pk])),
            sum(is_late(audit, today) for audit in of[each.pk]),
        )
        for each in rows
    )


def _findings(person: Any, year: int) -> list[dict[str, Any]]:
    """Released findings of the years shown, with the grade that stands, by their report's day."""
    span = (date(year - YEARS + 1, 1, 1), date(year, 12, 31))
    rows = Finding.objects.visible_to(person).of_processes().released().standing()
    rows = rows.filter(audit__issued_on__range=span)
    return list(
        rows.order_by("pk").values("stands", "clause", "audit__issued_on", "audit__process__name")
    )


def _by_year(findings: Sequence[Mapping[str, Any]], year: int) -> Chart:
    years = range(year - YEARS + 1, year + 1)
    counted = Counter((each["audit__issued_on"].year, each["stands"]) for each in findings)
    parts = [
        (words.label, TONES[GRADES(grade)], [counted[y, grade] for y in years])
        for grade, words in wordings().items()
    ]
    names = [str(each) for each in years]
    return charts.stacked(names, parts, title="Findings by grade and year", heading="Year")


def _by_clause(findings: Sequence[Mapping[str, Any]], year: int) -> Chart:
    counted = Counter(each["clause"] for each in findings if each["stands"] not in NOTHING_WRONG)
    named: Counter[str] = Counter()
    for key, count in counted.items():
        named[_clause_in_words(key)] += count
    title = f"Findings by clause, {year}"
    return charts.pareto(named, title=title, most=MOST_CLAUSES)


def _clause_in_words(key: str) -> str:
    return ClauseRef.parse(key).number if key else "none named"


def _by_process(
    findings: Sequence[Mapping[str, Any]],
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(process, how many of each grade), the one with most nonconformities first."""
    counted = Counter((each["audit__process__name"], each["stands"]) for each in findings)
    rows = [
        (name, tuple(counted[name, grade] for grade in GRADES.values))
        for name in {name for name, _grade in counted}
    ]
    return tuple(sorted(rows, key=lambda row: (-(row[1][0] + row[1][1]), row[0])))


def _load(audits: Sequence[Audit], year: int) -> Chart:
    """How many audits each auditor leads or takes part in."""
    counted: Counter[str] = Counter(audit.lead.name for audit in audits)
    places = AuditTeamMember.objects.live().filter(audit__in=[audit.pk for audit in audits])
    counted.update(places.values_list("person__name", flat=True))
    rows = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    title = f"Audits for each auditor, {year}"
    return charts.bars(rows, title=title, headings=("Auditor", "Audits"))


def _others(audits: Sequence[Audit], today: date) -> tuple[Others, ...]:
    """Special, supplier and customers' audits of the year, where there are any."""
    found = []
    for kind in (Audit.Kind.SPECIAL, Audit.Kind.SUPPLIER, Audit.Kind.CUSTOMER):
        rows = [each for each in audits if each.kind == kind]
        if rows:
            reported = sum(each.issued_on is not None for each in rows)
            late = sum(is_late(each, today) for each in rows)
            found.append(Others(kind, f"{kind.label}s", len(rows), reported, late))
    return tuple(found)


def _open_nonconformities(person: Any) -> list[date]:
    """The days on which what audits found and is still open was detected."""
    rows = Nonconformity.objects.visible_to(person).open()
    rows = rows.filter(source=Nonconformity.Source.AUDIT)
    return list(rows.order_by("detected_on", "pk").values_list("detected_on", flat=True))


def _ages(days: Sequence[date], today: date) -> Chart:
    counted = Counter(_age((today - day).days) for day in days)
    order = [(words, tone) for _most, words, tone in AGES] + [OLDER]
    rows = [(words, counted[words], tone) for words, tone in order] if days else []
    title = "Open nonconformities of internal audits by age"
    return charts.bars(rows, title=title, headings=("Since it was detected", "Open"))


def _age(days: int) -> str:
    return next((words for most, words, _tone in AGES if days <= most), OLDER[0])
