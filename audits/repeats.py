"""Findings that come again: the same clause, and the process, provider or customer (9.2.2, 10.2).

Computed each time it is asked, so that nobody has to remember; nothing of it is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Q

from audits.models import Audit, Finding
from audits.models.audits import SUBJECTS
from qms import clauses
from qms.clauses import ClauseRef
from qms.periods import add_months, today

MONTHS = 36
WEAK = ("major", "minor", "observation", "opportunity")  # what should not come again


def _clauses_alike(key: str) -> frozenset[str]:
    """The clause, and the one of the other edition that says the same."""
    ref = ClauseRef.parse(key)
    same = clauses.same_in(ref, clauses.other_edition(ref.edition))
    return frozenset({ref.key, *(each.key for each in same)})


def _day_of(finding: Finding) -> date:
    return finding.audit.conducted_on or finding.audit.planned_on


def earlier_of(findings: Iterable[Finding]) -> dict[int, list[Finding]]:
    """For each finding what audits of the 36 months before found alike, newest first.

    The audit of each finding must be read with it. One question, however many findings.
    """
    asked = [each for each in findings if each.clause and each.standing_grade in WEAK]
    if not asked:
        return {}
    rows = Finding.objects.released().standing().filter(stands__in=WEAK)
    rows = (
        rows.filter(_of_the_same(asked))
        .filter(
            clause__in={key for each in asked for key in _clauses_alike(each.clause)},
            audit__conducted_on__gte=add_months(min(_day_of(each) for each in asked), -MONTHS),
        )
        .select_related("audit")
    )
    known: defaultdict[tuple[str, int], list[Finding]] = defaultdict(list)
    for row in rows.order_by("-audit__conducted_on", "-pk"):
        known[_what_of(row.audit)].append(row)
    return {
        each.pk: alike
        for each in asked
        if (alike := [row for row in known[_what_of(each.audit)] if _is_before(row, each)])
    }


def _what_of(audit: Audit) -> tuple[str, int]:
    """What an audit looked at: a process, whoever audited it; else a provider, or us as a whole."""
    for name in SUBJECTS:
        if key := getattr(audit, f"{name}_id"):
            return name, key
    return "", 0


def _of_the_same(findings: Iterable[Finding]) -> Q:
    """What audits of the same processes, providers and customers found."""
    found = Q(pk=None)
    told = {_what_of(each.audit) for each in findings}
    for name in SUBJECTS:
        keys = [key for kind, key in told if kind == name]
        others = {f"audit__{other}": None for other in SUBJECTS[: SUBJECTS.index(name)]}
        found |= Q(**{f"audit__{name}__in": keys}, **others)
    return found


def _is_before(row: Finding, finding: Finding) -> bool:
    day = row.audit.conducted_on
    latest = _day_of(finding)
    return (
        row.audit_id != finding.audit_id
        and day is not None
        and (day, row.audit_id) < (latest, finding.audit_id)
        and day >= add_months(latest, -MONTHS)
        and row.clause in _clauses_alike(finding.clause)
    )


def repeated_in(processes: Sequence[int], day: date | None = None) -> dict[int, int]:
    """How many findings of the last 36 months came again, by process; for the programme."""
    rows = (
        Finding.objects.released()
        .select_related("audit")
        .filter(
            audit__process__in=list(processes),
            audit__conducted_on__gte=add_months(day or today(), -MONTHS),
        )
    )
    findings = list(rows)
    found: defaultdict[int, int] = defaultdict(int)
    again = earlier_of(findings)
    for each in findings:
        found[each.audit.process_id or 0] += each.pk in again
    return {key: count for key, count in found.items() if count}
