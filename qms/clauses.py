"""The clause catalogue of both editions of ISO 9001, as data, with the mapping between them.

A reference is always (edition, number): 10.1 is "General" in 2015 and "Continual improvement" in
2026, so numbers alone are never compared. Titles and numbers are facts; every other word is ours.
Serves every clause; the data lies in `qms/catalogue/` and is read once, on first use.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, total_ordering
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from qms.refusals import Refused

Edition = Literal["2015", "2026"]
EDITIONS: tuple[Edition, ...] = ("2015", "2026")
EDITION_CHOICES = [(each, f"ISO 9001:{each}") for each in EDITIONS]
MAPPING_KINDS = (
    "same",
    "wording",
    "retitled",
    "changed",
    "note_only",
    "split",
    "merged",
    "moved",
    "unverified",
)

_FOLDER = Path(__file__).parent / "catalogue"
_KEY = re.compile(r"(?P<edition>\d{4}):(?P<number>\d+(?:\.\d+)*)")
_SPOKEN = re.compile(r"(?P<number>\d+(?:\.\d+)*) \((?P<edition>\d{4})\)")


@total_ordering
@dataclass(frozen=True, slots=True)
class ClauseRef:
    """A clause of one edition, for instance 9.2.2 of 2015.

    `str(ref)` is what people read ("9.2.2 (2015)"), `ref.key` what is stored ("2015:9.2.2").
    Sorts by edition, then by number as numbers: 9.2 before 9.10. Equal only within one edition.
    """

    edition: str
    number: str

    def __post_init__(self) -> None:
        if self.edition not in EDITIONS:
            raise Refused(
                f"There is no edition {self.edition} of ISO 9001 here. Choose 2015 or 2026."
            )
        if not re.fullmatch(r"\d+(\.\d+)*", self.number):
            raise Refused(f"“{self.number}” is not a clause number. Write it like 9.2.2.")

    @classmethod
    def parse(cls, text: str) -> "ClauseRef":
        """Read "2015:9.2.2" or "9.2.2 (2015)"; refuses text without an edition."""
        match = _KEY.fullmatch(text.strip()) or _SPOKEN.fullmatch(text.strip())
        if match is None:
            raise Refused(
                f"“{text}” is not a clause reference. Give the number and the edition, "
                "like 9.2.2 (2015)."
            )
        return cls(match["edition"], match["number"])

    @property
    def key(self) -> str:
        """How the reference is stored: "2015:9.2.2"."""
        return f"{self.edition}:{self.number}"

    @property
    def parts(self) -> tuple[int, ...]:
        """The number as integers: (9, 2, 2)."""
        return tuple(int(part) for part in self.number.split("."))

    def is_within(self, other: "ClauseRef") -> bool:
        """Whether this clause is `other` or lies below it, in the same edition."""
        own, theirs = self.parts, other.parts
        return self.edition == other.edition and own[: len(theirs)] == theirs

    def __str__(self) -> str:
        return f"{self.number} ({self.edition})"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, ClauseRef):
            return NotImplemented
        return (self.edition, self.parts) < (other.edition, other.parts)


@dataclass(frozen=True, slots=True)
class Documented:
    """Documented information a clause asks for: kept current (maintain) or as evidence (retain)."""

    kind: str
    what: str
    obligation: str
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of one edition, explained in our own words."""

    ref: ClauseRef
    title: str
    title_is_official: bool
    level: int
    parent: ClauseRef | None
    assessable: bool
    commonly_not_applicable: str  # "no", "sometimes" or "often"
    paraphrase: str
    documented_information: tuple[Documented, ...]
    typical_evidence: tuple[str, ...]
    questions: tuple[str, ...]
    processes: tuple[str, ...]
    change: str  # what is new against the edition before; empty for 2015
    certainty: str  # "A", "B" or "C"

    @property
    def number(self) -> str:
        return self.ref.number

    @property
    def edition(self) -> str:
        return self.ref.edition

    @property
    def key(self) -> str:
        return self.ref.key

    def __str__(self) -> str:
        return f"{self.ref.number} {self.title}"


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a clause went: the clauses of the other edition, how much changed, and what."""

    refs: tuple[ClauseRef, ...]
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of a checklist; `trend` says that one figure is not enough."""

    id: str
    text: str
    clause: str  # a clause number, or empty when the source is another standard
    item: str  # the letter within the clause, where it has one
    source: str
    trend: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """A short list that a chapter turns into a form, sections or guards."""

    name: str
    title: str
    edition: str | None
    items: tuple[ChecklistItem, ...]

    def __iter__(self) -> Iterator[ChecklistItem]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class CertificationRule:
    """A rule of the certification cycle; what is certainty C is a default, never a fact."""

    id: str
    rule: str
    source: str
    certainty: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Category:
    """What kind of thing clauses ask for: documentation, responsibilities and so on."""

    key: str
    label: str
    about: str
    refs: tuple[ClauseRef, ...]


