"""The procedure of a corrective action: planned, approved, in place, judged by somebody else.

Whoever owns it, planned it, did one of its tasks or answered one of its cases does not judge it.
Not effective never closes quietly: the cause is looked for again, or a successor is planned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from capa.models import CaseAction, CorrectiveAction, Nonconformity
from capa.progress import limit_in_words, progress_of
from capa.workflow.details import another_role, days, text
from capa.workflow.nonconformities import (
    DECIDE_WITHIN,
    answered_by,
    copy_plan,
    follow_effective,
    follow_implemented,
    follow_ineffective,
    lose_plan,
    take_up_plan,
    wait_for_successor,
)
from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import ActionDone, promise, verify
from qms.actions.workflow import void as void_task
from qms.contributions import Step
from qms.events import handles, publish
from qms.files.workflow import guards_attaching
from qms.links import refuse_stale, set_links
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import passed_on_by
from qms.refusals import Refused
from qms.scope.models import Organisation
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition

Status = CorrectiveAction.Status
Aftermath = CorrectiveAction.Aftermath


@dataclass(frozen=True)
class CorrectiveActionJudged:
    """The effectiveness of a corrective action was decided, one way or the other."""

    action: CorrectiveAction
    effective: bool


def tasks_of(action: CorrectiveAction) -> Any:
    """Its tasks, void ones left out."""
    return Action.objects.raised_from(action).exclude(status=Action.Status.VOID)


def cases_of(action: CorrectiveAction) -> Any:
    """The nonconformities it serves."""
    return Nonconformity.objects.served_by(action)


def plans_are_approved() -> bool:
    """Whether the organisation asks for somebody else's approval of a plan."""
    organisation = Organisation.objects.current()
    return bool(organisation and organisation.approves_plans)


# Guards


def only_who_answers_for_it(action: CorrectiveAction, by: Any) -> str | None:
    if by.pk == action.owner_id or by.holds("quality_manager", "top_management"):
        return None
    if cases_of(action).filter(owner=by.pk).exists():
        return None
    return "Only the owner of a corrective action or of its case, or the quality manager, may."


def it_was_taken_on(action: CorrectiveAction, by: Any, value: Any = None) -> str | None:
    """What it is judged by, once taken on, is moved by somebody else than who answers for it."""
    if not action.is_taken_on:
        return None
    owners = set(cases_of(action).values_list("owner", flat=True))
    if by.pk in {action.owner_id, *passed_on_by(action), *owners}:
        return (
            "It was taken on with this criterion and this check. The owner does not change them;"
            " ask the quality manager or top management."
        )
    return None


def has_a_plan(action: CorrectiveAction, by: Any) -> str | None:
    """A cause, a task and a criterion, before anything is done."""
    lacking = []
    if not action.cause.strip():
        lacking.append("which cause it removes")
    if not tasks_of(action).exists():
        lacking.append("what will be done, by whom and by when")
    if not action.criterion.strip():
        lacking.append("when it counts as effective")
    return f"Say {' and '.join(lacking)}." if lacking else None


def nobody_has_to_approve(action: CorrectiveAction, by: Any) -> str | None:
    return "Somebody else approves the plan here; submit it." if plans_are_approved() else None


def somebody_approves(action: CorrectiveAction, by: Any) -> str | None:
    return None if plans_are_approved() else "No approval is asked for here; start the plan."


def not_who_planned(action: CorrectiveAction, by: Any) -> str | None:
    if by.pk in {action.owner_id, action.submitted_by_id, *had_a_hand_in(action)}:
        return "Who planned it does not approve it; ask somebody else."
    return None


def tasks_are_done(action: CorrectiveAction, by: Any) -> str | None:
    tasks = tasks_of(action)
    if not tasks.exists():
        return "Plan an action first."
    if count := tasks.open().count():
        return f"{count} of its actions {'is' if count == 1 else 'are'} still open."
    return None


HANDS = {("draft", "submitted"), ("draft", "planned"), ("planned", "implemented")}


def had_a_hand_in(action: CorrectiveAction) -> set[int | None]:
    """The ids of who planned it, put it in place, owned it then or passed it on themselves."""
    people: set[int | None] = set(passed_on_by(action))
    before = ""
    rows = action.history.order_by("history_id")
    for status, owner, user in rows.values_list("status", "owner_id", "history_user_id"):
        if (before, status) in HANDS:
            people |= {owner, user}
        before = status
    return people


