"""The page on which a form is designed: what stands in its fields, and what its buttons do.

Every field of a form is some plain inputs, so the page works without a script: a button sends all
of them, the server moves, adds or removes one and shows the page again. Nothing typed is lost.
"""

from collections.abc import Mapping
from typing import Any

from documents import design
from documents.design import Part
from documents.starters import starter_form

TEXTS = (
    *("kind", "key", "label", "help", "unit", "decimals", *design.LIMITS),
    *("choices", "beyond", "of", "signer", "columns", "gives"),
)
TICKS = ("required", "add_up", "subject")
Row = dict[str, Any]
COLUMN_KINDS = {
    "text": "text",
    "number": "number",
    "date": "date",
    "choice": "choice",
    "yes or no": "yes_no",
}


def typed(data: Any) -> list[Row]:
    """The fields as they were typed, in order."""
    rows: list[Row] = []
    for at in range(design.MOST_FIELDS + 1):
        if f"p-{at}-kind" not in data:
            break
        row: Row = {name: data.get(f"p-{at}-{name}", "") for name in TEXTS}
        rows.append(row | {name: f"p-{at}-{name}" in data for name in TICKS})
    return rows


def shown(parts: list[Part]) -> list[Row]:
    """Stored fields as they are typed."""
    return [_shown(part) for part in parts]


def _shown(part: Part) -> Row:
    row: Row = {name: part.get(name, "") for name in (*TEXTS, *TICKS)}
    row["choices"] = "\n".join(part.get("choices", []))
    if isinstance(row["beyond"], list):
        row["beyond"] = "\n".join(row["beyond"])
    row["columns"] = "\n".join(_column_line(each) for each in part.get("columns", []))
    return row


def _column_line(column: Part) -> str:
    words = next(word for word, kind in COLUMN_KINDS.items() if kind == column["kind"])
    said = [column["label"], words]
    if column["kind"] == "number":
        said += [column["unit"], column["low"], column["high"]]
    if column["kind"] == "choice":
        said.append(", ".join(column["choices"]))
    line = "; ".join(said).rstrip("; ")
    return line if column["kind"] != "text" else column["label"]


def designed(rows: list[Row]) -> list[Part]:
    """The typed fields as a design; Refused where they do not hold."""
    taken = [row["key"] for row in rows if row["key"]]
    parts = []
    for row in rows:
        key = row["key"] or design.new_key(row["label"], taken)
        taken.append(key)
        parts.append(_part(row) | {"key": key})
    return design.check(parts)


def _part(row: Row) -> Part:
    kind = row["kind"]
    part = {name: row[name] for name in ("kind", "label", "help", "required", "gives")}
    if kind == "number":
        part |= {name: row[name] for name in ("unit", "decimals", "add_up", *design.LIMITS)}
        part["decimals"] = row["decimals"] or "0"
    if kind in ("choice", "choices"):
        part |= {name: _lines(row[name]) for name in ("choices", "beyond")}
    if kind == "yes_no":
        part["beyond"] = row["beyond"]
    if kind == "record":
        part |= {"of": row["of"], "subject": row["subject"]}
    if kind == "signature":
        part["signer"] = row["signer"]
    if kind == "table":
        part["columns"] = _columns(row["columns"])
    return part


def _lines(text: str) -> list[str]:
    return [line.strip() for line in str(text).splitlines() if line.strip()]


def _columns(text: str) -> list[Part]:
    """One column a line: `Bore; number; mm; 9.9; 10.1`, or `Result; choice; Good, Bad`."""
    found: list[Part] = []
    for line in _lines(text):
        label, kind, *more = [each.strip() for each in [*line.split(";"), ""]]
        column: Part = {
            "key": design.new_key(label, [each["key"] for each in found]),
            "kind": COLUMN_KINDS.get(kind.lower() or "text", kind),
            "label": label,
        }
        if column["kind"] == "number":
            unit, low, high = [*more, "", "", ""][:3]
            column |= {"unit": unit, "low": low, "high": high, "decimals": _decimals(low, high)}
        if column["kind"] == "choice":
            column["choices"] = [each.strip() for each in ",".join(more).split(",")]
        found.append(column)
    return found


def _decimals(*limits: str) -> int:
    """As many as the limits have, and three where they have none."""
    given = [len(each.replace(",", ".").partition(".")[2]) for each in limits if each]
    return min(max(given, default=2) + 1, design.MOST_DECIMALS)


def press(button: str, rows: list[Row]) -> tuple[list[Row], int | None]:
    """The fields after a button was pressed, and which of them is looked at now."""
    what, _, which = button.partition(":")
    if what == "add" and which in design.KINDS and len(rows) < design.MOST_FIELDS:
        return [*rows, _blank(which)], len(rows)
    if what == "starter":
        found = starter_form(which)
        return (shown(found.fields), 0) if found else (rows, None)
    at = int(which) if which.isascii() and which.isdigit() and len(which) < 4 else len(rows)
    if at >= len(rows):
        return rows, None
    moved = list(rows)
    row = moved.pop(at)
    if what == "remove":
        return moved, None
    if what == "copy":
        return [
            *rows[: at + 1],
            row | {"key": "", "gives": "", "subject": False},
            *moved[at:],
        ], at + 1
    to = max(0, at - 1) if what == "up" else min(len(moved), at + 1)
    moved.insert(to, row)
    return moved, to


def _blank(kind: str) -> Row:
    row: Row = dict.fromkeys(TEXTS, "") | dict.fromkeys(TICKS, False)
    return row | {"kind": kind, "signer": "author", "decimals": "2" if kind == "number" else ""}


def drawn(rows: list[Row], frozen: Mapping[str, str], open_at: int | None) -> list[dict[str, Any]]:
    """The fields as the page draws them. `frozen` are keys that were in force, with their kind."""
    return [
        {
            **row,
            "at": at,
            "name": f"p-{at}-",
            "kind_label": design.KINDS[row["kind"]].label if row["kind"] in design.KINDS else "?",
            "open": at == open_at or not row["label"],
            "focus": at == open_at,
            "stays": row["key"] in frozen,
            "may_give": row["kind"] in design.KINDS and design.KINDS[row["kind"]].gives,
        }
        for at, row in enumerate(rows)
    ]
