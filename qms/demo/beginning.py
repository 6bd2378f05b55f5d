"""How a demo company began: the briefing, the questions, the principles, the plan it kept to."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.demo.life import Life, stage
from qms.journey import workflow as journey
from qms.journey.models import Project, guide

CURRENCIES = {"US": "USD", "GB": "GBP", "CA": "CAD"}
LATE = (-9, -4, -2, 0, 0, 3, 8)  # days about which a line of the plan was done
MONTHS = 12


@stage(22)
def it_begins(life: Life) -> None:
    """Top management is briefed in the first week; the plan follows the scope's first draft."""
    life.on(life.month(0.1), lambda: _answer(life))
    life.on(life.month(0.15), lambda: _brief(life))
    life.on(life.month(0.5), lambda: _plan(life))
    for year in range(4):
        life.on(life.month(1 + 12 * year), partial(_look_at_principles, life, year))


def _answer(life: Life) -> None:
    journey.answer_opening(by=life.who("quality"), answers=life.told["journey"]["opening"])


def _brief(life: Life) -> None:
    told, chief = life.told["journey"]["briefing"], life.who("ceo")
    briefing = journey.record_briefing(
        by=life.who("quality"),
        held_on=life.day(),
        topics=told["topics"],
        hours=told["hours"],
        budget=Decimal(told["budget"]),
        currency=CURRENCIES[life.told["organisation"]["country"]],
        attendees=[life.who(key) for key in told["attendees"]],
    )
    life.after(1, lambda: journey.sign(briefing, by=chief, proof=life.sign(chief)))


def _plan(life: Life) -> None:
    quality = life.who("quality")
    project = journey.start_project(
        by=quality, months=MONTHS, starter=life.told["journey"]["starter"]
    )
    journey.begin(project, by=quality, starts_on=life.start, months=MONTHS)
    for action in journey.actions_of(project):
        late = timedelta(days=life.pick(LATE))
        life.on(max(action.due + late, life.day()), partial(_do, life, action, project))


def _do(life: Life, action: Action, project: Project) -> None:
    action.refresh_from_db()
    actions.complete(action, by=action.owner, result="Done; the records of the step show it.")
    judges = (life.who(key) for key in ("quality", "operations", "ceo"))
    judge = next(each for each in judges if each != action.owner)
    life.after(2, lambda: actions.verify(action, by=judge))
    if not journey.actions_of(project).open().exists():
        life.after(5, lambda: journey.complete(project, by=life.who("quality")))


def _look_at_principles(life: Life, year: int) -> None:
    """Each principle has its week; in later years most answers still hold."""
    for at, principle in enumerate(guide.principles()):
        told: list[Any] = life.told["journey"]["principles"][principle.key]
        answers = {key: text for (key, _q), text in zip(principle.asked(), told, strict=True)}
        life.after(at * 2 + 0.1, partial(_look, life, principle.key, answers))


def _look(life: Life, principle: str, answers: dict[str, str]) -> None:
    journey.answer_principle(by=life.who("quality"), principle=principle, answers=answers)
