"""The procedure of a nonconformity (ISO 9001 10.2.1): react, find the cause, follow its action.

What its corrective action comes to (`corrective_actions`) moves the case on by itself; what is
decided about it stands in `deciding`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from capa import whys
from capa.models import CaseAction, CorrectiveAction, Nonconformity, Report
from capa.workflow.details import another_role, days, text
from capa.workflow.repeats import look_for_repeats
from qms import contributions
from qms.actions.models import Action
from qms.contributions import Step
from qms.files.models import Attachment
from qms.files.workflow import attachments_of, guards_attaching
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import passed_on_by
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import Guard, amendment, creates, transition

Status = Nonconformity.Status
DECIDE_WITHIN = 3  # days for a decision once everything it needs is there


@dataclass(frozen=True)
class NonconformityClosed:
    """A nonconformity was closed; whatever raised it may go on."""

    nonconformity: Nonconformity


@dataclass(frozen=True)
class NonconformityReopened:
    """A closed nonconformity was opened again, with the reason in its history."""

    nonconformity: Nonconformity


# Guards


def actions_of(*cases: Nonconformity) -> Any:
    """The tasks of these cases: of their corrective actions, and what was promised at once."""
    serving = CorrectiveAction.objects.serving(*cases).standing()
    return Action.objects.raised_from(*cases) | Action.objects.raised_from(*serving)


def tasks_with_cases(cases: Sequence[Nonconformity]) -> list[tuple[Nonconformity, Action]]:
    """(case, task) of every task these cases asked for; a shared one comes with each of them."""
    by_key = {each.pk: each for each in cases}
    own = Action.objects.raised_from(*cases)
    found = [(by_key[each.origin_id], each) for each in own]
    served: dict[int, list[Nonconformity]] = {}
    links = CaseAction.objects.live().filter(nonconformity__in=list(by_key)).order_by("pk")
    for action, case in links.values_list("corrective_action_id", "nonconformity_id"):
        served.setdefault(action, []).append(by_key[case])
    serving = CorrectiveAction.objects.standing().filter(pk__in=list(served))
    for task in Action.objects.raised_from(*serving):
        found += [(case, task) for case in served[task.origin_id or 0]]
    rows = [pair for pair in found if pair[1].status != Action.Status.VOID]
    return sorted(rows, key=lambda pair: (pair[1].pk, pair[0].pk))


def evidence_of(nc: Nonconformity) -> list[Attachment]:
    """What is attached to the case, its report, corrective actions and tasks, as it came in."""
    serving = list(CorrectiveAction.objects.serving(nc).standing())
    tasks = list(actions_of(nc).exclude(status=Action.Status.VOID))
    told = [nc.origin] if isinstance(nc.origin, Report) else []
    owners = [each for each in ([nc], told, serving, tasks) if each]
    rows = [attached for each in owners for attached in attachments_of(*each)]
    return sorted(rows, key=lambda each: each.pk)


def only_who_answers(nc: Nonconformity, by: Any) -> str | None:
    if by.pk == nc.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of a nonconformity or the quality manager answers it."


def has_an_owner(nc: Nonconformity, by: Any) -> str | None:
    return None if nc.owner_id else "Give it an owner first."


COMPLETE = ("requirement", "evidence", "statement")
NOT_COMPLETE = "Say which requirement is not met, by which evidence, and what the nonconformity is."


def is_complete(nc: Nonconformity, by: Any) -> str | None:
    """Requirement, evidence and statement: without them it is no nonconformity."""
    return None if all(getattr(nc, name).strip() for name in COMPLETE) else NOT_COMPLETE


def not_its_owner(nc: Nonconformity, by: Any) -> str | None:
    if by.pk == nc.owner_id:
        return "The owner of a case neither closes nor voids it; ask somebody else."
    return not_who_passed_it_on(nc, by)


def not_who_passed_it_on(nc: Nonconformity, by: Any) -> str | None:
    """Giving a case away makes nobody free to decide about it."""
    if by.pk != nc.owner_id and by.pk in who_owned_it(nc):
        return "Who owned the case and passed it on does not settle it; ask somebody else."
    return None


ANSWERS = {
    ("open", "contained"),
    ("contained", "analysed"),
    ("analysed", "planned"),
}


def answered_by(nc: Nonconformity) -> set[int | None]:
    """The ids of everybody who made one of its answers or owned it then, from its history."""
    return {each for pair in _answers(nc) for each in pair}


def who_owned_it(nc: Nonconformity) -> set[int | None]:
    """The ids of who owned it when it was answered, or passed it on themselves."""
    return {owner for owner, _user in _answers(nc)} | passed_on_by(nc)


def _answers(nc: Nonconformity) -> list[tuple[int | None, int | None]]:
    """(owner, who answered) of each answer, from its history."""
    found = []
    before = ""
    rows = nc.history.order_by("history_id").values_list("status", "owner_id", "history_user_id")
    for status, owner, user in rows:
        if (before, status) in ANSWERS:
            found.append((owner, user))
        before = status
    return found


@guards_attaching(Nonconformity)
def while_it_is_open(nc: Nonconformity, by: Any) -> str | None:
    return "It is settled; nothing is added to it." if nc.is_settled else None


VoidGuard = Callable[[Any, Any], str | None]
_void_guards: dict[type[Any], VoidGuard] = {}


def guards_voiding(model: type[Any]) -> Callable[[VoidGuard], VoidGuard]:
    """Register `(origin, by) -> sentence or None`: why what such a record raised is not voided."""

    def keep(guard: VoidGuard) -> VoidGuard:
        _void_guards[model] = guard
        return guard

    return keep


def its_origin_lets_go(nc: Nonconformity, by: Any) -> str | None:
    guard = _void_guards.get(type(nc.origin))
    if guard:
        return guard(nc.origin, by)
    body = Nonconformity.Source.CERTIFICATION
    if nc.source == body or nc.history.filter(source=body).exists():
        return "A finding of the certification body is answered, not cancelled."
    return None


def nothing_was_judged(nc: Nonconformity, by: Any) -> str | None:
    """What was decided about its effect is not taken off the record by cancelling the case."""
    judged = CorrectiveAction.objects.serving(nc).judged().order_by("pk").first()
    return f"{judged.number} was judged for it; it is answered, not cancelled." if judged else None


# From detection to the effectiveness decision, by the organisation's own days.
STEPS = ("containment_days", "cause_days", "action_days", "effectiveness_days")

# Factories


@creates(Nonconformity, permission="capa.add_nonconformity")
def report_problem(
    *,
    by: Person,
    title: str,
    evidence: str = "",
    process: Process | None = None,
    detected_on: date | None = None,
    source: str = Nonconformity.Source.PROCESS,
    **facts: Any,
) -> Nonconformity:
    """What anybody may report in a minute; the process owner or quality manager takes it up."""
    return raise_nonconformity(
        by=by,
        title=title,
        evidence=evidence,
        process=process,
        detected_on=detected_on,
        source=source,
        owner=process.owner if process else None,
        **facts,
    )


@creates(Nonconformity, permission="capa.add_nonconformity")
def raise_nonconformity(
    *,
    by: Person,
    title: str,
    statement: str = "",
    requirement: str = "",
    clause: str = "",
    evidence: str = "",
    extent: str = "",
    source: str = Nonconformity.Source.PROCESS,
    grade: str = Nonconformity.Grade.MINOR,
    process: Process | None = None,
    owner: Person | None = None,
    detected_on: date | None = None,
    origin: Any = None,
    number: str = "",
    taken_over: str = "",
    **facts: Any,
) -> Nonconformity:
    """Raise a nonconformity, from any other record or on its own.

    `facts` are the fields `FACTS` and `EXTENT`: product, lot, customer, provider, site, who
    detected it, how severe it is, from when to when, and what was checked. `number` and
    `taken_over` are for rows of a former register (capa/register.py) only.
    """
    if foreign := set(facts) - {*Nonconformity.FACTS, *Nonconformity.EXTENT}:
        raise TypeError(f"A nonconformity has no {', '.join(sorted(foreign))}.")
    day = today()
    if not title.strip():
        raise Refused("Say in a line what is wrong.", field="title")
    if detected_on and detected_on > day:
        raise Refused("It cannot have been detected in the future.", field="detected_on")
    if origin is not None and not is_visible(origin, by):
        raise Refused("The record it comes from was not found.", field="origin")
    if number and Nonconformity.objects.filter(number=number).exists():
        raise Refused(f"There is a nonconformity {number} already.", field="number")
    start, end = facts.get("extent_from"), facts.get("extent_to")
    if start and end and end < start:
        raise Refused("“Affected until” lies before “affected from”.", field="extent_to")
    detected = detected_on or day
    promised = due_in(sum(map(days, STEPS)), max(detected, day))
    nc = Nonconformity(
        number=number,
        taken_over=taken_over,
        title=title.strip(),
        statement=statement,
        requirement=requirement,
        clause=clause,
        evidence=evidence,
        extent=extent,
        source=source,
        grade=grade,
        process=process,
        owner=owner or (process.owner if process else None),
        detected_on=detected,
        due=due_in(days("containment_days"), max(detected, day)),
        first_close_by=promised,
        close_by=promised,
        created_by=by,
        **facts,
    )
    if origin is not None:
        nc.origin = origin
    nc.save()
    return nc


# Transitions


@transition(
    Nonconformity,
    source=Status.OPEN,
    target=Status.CONTAINED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    guards=[has_an_owner, is_complete],
    label="Contained",
    details={
        "containment": text("What stops it from spreading"),
        "correction": text("How this case is put right", required=False),
        "delivered": text(
            "What was already delivered",
            rows=2,
            required=False,
            help_text="To whom, how much; “nothing” is an answer.",
        ),
        "told": text("Who was told", rows=2, required=False),
    },
)
def contain(
    nc: Nonconformity,
    *,
    by: Any,
    containment: str,
    correction: str = "",
    delivered: str = "",
    told: str = "",
) -> None:
    """Say what was done at once, how this case was put right and what it means for others."""
    nc.containment, nc.correction, nc.contained_on = containment, correction, today()
    nc.delivered, nc.told = delivered, told
    nc.due = due_in(days("cause_days"), today())


@transition(
    Nonconformity,
    source=Status.CONTAINED,
    target=Status.ANALYSED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    label="Cause found",
    details={
        "method": forms.ChoiceField(
            label="Method",
            choices=Nonconformity.Method.choices,
            initial="whys",
            required=False,
        ),
        "why_chain": text(
            "Why, and why that?",
            rows=5,
            required=False,
            help_text=(
                "One why a line, the first nearest to the event. Begin a line with “-” to answer"
                " the line above, with “--” one step further."
            ),
        ),
        "root_cause": text("Root cause"),
        "escape_cause": text("Why it was not noticed earlier", rows=2, required=False),
        "category": forms.ChoiceField(
            label="Cause category", choices=Nonconformity.Category.choices
        ),
        "similar": text(
            "Similar cases", help_text="Where else it exists or could; where you looked."
        ),
    },
    then=lambda nc, by: look_for_repeats(nc, by),
)
def find_cause(
    nc: Nonconformity,
    *,
    by: Any,
    root_cause: str,
    category: str,
    similar: str,
    method: str = "whys",
    why_chain: str = "",
    escape_cause: str = "",
) -> None:
    """Say why it happened and where else it could."""
    nc.root_cause, nc.category, nc.similar = root_cause, category, similar
    nc.method = method or Nonconformity.Method.WHYS
    nc.escape_cause = escape_cause
    nc.whys = whys.from_lines(why_chain)
    nc.analysed_on = today()
    nc.due = due_in(DECIDE_WITHIN, today())


# What its corrective action comes to

FOLLOW = "capa.follow_nonconformity"


def nothing_serves_it_now(nc: Nonconformity, by: Any) -> str | None:
    """A plan is lost only where no corrective action that is open serves the case."""
    first = CorrectiveAction.objects.serving(nc).open().order_by("pk").first()
    return f"{first.number} serves it." if first else None


def something_serves_it(status: str, otherwise: str) -> Guard:
    """A case follows only what a corrective action of it came to."""

    def check(nc: Nonconformity, by: Any) -> str | None:
        found = CorrectiveAction.objects.serving(nc).filter(status=status)
        return None if found.exists() else otherwise

    return check


def it_was_not_effective(aftermath: str) -> Guard:
    """Only what was found not effective, with this aftermath, sends a case back."""

    def check(nc: Nonconformity, by: Any) -> str | None:
        found = CorrectiveAction.objects.serving(nc).filter(
            status=CorrectiveAction.Status.INEFFECTIVE,
            aftermath=aftermath,
            verified_on__gte=nc.analysed_on,
        )
        return None if found.exists() else "No corrective action of it was found not effective."

    return check


@transition(
    Nonconformity,
    source=Status.ANALYSED,
    target=Status.PLANNED,
    permission=FOLLOW,
    guards=[something_serves_it("planned", "No corrective action of it is planned.")],
    reason=True,
    label="Take up the plan",
    primary=False,
)
def take_up_plan(nc: Nonconformity, *, by: Any, action: CorrectiveAction) -> None:
    """A corrective action that serves it is planned."""
    copy_plan(nc, action)


def copy_plan(nc: Nonconformity, action: CorrectiveAction) -> None:
    """What the corrective action promises stands on the case as well."""
    nc.decision = Nonconformity.Decision.ACTION
    nc.effectiveness_criterion, nc.check_on = action.criterion, action.check_on
    nc.due = action.due


@transition(
    Nonconformity,
    source=Status.PLANNED,
    target=Status.ANALYSED,
    permission=FOLLOW,
    guards=[nothing_serves_it_now],
    reason=True,
    label="Lose the plan",
    primary=False,
)
def lose_plan(nc: Nonconformity, *, by: Any) -> None:
    """No corrective action serves it any more; what is done about it is decided anew."""
    nc.decision, nc.due = "", due_in(DECIDE_WITHIN, today())


@transition(
    Nonconformity,
    source=Status.PLANNED,
    target=Status.IMPLEMENTED,
    permission=FOLLOW,
    guards=[something_serves_it("implemented", "No corrective action of it is in place.")],
    reason=True,
    label="Implemented",
    primary=False,
)
def follow_implemented(nc: Nonconformity, *, by: Any, action: CorrectiveAction) -> None:
    """Every corrective action that serves it is in place."""
    nc.implemented_on, nc.due = today(), action.check_day
    nc.check_on = action.check_day


@transition(
    Nonconformity,
    source=Status.IMPLEMENTED,
    target=Status.EFFECTIVE,
    permission=FOLLOW,
    guards=[something_serves_it("effective", "No corrective action of it was found effective.")],
    reason=True,
    label="Effective",
    primary=False,
)
def follow_effective(nc: Nonconformity, *, by: Any, action: CorrectiveAction) -> None:
    """Its corrective action was effective, by the criterion set beforehand."""
    nc.verdict, nc.verified_by = action.verdict, action.verified_by
    nc.verified_on = action.verified_on
    nc.due = due_in(DECIDE_WITHIN, today())


@transition(
    Nonconformity,
    source=[Status.PLANNED, Status.IMPLEMENTED],
    target=Status.CONTAINED,
    permission=FOLLOW,
    guards=[it_was_not_effective(CorrectiveAction.Aftermath.CAUSE)],
    reason=True,
    label="Look for the cause again",
    primary=False,
)
def follow_ineffective(nc: Nonconformity, *, by: Any) -> None:
    """Its corrective action was not effective: the cause is looked for again."""
    nc.reopened += 1
    nc.decision, nc.implemented_on = "", None
    nc.due = due_in(days("cause_days"), today())


@transition(
    Nonconformity,
    source=Status.IMPLEMENTED,
    target=Status.ANALYSED,
    permission=FOLLOW,
    guards=[it_was_not_effective(CorrectiveAction.Aftermath.SUCCESSOR)],
    reason=True,
    label="Wait for the successor",
    primary=False,
)
def wait_for_successor(nc: Nonconformity, *, by: Any) -> None:
    """Its corrective action was not effective: a successor is planned for the same cause."""
    nc.reopened += 1
    nc.decision, nc.implemented_on = "", None
    nc.due = due_in(DECIDE_WITHIN, today())


def only_another_gives_time(nc: Nonconformity, by: Any, day: date | None) -> str | None:
    """The day it is to be closed by is moved by somebody else than its owner, with the reason."""
    if by.pk in {nc.owner_id, *passed_on_by(nc)}:
        return "The owner does not give more time for their own case; ask the quality manager."
    if day is None:
        return "Say until when it is to be closed."
    if day < nc.detected_on:
        return "It cannot be closed before it was detected."
    return None


def not_to_who_judged_it(nc: Nonconformity, by: Any, owner: Person | None) -> str | None:
    """The decision on its effect stays somebody else's."""
    if owner is not None and owner.pk == nc.verified_by_id:
        return f"{owner.name} judged its effect; choose another owner."
    return None