def did_none_of_it(action: CorrectiveAction, by: Any) -> str | None:
    if by.pk == action.owner_id:
        return "The owner does not judge the effectiveness; ask somebody else."
    cases = list(cases_of(action))
    if by.pk in {nc.owner_id for nc in cases}:
        return "The owner does not judge the effectiveness; ask somebody else."
    if by.pk in had_a_hand_in(action) or any(by.pk in answered_by(nc) for nc in cases):
        return "Who owned or answered the case before does not judge its effectiveness."
    if Action.objects.raised_from(action).worked_on_by(by).exists():
        return "Who did one of the actions does not judge their effectiveness."
    return None


def _involved(action: CorrectiveAction) -> set[int | None]:
    """The ids of everybody who does not judge it."""
    people = had_a_hand_in(action)
    for nc in cases_of(action):
        people |= {nc.owner_id, *answered_by(nc)}
    tasks = Action.objects.raised_from(action)
    return people | {each for pair in tasks.values_list("owner", "done_by") for each in pair}


def the_check_is_due(action: CorrectiveAction, by: Any) -> str | None:
    day = action.check_day
    if day and day > today():
        return f"The criterion needs time: the check is planned for {day:%-d %B %Y}."
    return None


def the_figures_suffice(action: CorrectiveAction, by: Any) -> str | None:
    """Where an indicator was named, its figures come before the decision."""
    progress = progress_of(action, today())
    day = action.check_day
    if progress is not None and not progress.assessable and day:
        return progress.sentence if day <= today() else None
    return None


def the_limit_is_kept(action: CorrectiveAction, by: Any) -> str | None:
    """What its own figures say against is not called effective."""
    progress = progress_of(action, today())
    if progress is None or not progress.assessable or not progress.beyond:
        return None
    verb = "is" if progress.beyond == 1 else "are"
    said = f"{progress.beyond} of {progress.readings} values {verb} not {limit_in_words(action)}"
    return f"{said}: by its criterion it was not effective."


def not_its_owner(action: CorrectiveAction, by: Any) -> str | None:
    if by.pk in {action.owner_id, *passed_on_by(action)}:
        return "The owner does not void it; ask somebody else."
    return None


def a_failure_keeps_its_successor(action: CorrectiveAction, by: Any) -> str | None:
    """What was not effective for a trend or a risk has nothing else that would go on."""
    failed = action.predecessor
    if failed is None or cases_of(failed).exists():
        return None
    others = CorrectiveAction.objects.standing().filter(predecessor=failed).exclude(pk=action.pk)
    if others.exists():
        return None
    return f"{failed.number} was not effective; its successor is planned, not voided."


@guards_attaching(CorrectiveAction)
def while_it_is_open(action: CorrectiveAction, by: Any) -> str | None:
    return "It is judged; nothing is added to it." if action.is_settled else None


# Factories and what belongs to it


@creates(CorrectiveAction, permission="capa.add_correctiveaction")
def raise_corrective_action(
    *,
    by: Person,
    title: str,
    owner: Person,
    cause: str = "",
    criterion: str = "",
    measure: str = "",
    check_on: date | None = None,
    indicator: int | None = None,
    counts: str = CorrectiveAction.Counts.VALUES,
    count_target: int | None = None,
    count_of: str = "",
    bound: str = "",
    limit: Decimal | None = None,
    nonconformities: Iterable[Nonconformity] = (),
    origin: Any = None,
) -> CorrectiveAction:
    """Begin a corrective action for nonconformities, or for a trend or risk (`origin`)."""
    action = begin(
        by=by,
        title=title,
        owner=owner,
        cause=cause,
        criterion=criterion,
        measure=measure,
        check_on=check_on,
        indicator=indicator,
        counts=counts or CorrectiveAction.Counts.VALUES,
        count_target=count_target,
        count_of=count_of,
        bound=bound,
        limit=limit,
        origin=origin,
    )
    for nc in nonconformities:
        serve(action, nc, by=by)
    return action


def begin(*, by: Person, origin: Any = None, **said: Any) -> CorrectiveAction:
    """The same for procedures whose own permission was checked already."""
    if not said["title"].strip():
        raise Refused("Say in a line what it changes.", field="title")
    if not said["owner"].is_active:
        raise Refused(
            f"{said['owner'].name} is no longer active; choose another owner.", field="owner"
        )
    if origin is not None and not is_visible(origin, by):
        raise Refused("The record it comes from was not found.", field="origin")
    _check_limit(said.get("bound", ""), said.get("limit"))
    action = CorrectiveAction(due=due_in(DECIDE_WITHIN, today()), created_by=by, **said)
    if origin is not None:
        action.origin = origin
    action.save()
    return action


