"""What a form may ask: the kinds of fields, what may be said of each, and nothing else.

The fields of a form are the content of its revision and come from a browser or a program. What is
not in these tables is refused in words, so an entry is only ever read by a design that holds.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from django import forms

from qms.forms import NumberField
from qms.refusals import Refused

Part = dict[str, Any]
MOST_FIELDS, MOST_COLUMNS, MOST_CHOICES = 60, 8, 40
MOST_DECIMALS, MOST_DIGITS = 6, 18
LIMITS = ("low", "warn_low", "warn_high", "high")
PROCESS = "process"  # the one register that is no `contributions.form_subject`
_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True)
class Kind:
    """A kind of field: what it is called, and how what is said of it is read."""

    label: str
    read: Callable[[Mapping[str, Any], str], Part] = lambda given, label: {}
    in_table: bool = False
    gives: bool = False  # whether a register may take its value


def check(fields: Any) -> list[Part]:
    """The fields with only what the tables know; raises Refused where something does not hold.

    Reading what was read before changes nothing.
    """
    if not isinstance(fields, list):
        raise Refused("These are not the fields of a form.", field="fields")
    if len(fields) > MOST_FIELDS:
        raise Refused(
            f"These are {len(fields)} fields. Ask at most {MOST_FIELDS}, or split the form.",
            field="fields",
        )
    read = [_part(each, KINDS) for each in fields]
    _once(read)
    if sum(bool(each.get("subject")) for each in read) > 1:
        raise Refused("An entry is about one thing. Mark one field as its subject.", field="fields")
    return read


def _part(given: Any, kinds: Mapping[str, Kind]) -> Part:
    if not isinstance(given, Mapping):
        raise Refused("These are not the fields of a form.", field="fields")
    label = _line(given.get("label"), 120)
    if not label:
        raise Refused("Every field needs a label. Give it one, or remove it.", field="fields")
    kind = kinds.get(str(given.get("kind")))
    if kind is None:
        raise Refused(
            f"“{label}” is of a kind that does not fit: “{str(given.get('kind'))[:40]}”.",
            field="fields",
        )
    part = {
        "key": _key(given.get("key"), label),
        "kind": str(given["kind"]),
        "label": label,
        "help": _line(given.get("help"), 300),
        "required": given.get("required") is True,
    }
    part |= kind.read(given, label)
    if kind.gives and (gives := str(given.get("gives") or "")):
        if not _NAME.fullmatch(gives):
            raise _wrong(label, "it gives its value to something that cannot be named so")
        part["gives"] = gives
    if foreign := set(given) - {*part, "gives", "subject", *_SAID}:
        raise _wrong(label, f"it says something that no field can say: {sorted(foreign)[0][:40]}")
    return part


def _wrong(label: str, why: str) -> Refused:
    return Refused(f"“{label}”: {why}.", field="fields")


def _key(given: Any, label: str) -> str:
    key = str(given or "")
    if len(key) > 40 or not _KEY.fullmatch(key):
        raise _wrong(label, "its key is of small letters, digits and single underscores")
    return key


def _once(parts: Sequence[Part]) -> None:
    """A key names one field, for good."""
    seen: dict[str, str] = {}
    for part in parts:
        if other := seen.get(part["key"]):
            raise _wrong(part["label"], f"“{other}” has the same key, {part['key']}")
        seen[part["key"]] = part["label"]


def _line(given: Any, most: int) -> str:
    """One line of text, without what no page can show."""
    text = " ".join(str(given or "").split())
    return "".join(c for c in text if c >= " ")[:most]


# What may be said of a field, by its kind


def _number(given: Mapping[str, Any], label: str) -> Part:
    decimals = str(given.get("decimals", 2))
    if not (decimals.isascii() and decimals.isdigit() and int(decimals) <= MOST_DECIMALS):
        raise _wrong(label, f"a number has from 0 to {MOST_DECIMALS} decimals")
    limits = {name: _decimal(given.get(name), label) for name in LIMITS}
    known = [(name, Decimal(limits[name])) for name in LIMITS if limits[name]]
    if any(a[1] > b[1] for a, b in pairwise(known)):
        raise _wrong(label, "the limits go upwards: refused below, warning below, warning above")
    return {
        "unit": _line(given.get("unit"), 20),
        "decimals": int(decimals),
        **limits,
        "add_up": given.get("add_up") is True,
    }


def _decimal(given: Any, label: str) -> str:
    """A limit as plain digits; empty where there is none."""
    text = str(given if given is not None else "").strip()
    if not text:
        return ""
    try:
        number = Decimal(NumberField().clean(text))
    except forms.ValidationError as error:
        said = " ".join(error.messages).rstrip(".")
        raise _wrong(label, f"“{text[:20]}” is no limit; {said[:1].lower()}{said[1:]}") from None
    if not number.is_finite() or abs(number.adjusted()) >= MOST_DIGITS - MOST_DECIMALS:
        raise _wrong(label, f"“{text[:20]}” is no limit that can be kept")
    return f"{number:f}"


def _choice(given: Mapping[str, Any], label: str) -> Part:
    asked = given.get("choices")
    choices = [_line(each, 80) for each in asked] if isinstance(asked, list) else []
    choices = list(dict.fromkeys(filter(None, choices)))
    if not 2 <= len(choices) <= MOST_CHOICES:
        raise _wrong(label, f"give from 2 to {MOST_CHOICES} choices, one a line")
    told = given.get("beyond") or []
    beyond = [_line(each, 80) for each in told] if isinstance(told, list) else []
    if unknown := [each for each in beyond if each not in choices]:
        raise _wrong(label, f"“{unknown[0]}” is none of its choices")
    return {"choices": choices, "beyond": beyond}


def _yes_no(given: Mapping[str, Any], label: str) -> Part:
    beyond = str(given.get("beyond") or "")
    if beyond not in ("", "yes", "no"):
        raise _wrong(label, "say whether yes, no or neither is beyond the limit")
    return {"beyond": beyond}


def _record(given: Mapping[str, Any], label: str) -> Part:
    of = str(given.get("of") or "")
    if not _NAME.fullmatch(of):
        raise _wrong(label, "choose the register its choices come from")
    return {"of": of, "subject": given.get("subject") is True}


def _signature(given: Mapping[str, Any], label: str) -> Part:
    signer = str(given.get("signer") or "author")
    if signer not in SIGNERS:
        raise _wrong(label, "say who signs")
    return {"signer": signer}


def _table(given: Mapping[str, Any], label: str) -> Part:
    asked = given.get("columns")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_COLUMNS:
        raise _wrong(label, f"a table has from 1 to {MOST_COLUMNS} columns")
    columns = [_part(each, IN_TABLES) for each in asked]
    _once(columns)
    return {"columns": columns}


SIGNERS: Final = {"author": "Who fills it in", "another": "Somebody else, afterwards"}
KINDS: Final[dict[str, Kind]] = {
    "text": Kind("Text, one line", in_table=True, gives=True),
    "long_text": Kind("Text, several lines", gives=True),
    "number": Kind("Number", _number, in_table=True, gives=True),
    "date": Kind("Date", in_table=True, gives=True),
    "choice": Kind("Choice, one of several", _choice, in_table=True, gives=True),
    "choices": Kind("Choice, several", _choice),
    "yes_no": Kind("Yes or no", _yes_no, in_table=True),
    "person": Kind("Person", gives=True),
    "record": Kind("Entry of a register", _record),
    "file": Kind("File"),
    "photo": Kind("Photo"),
    "signature": Kind("Signature", _signature),
    "table": Kind("Table", _table),
}
IN_TABLES: Final = {name: kind for name, kind in KINDS.items() if kind.in_table}
_SAID: Final = frozenset(
    {
        *("unit", "decimals", "add_up", "choices", "beyond", "of", "signer", "columns"),
        *LIMITS,
    }
)
UPLOADS: Final = ("file", "photo")


# Questions


def is_stable(before: Sequence[Part], after: Sequence[Part]) -> str:
    """Why entries would no longer compare: a key that was in force now means something else."""
    kinds = {part["key"]: part for part in before}
    for part in after:
        known = kinds.get(part["key"])
        if known and (known["kind"], known.get("of")) != (part["kind"], part.get("of")):
            return (
                f"“{part['label']}” was a {KINDS[known['kind']].label.lower()} before. Remove it"
                " and add a new field, so that older entries keep their meaning."
            )
    return ""


def subject_of(parts: Sequence[Part]) -> Part | None:
    """The field that says what an entry is about."""
    return next((part for part in parts if part.get("subject")), None)


def part_with(parts: Sequence[Part], key: str) -> Part | None:
    return next((part for part in parts if part["key"] == key), None)


def of_kind(parts: Sequence[Part], *kinds: str) -> list[Part]:
    """The fields of some kinds, in order."""
    return [part for part in parts if part["kind"] in kinds]


def asked(parts: Sequence[Part]) -> Iterator[Part]:
    """The fields whose value is kept in the entry; signatures are kept as signatures."""
    return (part for part in parts if part["kind"] != "signature")


def new_key(label: str, taken: Sequence[str]) -> str:
    """A key for a new field, from its label; a number behind it where it is taken."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    words = "_".join(re.findall(r"[a-z0-9]+", plain))[:32].strip("_")
    first = words if words[:1].isalpha() else f"field_{words}".strip("_")
    key, count = first, 2
    while key in taken:
        key, count = f"{first}_{count}", count + 1
    return key