# How much of an earlier answer holds for a clause of the next edition, by the mapping's kind.
ASSESS_AGAIN = ("changed", "split", "merged", "moved")
EDITORIAL = ("wording", "retitled", "note_only")
CHECK_YOUR_COPY = ("unverified",)

# What the chapters ask ---------------------------------------------------------------------


def clause(ref: ClauseRef | str) -> Clause:
    """The clause behind a reference (or its key); refuses one that the edition does not have."""
    ref = ClauseRef.parse(ref) if isinstance(ref, str) else ref
    found = _edition(ref.edition).get(ref)
    if found is None:
        raise Refused(
            f"Edition {ref.edition} has no clause {ref.number}. Choose one from the list."
        )
    return found


def clauses(edition: str, *, assessable: bool | None = None) -> tuple[Clause, ...]:
    """All clauses of an edition in order; `assessable` narrows to those that can be assessed."""
    every = _edition(edition).values()
    return tuple(c for c in every if assessable is None or c.assessable is assessable)


def children(ref: ClauseRef | str) -> tuple[Clause, ...]:
    """The clauses directly below this one, in order."""
    parent = clause(ref).ref
    return tuple(c for c in _edition(parent.edition).values() if c.parent == parent)


def standard(edition: str) -> str:
    """The name of the standard of an edition, as people write it."""
    return str(_read(f"edition_{_known(edition)}")["standard"])


def other_edition(edition: str) -> str:
    """The edition that is not this one."""
    return EDITIONS[1 - EDITIONS.index(_known(edition))]


def mapping_of(ref: ClauseRef | str) -> Mapped:
    """Where a clause is found in the other edition."""
    found = clause(ref).ref
    return _mapping()[found]


def categories(edition: str) -> tuple[Category, ...]:
    """The kinds of things clauses ask for, each with its assessable clauses in order."""
    return _categories(_known(edition))


def category_of(ref: ClauseRef | str) -> Category:
    """The category of an assessable clause; refuses a heading."""
    wanted = clause(ref).ref
    found = next((c for c in categories(wanted.edition) if wanted in c.refs), None)
    if found is None:
        raise Refused(f"Clause {wanted} is a heading; choose a clause below it.")
    return found


def same_in(ref: ClauseRef | str, edition: str) -> tuple[ClauseRef, ...]:
    """The clauses of an edition for which something named for `ref` holds as it is.

    Itself in its own edition; in the other one what is unchanged but for words. Empty where the
    clause changed, moved or nobody could confirm it: that must be looked at again.
    """
    found = clause(ref).ref
    if found.edition == _known(edition):
        return (found,)
    mapped = mapping_of(found)
    return mapped.refs if mapped.kind in ("same", *EDITORIAL) else ()


def checklist(name: str) -> Checklist:
    """A checklist by its name; an unknown name is a mistake of ours, so it raises KeyError."""
    return _checklists()[name]


def review_inputs(edition: str) -> Checklist:
    """The inputs a management review must look at (9.3.2): 12 rows in 2015, 13 in 2026."""
    return checklist(f"management_review_inputs_{_known(edition)}")


def certification_rules() -> Mapping[str, CertificationRule]:
    """The rules of the certification cycle by their id."""
    return _rules()


def search(text: str, edition: str) -> tuple[Clause, ...]:
    """Clauses that hold every word of `text`, best first: number, then title, then the rest."""
    words = text.casefold().split()
    ranked = ((_rank(c, words), c) for c in _edition(edition).values()) if words else ()
    hits = [(rank, c) for rank, c in ranked if rank is not None]
    return tuple(c for _, c in sorted(hits, key=lambda hit: (hit[0], hit[1].ref)))


def label(reference: ClauseRef | str) -> str:
    """What a page shows for a stored reference: "9.2.2 Internal audit programme (2026)"."""
    found = clause(reference)
    return f"{found} ({found.edition})"


# Fields ------------------------------------------------------------------------------------


def _choices(edition: str | None, assessable: bool | None) -> list[tuple[str, Any]]:
    """Option groups by chapter, and by edition when both are offered."""
    groups: list[tuple[str, Any]] = []
    for each in (_known(edition),) if edition else EDITIONS:
        for chapter in (c for c in clauses(each) if c.level == 1):
            inside = (c for c in clauses(each, assessable=assessable) if c.level > 1)
            options = [(c.key, str(c)) for c in inside if c.ref.is_within(chapter.ref)]
            groups.append((f"{chapter} ({each})", options))
    return groups


