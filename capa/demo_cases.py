"""The cases a demo company is shown by: a full 8D, a successor, one action for many, a figure.

Their words stand in the company's file (`cases`); the rest is told like any other problem.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from capa import workflow
from capa.models import CorrectiveAction, Nonconformity
from capa.whys import row
from qms import contributions
from qms.actions import workflow as actions
from qms.customers.models import Customer
from qms.demo.life import Life, stage

TOLD = "told cases"  # titles of cases that are told here and answered by nobody else
BEGIN = 150  # days before today


@stage(61)
def cases_to_look_at(life: Life) -> None:
    """The last five months, where the company has lived so long."""
    told, problems = life.told["cases"], life.told["problems"]
    life.kept[TOLD] = set()
    chance = random.Random(life.seed)  # noqa: S311 - the same company every time
    stories: list[tuple[int, Callable[[], None]]] = [
        (BEGIN, partial(_eight_d, life, told["eight_d"])),
        (140, partial(_successor, life, told["successor"])),
        (90, partial(_one_for_many, life, told["many"])),
        (100, partial(_by_a_figure, life, told["figure"])),
        (40, partial(_small, life, problems[-1], chance)),
    ]
    for days, tell in stories:
        day = life.today - timedelta(days=days)
        if day >= life.month(1):
            life.on(day, tell)


def _raise(life: Life, told: dict[str, Any], **more: Any) -> Nonconformity:
    """A case as the company's file tells it, contained on the next day."""
    process = life.processes[told["process"]]
    life.kept[TOLD].add(told["title"])
    edition = life.told["organisation"]["edition"]
    nc: Nonconformity = workflow.raise_nonconformity(
        by=life.cast("reporters")[0],
        title=told["title"],
        statement=told["statement"],
        requirement=told["requirement"],
        clause=f"{edition}:{told['clause']}",
        evidence=told["evidence"],
        process=process,
        source=told.get("source", "process"),
        product=told.get("product", ""),
        lot=told.get("lot", ""),
        severity=told.get("severity", "moderate"),
        extent=told.get("extent", ""),
        checked=told.get("checked", ""),
        **more,
    )
    return nc


def _answer(nc: Nonconformity, told: dict[str, Any], *, to: str = "plan", **more: Any) -> None:
    """Contained, cause and plan on one page, as far as it is told."""
    parts: dict[str, dict[str, Any]] = {
        "contain": {
            "containment": told["containment"],
            "correction": told["correction"],
            "delivered": told.get("delivered", ""),
            "told": told.get("who_was_told", ""),
        },
        "find_cause": {
            "root_cause": told["cause"],
            "category": told["category"],
            "similar": told["similar"],
            "escape_cause": told.get("escape", ""),
            "why_chain": "\n".join(told.get("whys", ())),
        },
    }
    if to == "plan":
        parts["plan"] = {
            "action": told["action"],
            "effectiveness_criterion": told["criterion"],
            **more,
        }
    nc.refresh_from_db()
    owner: Any = nc.owner
    workflow.answer(nc, by=owner, parts=parts)


def _serving(nc: Nonconformity) -> CorrectiveAction:
    found: CorrectiveAction = CorrectiveAction.objects.serving(nc).order_by("-pk")[0]
    return found


def _put_in_place(nc: Nonconformity, result: str) -> None:
    for each in workflow.tasks_of(_serving(nc)).open():
        actions.complete(each, by=each.owner, result=result)
    serving = _serving(nc)
    workflow.implement_action(serving, by=serving.owner)


def _judge(life: Life, serving: CorrectiveAction) -> Any:
    """Whoever of the company had no hand in it."""
    known = [life.who(each) for each in ("quality", "lead", "ceo")]
    return next(each for each in known if not workflow.did_none_of_it(serving, each))


def _close(life: Life, nc: Nonconformity) -> None:
    nc.refresh_from_db()
    quality = life.who("quality")
    workflow.close(nc, by=life.who("ceo") if nc.owner == quality else quality)


def _eight_d(life: Life, told: dict[str, Any]) -> None:
    """A serious case of a customer: team, branching whys, picture, prevention, closed."""
    customer = Customer.objects.filter(name=told["customer"]).first()
    nc = _raise(life, told, customer=customer)
    owner: Any = nc.owner

    def begin() -> None:
        workflow.begin_8d(
            nc,
            by=owner,
            leader=owner,
            members=[life.who(each) for each in told["team"]],
            emergency=told["emergency"],
            description=told["description"],
        )
        workflow.begin_analysis(
            nc,
            by=owner,
            whys=[row(*each[:4], root=len(each) > 4) for each in told["chain"]],
            fishbone=told["fishbone"],
            scheme=told.get("scheme", "classic"),
            is_is_not=told["is_is_not"],
        )

    def plan() -> None:
        due = life.day() + timedelta(days=25)
        _answer(nc, told, action_due=due, check_on=due + timedelta(days=70))

    def put_in_place() -> None:
        _put_in_place(nc, told["done"])

    def judge() -> None:
        serving = _serving(nc)
        by = _judge(life, serving)
        workflow.judge_effective(serving, by=by, proof=life.sign(by), verdict=told["verdict"])
        eight_d = nc.eight_d
        for name in ("chosen", "validated", "prevention", "recognition"):
            setattr(eight_d, name, told[name])
        eight_d.save_because("The team finished its report.", by=owner)

    life.after(1, begin)
    life.after(8, plan)
    life.after(30, put_in_place)
    life.after(115, judge)
    life.after(118, partial(_close, life, nc))


