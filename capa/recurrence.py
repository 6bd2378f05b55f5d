"""Cases that are alike: what was reported before, and causes that come again (ISO 9001 10.2.1 b).

Two cases are compared by what was told (the words of their problem, weighed by how rare they are
among all cases), by how alike their titles are written, by their cause once it is known, and by
process, product and kind of cause. The weights are round numbers that were chosen on one half of
the labelled cases in tests/capa/labelled_cases.txt and proved on the other half.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import log, sqrt
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import F, Func, TextField

from capa.models import CaseWords, Nonconformity
from qms.periods import add_months

ALIKE = 0.2  # from here on a case is worth showing to who reports or analyses one
SAME_PROBLEM = 0.5  # from here on two problems whose causes nobody named are taken for the same
REPEATS = 0.66  # from here on the same cause is taken to have come again, until somebody says no
SAME_CAUSE = 0.1  # what two causes share at least, however alike the problems are

TOLD, CAUSE, WRITTEN = 1.0, 1.0, 0.3
SAME_CATEGORY, SAME_PROCESS, SAME_PRODUCT = 0.2, 0.1, 0.05

Words = Collection[str]


@dataclass(frozen=True)
class Case:
    """A case as it is compared: stems of its problem and its cause, its title, where it happened.

    `process`, `product` and `category` are compared only where both have one.
    """

    told: frozenset[str]
    title: str = ""
    cause: frozenset[str] = frozenset()
    process: str = ""
    product: str = ""
    category: str = ""

    @property
    def letters(self) -> frozenset[str]:
        """The title in overlapping threes, so that endings and small misspellings matter little."""
        text = f"  {self.title.casefold()} "
        return frozenset(text[at : at + 3] for at in range(len(text) - 2))


@dataclass(frozen=True)
class Rarity:
    """In how many of how many cases a word stands; what stands nowhere yet is the rarest."""

    cases: int
    of: Mapping[str, int] = field(default_factory=dict)

    def weight(self, word: str) -> float:
        return log(1 + max(self.cases, 1) / (1 + self.of.get(word, 0)))


def likeness(one: Case, other: Case, rarity: Rarity) -> float:
    """How alike two cases are: 0 has nothing in common, `REPEATS` and more is the same again."""
    score = TOLD * shared(one.told, other.told, rarity)
    score += WRITTEN * _overlap(one.letters, other.letters)
    if one.cause and other.cause:
        score += CAUSE * shared(one.cause, other.cause, rarity)
        score += SAME_CATEGORY * _same(one.category, other.category)
    score += SAME_PROCESS * _same(one.process, other.process)
    return score + SAME_PRODUCT * _same(one.product, other.product)


def shared(one: Words, other: Words, rarity: Rarity) -> float:
    """What two texts have in common, from 0 to about 1; rare words count for more.

    The cosine of the two, where the words only the other text has count as its first one's do on
    average: so only the words that are asked for need be counted among all cases. What both share
    is the least the other text weighs, so that one rare word alone never counts for more than 1.
    """
    both = sum(rarity.weight(word) ** 2 for word in set(one) & set(other))
    if not both:
        return 0.0
    whole = sum(rarity.weight(word) ** 2 for word in one)
    return both / sqrt(whole * max(whole * len(other) / len(one), both))


def _overlap(one: Words, other: Words) -> float:
    whole = len(set(one) | set(other))
    return len(set(one) & set(other)) / whole if whole else 0.0


def _same(one: str, other: str) -> bool:
    return bool(one) and one == other


# Asking the cases that are there ------------------------------------------------------------

MOST_COMPARED = 400
RAREST = 10  # words of a text by which cases worth comparing are found
MOST_TOLD = 4_000  # characters of a text that are compared
MOST_KEPT = 40_000  # of a recorded case; the database takes no more than a megabyte of words


@dataclass(frozen=True)
class Alike:
    """A case that is like the one asked for: how much, and what both have in common, in words."""

    case: Nonconformity
    likeness: float
    why: str


def told_by(case: Nonconformity) -> Case:
    """A recorded case as it is compared."""
    told, cause = _stems(f"{case.title} {case.statement} {case.evidence}"), _stems(case.root_cause)
    process = str(case.process_id or "")
    return Case(told, case.title, cause, process, _plain(case.product), case.category)


def told_in_words(title: str, *, details: str = "", process: Any = None, product: str = "") -> Case:
    """What somebody is about to report, as it is compared."""
    told = _stems(f"{title} {details}")
    return Case(told, title, process=str(process.pk) if process else "", product=_plain(product))


def alike(
    asked: Case,
    rows: Any,
    *,
    least: float = ALIKE,
    least_cause: float = 0.0,
    most: int = 5,
    since: date | None = None,
) -> list[Alike]:
    """The cases among `rows` most like the one asked for, the likest first.

    A fixed number of questions, whatever the number of cases.
    """
    words = asked.told | asked.cause
    if not words:
        return []
    rarity = _rarity(words)
    found = []
    for row in _worth_comparing(asked, rarity, rows, since):
        score = likeness(asked, row.compared, rarity)
        cause = shared(asked.cause, row.compared.cause, rarity) if least_cause else 0.0
        if score >= least and cause >= least_cause:
            found.append((score, row))
    found.sort(key=lambda each: (-each[0], -each[1].pk))
    return [
        Alike(row, round(score, 2), in_common(asked, row.compared, rarity))
        for score, row in found[:most]
    ]


def again(asked: Case, rows: Any, *, most: int = 3, since: date | None = None) -> list[Alike]:
    """The cases among `rows` whose cause is taken to have come again in the one asked for."""
    return alike(asked, rows, least=REPEATS, least_cause=SAME_CAUSE, most=most, since=since)


def repeats_of(case: Nonconformity, *, months: int, most: int = 3) -> list[Alike]:
    """Earlier cases of the last `months` whose cause is taken to have come again in this one."""
    asked = told_by(case)
    if not asked.cause:
        return []
    earlier = Nonconformity.objects.exclude(status=Nonconformity.Status.VOID).filter(
        pk__lt=case.pk, detected_on__lte=case.detected_on
    )
    since = add_months(case.detected_on, -months)
    return again(asked, earlier, most=most, since=since)


def in_common(one: Case, other: Case, rarity: Rarity) -> str:
    """What two cases have in common, for people: the rarest words first."""
    both = (one.told | one.cause) & (other.told | other.cause)
    words = sorted(both, key=lambda word: (-rarity.weight(word), word))[:4]
    same = [
        name
        for name, here, there in (
            ("same process", one.process, other.process),
            ("same product", one.product, other.product),
            ("same kind of cause", one.category, other.category),
        )
        if _same(here, there)
    ]
    return ", ".join([*same, f"both say {', '.join(words)}"] if words else same)


def keep_words(of: Nonconformity | None = None) -> None:
    """Bring the stems of a case up to what it says now, or those of every case that has none yet.

    Who saves a case holds it alone, so that two who save never wait for each other in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"most": MOST_KEPT, "case": of.pk if of else None})