def validate_reference(value: str) -> None:
    """A Django validator: the reference must name a clause that exists."""
    try:
        clause(value)
    except Refused as refusal:
        raise ValidationError(str(refusal), code="clause") from None


class ClauseFormField(forms.TypedChoiceField):
    """One clause, chosen from one edition or both."""

    def __init__(
        self, *, edition: str | None = None, assessable: bool | None = None, **kwargs: Any
    ) -> None:
        kwargs.pop("max_length", None)
        required = kwargs.get("required", True)
        super().__init__(
            choices=lambda: [
                *([] if required else [("", "—")]),
                *_choices(edition, assessable),
            ],
            coerce=lambda value: ClauseRef.parse(value).key,
            empty_value="",
            **kwargs,
        )
        self.error_messages["invalid_choice"] = "Choose a clause from the list."


class ClausesFormField(forms.TypedMultipleChoiceField):
    """Several clauses, chosen from one edition or both; comes back sorted, each once."""

    def __init__(
        self, *, edition: str | None = None, assessable: bool | None = None, **kwargs: Any
    ) -> None:
        for unused in ("base_field", "max_length", "delimiter"):
            kwargs.pop(unused, None)
        super().__init__(
            choices=lambda: _choices(edition, assessable),
            coerce=lambda value: ClauseRef.parse(value).key,
            empty_value=[],
            **kwargs,
        )
        self.error_messages["invalid_choice"] = "Choose clauses from the list."

    def clean(self, value: Any) -> list[str]:
        return sorted_keys(super().clean(value))


def begin_with(edition: str, field: Any) -> None:
    """Show the clauses of an edition first in a field; those of the other follow."""
    groups = list(field.choices)
    field.choices = sorted(groups, key=lambda group: f"({edition})" not in str(group[0]))


def sorted_keys(references: Iterable[ClauseRef | str]) -> list[str]:
    """Stored references, each once, in the order of the standard."""
    refs = {ClauseRef.parse(r) if isinstance(r, str) else r for r in references}
    return [ref.key for ref in sorted(refs)]


class ClauseField(models.CharField):  # type: ignore[type-arg]
    """A clause reference in one column, edition and number together: "2015:9.2.2".

    `get_<name>_display()` gives what a page shows; `ClauseRef.parse(value)` the reference.
    """

    description = "A clause of one edition of ISO 9001"
    default_validators = [validate_reference]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 16)
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, f"get_{name}_display", lambda record: _shown(getattr(record, name)))

    def to_python(self, value: Any) -> Any:
        return _stored(value) if value else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(_stored(value) if value else value)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ClauseFormField, **kwargs})


