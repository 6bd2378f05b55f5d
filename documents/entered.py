"""Entries as pages and lists show them: answers in words, totals, the values of a field in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Avg, Case, Count, Max, Min, Sum, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from documents import answers, design
from documents.design import Part
from documents.filling import files_of
from documents.models import Document, Entry, Revision
from documents.subjects import Names, ids_in, registers
from qms import charts
from qms.charts import Chart
from qms.files.models import Attachment
from qms.listing import Column
from qms.people.models import Person
from qms.periods import day_of

NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
DIGITS: dict[str, int] = {"max_digits": design.MOST_DIGITS + 8, "decimal_places": 8}
SHOWN_COLUMNS = 4
MOST_POINTS = 300


@dataclass(frozen=True)
class Shown:
    """One answer: its label, words, files, rows of a table, and where it lies beyond a limit."""

    part: Part
    words: str
    url: str = ""
    found: Sequence[answers.Found] = ()
    files: Sequence[Attachment] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)
    signer: str = ""
    signed_at: datetime | None = None


def shown(entry: Entry, person: Any = None) -> list[Shown]:
    """Every answer of an entry for this reader (everything for None, for the pack)."""
    names = Names(ids_in(entry.parts, entry.values), person)
    files = files_of(entry)
    worst = answers.beyond(entry.parts, entry.values)
    signers = Person.objects.in_bulk([each["person"] for each in entry.signed.values()])
    return [
        _signed(entry, part, signers)
        if part["kind"] == "signature"
        else _answered(part, entry.values.get(part["key"]), names, files, worst)
        for part in entry.parts
    ]


def _signed(entry: Entry, part: Part, signers: dict[int, Person]) -> Shown:
    told = entry.signed.get(part["key"])
    who = signers.get(told["person"]) if told else None
    at = datetime.fromisoformat(told["at"]) if told else None
    return Shown(part, "", signer=who.name if who else "", signed_at=at)


def _answered(
    part: Part,
    value: Any,
    names: Names,
    files: dict[int, Attachment],
    worst: Sequence[answers.Found],
) -> Shown:
    found = [each for each in worst if each.key == part["key"]]
    if part["kind"] in design.UPLOADS:
        kept = [files[each] for each in value or () if each in files]
        return Shown(part, "", found=found, files=kept)
    if part["kind"] == "table":
        rows = [
            [answers.in_words(c, row.get(c["key"]), names) or "–" for c in part["columns"]]
            for row in (value if isinstance(value, list) else ())
        ]
        headings = [c["label"] for c in part["columns"]]
        return Shown(part, "", found=found, headings=headings, rows=rows)
    row = names.row(part["of"], value) if part["kind"] == "record" and value else None
    url = row.get_absolute_url() if row is not None else ""
    return Shown(part, answers.in_words(part, value, names), url, found)


def left_over(entry: Entry) -> list[tuple[str, str]]:
    """What was answered before the form changed, and is no longer asked: (label, words)."""
    known = {part["key"] for part in entry.parts}
    gone = [key for key in entry.values if key not in known]
    if not gone:
        return []
    before = Revision._base_manager.filter(document=entry.form_id).order_by("-number")
    parts = {p["key"]: p for each in before.reverse() for p in each.fields}
    names = Names(ids_in([parts[k] for k in gone if k in parts], entry.values))
    return [
        (
            parts[key]["label"] if key in parts else key,
            answers.in_words(parts[key], entry.values[key], names)
            if key in parts
            else str(entry.values[key]),
        )
        for key in gone
    ]


# Lists


def latest_parts(form: Document) -> list[Part]:
    """The fields of the form as it is, or last was, in force."""
    revision = form.revisions.released().order_by("-number").first()
    return list(revision.fields) if revision else []


def number_at(key: str) -> Any:
    """A numeric answer as a number of the database; nothing where it is none."""
    text = KeyTextTransform(key, "values")
    return Case(
        When(**{f"values__{key}__regex": NUMBER}, then=Cast(text, models.DecimalField(**DIGITS))),  # type: ignore[arg-type]
        default=None,
        output_field=models.DecimalField(**DIGITS),  # type: ignore[arg-type]
    )


def sortable(rows: Any, parts: Sequence[Part]) -> Any:
    """The rows with the answers a list sorts by, named by the place of their field."""
    named = {
        f"answer_{at}": number_at(p["key"])
        if p["kind"] == "number"
        else KeyTextTransform(p["key"], "values")
        for at, p in enumerate(parts)
        if p["kind"] in ("number", "date", "text", "choice", "yes_no")
    }
    return rows.annotate(**named)


class AllNames:
    """What people and records are called, each register read once, when first asked."""

    def __init__(self, person: Any) -> None:
        self._person = person
        self._known: dict[str, dict[int, str]] = {}

    def __call__(self, kind: str, key: int) -> str:
        if kind not in self._known:
            self._known[kind] = self._read(kind)
        return self._known[kind].get(key, "–")

    def _read(self, kind: str) -> dict[int, str]:
        if kind == "person":
            return dict(Person.objects.values_list("pk", "name"))
        register = registers().get(kind)
        if register is None:
            return {}
        rows: Any = register.model._default_manager
        return {each.pk: str(each) for each in rows.visible_to(self._person)}


def limits_of(entry: Entry) -> str:
    """Where an entry lies, said only where there is something to say."""
    return str(entry.get_worst_display()) if entry.worst else ""


def columns(parts: Sequence[Part], person: Any) -> list[Column]:
    """The columns of a form's entries: when, the first answers, who, its state."""
    names = AllNames(person)
    listed = [(at, p) for at, p in enumerate(parts) if p["kind"] != "signature"]
    best = [at for at, p in listed if p["kind"] not in ("long_text", "table", *design.UPLOADS)]
    asked = [_column(at, part, names, at in best[:SHOWN_COLUMNS]) for at, part in listed]
    return [
        Column("number", "Number", sort="number", kind="link"),
        Column("happened_at", "Happened", sort="happened_at", kind="moment"),
        *asked,
        Column("created_by", "By", sort="created_by__name", kind="person"),
        Column("worst", "Limits", value=limits_of, sort="worst"),
        Column("status", "State", sort="status", kind="state"),
        Column("recorded_at", "Recorded", sort="recorded_at", kind="moment", shown=False),
    ]


