"""What makes a process want an audit sooner: what happened since its last one (9.2.1)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from django.db.models import Count

from audits import repeats
from audits.models import Audit, Finding
from audits.programme import Factor
from capa.models import Nonconformity
from documents.models import Revision
from qms import contributions
from qms.periods import add_months, day_of
from qms.risks.models import Risk
from qms.scope.models import Process

LAW_POINTS = 10
OWNER_POINTS = 10
MAJOR_POINTS, MINOR_POINTS, FINDING_MOST = 15, 5, 30
REPEAT_POINTS, REPEAT_MOST = 5, 15
COMPLAINT_POINTS, COMPLAINT_MOST = 5, 15
OVERDUE_POINTS, OVERDUE_MOST = 5, 15
REVISION_POINTS, REVISION_MOST = 3, 12
RISK_POINTS, RISK_MOST = 8, 16

Found = Iterator[tuple[int, Factor]]


def factors_of(
    processes: Mapping[int, Process], last: Mapping[int, date | None], today: date
) -> dict[int, tuple[Factor, ...]]:
    """The factors of processes by key, in a fixed number of questions.

    `last` are the days of their last audits; without one, what happened in a year counts.
    """
    since = {key: last.get(key) or add_months(today, -12) for key in processes}
    found: defaultdict[int, list[Factor]] = defaultdict(list)
    for source in SOURCES:
        for key, factor in source(processes, since, today):
            found[key].append(factor)
    for key, words, points in contributions.audit_factors(since, today):
        found[key].append(Factor(words, points))
    return {key: tuple(factors) for key, factors in found.items()}


def _law(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    for key, process in processes.items():
        if process.is_regulated:
            yield key, Factor("The law sets requirements for what it delivers.", LAW_POINTS)


def _owners(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    """Another owner than on the day of the last audit."""
    rows = Process.history.filter(id__in=list(processes)).order_by("id", "history_id")
    then: dict[int, int | None] = {}
    first: dict[int, int | None] = {}
    for key, owner, moment in rows.values_list("id", "owner_id", "history_date"):
        if day_of(moment) <= since[key]:
            then[key] = owner
        first.setdefault(key, owner)
    for key, process in processes.items():
        before = then.get(key, first.get(key))
        if before is not None and before != process.owner_id:
            yield key, Factor("Its owner changed.", OWNER_POINTS)


def _findings(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    """Nonconformities that the last audit found."""
    rows = (
        Finding.objects.released()
        .standing()
        .nonconformities()
        .filter(audit__kind=Audit.Kind.INTERNAL)
        .filter(audit__process__in=list(processes), audit__conducted_on__in=set(since.values()))
    )
    counted: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for key, grade, day in rows.values_list("audit__process_id", "stands", "audit__conducted_on"):
        if day == since[key]:
            counted[key][grade] += 1
    for key, grades in counted.items():
        majors, minors = grades["major"], grades["minor"]
        points = min(MAJOR_POINTS * majors + MINOR_POINTS * minors, FINDING_MOST)
        told = [
            f"{count} {name}{'s' if count > 1 else ''}"
            for count, name in ((majors, "major"), (minors, "minor"))
            if count
        ]
        yield key, Factor(f"Its last audit found {' and '.join(told)}.", points)


def _again(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    """What earlier audits had found already."""
    for key, count in repeats.repeated_in(list(processes), today).items():
        words = f"{count} finding{'s' if count > 1 else ''} came again within three years."
        yield key, Factor(words, min(REPEAT_POINTS * count, REPEAT_MOST))


def _complaints(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    rows = Nonconformity.objects.filter(source=Nonconformity.Source.COMPLAINT)
    for key, count in _since(rows, since, "detected_on").items():
        words = f"{count} complaint{'s' if count > 1 else ''} since its last audit."
        yield key, Factor(words, min(COMPLAINT_POINTS * count, COMPLAINT_MOST))


def _overdue(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    rows = Nonconformity.objects.overdue(today).filter(process__in=list(processes))
    for key, count in rows.values_list("process_id").annotate(Count("pk")).order_by("process_id"):
        words = f"{count} of its nonconformities {'are' if count > 1 else 'is'} overdue."
        yield key, Factor(words, min(OVERDUE_POINTS * count, OVERDUE_MOST))


def _revisions(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    rows = Revision.objects.filter(
        document__process__in=list(processes), effective_from__lte=today, approved_on__isnull=False
    ).exclude(status="void")
    counted: Counter[int] = Counter()
    for key, day in rows.values_list("document__process_id", "effective_from"):
        if key is not None and day is not None and day > since[key]:
            counted[key] += 1
    for key, count in counted.items():
        words = f"{count} new revision{'s' if count > 1 else ''} of its documents."
        yield key, Factor(words, min(REVISION_POINTS * count, REVISION_MOST))


def _risks(processes: Mapping[int, Process], since: Mapping[int, date], today: date) -> Found:
    rows = Risk.objects.high().filter(process__in=list(processes))
    for key, count in rows.values_list("process_id").annotate(Count("pk")).order_by("process_id"):
        words = f"{count} high risk{'s' if count > 1 else ''} open."
        yield key, Factor(words, min(RISK_POINTS * count, RISK_MOST))


def _since(rows: object, since: Mapping[int, date], name: str) -> Counter[int]:
    """How many rows of each process came after its last audit."""
    counted: Counter[int] = Counter()
    kept = rows.filter(process__in=list(since)).exclude(status="void")  # type: ignore[attr-defined]
    for key, day in kept.values_list("process_id", name):
        if day > since[key]:
            counted[key] += 1
    return counted


SOURCES = (_law, _owners, _findings, _again, _complaints, _overdue, _revisions, _risks)
