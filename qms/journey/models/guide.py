"""The words of the journey: ten steps, opening questions, principles, and the lines of a plan.

Data in `qms/catalogue/`, read once; what the records show stands in `steps.py`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "catalogue"


@dataclass(frozen=True)
class Step:
    """One of the ten steps: what it is for, and whose it is."""

    number: int
    title: str
    role: str
    purpose: str
    clauses: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """An opening question; `used` says in words where the answer is used again."""

    key: str
    title: str
    help: str
    used: str
    required: bool


@dataclass(frozen=True)
class PlanLine:
    """A line of a first plan: whose it is, and where in the project it ends (thousandths)."""

    step: int
    share: int
    role: str
    title: str


@dataclass(frozen=True)
class Principle:
    """One of the seven principles, with the questions about how the organisation lives it."""

    key: str
    title: str
    meaning: str
    clauses: tuple[str, ...]
    questions: tuple[str, ...]

    def asked(self) -> list[tuple[str, str]]:
        """(key of the answer, question) in order: "leadership.2"."""
        return [(f"{self.key}.{at}", text) for at, text in enumerate(self.questions, start=1)]


@cache
def _read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


@cache
def steps() -> tuple[Step, ...]:
    """The ten steps in order."""
    return tuple(
        Step(each["number"], each["title"], each["role"], each["purpose"], tuple(each["clauses"]))
        for each in _read("journey")["steps"]
    )


@cache
def questions() -> tuple[Question, ...]:
    """The opening questions in order."""
    return tuple(Question(**each) for each in _read("journey")["opening"])


@cache
def plan_lines() -> tuple[PlanLine, ...]:
    """The lines of a first plan in the order of the work."""
    return tuple(PlanLine(**each) for each in _read("journey")["plan"])


@cache
def principles() -> tuple[Principle, ...]:
    """The seven principles."""
    return tuple(
        Principle(
            each["key"],
            each["title"],
            each["meaning"],
            tuple(each["clauses"]),
            tuple(each["questions"]),
        )
        for each in _read("principles")["principles"]
    )


def principle(key: str) -> Principle | None:
    """The principle with this key."""
    return next((each for each in principles() if each.key == key), None)
