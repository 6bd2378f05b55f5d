"""Who works where in a demo company, what people were found able to do, and their ideas.

Departments and lines, competences asked for and found, trainings and whether they worked, a
leaver's hand-over and an outside auditor (ISO 9001 5.3, 7.2, 10.3). Nothing here draws by chance,
so that the other chapters live the same life with it and without it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.competence import workflow as competence
from qms.competence.models import Competence
from qms.demo.life import Life, stage
from qms.people import workflow as people
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.suggestions import workflow as suggestions

EARLY = 5  # months before a finding ends, it is assessed again
EFFECT_AFTER = 66  # days after which a training is judged


def _at(life: Life, month: float, event: Callable[[], Any], hour: float = 10.25) -> None:
    life.at(life.moment(life.month(month), hour), event)


@stage(11)
def everybody_has_a_place(life: Life) -> None:
    """On the first morning the departments and lines are entered."""
    life.at(life.moment(life.start, 8.25), lambda: _place_all(life))
    for told in life.told["team"].get("leavers", []):
        _at(life, told["month"], partial(_leave, life, told))
    for told in life.told["team"].get("outside", []):
        _at(life, told["month"], partial(_contract, life, told))


def _place_all(life: Life) -> None:
    for key, (department, manager) in life.told["team"]["departments"].items():
        people.place_person(
            life.who(key),
            by=life.who("quality"),
            department=department,
            manager=life.who(manager) if manager else None,
        )


def _leave(life: Life, told: dict[str, Any]) -> None:
    """Everything open goes to a successor; a week later the account ends."""
    person, quality = life.who(told["who"]), life.who("quality")
    people.hand_over(person, by=quality, successor=life.who(told["to"]), reason=told["reason"])
    life.after(7, lambda: people.deactivate(person, by=quality, reason=told["reason"]))


def _contract(life: Life, told: dict[str, Any]) -> None:
    """An outside auditor is let in up to a day; their audit is planned by the chapter of audits."""
    quality = life.who("quality")
    person = people.add_person(
        by=quality,
        name=told["name"],
        email=told["email"],
        job_title=told["job"],
    )
    until = life.day() + timedelta(days=told["days"])
    people.set_outside_access(person, by=quality, until=until, reason=told["reason"])
    life.people[told["who"]] = Person.objects.get(pk=person.pk)


# Competence


@stage(24)
def competences_are_asked_for_and_found(life: Life) -> None:
    """Each is defined and asked for once; findings follow, again before they end."""
    for told in life.told["team"]["competences"]:
        _at(life, told["month"], partial(_define, life, told))
    for told in life.told["team"]["trainings"]:
        _at(life, told["month"], partial(_plan_training, life, told))


def _define(life: Life, told: dict[str, Any]) -> None:
    quality = life.who("quality")
    made = competence.define_competence(
        by=quality,
        name=told["name"],
        meaning=told["meaning"],
        method=told["method"],
        validity_months=told.get("holds"),
    )
    for whom, level in told["asked"].items():
        kind = "role" if whom in ROLES else "job_title"
        competence.require(by=quality, competence=made, level=level, **{kind: whom})
    for who, month, level, evidence, *once in told["found"]:
        assess = partial(_assess, life, told, made, (who, level, evidence), again=not once)
        _at(life, month, assess, hour=14.5)


def _assess(
    life: Life, told: dict[str, Any], made: Competence, found: tuple[str, int, str], *, again: bool
) -> None:
    who, level, evidence = found
    person = life.who(who)
    by = next(each for each in map(life.who, (told["by"], "quality", "ceo")) if each != person)
    person = Person.objects.get(pk=person.pk)
    if not person.is_active:
        return  # who left is not assessed again
    competence.record_competence(
        by=by, person=person, competence=made, level=level, evidence=evidence
    )
    if again and "holds" in told:
        months = told["holds"] - EARLY
        life.after(months * 30, partial(_assess, life, told, made, found, again=True))


def _plan_training(life: Life, told: dict[str, Any]) -> None:
    owner = life.who(told["owner"])
    planned = competence.plan_training(
        by=owner,
        title=told["title"],
        content=told.get("content", ""),
        owner=owner,
        planned_on=life.day() + timedelta(days=told["in_days"]),
        participants=[life.who(key) for key in told["who"]],
        competence=Competence.objects.filter(name=told.get("towards", "")).first(),
    )
    if told.get("cancelled"):
        life.after(
            9, lambda: competence.cancel(planned, by=life.who("quality"), reason=told["cancelled"])
        )
    elif not told.get("waits"):
        life.after(told["in_days"] + 1, partial(_hold, life, told, planned))


def _hold(life: Life, told: dict[str, Any], planned: Any) -> None:
    planned.refresh_from_db()
    competence.hold(planned, by=planned.owner, done_on=life.day())
    life.after(EFFECT_AFTER, partial(_judge, life, told, planned))


def _judge(life: Life, told: dict[str, Any], held: Any) -> None:
    held.refresh_from_db()
    judges = map(life.who, ("quality", "operations", "ceo"))
    by = next(each for each in judges if not competence.who_took_part_does_not_judge(held, each))
    judge = competence.judge_not_effective if told.get("missed") else competence.judge_effective
    judge(held, by=by, result=told["result"])


# Ideas


@stage(48)
def people_have_ideas(life: Life) -> None:
    """Each gets an answer; what is taken up becomes an action."""
    for told in life.told["team"]["ideas"]:
        _at(life, told["month"], partial(_suggest, life, told), hour=11.5)


def _suggest(life: Life, told: dict[str, Any]) -> None:
    made = suggestions.suggest(
        by=life.who(told["who"]), title=told["title"], details=told["details"]
    )
    for each in [each for each in life.cast("reporters") if each != made.created_by][:3]:
        suggestions.vote(made, by=each)
    if "answer" in told:
        life.after(6, partial(_answer, life, told, made))


def _answer(life: Life, told: dict[str, Any], made: Any) -> None:
    by = life.who("quality")
    if "action" not in told:
        suggestions.decline(made, by=by, answer=told["answer"])
        return
    owner, days = told["action"]
    suggestions.take_up(
        made,
        by=by,
        answer=told["answer"],
        owner=life.who(owner),
        due=life.day() + timedelta(days=days),
    )
    life.after(days - 3, partial(_put_into_practice, life, told, made))


def _put_into_practice(life: Life, told: dict[str, Any], made: Any) -> None:
    action = Action.objects.raised_from(made).get()
    actions.complete(action, by=action.owner, result=told["result"])
    judge = next(each for each in map(life.who, ("quality", "ceo")) if each != action.owner)
    life.after(3, lambda: actions.verify(action, by=judge))
    life.after(4, lambda: suggestions.finish(made, by=life.who("quality")))
