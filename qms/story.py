"""The story of a record: when, who, why, and what changed from what to what (7.5.3).

Read from the append-only history, in a number of queries that does not grow with its length.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import dateformat

from qms.periods import day_in_words, zone

PAGE = 30
LONGEST = 400
NOTHING = "\N{EN DASH}"
UNTOLD = {"id", "version", "recorded_at", "created_by", "number", "mentions", "once"}


@dataclass(frozen=True)
class Change:
    """One field's value before and after, in words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """One saved change of a record."""

    when: datetime
    who: Any
    reason: str
    first: bool
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """A page of entries, newest first."""

    entries: list[Entry]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def story_of(record: Any, *, number: int = 1) -> Story:
    """Page `number` (from 1) of the record's history, at most `PAGE` entries, newest first."""
    start = (max(1, number) - 1) * PAGE
    rows = list(
        record.history.select_related("history_user").order_by("-history_date", "-history_id")[
            start : start + PAGE + 1
        ]
    )
    names = _names_of_related(record, rows)
    entries = []
    for at, row in enumerate(rows[:PAGE]):
        older = rows[at + 1] if at + 1 < len(rows) else None
        changes = _changes(record, older, row, names) if older is not None else []
        reason = row.history_change_reason or ""
        entries.append(Entry(row.history_date, row.history_user, reason, older is None, changes))
    return Story(entries, max(1, number), len(rows) > PAGE)


def told_fields(record: Any) -> list[Any]:
    """The fields whose changes are worth telling; a model names in `UNTOLD` what everybody who
    reads the record may not know."""
    hidden = {*UNTOLD, *getattr(record, "UNTOLD", ())}
    return [f for f in record._meta.concrete_fields if f.name not in hidden]


def _names_of_related(record: Any, rows: list[Any]) -> dict[str, dict[Any, Any]]:
    """Who and what the foreign keys that changed point to: one query for each other model."""
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    links = [f for f in told_fields(record) if f.is_relation and f.related_model]
    for link in links:
        keys = {getattr(row, link.attname) for row in rows}
        if len(keys) > 1:
            wanted[link.related_model] |= keys - {None}
    found = {model: model._base_manager.in_bulk(keys) for model, keys in wanted.items()}
    return {link.name: found.get(link.related_model, {}) for link in links}


def _changes(record: Any, old: Any, new: Any, names: dict[str, dict[Any, Any]]) -> list[Change]:
    told = []
    in_words = getattr(record, "told_change", lambda name, old, new: None)
    for each in told_fields(record):
        before, after = getattr(old, each.attname, None), getattr(new, each.attname, None)
        if before != after:
            label = str(each.verbose_name)
            words = in_words(each.name, before, after) or [
                value_in_words(each, value, names.get(each.name)) for value in (before, after)
            ]
            told.append(Change(label[:1].upper() + label[1:], *words))
    return told


def value_in_words(each: Any, value: Any, names: dict[Any, Any] | None = None) -> str:
    """A stored value as people read it: choices, dates, links and yes or no in words."""
    if value in (None, "", [], {}):
        return NOTHING
    if names is not None:
        return str(names.get(value, value))
    if each.choices:
        return str(dict(each.flatchoices).get(value, value))
    return _shortened(_plain_words(value))


def _plain_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return dateformat.format(value.astimezone(zone()), "j M Y, H:i")
    if isinstance(value, date):
        return day_in_words(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"