SMALLER = {
    "grade": list(Nonconformity.Grade.values)[::-1],
    "severity": ["", *Nonconformity.Severity.values],
}


def only_another_makes_it_smaller(name: str) -> Callable[[Any, Any, str], str | None]:
    """The owner does not take the grade or severity down that asks more of them."""

    def reserve(nc: Nonconformity, by: Any, value: str) -> str | None:
        order = SMALLER[name]
        smaller = order.index(value) < order.index(getattr(nc, name))
        if smaller and by.pk in {nc.owner_id, *passed_on_by(nc)}:
            return "The owner does not make their own case smaller; ask somebody else."
        return None

    return reserve


def the_bodys_stays(nc: Nonconformity, by: Any, source: str) -> str | None:
    """Only a slip of who typed it is put right, by somebody else, before anything was answered."""
    if nc.source != Nonconformity.Source.CERTIFICATION:
        return None
    if by.pk == nc.owner_id or nc.status != Status.OPEN or type(nc.origin) in _void_guards:
        return "A finding of the certification body stays one."
    return None


def stays_complete(nc: Nonconformity, changed: Mapping[str, Any]) -> str | None:
    """What it needed to be taken up is not emptied afterwards."""
    if nc.status == Status.OPEN:
        return None
    emptied = [name for name in COMPLETE if name in changed and not changed[name].strip()]
    return NOT_COMPLETE if emptied else None