def _check_limit(bound: str, limit: Decimal | None) -> None:
    if bool(bound) != (limit is not None):
        raise Refused("Say both: at most or at least, and which value.", field="limit")


def _waits_for_action(nc: Nonconformity) -> bool:
    """Its cause is known and nothing is in place; or it is older than corrective actions here."""
    states = Nonconformity.Status
    if nc.status == states.IMPLEMENTED:
        return not CorrectiveAction.objects.serving(nc).exists()
    return nc.status in (states.ANALYSED, states.PLANNED)


def serve(action: CorrectiveAction, nc: Nonconformity, *, by: Person) -> None:
    """Let it serve one more case, whose cause is known."""
    if action.status not in (Status.DRAFT, Status.SUBMITTED, Status.PLANNED):
        shown = action.get_status_display().lower()
        raise Refused(f"{action.number} takes no further case: it is already {shown}.")
    if not _waits_for_action(nc):
        raise Refused(
            f"{nc.number} is “{nc.get_status_display().lower()}”. A corrective action serves a"
            " case whose cause is known and which is not in place yet.",
            field="nonconformities",
        )
    link, made = CaseAction.objects.get_or_create(
        nonconformity=nc, corrective_action=action, defaults={"created_by": by}
    )
    if not made and link.ended:
        link.ended = False
        link.save_because("Linked.", by=by)


def _refuse_breaking_the_promise(action: CorrectiveAction, taken: set[int], by: Any) -> None:
    """A case is not taken out of a plan by who answers for it, to promise something easier."""
    if taken and (why := it_was_taken_on(action, by)):
        raise Refused(f"Its cases were promised its effect. {why}", field="cases")


def choose_cases(
    action: CorrectiveAction,
    *,
    by: Person,
    cases: Iterable[Nonconformity],
    seen: str | None = None,
) -> bool:
    """Make `cases` exactly what it serves; returns whether anything changed.

    A case that is taken away waits for another decision. Raises Refused or Stale.
    """
    wanted = {each.pk: each for each in cases}
    with db.atomic():
        locked = CorrectiveAction._base_manager.select_for_update(of=("self",)).get(pk=action.pk)
        if not by.has_perm("capa.change_correctiveaction") or only_who_answers_for_it(locked, by):
            raise PermissionDenied("Only who answers for it says which cases it serves.")
        if locked.status not in (Status.DRAFT, Status.SUBMITTED, Status.PLANNED):
            shown = locked.get_status_display().lower()
            raise Refused(f"Its cases stay as they are: it is already {shown}.")
        refuse_stale(seen, {"corrective_action": locked}, CaseAction)
        before = {each.pk: each for each in cases_of(locked)}
        _refuse_breaking_the_promise(locked, set(before) - set(wanted), by)
        for key, nc in wanted.items():
            if key not in before:
                serve(locked, nc, by=by)
        owner = {"corrective_action": locked}
        stays = {k: v for k, v in {**before, **wanted}.items() if k in wanted}
        changed = set_links(
            CaseAction, owner=owner, target="nonconformity", targets=stays.values(), by=by
        )
        if locked.status == Status.PLANNED:
            _take_up(locked)
        for key, nc in before.items():
            if key not in wanted:
                _lose(locked, nc)
        return changed or set(wanted) != set(before)


def plan_task(
    action: CorrectiveAction,
    *,
    by: Person,
    title: str,
    owner: Person,
    due: date,
    description: str = "",
    kind: str = Action.Kind.CORRECTIVE,
) -> Action:
    """Promise one more task of it."""
    if action.status not in (Status.DRAFT, Status.SUBMITTED, Status.PLANNED):
        shown = action.get_status_display().lower()
        raise Refused(f"No further task is planned: it is already {shown}.")
    if due < today():
        raise Refused("The action cannot be due in the past.", field="due")
    if action.status == Status.PLANNED and action.check_on and due > action.check_on:
        raise Refused(
            f"Its effect is checked on {action.check_on:%-d %B %Y}. Plan it anew for a task that"
            " comes later.",
            field="due",
        )
    made = promise(
        by=by, title=title, owner=owner, due=due, origin=action, kind=kind, description=description
    )
    if action.status == Status.PLANNED and (action.due is None or due > action.due):
        action.due = due
        action.save_because(f"{made.number} is due later.", by=by)
    refresh(action)
    return made


