"""What a demo company keeps elsewhere and samples here, and what it must not let go of.

It draws from a chance of its own, as `demo_forms` does.
"""

import random
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.utils.text import slugify

from documents import workflow
from documents.models import EvidencePointer
from qms.demo.life import Life, stage
from qms.files.workflow import attach

ROWS = 14  # lines of a sample


@stage(46)
def evidence_elsewhere_is_sampled(life: Life) -> None:
    """Each outside system is named once; its owner keeps a sample a little before it is due."""
    for told in life.told.get("evidence", []):
        life.at(life.moment(life.month(told["month"]), 10), partial(_point, life, told))


@stage(47)
def what_is_held_is_kept(life: Life) -> None:
    """A claim holds what belongs to it until it is settled."""
    for told in life.told.get("holds", []):
        life.at(life.moment(life.month(told["month"]), 15), partial(_hold, life, told))


def _point(life: Life, told: dict[str, Any]) -> None:
    edition = life.told["organisation"]["edition"]
    owner = life.who(told["owner"])
    pointer = workflow.point_at_evidence(
        by=life.who("quality"),
        title=told["title"],
        system=told["system"],
        query=told["query"],
        owner=owner,
        process=life.processes[told["process"]],
        clauses=[f"{edition}:{number}" for number in told["clauses"]],
        retention=told["retention"],
        sample_months=told["every"],
    )
    chance = random.Random(f"{life.name} {told['title']}")  # noqa: S311 - the same every time
    life.after(2, partial(_sample, life, told, pointer, chance))


def _sample(
    life: Life, told: dict[str, Any], pointer: EvidencePointer, chance: random.Random
) -> None:
    pointer.refresh_from_db()
    day = life.day()
    lines = [
        told["row"].format(n=chance.randint(3, 480), m=chance.randint(2, 9), o=4100 + 7 * row)
        for row in range(ROWS)
    ]
    content = "\n".join([";".join(told["columns"]), *lines, ""])
    name = f"{slugify(told['system'])}-{day.isoformat()}.csv"
    attach(
        pointer,
        ContentFile(content.encode(), name=name),
        by=pointer.owner,
        caption=f"Sample of {day:%-d %B %Y}",
    )
    workflow.take_sample(pointer, by=pointer.owner, seen=chance.choice(told["seen"]))
    if pointer.next_sample is not None:
        again = life.moment(pointer.next_sample - timedelta(days=5), 11)
        life.at(again, partial(_sample, life, told, pointer, chance))


def _hold(life: Life, told: dict[str, Any]) -> None:
    hold = workflow.place_hold(
        by=life.who("quality"),
        title=told["title"],
        why=told["why"],
        process=life.processes[told["process"]] if "process" in told else None,
    )
    if "lifted" in told:
        month, reason = told["lifted"]
        lift = partial(workflow.lift, hold, by=life.who("quality"), reason=reason)
        life.at(life.moment(life.month(month), 14), lift)
