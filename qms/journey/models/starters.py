"""Sector starters: processes with their flows, documents and objectives to begin with (4.4.1).

A starter is data in `qms/catalogue/starters/`; `common.yaml` holds what every one of them brings.
How much of it is proposed depends on how many people there are: fewer documents, the same rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from qms.journey.models.guide import FOLDER
from qms.refusals import Refused

ORDER = ("software", "consultancy", "manufacturing", "blank")
SMALL, MIDDLE = 10, 50  # people, inclusive


@dataclass(frozen=True)
class StarterProcess:
    """A process a starter proposes; `owner` is a role, clauses are numbers of either edition."""

    code: str
    name: str
    kind: str
    owner: str
    importance: int
    purpose: str
    criteria: str
    resources: str
    clauses: tuple[str, ...]
    inputs: tuple[Mapping[str, str], ...] = ()
    outputs: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class StarterDocument:
    """A document a starter proposes, with its first words: whole, or as steps and records."""

    kind: str
    title: str
    process: str
    clauses: tuple[str, ...]
    sizes: tuple[str, ...]
    body: str = ""
    steps: tuple[str, ...] = ()
    records: str = ""


@dataclass(frozen=True)
class Starter:
    """A sector: what it is for, and what it proposes."""

    key: str
    name: str
    description: str
    processes: tuple[StarterProcess, ...]
    documents: tuple[StarterDocument, ...]
    objectives: tuple[Mapping[str, Any], ...] = field(default=())

    def process(self, code: str) -> StarterProcess | None:
        return next((each for each in self.processes if each.code == code), None)

    def documents_for(self, headcount: int, codes: Iterable[str]) -> list[StarterDocument]:
        """What is worth writing in a company of this size, for the processes it has."""
        size, known = size_of(headcount), set(codes)
        return [each for each in self.documents if size in each.sizes and each.process in known]

    def flows_between(self, codes: Iterable[str]) -> dict[str, dict[str, list[dict[str, str]]]]:
        """The flows of the chosen processes as `scope.draw_flows` reads them.

        An end at a process that was not chosen stays open, so that the checks show it.
        """
        known, every = set(codes), {each.code for each in self.processes}

        def ends(lines: Iterable[Mapping[str, str]], end: str) -> list[dict[str, str]]:
            return [
                {"what": line["what"], end: "" if line[end] in every - known else line[end]}
                for line in lines
            ]

        return {
            each.code: {"inputs": ends(each.inputs, "from"), "outputs": ends(each.outputs, "to")}
            for each in self.processes
            if each.code in known
        }


def size_of(headcount: int) -> str:
    """small, middle or large."""
    return "small" if headcount <= SMALL else "middle" if headcount <= MIDDLE else "large"


def starters() -> tuple[Starter, ...]:
    """Every starter, in the order they are offered."""
    return tuple(starter(key) for key in ORDER)


def starter(key: str) -> Starter:
    """The starter with this key; refuses one that does not exist."""
    if key not in ORDER:
        raise Refused("Choose a starter from the list.", field="starter")
    return _starter(key)


@cache
def _starter(key: str) -> Starter:
    own, common = _read(key), _read("common")
    processes = {**own["processes"], **common["processes"]}
    return Starter(
        key=key,
        name=own["name"],
        description=own["description"],
        processes=tuple(_process(code, told) for code, told in processes.items()),
        documents=tuple(_document(t) for t in [*common["documents"], *own["documents"]]),
        objectives=(*own["objectives"], *common["objectives"]),
    )


def _process(code: str, told: dict[str, Any]) -> StarterProcess:
    lists = {name: tuple(told[name]) for name in ("clauses", "inputs", "outputs")}
    return StarterProcess(code=code, **{**told, **lists})


def _document(told: dict[str, Any]) -> StarterDocument:
    lists = {name: tuple(told.get(name, ())) for name in ("clauses", "sizes", "steps")}
    return StarterDocument(**{**told, **lists})


def _read(key: str) -> dict[str, Any]:
    text = (FOLDER / "starters" / f"{key}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def words_for(document: StarterDocument, process: StarterProcess) -> str:
    """The first words of a document: its own, or a frame filled from what the process is for."""
    if document.body:
        return document.body
    frame = FORM if document.kind in ("form", "template") else FRAME
    return frame.format(
        title=document.title,
        process=process.name,
        purpose=process.purpose,
        criteria=process.criteria,
        resources=process.resources,
        inputs=_listed(process.inputs, "from"),
        outputs=_listed(process.outputs, "to"),
        steps="\n".join(f"{at}) {step}" for at, step in enumerate(document.steps, 1)) or STEPS,
        records=f"{document.records}." if document.records else RECORDS,
    )


def _listed(lines: Iterable[Mapping[str, str]], end: str) -> str:
    return "\n".join(f"- {line['what']}" for line in lines) or "- Nothing is named yet."


FRAME = """# {title}

## Purpose

{purpose}

## What comes in

{inputs}

## What holds

{criteria}

## How it is done

{steps}

**Decide:** Which of these steps do you do so, and who decides when it does not go as planned?

## What comes out

{outputs}

## What is needed

{resources}

## Records

{records}
"""
STEPS = """1) What is the first thing somebody does, and what tells them to begin?
2) What must be checked before the work goes on?
3) What shows that it is done?"""
RECORDS = "**Decide:** What shows afterwards that it was done, and how long is it kept?"
FORM = """# {title}

Used in the process *{process}*.

- Date, and what it is about:
- Filled in by:
- What was checked, with the result:
- What is missing, and who sees to it:
- Released by, on:

**Decide:** Which of these lines do you really use? Take the others out.
"""