KEEP = """
INSERT INTO capa_casewords (nonconformity_id, version, told, cause)
SELECT n.id, n.version,
       to_tsvector('english', left(concat_ws(' ', n.title, n.statement, n.evidence), %(most)s)),
       to_tsvector('english', left(n.root_cause, %(most)s))
  FROM capa_nonconformity AS n
  LEFT JOIN capa_casewords AS w ON w.nonconformity_id = n.id
 WHERE w.version IS DISTINCT FROM n.version AND (%(case)s::bigint IS NULL OR n.id = %(case)s)
 ORDER BY n.id
ON CONFLICT (nonconformity_id)
DO UPDATE SET version = excluded.version, told = excluded.told, cause = excluded.cause
"""


def _stems(text: str) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(to_tsvector('english', %s))", [text[:MOST_TOLD]])
        row = cursor.fetchone()
    return frozenset(row[0] if row else ())


def _rarity(words: Iterable[str]) -> Rarity:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, ndoc FROM ts_stat('SELECT told || cause FROM capa_casewords')"
            " WHERE word = ANY(%s)",
            [sorted(words)],
        )
        of = {word: int(count) for word, count in cursor.fetchall()}
        cursor.execute("SELECT count(*) FROM capa_casewords")
        row = cursor.fetchone()
    return Rarity(int(row[0]) if row else 0, of)


def _worth_comparing(asked: Case, rarity: Rarity, rows: Any, since: date | None) -> list[Any]:
    """Cases that share a rare word, the newest first, each with `compared` on board."""
    rare = {
        word
        for words in (asked.told, asked.cause)
        for word in sorted(words, key=lambda each: (-rarity.weight(each), each))
        if word in rarity.of
    }
    picked = sorted(rare, key=lambda each: (-rarity.weight(each), each))[: 2 * RAREST]
    if not picked:
        return []
    any_of = " | ".join(
        "'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in picked
    )
    query = SearchQuery(any_of, search_type="raw", config="simple")
    known = CaseWords.objects.filter(words=query).values("pk")
    rows = rows.filter(pk__in=known).annotate(
        told_stems=_array("case_words__told"), cause_stems=_array("case_words__cause")
    )
    if since is not None:
        rows = rows.filter(detected_on__gte=since)
    found = list(rows.select_related("process").order_by("-detected_on", "-pk")[:MOST_COMPARED])
    for row in found:
        row.compared = Case(
            frozenset(row.told_stems),
            row.title,
            frozenset(row.cause_stems),
            str(row.process_id or ""),
            _plain(row.product),
            row.category,
        )
    return found


def _array(field_name: str) -> Func:
    return Func(F(field_name), function="tsvector_to_array", output_field=ArrayField(TextField()))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