def add_task(action: CorrectiveAction, *, by: Person, **task: Any) -> Action:
    """The same, asked for by a person: only who answers for it plans its tasks."""
    if not by.has_perm("capa.change_correctiveaction"):
        raise PermissionDenied("Your role does not allow you to plan its tasks.")
    if why := only_who_answers_for_it(action, by):
        raise PermissionDenied(why)
    with db.atomic():
        locked = CorrectiveAction._base_manager.select_for_update(of=("self",)).get(pk=action.pk)
        return plan_task(locked, by=by, **task)


def indicator_choices(person: Any, query: str = "", limit: int = 200) -> list[tuple[int, str]]:
    """(key, words) of the indicators this person may name; none where nobody keeps any."""
    told = contributions.indicators()
    return told.choose(person, query, limit) if told else []


# Transitions


def _check_day(action: CorrectiveAction, check_on: date | None) -> date:
    """The day of the check: after the last task, by the organisation's time where none is said."""
    last: date = max(tasks_of(action).values_list("due", flat=True), default=today())
    if action.first_criterion and check_on not in (None, action.check_on):
        raise Refused(
            "The day of the check was taken on. It is moved by editing the action, with the"
            " reason, by somebody other than its owner.",
            field="check_on",
        )
    chosen = check_on or action.check_on or due_in(days("effectiveness_days"), last)
    if chosen < last:
        raise Refused("The check comes after the action.", field="check_on")
    return chosen


def _start(action: CorrectiveAction, check_on: date | None) -> None:
    action.check_on = _check_day(action, check_on)
    action.planned_on = today()
    action.due = max(tasks_of(action).values_list("due", flat=True))
    _keep_first(action)


def _keep_first(action: CorrectiveAction) -> None:
    if not action.first_criterion:
        action.first_criterion = action.criterion_in_words
        action.first_check_on = action.check_on


def _take_up(action: CorrectiveAction) -> None:
    """Cases that waited for this plan go on."""
    for nc in cases_of(action).filter(status=Nonconformity.Status.ANALYSED):
        take_up_plan(nc, by=_system(), action=action, reason=f"{action.number} is planned.")
    for nc in cases_of(action).filter(status=Nonconformity.Status.PLANNED):
        if (nc.check_on, nc.effectiveness_criterion) != (action.check_on, action.criterion):
            copy_plan(nc, action)
            nc.save_because(f"As {action.number} is planned.", by=_system())


def _system() -> Person:
    return Person.objects.system()


CHECK_ON = forms.DateField(
    label="Effectiveness is checked on",
    required=False,
    help_text="Left empty, the organisation's usual time after the last task.",
)


@transition(
    CorrectiveAction,
    source=Status.DRAFT,
    target=Status.PLANNED,
    permission="capa.change_correctiveaction",
    only=only_who_answers_for_it,
    guards=[has_a_plan, nobody_has_to_approve],
    label="Start the plan",
    details={"check_on": CHECK_ON},
    then=lambda action, by: _take_up(action),
)
def start_plan(action: CorrectiveAction, *, by: Any, check_on: date | None = None) -> None:
    """Start it: tasks, criterion and the day of the check stand."""
    _start(action, check_on)
    action.submitted_by = by


@transition(
    CorrectiveAction,
    source=Status.DRAFT,
    target=Status.SUBMITTED,
    permission="capa.change_correctiveaction",
    only=only_who_answers_for_it,
    guards=[has_a_plan, somebody_approves],
    label="Submit the plan",
    details={"check_on": CHECK_ON},
)
def submit_plan(action: CorrectiveAction, *, by: Any, check_on: date | None = None) -> None:
    """Ask somebody else to approve tasks, criterion and the day of the check."""
    action.check_on = _check_day(action, check_on)
    action.submitted_by = by
    action.due = due_in(days("approval_days"), today())