editing = amendment(
    Nonconformity,
    permission="capa.change_nonconformity",
    fields=(
        "title",
        "statement",
        "requirement",
        "clause",
        "evidence",
        *Nonconformity.EXTENT,
        *Nonconformity.FACTS,
        "source",
        "grade",
        "process",
        "owner",
        "close_by",
    ),
    reserves={
        "close_by": only_another_gives_time,
        "source": the_bodys_stays,
        "owner": not_to_who_judged_it,
        "grade": only_another_makes_it_smaller("grade"),
        "severity": only_another_makes_it_smaller("severity"),
    },
    checks=[stays_complete],
    states=(
        Status.OPEN,
        Status.CONTAINED,
        Status.ANALYSED,
        Status.PLANNED,
        Status.IMPLEMENTED,
        Status.EFFECTIVE,
    ),
)


# Who has to do what next


@contributions.work(Nonconformity)
def next_steps(nc: Nonconformity) -> list[Step]:
    """The owner answers; while an action serves it the work is the action's; then it is closed."""
    answers = {"open": "Contain", "contained": "Find cause", "analysed": "Plan action"}
    if nc.status in answers:
        if nc.owner_id:
            return [Step(nc.status, answers[nc.status], person=nc.owner, due=nc.due)]
        return [Step(nc.status, "Give an owner", role="quality_manager", due=nc.due)]
    if nc.status == Status.EFFECTIVE:
        role = another_role(nc.owner, who_owned_it(nc))
        return [Step("close", "Close", role=role, due=nc.due)]
    return []
