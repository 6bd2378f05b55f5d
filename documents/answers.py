"""The values of an entry: read as typed, said in words, held against the limits of their field.

Values are JSON: a number is its digits, a date ISO 8601, a person or record its id, files the ids
of what is attached. What cannot be read stays as it was typed, so that a draft loses nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from documents.design import MOST_DIGITS, Part
from qms.forms import NumberField, within_reach
from qms.forms import unkeepable as not_for_the_database

MOST_SHORT, MOST_LONG, MOST_ROWS, MOST_FILES = 200, 10_000, 100, 5
MOST_SENT = 2 * MOST_ROWS  # rows that are looked at, empty ones among them
FILL_IN, CHOOSE = "Fill this in.", "Choose one."
Name = Callable[[str, int], str]  # ("person" or a register, id) → how it is called


@dataclass(frozen=True)
class Found:
    """A value that is not as it should be. `worst` is "warning" or "limit"."""

    key: str
    sentence: str
    worst: str


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


def read(part: Part, raw: Any) -> tuple[Any, str]:
    """(the value to keep, why it cannot be submitted so); nothing typed is None."""
    if isinstance(raw, str):
        raw = raw.replace("\0", "").replace("\r\n", "\n").strip()
    if is_empty(raw):
        return None, ""
    return _READ[part["kind"]](part, raw)


def _text(most: int) -> Callable[[Part, Any], tuple[Any, str]]:
    def of(part: Part, raw: Any) -> tuple[Any, str]:
        if isinstance(raw, Mapping | list | tuple):
            return raw, "Write it as text."
        text = str(raw)
        if len(text) > most:
            return text, f"These are {len(text):,} characters; write at most {most:,}."
        return text, ""

    return of


def _number(part: Part, raw: Any) -> tuple[Any, str]:
    asked = NumberField(max_digits=MOST_DIGITS, decimal_places=part["decimals"])
    if isinstance(raw, float):
        why = "Give a number with decimals as text, like “12.5”, so that no digit is lost."
        return str(raw), why
    if isinstance(raw, bool | Mapping | list | tuple):
        return str(raw)[:80], "Write a number, like 12.5."
    try:
        number = asked.clean(raw)
    except forms.ValidationError as error:
        return str(raw), " ".join(error.messages)
    return f"{number:f}", ""


def _date(part: Part, raw: Any) -> tuple[Any, str]:
    try:
        day = date.fromisoformat(str(raw))
        within_reach(day)
    except forms.ValidationError as error:
        return str(raw), " ".join(error.messages)
    except ValueError:
        return str(raw), "Give a day, like 2026-05-31."
    return day.isoformat(), ""


def _choice(part: Part, raw: Any) -> tuple[Any, str]:
    text = str(raw)
    if text not in part["choices"]:
        return text, f"“{text[:80]}” is none of the choices. Choose another."
    return text, ""


def _choices(part: Part, raw: Any) -> tuple[Any, str]:
    given = raw if isinstance(raw, list | tuple) else [raw]
    texts = list(dict.fromkeys(str(each) for each in given if not is_empty(each)))
    if unknown := [each for each in texts if each not in part["choices"]]:
        return texts, f"“{unknown[0][:80]}” is none of the choices. Choose another."
    return texts or None, ""


def _yes_no(part: Part, raw: Any) -> tuple[Any, str]:
    known = {"yes": True, "no": False, "true": True, "false": False}
    answer = raw if isinstance(raw, bool) else known.get(str(raw).lower())
    return (str(raw), "Say yes or no.") if answer is None else (answer, "")


def _id(part: Part, raw: Any) -> tuple[Any, str]:
    text = str(raw)
    if isinstance(raw, bool) or not (text.isascii() and text.isdigit() and len(text) < 16):
        return text[:80], CHOOSE
    return int(text), ""


def _record(part: Part, raw: Any) -> tuple[Any, str]:
    value, why = _id(part, raw)
    if why:
        why = "That is no one row of the register. Give its number, or choose from what is offered."
    return value, why


def _files(part: Part, raw: Any) -> tuple[Any, str]:
    given = raw if isinstance(raw, list | tuple) else [raw]
    read_ = [_id(part, each) for each in given]
    ids = list(dict.fromkeys(value for value, why in read_ if not why))
    if len(ids) > MOST_FILES:
        return ids, f"These are {len(ids)} files; keep at most {MOST_FILES}."
    return ids or None, ""


def _table(part: Part, raw: Any) -> tuple[Any, str]:
    if not isinstance(raw, list | tuple):
        return None, "Give the table as rows."
    if len(raw) > MOST_SENT:
        return list(raw), _too_many(len(raw))
    rows: list[dict[str, Any]] = []
    why = ""
    for given in raw:
        said = given if isinstance(given, Mapping) else {}
        row: dict[str, Any] = {}
        for column in part["columns"]:
            row[column["key"]], wrong = read(column, said.get(column["key"]))
            if wrong and not why:
                why = f"Row {len(rows) + 1}, {column['label']}: {wrong}"
        if any(not is_empty(value) for value in row.values()):
            rows.append(row)
    if len(rows) > MOST_ROWS:
        why = _too_many(len(rows))
    return rows or None, why


def _too_many(rows: int) -> str:
    return f"These are {rows:,} rows; at most {MOST_ROWS} fit. Attach the rest as a file."


def unkeepable(value: Any) -> str:
    """Why an answer cannot be kept even in a draft; asked before anything else looks at it."""
    rows = value if isinstance(value, list | tuple) else [value]
    if len(rows) > MOST_SENT:
        return _too_many(len(rows))
    for row in rows:
        cells = row.values() if isinstance(row, Mapping) and row is not value else [row]
        if any(isinstance(each, Mapping | list | tuple) for each in cells):
            return "An answer is a value, several values, or rows of values."
    return not_for_the_database(value)


_READ: dict[str, Callable[[Part, Any], tuple[Any, str]]] = {
    "text": _text(MOST_SHORT),
    "long_text": _text(MOST_LONG),
    "number": _number,
    "date": _date,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _yes_no,
    "person": _id,
    "record": _record,
    "file": _files,
    "photo": _files,
    "table": _table,
    "signature": lambda part, raw: (None, ""),
}


def problems(parts: Sequence[Part], values: Mapping[str, Any]) -> dict[str, str]:
    """Why an entry cannot be submitted yet, by key: what is missing or cannot be read."""
    found = {}
    for part in parts:
        value, why = read(part, values.get(part["key"]))
        if not why and part["required"] and is_empty(value) and part["kind"] != "signature":
            why = FILL_IN if part["kind"] not in ("choice", "person", "record") else CHOOSE
        if not why and part["kind"] == "table":
            why = _holes(part, value or [])
        if why:
            found[part["key"]] = why
    return found


def _holes(part: Part, rows: Sequence[Mapping[str, Any]]) -> str:
    for at, row in enumerate(rows, start=1):
        for column in part["columns"]:
            if column["required"] and is_empty(row.get(column["key"])):
                return f"Row {at}: fill in “{column['label']}”."
    return ""


def number_of(value: Any) -> Decimal | None:
    """The number a value stands for; None where it is none."""
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


# Against the limits


def beyond(parts: Sequence[Part], values: Mapping[str, Any]) -> list[Found]:
    """What lies beyond a warning or a limit, in the order of the fields."""
    found = []
    for part in parts:
        value = values.get(part["key"])
        if part["kind"] == "table":
            for at, row in enumerate(value if isinstance(value, list) else (), start=1):
                for each in beyond(part["columns"], row):
                    words = f"{part['label']}, row {at}: {each.sentence}"
                    found.append(Found(part["key"], words, each.worst))
        elif not is_empty(value) and (hit := _against(part, value)):
            found.append(hit)
    return found


def _against(part: Part, value: Any) -> Found | None:
    label = part["label"]
    if part["kind"] == "number":
        return _number_against(part, value)
    if part["kind"] in ("choice", "choices"):
        chosen = value if isinstance(value, list) else [value]
        hit = [each for each in chosen if each in part["beyond"]]
        return Found(part["key"], f"{label}: {', '.join(hit)}.", "limit") if hit else None
    if part["kind"] == "yes_no" and part["beyond"] == ("yes" if value is True else "no"):
        return Found(part["key"], f"{label}: {'yes' if value is True else 'no'}.", "limit")
    return None


def _number_against(part: Part, value: Any) -> Found | None:
    number = number_of(value)
    if number is None:
        return None
    shown = f"{part['label']}: {value} {part['unit']}".rstrip()
    for worst, low, high in (("limit", "low", "high"), ("warning", "warn_low", "warn_high")):
        if part[low] and number < Decimal(part[low]):
            return Found(part["key"], f"{shown} is below {part[low]}.", worst)
        if part[high] and number > Decimal(part[high]):
            return Found(part["key"], f"{shown} is above {part[high]}.", worst)
    return None


def worst_of(found: Sequence[Found]) -> str:
    """The worst of what was found: "limit", "warning" or nothing."""
    return max((each.worst for each in found), key=["warning", "limit"].index, default="")


# In words


def in_words(part: Part, value: Any, name: Name) -> str:
    """A value as one reads it; empty where nothing was said."""
    if is_empty(value):
        return ""
    say = _SAY.get(part["kind"])
    return say(part, value, name) if say else str(value)


def _say_record(part: Part, value: Any, name: Name) -> str:
    return name(part.get("of", "person"), value) if isinstance(value, int) else str(value)


def _say_files(part: Part, value: Any, name: Name) -> str:
    return "1 file" if len(value) == 1 else f"{len(value)} files"


def _say_table(part: Part, value: Any, name: Name) -> str:
    return "; ".join(_row_in_words(part, row, name) for row in value)


def _row_in_words(part: Part, row: Mapping[str, Any], name: Name) -> str:
    cells = ((c["label"], in_words(c, row.get(c["key"]), name)) for c in part["columns"])
    return ", ".join(f"{label} {shown}" for label, shown in cells if shown)


def _day(value: Any) -> str:
    try:
        return f"{date.fromisoformat(str(value)):%-d %b %Y}"
    except ValueError:
        return str(value)


_SAY: dict[str, Callable[[Part, Any, Name], str]] = {
    "number": lambda part, value, name: f"{value} {part['unit']}".rstrip(),
    "yes_no": lambda part, value, name: {True: "Yes", False: "No"}.get(value, str(value)),
    "person": _say_record,
    "record": _say_record,
    "table": _say_table,
    "file": _say_files,
    "photo": _say_files,
    "choices": lambda part, value, name: ", ".join(map(str, value)),
    "date": lambda part, value, name: _day(value),
}


def records_in(parts: Sequence[Part], values: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(register, id) of every record an entry names, each once."""
    pairs = [
        (part["of"], values[part["key"]])
        for part in parts
        if part["kind"] == "record" and isinstance(values.get(part["key"]), int)
    ]
    return list(dict.fromkeys(pairs))


def attachments_in(parts: Sequence[Part], values: Mapping[str, Any]) -> list[int]:
    """The ids of all files and photos of an entry."""
    return [
        each
        for part in parts
        if part["kind"] in ("file", "photo")
        for each in (values.get(part["key"]) or ())
        if isinstance(each, int)
    ]