@transition(
    CorrectiveAction,
    source=Status.SUBMITTED,
    target=Status.PLANNED,
    permission="capa.approve_correctiveaction",
    guards=[not_who_planned],
    label="Approve the plan",
    details={"check_on": CHECK_ON},
    then=lambda action, by: _take_up(action),
)
def approve_plan(action: CorrectiveAction, *, by: Any, check_on: date | None = None) -> None:
    """Approve the plan and the day on which its effect is checked."""
    _start(action, check_on)
    action.approved_by, action.approved_on = by, today()


@transition(
    CorrectiveAction,
    source=Status.SUBMITTED,
    target=Status.DRAFT,
    permission="capa.approve_correctiveaction",
    reason=True,
    label="Send the plan back",
    primary=False,
)
def send_plan_back(action: CorrectiveAction, *, by: Any) -> None:
    """Send it back: the plan does not remove the cause, or does not show that it did."""
    action.due = due_in(DECIDE_WITHIN, today())


@transition(
    CorrectiveAction,
    source=Status.PLANNED,
    target=Status.IMPLEMENTED,
    permission="capa.change_correctiveaction",
    only=only_who_answers_for_it,
    guards=[tasks_are_done],
    label="Implemented",
    then=lambda action, by: _follow_implemented(action),
)
def implement_action(action: CorrectiveAction, *, by: Any) -> None:
    """Confirm that every task is done and the change is in place."""
    late = max(0, (today() - (action.due or today())).days)
    action.implemented_on = today()
    # What comes late has as long to show its effect as was planned.
    action.due = (action.check_on or today()) + timedelta(days=late)


def _follow_implemented(action: CorrectiveAction) -> None:
    """A case goes on once everything that serves it is in place."""
    for nc in cases_of(action).filter(status=Nonconformity.Status.PLANNED):
        waiting = CorrectiveAction.objects.serving(nc).filter(
            status__in=[Status.DRAFT, Status.SUBMITTED, Status.PLANNED]
        )
        if not waiting.exists():
            why = f"{action.number} is in place."
            follow_implemented(nc, by=_system(), action=action, reason=why)


@transition(
    CorrectiveAction,
    source=Status.IMPLEMENTED,
    target=Status.EFFECTIVE,
    permission="capa.judge_correctiveaction",
    guards=[did_none_of_it, the_check_is_due, the_figures_suffice, the_limit_is_kept],
    signs="found effective",
    label="Effective",
    details={"verdict": text("What shows that the criterion is met")},
    then=lambda action, by: _follow_effective(action, by),
)
def judge_effective(action: CorrectiveAction, *, by: Any, verdict: str) -> None:
    """Decide that it was effective, by the criterion set beforehand."""
    _judge(action, by, verdict)


def _judge(action: CorrectiveAction, by: Any, verdict: str) -> None:
    if not verdict.strip():
        raise Refused("Say what shows it.", field="verdict")
    action.verdict, action.verified_by, action.verified_on = verdict.strip(), by, today()
    action.due = None


def _follow_effective(action: CorrectiveAction, by: Any) -> None:
    """What was effective is verified task by task, and its cases may be closed."""
    for task in tasks_of(action).filter(status=Action.Status.DONE):
        verify(task, by=by)
    for nc in cases_of(action).filter(status=Nonconformity.Status.IMPLEMENTED):
        if not CorrectiveAction.objects.serving(nc).open().exists():
            why = f"{action.number} was effective."
            follow_effective(nc, by=_system(), action=action, reason=why)
    publish(CorrectiveActionJudged(action, effective=True))


@transition(
    CorrectiveAction,
    source=Status.IMPLEMENTED,
    target=Status.INEFFECTIVE,
    permission="capa.judge_correctiveaction",
    guards=[did_none_of_it],
    signs="found not effective",
    label="Not effective",
    primary=False,
    details={
        "verdict": text("What shows that the criterion is not met"),
        "aftermath": forms.ChoiceField(label="What follows", choices=Aftermath.choices),
    },
    then=lambda action, by: _follow_ineffective(action, by),
)
def judge_not_effective(action: CorrectiveAction, *, by: Any, verdict: str, aftermath: str) -> None:
    """Decide that it was not effective: its cause is looked for again, or a successor planned."""
    _judge(action, by, verdict)
    if aftermath == Aftermath.CAUSE and not cases_of(action).exists():
        raise Refused("It serves no case to reopen; plan a successor.", field="aftermath")
    action.aftermath = aftermath


