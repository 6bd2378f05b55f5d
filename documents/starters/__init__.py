"""Forms to begin with, in our own words: seven that most companies need, read from `forms.yaml`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from documents import design
from documents.design import Part


@dataclass(frozen=True)
class StarterForm:
    """A form somebody may begin with. `sectors` are those it suits; none means all."""

    key: str
    title: str
    purpose: str
    clauses: tuple[str, ...]
    sectors: tuple[str, ...]
    fields: list[Part]

    def suits(self, sector: str) -> bool:
        return not self.sectors or not sector or sector in self.sectors


@cache
def starter_forms() -> tuple[StarterForm, ...]:
    """All of them, in the order of the file; each checked like what a person designs."""
    told: list[dict[str, Any]] = yaml.safe_load(
        (Path(__file__).parent / "forms.yaml").read_text(encoding="utf-8")
    )
    return tuple(
        StarterForm(
            key=each["key"],
            title=each["title"],
            purpose=each["purpose"],
            clauses=tuple(each["clauses"]),
            sectors=tuple(each.get("sectors", ())),
            fields=design.check([_with_key(part) for part in each["fields"]]),
        )
        for each in told
    )


def _with_key(part: dict[str, Any]) -> dict[str, Any]:
    """Keys may be left out; they follow from the labels."""
    columns = {"columns": [_with_key(c) for c in part["columns"]]} if "columns" in part else {}
    return {"key": design.new_key(part["label"], ()), **part, **columns}


def starter_form(key: str) -> StarterForm | None:
    return next((each for each in starter_forms() if each.key == key), None)