def _column(at: int, part: Part, names: Callable[[str, int], str], is_shown: bool) -> Column:
    key, is_number = part["key"], part["kind"] == "number"

    def value(entry: Entry) -> Any:
        if is_number:
            return answers.number_of(entry.values.get(key))
        return answers.in_words(part, entry.values.get(key), names)

    sorts = part["kind"] in ("number", "date", "text", "choice", "yes_no")
    unit = f" ({part['unit']})" if is_number and part["unit"] else ""
    return Column(
        f"answer_{at}",
        f"{part['label']}{unit}",
        value=value,
        sort=f"answer_{at}" if sorts else None,
        numeric=is_number,
        shown=is_shown,
    )


@dataclass(frozen=True)
class Total:
    """What the numbers of a field come to, over the entries of a list."""

    label: str
    words: str
    note: str


def totals(rows: Any, parts: Sequence[Part]) -> list[Total]:
    """Sum where the form adds up, else the mean, with the span; one question for all fields."""
    numbers = design.of_kind(parts, "number")
    if not numbers:
        return []
    asked: dict[str, Any] = {}
    for at, part in enumerate(numbers):
        of = number_at(part["key"])
        asked |= {f"n{at}": Count(of), f"sum{at}": Sum(of), f"mean{at}": Avg(of)}
        asked |= {f"low{at}": Min(of), f"high{at}": Max(of)}
    got = rows.order_by().aggregate(**asked)
    return [_total(part, at, got) for at, part in enumerate(numbers) if got[f"n{at}"]]


def _total(part: Part, at: int, got: dict[str, Any]) -> Total:
    unit, many = part["unit"], got[f"n{at}"]
    low, high = (_rounded(got[f"{name}{at}"], part["decimals"]) for name in ("low", "high"))
    span = f"{low} to {high} {unit}".rstrip()
    entries = "entry" if many == 1 else "entries"
    if part["add_up"]:
        words = f"{_rounded(got[f'sum{at}'], part['decimals'])} {unit}".rstrip()
        return Total(part["label"], words, f"in all, from {many} {entries}; {span} each")
    mean = f"{_rounded(got[f'mean{at}'], part['decimals'] + 1)} {unit}".rstrip()
    return Total(part["label"], mean, f"mean of {many} {entries}; {span}")


def _rounded(value: Any, decimals: int) -> str:
    return f"{Decimal(value):.{decimals}f}"


# One field in time


def trend(form: Document, part: Part, rows: Any) -> Chart:
    """A numeric field in order of time, with the limits of the form; the newest entries."""
    newest = rows.filter(values__has_key=part["key"]).order_by("-happened_at", "-pk")
    entries = list(newest.only("values", "happened_at")[:MOST_POINTS])[::-1]
    points = [
        (f"{day_of(each.happened_at):%-d %b %Y}", value)
        for each in entries
        if (value := answers.number_of(each.values.get(part["key"]))) is not None
    ]
    beyond = {
        at
        for at, (_day, value) in enumerate(points)
        if answers.beyond([part], {part["key"]: value})
    }
    return charts.run_chart(
        points,
        title=f"{part['label']}, {form.number} {form.title}",
        unit=part["unit"],
        accepted=accepted_of(part),
        signals=beyond,
    )


def accepted_of(part: Part) -> list[tuple[str, Decimal, str]]:
    """The limits of a field as lines of a picture."""
    told = (
        ("high", "Limit", "late"),
        ("warn_high", "Warning", "soon"),
        ("warn_low", "Warning", "soon"),
        ("low", "Limit", "late"),
    )
    return [(words, Decimal(part[name]), tone) for name, words, tone in told if part[name]]
