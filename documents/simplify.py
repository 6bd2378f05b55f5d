"""Keep it simple: documents nobody opens or reads, that repeat each other, or run too long (7.5.1).

Each comes with a proposal and the click to it. Texts are compared by runs of five words, read from
the index of the search; the comparison is kept until another revision takes effect.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any, Literal

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db.models import Count, Exists, F, Max, OuterRef
from django.urls import reverse

from documents.models import Document, Opening, ReadingTask, Revision
from qms.finding.models import Entry

Kind = Literal["overlap", "long", "unopened", "unread"]
HEADINGS: dict[Kind, str] = {
    "overlap": "Say the same as another",
    "long": "Longer than such a document needs to be",
    "unopened": "Nobody opens them",
    "unread": "Nobody gets round to reading them",
}
# How many words are plenty for a document of its kind.
PLENTY = {
    "policy": 400,
    "manual": 8000,
    "procedure": 2000,
    "instruction": 1200,
    "form": 800,
    "template": 1500,
}
RUN = 5  # words
ALIKE = 0.5  # of the shorter text stands in the other
FEW_RUNS = 12  # shorter texts are too short to compare
UNOPENED_DAYS, SETTLING_DAYS, UNREAD_DAYS = 365, 90, 30
KEPT_SECONDS = 24 * 3600
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Proposal:
    """A document, what is the matter with it, what could be done, and the click to it."""

    kind: Kind
    document: Any
    finding: str
    proposal: str
    label: str
    url: str
    other: Any = None


@dataclass(frozen=True)
class Texts:
    """How long the texts in force are, and which pairs overlap by how much of the shorter one."""

    words: Mapping[int, int]
    pairs: tuple[tuple[int, int, float], ...]


def proposals_for(person: Any, day: date) -> dict[Kind, list[Proposal]]:
    """What could be simpler, by what is the matter; only documents the person may see."""
    rows = Document.objects.visible_to(person).current().exclude(next_review=None)
    seen = {each.pk: each for each in rows.select_related("owner")}
    found = [*_overlapping(seen), *_long(seen), *_unopened(seen, day), *_unread(seen, day)]
    return {
        kind: some for kind in HEADINGS if (some := [each for each in found if each.kind == kind])
    }


def _revise(document: Document) -> str:
    return reverse("documents:revision_create", args=[document.pk])


def _overlapping(seen: Mapping[int, Document]) -> Iterable[Proposal]:
    """The shorter of two, once, with the text it has most in common with."""
    texts = texts_in_force()
    told: set[int] = set()
    for one, other, share in texts.pairs:
        if one in seen and other in seen:
            shorter, longer = sorted((one, other), key=lambda key: (texts.words[key], key))
            if shorter in told:
                continue
            told.add(shorter)
            yield Proposal(
                "overlap",
                seen[shorter],
                f"{share:.0%} of it stands in {seen[longer].number} too.",
                f"Merge it with {seen[longer].number}, then withdraw it.",
                f"Revise {seen[longer].number}",
                _revise(seen[longer]),
                seen[longer],
            )


def _long(seen: Mapping[int, Document]) -> Iterable[Proposal]:
    words = texts_in_force().words
    for document in seen.values():
        plenty, count = PLENTY.get(document.kind), words.get(document.pk, 0)
        if plenty and count > plenty:
            yield Proposal(
                "long",
                document,
                f"{count:,} words; {plenty:,} are plenty for a"
                f" {document.get_kind_display().lower()}.",
                "Shorten it, or move what only some need into a work instruction.",
                "Shorten it",
                _revise(document),
            )


def _unopened(seen: Mapping[int, Document], day: date) -> Iterable[Proposal]:
    """In force for a while, and opened by nobody but its owner within a year."""
    looks = Opening.objects.filter(
        document=OuterRef("document"), day__gt=day - timedelta(days=UNOPENED_DAYS)
    ).exclude(person=OuterRef("document__owner"))
    old = Revision.objects.effective().filter(
        ~Exists(looks), document__in=seen, effective_from__lte=day - timedelta(days=SETTLING_DAYS)
    )
    for key in old.order_by("document__number").values_list("document_id", flat=True):
        document = seen[key]
        yield Proposal(
            "unopened",
            document,
            "Nobody but its owner opened it within a year.",
            f"Withdraw it, or ask {document.owner.name} who needs it.",
            "Withdraw it",
            reverse("documents:document_transition", args=[key, "withdraw"]),
        )


def _unread(seen: Mapping[int, Document], day: date) -> Iterable[Proposal]:
    late = ReadingTask.objects.overdue(day - timedelta(days=UNREAD_DAYS)).filter(document__in=seen)
    counted = late.values("document_id").annotate(many=Count("pk"), number=Max("document__number"))
    for row in counted.order_by("number"):
        document = seen[row["document_id"]]
        words = "person has" if row["many"] == 1 else "people have"
        yield Proposal(
            "unread",
            document,
            f"{row['many']} {words} not read it for more than {UNREAD_DAYS} days.",
            f"Ask {document.owner.name} whether all of them need it.",
            "Choose its readers",
            reverse("documents:audience_edit", args=[document.pk]),
        )


# Comparing texts


def texts_in_force() -> Texts:
    """Lengths and overlaps of what is in force; computed once for each set of revisions."""
    rows = Revision.objects.effective().order_by("document_id")
    keys = list(rows.values_list("document_id", "pk"))
    stamp = hashlib.sha256(repr(keys).encode()).hexdigest()
    name = f"documents-overlap:{stamp}"
    found: Texts | None = cache.get(name)
    if found is None:
        found = compare_texts(_words_of([document for document, _revision in keys]))
        cache.set(name, found, KEPT_SECONDS)
    return found


def _words_of(documents: list[int]) -> dict[int, list[str]]:
    """The words of each document's text in force, as the search knows them."""
    kind = ContentType.objects.get_for_model(Document)
    rows = Entry.objects.filter(record_type=kind, record_id__in=documents)
    told = rows.values_list(F("record_id"), "words")
    return {key: _WORD.findall(words.lower()) for key, words in told}


def compare_texts(words: Mapping[int, list[str]]) -> Texts:
    """Which texts share how much; what a whole family of documents shares is their frame."""
    runs = {key: _runs(text) for key, text in words.items()}
    frame = max(3, len(runs) // 10)
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for key, some in runs.items():
        for run in some:
            holders[run].append(key)
    shared: Counter[tuple[int, int]] = Counter()
    own: Counter[int] = Counter()
    for keys in holders.values():
        if len(keys) > frame:
            continue
        own.update(keys)
        shared.update(combinations(sorted(keys), 2))
    pairs = [
        (one, other, many / min(own[one], own[other]))
        for (one, other), many in shared.items()
        if min(own[one], own[other]) >= FEW_RUNS
    ]
    alike = sorted((each for each in pairs if each[2] >= ALIKE), key=lambda each: (-each[2], each))
    return Texts({key: len(text) for key, text in words.items()}, tuple(alike))


def _runs(words: list[str]) -> set[int]:
    """Runs of words, one in four of them: enough to tell, and the same ones of every text."""
    told = (hash(run) for run in zip(*(words[at:] for at in range(RUN)), strict=False))
    return {run for run in told if not run & 3}