class ClausesField(ArrayField):  # type: ignore[type-arg]
    """Clause references in one array column, sorted and each once; empty means none."""

    description = "Clauses of ISO 9001, each with its edition"

    def __init__(self, verbose_name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("base_field", None)
        kwargs.pop("size", None)
        kwargs.setdefault("default", list)
        super().__init__(models.CharField(max_length=16), verbose_name=verbose_name, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        kwargs.pop("size", None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """What libraries that map fields to types (the API's) know it by."""
        return "ArrayField"

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        super().contribute_to_class(cls, name, **kwargs)
        setattr(
            cls,
            f"get_{name}_display",
            lambda record: ", ".join(str(ClauseRef.parse(k)) for k in getattr(record, name) or ()),
        )

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return _stored_list(value) if isinstance(value, list | tuple) else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(_in_order(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(_in_order(value), connection, prepared)

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(self, **{"form_class": ClausesFormField, **kwargs})


def _in_order(value: Any) -> Any:
    return sorted_keys(value) if isinstance(value, list | tuple | set | frozenset) else value


def _shown(value: Any) -> str:
    return label(value) if value else ""


def _stored(value: Any) -> str:
    """The key of a reference given in any of its shapes; a wrong one is a ValidationError."""
    key = (value if isinstance(value, ClauseRef) else _parsed(str(value))).key
    validate_reference(key)
    return key


def _stored_list(values: Iterable[Any]) -> list[str]:
    return sorted_keys(_stored(value) for value in values)


def _parsed(text: str) -> ClauseRef:
    try:
        return ClauseRef.parse(text)
    except Refused as refusal:
        raise ValidationError(str(refusal), code="clause") from None


# Reading the data --------------------------------------------------------------------------


def _known(edition: str) -> str:
    if edition not in EDITIONS:
        raise Refused(f"There is no edition {edition} of ISO 9001 here. Choose 2015 or 2026.")
    return edition


@cache
def _read(name: str) -> dict[str, Any]:
    import yaml  # here, so that a process that never asks does not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=loader))  # noqa: S506  (a safe loader, in C where it exists)


def _edition(edition: str) -> Mapping[ClauseRef, Clause]:
    return _clauses(_known(edition))


@cache
def _clauses(edition: str) -> Mapping[ClauseRef, Clause]:
    rows = (_clause(edition, row) for row in _read(f"edition_{edition}")["clauses"])
    return MappingProxyType({c.ref: c for c in sorted(rows, key=lambda c: c.ref)})


def _clause(edition: str, row: dict[str, Any]) -> Clause:
    ref = ClauseRef(edition, row["number"])
    above, _, _ = ref.number.rpartition(".")
    return Clause(
        ref=ref,
        title=row["title"],
        title_is_official=row.get("title_is_official", True),
        level=len(ref.parts),
        parent=ClauseRef(edition, above) if above else None,
        assessable=row.get("assessable", False),
        commonly_not_applicable=row.get("commonly_not_applicable", "no"),
        paraphrase=row["paraphrase"],
        documented_information=tuple(
            Documented(**each) for each in row.get("documented_information", ())
        ),
        typical_evidence=tuple(row.get("typical_evidence", ())),
        questions=tuple(row.get("questions", ())),
        processes=tuple(row.get("processes", ())),
        change=row.get("change", ""),
        certainty=row["certainty"],
    )


@cache
def _mapping() -> Mapping[ClauseRef, Mapped]:
    """Both directions of the table; several rows that meet in one clause become one answer."""
    data = _read("mapping")
    old, new = data["from_edition"], data["to_edition"]
    found: dict[ClauseRef, Mapped] = {}
    for row in data["rows"]:
        sources = [ClauseRef(old, n) for n in row["from"]]
        targets = [ClauseRef(new, n) for n in row["to"]]
        for here, there in ((sources, targets), (targets, sources)):
            for ref in here:
                found[ref] = _joined(found.get(ref), there, row["kind"], row.get("note", ""))
    return MappingProxyType(found)


def _joined(known: Mapped | None, refs: list[ClauseRef], kind: str, note: str) -> Mapped:
    if known is None:
        return Mapped(tuple(sorted(refs)), kind, note)
    both = tuple(sorted({*known.refs, *refs}))
    return Mapped(both, "merged", " ".join(n for n in (known.note, note) if n))


@cache
def _categories(edition: str) -> tuple[Category, ...]:
    return tuple(
        Category(
            key=row["key"],
            label=row["label"],
            about=row["about"],
            refs=tuple(
                sorted(
                    ClauseRef(edition, number)
                    for number in (*row["clauses"], *row.get("only", {}).get(edition, ()))
                )
            ),
        )
        for row in _read("categories")["categories"]
    )


@cache
def _checklists() -> Mapping[str, Checklist]:
    return MappingProxyType(
        {
            name: Checklist(
                name=name,
                title=body["title"],
                edition=body.get("edition"),
                items=tuple(_item(row) for row in body["items"]),
            )
            for name, body in _read("checklists").items()
        }
    )


def _item(row: dict[str, Any]) -> ChecklistItem:
    return ChecklistItem(
        id=row["id"],
        text=row["text"],
        clause=row.get("clause", ""),
        item=row.get("item", ""),
        source=row.get("source", ""),
        trend=row.get("trend", False),
    )


@cache
def _rules() -> Mapping[str, CertificationRule]:
    rows = _read("certification")["rules"]
    return MappingProxyType(
        {
            row["id"]: CertificationRule(
                id=row["id"],
                rule=row["rule"],
                source=row["source"],
                certainty=row["certainty"],
                params=MappingProxyType(dict(row.get("params", {}))),
            )
            for row in rows
        }
    )


@cache
def _folded(ref: ClauseRef) -> tuple[str, str]:
    """A clause's number and title, and everything said of it, as a search compares them."""
    found = clause(ref)
    title = f"{found.number} {found.title}".casefold()
    said = (found.paraphrase, *found.typical_evidence, *found.questions, *found.processes)
    return title, " ".join((title, *said)).casefold()


def _rank(found: Clause, words: list[str]) -> int | None:
    """0 for the number, 1 for the title, 2 for our explanation; None when a word is missing."""
    title, everything = _folded(found.ref)
    if not all(word in everything for word in words):
        return None
    if words[0].rstrip(".") == found.number:
        return 0
    return 1 if all(word in title for word in words) else 2
