"""Whether a scope is too broad or too narrow, computed from what is recorded (ISO 9001 4.3).

The figures come from a small declared rule, shown with its numbers wherever the advice stands, so
that people can disagree with it. Advice stops nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from qms import contributions
from qms.contributions import CertifiedScope, Need, Related
from qms.periods import add_months, today
from qms.scope.models import Process, ProcessDeputy, ScopeStatement, Site

# The rule: hours a year that a covered process adds to the system's own work.
AUDIT_HOURS = 12  # preparing, doing and reporting one internal audit
DOCUMENT_HOURS = 2  # keeping one document current
INDICATOR_HOURS = 4  # twelve readings of twenty minutes
OWNER_HOURS = 6  # owner and each deputy: reviews, training, questions
FEWEST_AUDITS = 1  # a covered process is audited at least once a year
RULE = (
    f"{AUDIT_HOURS} hours for each audit (at least {FEWEST_AUDITS} a year), {DOCUMENT_HOURS} for"
    f" each document, {INDICATOR_HOURS} for each indicator, {OWNER_HOURS} for the owner and each"
    " deputy."
)
# Words that say nothing about what is offered.
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an all and any are as at been by can for from has have in into is it its of on or our"
        " per that the their them these they this to up us we which whole with product products"
        " service services solution solutions customer customers client clients other others new"
        " good need needs want wants",
    )
)
STEM = 5  # signs by which words of one family are recognised: valve and valves, test and testing


@dataclass(frozen=True)
class Load:
    """What one covered process adds in a year."""

    process: Process
    audits: int
    documents: int
    indicators: int
    people: int

    @property
    def hours(self) -> int:
        return (
            AUDIT_HOURS * self.audits
            + DOCUMENT_HOURS * self.documents
            + INDICATOR_HOURS * self.indicators
            + OWNER_HOURS * self.people
        )


@dataclass(frozen=True)
class Point:
    """A piece of advice: a sentence and the page that helps."""

    sentence: str
    url: str = ""


@dataclass(frozen=True)
class Advice:
    """What is said about one statement."""

    loads: list[Load]
    broad: list[Point]
    narrow: list[Point]
    certificates: list[Point]

    @property
    def hours(self) -> int:
        return sum(load.hours for load in self.loads)


def advise(statement: ScopeStatement, day: date | None = None) -> Advice:
    """Everything about one statement, in a constant number of queries."""
    covered, sites = statement.processes(), statement.sites()
    loads = loads_of(covered, day or today())
    missing = Process.objects.active().exclude(pk__in=[each.pk for each in covered])
    places = Site.objects.filter(status=Site.Status.ACTIVE).order_by("name")
    text = f"{statement.statement} {statement.products_and_services}"
    certified = contributions.certified_scopes()
    return Advice(
        loads,
        too_broad(loads),
        too_narrow(
            text,
            list(missing.order_by("code")),
            [each for each in places if each.pk not in {site.pk for site in sites}],
            contributions.stated_needs(),
        ),
        disagreements(text, sites, certified),
    )


def loads_of(processes: Sequence[Process], day: date) -> list[Load]:
    """What each process adds, the most first."""
    keys = [each.pk for each in processes]
    told = contributions.related_to(Process, keys)
    links = ProcessDeputy.objects.live().filter(process__in=keys, person__is_active=True)
    deputies = list(links.values_list("process_id", flat=True))
    since = add_months(day, -12)
    found = [
        Load(
            each,
            max(FEWEST_AUDITS, _within(told[each.pk].get("Audits", []), since, day)),
            len(told[each.pk].get("Documents", [])),
            len(told[each.pk].get("Indicators", [])),
            (each.owner_id is not None) + deputies.count(each.pk),
        )
        for each in processes
    ]
    return sorted(found, key=lambda load: (-load.hours, load.process.code))


def _within(rows: Iterable[Related], since: date, until: date) -> int:
    return sum(1 for row in rows if row.counts and row.day and since < row.day <= until)


def too_broad(loads: Sequence[Load]) -> list[Point]:
    """Processes the scope promises and nobody keeps."""
    said = []
    for load in loads:
        process, url = load.process, load.process.get_absolute_url()
        if not process.owner_id and not load.documents:
            said.append(
                Point(
                    f"{process} has neither an owner nor a document. Describe it now, or plan it"
                    " for a later cycle.",
                    url,
                )
            )
    return said


def too_narrow(
    text: str, processes: Sequence[Process], sites: Sequence[Site], needs: Sequence[Need]
) -> list[Point]:
    """What a certificate with these words would not cover."""
    said = [
        Point(f"{each} runs, and the scope does not cover it.", each.get_absolute_url())
        for each in processes
    ]
    said += [
        Point(f"{each} is a site, and the scope does not name it.", each.get_absolute_url())
        for each in sites
    ]
    said += [
        Point(f"“{need.text}” was named{_where(need)}; the scope does not speak of it.", need.url)
        for need in needs
        if unnamed(need.text, text)
    ]
    return said


def _where(need: Need) -> str:
    return f" ({need.source})" if need.source else ""


def stems(text: str) -> set[str]:
    """The words of a text that say something, cut to their stems."""
    words = re.findall(r"[^\W\d_]{3,}", text.lower())
    return {stem(word) for word in words if word not in COMMON}


def stem(word: str) -> str:
    """What words of one family have in common, near enough for a hint."""
    return word.removesuffix("s")[:STEM]


def unnamed(need: str, text: str) -> bool:
    """Whether fewer than half of a need's words occur in a text."""
    wanted = stems(need)
    return bool(wanted) and len(wanted & stems(text)) * 2 < len(wanted)


def disagreements(
    text: str, sites: Sequence[Site], certified: Sequence[CertifiedScope]
) -> list[Point]:
    """Where a certificate in force says something else than the statement."""
    said = []
    for each in certified:
        theirs, ours = stems(each.text), stems(text)
        more = sorted(_whole(each.text, theirs - ours))
        less = sorted(_whole(text, ours - theirs))
        if more:
            said.append(
                Point(f"{each.name} speaks of {_named(more)}; this statement does not.", each.url)
            )
        if less and len(less) > len(ours) / 2:
            said.append(
                Point(
                    f"Most words of this statement are not on {each.name}. Compare them.", each.url
                )
            )
        said += _unaudited(each, sites)
    return said


def _unaudited(certified: CertifiedScope, sites: Sequence[Site]) -> list[Point]:
    if certified.site_ids is None:
        return []
    return [
        Point(
            f"{site} was not audited since {certified.name} was decided.", site.get_absolute_url()
        )
        for site in sites
        if site.pk not in certified.site_ids
    ]


def _whole(text: str, wanted: set[str]) -> set[str]:
    """The words of a text as written whose stems are wanted."""
    words = re.findall(r"[^\W\d_]{3,}", text.lower())
    first: Mapping[str, str] = {stem(word): word for word in reversed(words)}
    return {first[each] for each in wanted}


def _named(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:4])
    return f"{shown} and {len(words) - 4} more words" if len(words) > 4 else shown
