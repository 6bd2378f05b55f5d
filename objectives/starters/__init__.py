"""Objectives to begin with: the classic ones, computed the right way (6.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "objectives.yaml"


@dataclass(frozen=True)
class Example:
    """An objective that many organisations set; `values` start the form, the rest is the owner's.

    `why` says in a sentence what it is good for and how it is computed.
    """

    key: str
    why: str
    values: Mapping[str, Any]

    @property
    def title(self) -> str:
        return str(self.values["title"])


@cache
def examples() -> tuple[Example, ...]:
    """Every example, in the order of the file."""
    told = yaml.safe_load(FILE.read_text())
    return tuple(Example(each.pop("key"), each.pop("why"), each) for each in told)


def example(key: str) -> Example | None:
    """The example of that key."""
    return next((each for each in examples() if each.key == key), None)