def _follow_ineffective(action: CorrectiveAction, by: Any) -> None:
    """Never closed quietly: its cases look for the cause again, or wait for its successor."""
    why = f"{action.number} was not effective."
    cases = list(cases_of(action))
    if action.aftermath == Aftermath.CAUSE:
        for nc in cases:
            if nc.status in follow_ineffective.source:
                follow_ineffective(nc, by=_system(), reason=why)
    else:
        successor = begin(
            by=by,
            title=f"Successor of {action.number}: {action.cause.strip().splitlines()[0]}"[:200],
            owner=action.owner if action.owner.is_active else by,
            cause=action.cause,
            predecessor=action,
            origin=action.origin,
        )
        for nc in cases:
            if nc.status == Nonconformity.Status.IMPLEMENTED:
                wait_for_successor(nc, by=_system(), reason=why)
            if nc.status in (Nonconformity.Status.ANALYSED, Nonconformity.Status.PLANNED):
                serve(successor, nc, by=by)
    publish(CorrectiveActionJudged(action, effective=False))


@transition(
    CorrectiveAction,
    source=Status.PLANNED,
    target=Status.DRAFT,
    permission="capa.change_correctiveaction",
    only=only_who_answers_for_it,
    reason=True,
    label="Plan it anew",
    primary=False,
)
def plan_anew(action: CorrectiveAction, *, by: Any) -> None:
    """Plan it anew: the cause, the criterion or the measure was not right."""
    _keep_first(action)
    action.planned_on = action.approved_on = action.approved_by = None
    action.due = due_in(DECIDE_WITHIN, today())


@transition(
    CorrectiveAction,
    source=[Status.DRAFT, Status.SUBMITTED, Status.PLANNED],
    target=Status.VOID,
    permission="capa.void_correctiveaction",
    guards=[not_its_owner, a_failure_keeps_its_successor],
    reason=True,
    label="Void",
    primary=False,
    then=lambda action, by: _let_go(action, by),
)
def void_action(action: CorrectiveAction, *, by: Any) -> None:
    """Void it with its open tasks: it was a mistake. It stays visible, with the reason."""
    action.due = None


def _let_go(action: CorrectiveAction, by: Any) -> None:
    for task in tasks_of(action).open():
        void_task(task, by=by, reason=f"{action.number} was voided.")
    for nc in cases_of(action):
        _lose(action, nc)


def _lose(action: CorrectiveAction, nc: Nonconformity) -> None:
    """A case that nothing serves any more is decided about anew."""
    nc.refresh_from_db()
    left = CorrectiveAction.objects.serving(nc).standing().exclude(pk=action.pk)
    if nc.status == Nonconformity.Status.PLANNED and not left.open().exists():
        lose_plan(nc, by=_system(), reason=f"{action.number} no longer serves it.")


editing_action = amendment(
    CorrectiveAction,
    permission="capa.change_correctiveaction",
    fields=CorrectiveAction.PLAN,
    only=only_who_answers_for_it,
    states=(Status.DRAFT,),
    checks=[
        lambda action, changed: (
            "Say both: at most or at least, and which value."
            if bool(changed.get("bound", action.bound))
            != (changed.get("limit", action.limit) is not None)
            else None
        )
    ],
    reserves=dict.fromkeys(CorrectiveAction.CRITERION, it_was_taken_on),
)


# Who has to do what next


@handles(ActionDone)
def the_plan_goes_on(event: ActionDone) -> None:
    """When one of its tasks is done, its owner learns that it is their turn."""
    if isinstance(event.action.origin, CorrectiveAction):
        refresh(event.action.origin)


@contributions.work(CorrectiveAction)
def its_next_steps(action: CorrectiveAction) -> list[Step]:
    """The owner plans and puts it in place; somebody else approves and judges."""
    if action.status == Status.DRAFT:
        return [Step("plan", "Plan", person=action.owner, due=action.due)]
    if action.status == Status.SUBMITTED:
        role = another_role(action.owner, had_a_hand_in(action))
        return [Step("approve", "Approve the plan", role=role, due=action.due)]
    if action.status == Status.PLANNED:
        why = tasks_are_done(action, None) or ""
        return [Step("confirm", "Confirm", person=action.owner, due=action.due, obstacle=why)]
    if action.status == Status.IMPLEMENTED:
        why = the_check_is_due(action, None) or the_figures_suffice(action, None) or ""
        role = another_role(action.owner, _involved(action))
        return [Step("judge", "Judge", role=role, due=action.check_day, obstacle=why)]
    return []
