"""The gap assessments of a demo company: once at the start, once more two years later."""

from datetime import timedelta
from functools import partial
from typing import Any

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.demo.life import Life, stage
from qms.gap import workflow as gap
from qms.gap.models import Assessment, GapAnswer

MET = [
    "Shown in the process, three records seen.",
    "Written and in use.",
    "Lived, and known to all.",
    "Seen on the walk through the plant.",
    "Explained by the owner, with records.",
]


@stage(30)
def where_they_stand(life: Life) -> None:
    """The quality manager goes through the clauses; every gap becomes somebody's work."""
    life.on(life.month(0.5), lambda: _assess(life, first=True))
    life.on(life.month(25), lambda: _assess(life, first=False))


def _assess(life: Life, *, first: bool) -> None:
    quality = life.who("quality")
    edition = life.told["organisation"]["edition"]
    assessment = gap.start_assessment(by=quality, edition=edition)
    answers = list(assessment.answers.order_by("pk"))
    told = {f"{edition}:{each[0]}": each for each in life.told["gaps"]} if first else {}
    size = max(1, len(answers) // 8)
    for at in range(0, len(answers), size):
        part = answers[at : at + size]
        life.after(at // size + 0.1, partial(_judge, life, part, told))
    life.after(len(answers) // size + 3, lambda: _complete(life, assessment))


def _judge(life: Life, part: list[GapAnswer], told: dict[str, list[Any]]) -> None:
    quality = life.who("quality")
    for each in part:
        if each.clause in told:
            _number, judgement, evidence, plan, owner = told[each.clause]
            due = life.day() + timedelta(days=life.chance.choice([30, 45, 60, 90, 120]))
            gap.answer(
                each,
                by=quality,
                judgement=judgement,
                evidence=evidence,
                note=f"Missing so far: {plan[0].lower()}{plan[1:]}",
                plan=plan,
                owner=life.who(owner),
                due=due,
            )
            late = life.chance.choice([-10, -4, -1, 0, 5, 15])
            life.on(due + timedelta(days=late), partial(_act, life, each))
        else:
            gap.answer(each, by=quality, judgement="met", evidence=life.pick(MET))


def _act(life: Life, answer: GapAnswer) -> None:
    quality = life.who("quality")
    for action in Action.objects.raised_from(answer).open():
        actions.complete(action, by=action.owner, result="Done and in use.")
        judge = quality if action.owner != quality else life.who("operations")
        life.after(3, partial(actions.verify, action, by=judge))


def _complete(life: Life, assessment: Assessment) -> None:
    gap.complete(assessment, by=life.who("quality"))