def _successor(life: Life, told: dict[str, Any]) -> None:
    """An action that did not work, and the one that followed it."""
    nc = _raise(life, told)

    def plan() -> None:
        due = life.day() + timedelta(days=15)
        _answer(nc, told, action_due=due, check_on=due + timedelta(days=35))

    def put_in_place() -> None:
        _put_in_place(nc, told["done"])

    def judge() -> None:
        serving = _serving(nc)
        by = _judge(life, serving)
        workflow.judge_not_effective(
            serving,
            by=by,
            proof=life.sign(by),
            verdict=told["verdict"],
            aftermath="successor",
        )

    def plan_the_successor() -> None:
        serving = _serving(nc)
        due = life.today + timedelta(days=12)
        workflow.add_task(
            serving, by=serving.owner, title=told["then"], owner=serving.owner, due=due
        )
        serving.refresh_from_db()
        serving.title, serving.criterion = told["then"], told["then_criterion"]
        serving.save_because("Planned after the first one did not work.", by=serving.owner)
        workflow.start_plan(serving, by=serving.owner, check_on=due + timedelta(days=60))

    life.after(4, plan)
    life.after(18, put_in_place)
    life.after(62, judge)
    life.after(70, plan_the_successor)
    life.after(120, partial(_ask_for_time, life, nc, told["late"]))


def _ask_for_time(life: Life, nc: Nonconformity, why: str) -> None:
    """The owner of a task asks for a later day, and gets it."""
    task = workflow.tasks_of(_serving(nc)).open().first()
    if task is None:
        return
    later = task.due + timedelta(days=14)
    extension = actions.ask_extension(task, by=task.owner, until=later, reason=why)
    by = next(
        each
        for each in (life.who("quality"), life.who("ceo"))
        if each not in (task.owner, extension.created_by)
    )
    life.after(1, lambda: actions.grant_extension(extension, by=by))


def _one_for_many(life: Life, told: dict[str, Any]) -> None:
    """Three cases with one cause, removed by one corrective action."""
    cases = [_raise(life, {**told, **each}) for each in told["cases"]]

    def analyse() -> None:
        for nc in cases:
            _answer(nc, told, to="find_cause")

    def plan() -> None:
        owner = cases[0].owner or life.who("quality")
        action = workflow.raise_corrective_action(
            by=owner,
            title=told["action"],
            owner=owner,
            cause=told["cause"],
            criterion=told["criterion"],
            measure=told["measure"],
            nonconformities=[Nonconformity.objects.get(pk=nc.pk) for nc in cases],
        )
        due = life.day() + timedelta(days=25)
        for title in told["tasks"]:
            workflow.add_task(action, by=owner, title=title, owner=owner, due=due)
        workflow.start_plan(action, by=owner, check_on=due + timedelta(days=60))

    life.after(3, analyse)
    life.after(7, plan)
    life.after(32, lambda: _put_in_place(cases[0], told["done"]))


def _by_a_figure(life: Life, told: dict[str, Any]) -> None:
    """A trend of an indicator, whose own readings show whether the action works."""
    owner = life.processes[told["process"]].owner
    keeper = contributions.indicators()
    known = keeper.choose(owner, told["indicator"], 1) if keeper else []
    action = workflow.raise_corrective_action(
        by=owner,
        title=told["title"],
        owner=owner,
        cause=told["cause"],
        criterion=told["criterion"],
        measure=told["measure"],
        indicator=known[0][0] if known else None,
        counts="readings",
        count_target=told["readings"],
        count_of="months",
        bound=told["bound"],
        limit=Decimal(told["limit"]),
    )
    due = life.day() + timedelta(days=20)
    workflow.add_task(action, by=owner, title=told["action"], owner=owner, due=due)
    workflow.start_plan(action, by=owner, check_on=due + timedelta(days=120))

    def put_in_place() -> None:
        for each in workflow.tasks_of(action).open():
            actions.complete(each, by=each.owner, result=told["done"])
        workflow.implement_action(action, by=owner)

    life.after(18, put_in_place)


def _small(life: Life, told: list[Any], chance: random.Random) -> None:
    """A slip that needs its correction only; somebody other than its owner says so."""
    edition = life.told["organisation"]["edition"]
    numbers = {"n": chance.randint(3, 48), "m": 4, "d": 3, "o": chance.randint(4100, 9800)}
    problem = {
        "title": told[4].rstrip("."),
        "statement": told[4],
        "requirement": told[2],
        "clause": f"{edition}:{told[1]}",
        "evidence": told[3].format(**numbers),
        "process": life.processes[told[0]],
    }
    life.kept[TOLD].add(problem["title"])
    nc = workflow.raise_nonconformity(by=life.cast("reporters")[0], **problem, severity="slight")

    def contain() -> None:
        nc.refresh_from_db()
        workflow.contain(nc, by=nc.owner, containment=life.voice("capa")["slip"][0])

    def decide() -> None:
        nc.refresh_from_db()
        quality = life.who("quality")
        workflow.correct_only(
            nc,
            by=life.who("ceo") if nc.owner == quality else quality,
            correction=life.voice("capa")["slip"][0],
            similar=life.voice("capa")["similar"][0],
            because=life.voice("capa")["slip"][1],
            despite=life.voice("capa")["slip"][2],
        )

    life.after(1, contain)
    life.after(3, decide)
