"""What a form can be about: the registers that take entries, and processes.

A register says so itself (`qms.contributions.form_subject`); a process takes nothing, an entry
only names it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from documents import answers, design
from qms import contributions
from qms.contributions import FormSubject
from qms.people.models import Person
from qms.scope.models import Process

MOST_LISTED = 60  # rows offered as a list; of more, one is found by typing
MOST_FOUND = 20  # rows offered while somebody types


@dataclass(frozen=True)
class Register:
    """A register whose rows a field may choose from; `takes` only where entries become records."""

    kind: str
    label: str
    model: type[models.Model]
    subject: FormSubject | None = None

    def offered(self, person: Any, query: str = "", limit: int = MOST_FOUND) -> list[Any]:
        """The rows a person may choose that have these words, in the register's order."""
        words = query.strip()[:200]
        if self.subject is not None:
            return list(self.subject.find(person, words, limit))
        rows = Process.objects.visible_to(person).active()
        fits = Q(name__icontains=words) | Q(code__icontains=words)
        return list(rows.filter(fits).order_by("code")[:limit])

    def meant(self, words: str, person: Any) -> Any:
        """The one row these words name or find; None where it is none or not only one."""
        first, *_more = words.split() or [""]
        named = [row for row in self.offered(person, first) if words.strip() in _names(row)]
        found = named or self.offered(person, words, 2)
        return found[0] if len(found) == 1 and words.strip() else None

    def found(self, key: int, person: Any) -> Any:
        """The row of an id, if the person may see it."""
        return self.model._default_manager.visible_to(person).filter(pk=key).first()  # type: ignore[attr-defined]


def _names(row: Any) -> tuple[str, str]:
    return str(row), str(getattr(row, "number", "") or getattr(row, "code", ""))


def registers() -> dict[str, Register]:
    """Every register by its kind, by label."""
    known = [Register(each.kind, each.label, each.model, each) for each in _subjects()]
    known.append(Register(design.PROCESS, "Process", Process))
    return {each.kind: each for each in sorted(known, key=lambda each: each.label)}


def _subjects() -> list[FormSubject]:
    return contributions.form_subjects()


def register_of(model: type[models.Model]) -> Register | None:
    """The register whose rows are of a model."""
    return next((each for each in registers().values() if each.model is model), None)


def reference(
    parts: list[design.Part], values: dict[str, Any]
) -> tuple[ContentType | None, int | None]:
    """What an entry is about, as it is stored."""
    part = design.subject_of(parts)
    register = registers().get(part["of"]) if part else None
    key = values.get(part["key"]) if part else None
    if register is None or not isinstance(key, int):
        return None, None
    return ContentType.objects.get_for_model(register.model), key


class Names:
    """What ids in answers are called, read once for each register; `person` None sees everything.

    What the reader may not see has no name.
    """

    def __init__(self, pairs: Iterable[tuple[str, int]], person: Any = None) -> None:
        wanted: dict[str, set[int]] = {}
        for kind, key in pairs:
            wanted.setdefault(kind, set()).add(key)
        self._known: dict[tuple[str, int], Any] = {}
        known = registers()
        for kind, keys in wanted.items():
            model: Any = (
                Person if kind == "person" else known[kind].model if kind in known else None
            )
            if model is None:
                continue
            rows = model._default_manager.filter(pk__in=keys)
            if person is not None and kind != "person":
                rows = rows & model._default_manager.visible_to(person)
            self._known |= {(kind, row.pk): row for row in rows}

    def __call__(self, kind: str, key: int) -> str:
        row = self._known.get((kind, key))
        if row is None:
            return "–"
        return str(row.name) if kind == "person" else str(row)

    def row(self, kind: str, key: int) -> Any:
        """The record itself, for its link; None where the reader may not see it."""
        return self._known.get((kind, key))


def ids_in(parts: Iterable[design.Part], values: dict[str, Any]) -> list[tuple[str, int]]:
    """(kind, id) of every person and record in the answers."""
    found = answers.records_in(list(parts), values)
    for part in parts:
        value = values.get(part["key"])
        if part["kind"] == "person" and isinstance(value, int):
            found.append(("person", value))
    return found