def limits_in_words(part: Part) -> str:
    """What is accepted, as a sentence under the field; empty without limits."""
    if part["kind"] != "number":
        return ""
    low, high, unit = part["low"], part["high"], part["unit"]
    behind = f" {unit}" if unit else ""
    if low and high:
        return f"Accepted from {low} to {high}{behind}."
    if low:
        return f"Accepted from {low}{behind}."
    return f"Accepted up to {high}{behind}." if high else ""


def described(part: Part) -> str:
    """What a field asks, in words: for the redline and for paper."""
    said = [KINDS[part["kind"]].label.lower()]
    if part["kind"] == "number":
        said += [f"in {part['unit']}" if part["unit"] else "", limits_in_words(part).rstrip(".")]
        warns = [f"{part[name]}" for name in ("warn_low", "warn_high") if part[name]]
        said.append(f"warning at {' and '.join(warns)}" if warns else "")
    said.append(" / ".join(part.get("choices", ())))
    if isinstance(part.get("beyond"), list) and part["beyond"]:
        said.append(f"beyond the limit: {', '.join(part['beyond'])}")
    if part["kind"] == "signature":
        said.append(SIGNERS[part["signer"]].lower())
    said.append(", ".join(column["label"] for column in part.get("columns", ())))
    said.append("required" if part["required"] else "")
    return f"{part['label']} ({'; '.join(filter(None, said))})"
