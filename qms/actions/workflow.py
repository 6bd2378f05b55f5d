"""The procedure of an action: promised, done with a result, verified by somebody else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db import transaction as db
from django.db.models import F, Q

from qms import contributions
from qms.actions.models import (
    LEAST_EFFORT,
    MOST_EFFORT,
    ORDER_LOCK,
    Action,
    ActionDependency,
    Extension,
)
from qms.competence.models import Training
from qms.competence.workflow import TrainingHeld
from qms.contributions import Step
from qms.events import handles, publish
from qms.links import refuse_stale, set_links
from qms.origins import is_visible
from qms.outbox.workflow import send_mail
from qms.people.models import Person
from qms.periods import today
from qms.records import RecordSaved, passed_on_by
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Action.Status


@dataclass(frozen=True)
class ActionDone:
    """An action was done; the chapter it came from may go on."""

    action: Action
    by: Any


@dataclass(frozen=True)
class ActionVerified:
    """Somebody other than the owner confirmed the result."""

    action: Action
    by: Any


LIMIT = 14  # days late after which the manager is told, before the organisation says otherwise


# Guards


def only_its_owner(action: Action, by: Any) -> str | None:
    if by.pk == action.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of an action or the quality manager says that it is done."


def it_is_done_by_hand(action: Action, by: Any) -> str | None:
    """What another record fulfils is done when that is."""
    if action.about_id and (told := contributions.fulfilment_of(action.kind)):
        return f"It is done by itself: see {told.label.lower()} {action.about}."
    return None


def what_it_is_about_happened(action: Action, by: Any) -> str | None:
    """Nothing is fulfilled before the document took effect or the training was held."""
    told = contributions.fulfilment_of(action.kind)
    if told and isinstance(action.about, told.model) and told.happened(action.about):
        return None
    return "What it is about has not happened yet."


def not_who_did_it(action: Action, by: Any) -> str | None:
    did_it = by.pk in (action.owner_id, action.done_by_id)
    if did_it or action.history.filter(done_by=by.pk).exists():
        return "Who did an action does not verify it; ask somebody else."
    return None


# Factories


@creates(Action, permission="actions.add_action")
def plan_action(
    *,
    by: Person,
    title: str,
    owner: Person,
    due: date,
    origin: Any = None,
    kind: str = Action.Kind.OTHER,
    description: str = "",
    effort: Decimal | None = None,
    about: Any = None,
) -> Action:
    """Promise an action: what, who, by when, and which record asked for it."""
    return promise(
        by=by,
        title=title,
        owner=owner,
        due=due,
        origin=origin,
        kind=kind,
        description=description,
        effort=effort,
        about=about,
    )


def promise(
    *,
    by: Person,
    title: str,
    owner: Person,
    due: date,
    origin: Any = None,
    kind: str = Action.Kind.OTHER,
    description: str = "",
    effort: Decimal | None = None,
    about: Any = None,
) -> Action:
    """The same for other chapters' procedures, whose own permission was checked already."""
    if not title.strip():
        raise Refused("Say what will be done.", field="title")
    if effort is not None and not LEAST_EFFORT <= effort <= MOST_EFFORT:
        raise Refused(
            f"Give the effort in working days, from {LEAST_EFFORT} to {MOST_EFFORT}.",
            field="effort",
        )
    if not owner.is_active:
        raise Refused(f"{owner.name} is no longer active; choose another owner.", field="owner")
    if origin is not None and not is_visible(origin, by):
        raise Refused("The record this action comes from was not found.", field="origin")
    _check_about(kind, about, by)
    action = Action(
        title=title.strip(),
        description=description,
        kind=kind,
        owner=owner,
        due=due,
        effort=effort,
        original_due=due,
        created_by=by,
    )
    if origin is not None:
        action.origin = origin
    if about is not None:
        action.about = about
    action.save()
    return action


def _check_about(kind: str, about: Any, by: Person) -> None:
    """Raise Refused where the kind and what the action is about do not fit each other."""
    told = contributions.fulfilment_of(kind)
    if told is None and about is not None:
        raise Refused(
            "Only an action that revises a document or trains is about one.", field="about"
        )
    if told is not None and not isinstance(about, told.model):
        raise Refused(f"Choose the {told.label.lower()} it is about.", field="about")
    if about is not None and not is_visible(about, by):
        raise Refused("The record it is about was not found.", field="about")


def wait_for(
    action: Action,
    *,
    by: Person,
    needs: Iterable[Action],
    reason: str = "",
    seen: str | None = None,
) -> bool:
    """Make `needs` exactly what this action waits for; returns whether anything changed.

    `seen` is the seal of the links on the page. Raises PermissionDenied, Stale, and Refused for
    itself, a void action or a circle.
    """
    if not by.has_perm("actions.change_action"):
        raise PermissionDenied("Your role does not allow you to say what an action waits for.")
    wanted = list({each.pk: each for each in needs}.values())
    with db.atomic():
        with connection.cursor() as cursor:  # one order is written at a time, as in `NoCircle`
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ORDER_LOCK])
        action.refresh_from_db()
        if action.status != Status.OPEN:
            raise Refused(f"{action.number} is {action.get_status_display().lower()} already.")
        refuse_stale(seen, {"action": action}, ActionDependency)
        known = _waits()
        for each in wanted:
            _check_order(action, each, by, known)
        return set_links(
            ActionDependency,
            owner={"action": action},
            target="needs",
            targets=wanted,
            by=by,
            reason=reason.strip(),
        )


def _check_order(action: Action, needs: Action, by: Person, known: dict[int, set[int]]) -> None:
    if needs.pk == action.pk:
        raise Refused("An action does not wait for itself.", field="needs")
    if needs.status == Status.VOID:
        raise Refused(f"{needs.number} is void; nothing waits for it.", field="needs")
    if not is_visible(needs, by):
        raise Refused("The action to wait for was not found.", field="needs")
    way = _way(needs.pk, action.pk, known)
    if way:
        names = dict(Action._base_manager.filter(pk__in=way).values_list("pk", "number"))
        told = " waits for ".join(names[key] for key in way)
        raise Refused(
            f"That would be a circle: {told}. Take one of these links away first.", field="needs"
        )


def _waits() -> dict[int, set[int]]:
    """What each action waits for, by keys."""
    found: dict[int, set[int]] = {}
    for action, needs in ActionDependency.objects.live().values_list("action_id", "needs_id"):
        found.setdefault(action, set()).add(needs)
    return found


def _way(start: int, end: int, known: dict[int, set[int]]) -> list[int]:
    """The chain of keys from one action to another along what it waits for; empty without one."""
    came: dict[int, int | None] = {start: None}
    queue = [start]
    for here in queue:
        if here == end:
            way = [here]
            while (before := came[way[0]]) is not None:
                way.insert(0, before)
            return way
        for there in sorted(known.get(here, ())):
            if there not in came:
                came[there] = here
                queue.append(there)
    return []


# Transitions


@transition(
    Action,
    source=Status.OPEN,
    target=Status.DONE,
    permission="actions.do_action",
    only=only_its_owner,
    guards=[it_is_done_by_hand],
    label="Done",
    details={
        "result": forms.CharField(
            label="What was done, and with which result",
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=5000,
        )
    },
    then=lambda action, by: publish(ActionDone(action, by)),
)
def complete(action: Action, *, by: Any, result: str) -> None:
    """Say what was done."""
    action.result, action.done_by, action.done_on = result.strip(), by, today()


@transition(
    Action,
    source=Status.OPEN,
    target=Status.DONE,
    permission="actions.fulfil_action",
    guards=[what_it_is_about_happened],
    label="Fulfilled",
    primary=False,
    then=lambda action, by: publish(ActionDone(action, by)),
)
def fulfil(action: Action, *, by: Any, result: str) -> None:
    """The document it revises took effect, or the training it plans was held."""
    action.result, action.done_by, action.done_on = result, by, today()


def fulfil_all(record: Any, result: str) -> int:
    """Every open action about this record is done by it; somebody verifies it all the same."""
    rows = list(Action.objects.open().concerning(record).order_by("pk"))
    for action in rows:
        fulfil(action, by=Person.objects.system(), result=result)
    return len(rows)


@handles(TrainingHeld)
def its_actions_are_done(event: TrainingHeld) -> None:
    """An action to train is done when the training was held."""
    day = event.training.done_on or today()
    fulfil_all(event.training, f"{event.training.title} was held on {day:%-d %B %Y}.")


def _trainings(person: Any, name: str = "") -> list[tuple[int, str]]:
    rows = Training.objects.visible_to(person).filter(status=Training.Status.PLANNED)
    if name:
        rows = rows.filter(Q(number__iexact=name) | Q(title__iexact=name))
    return [(each.pk, each.title) for each in rows.order_by("planned_on", "pk")[:200]]


def _was_held(training: Any) -> bool:
    return bool(training.status == Training.Status.DONE)


contributions.fulfils(Action.Kind.TRAIN, "Training", Training, _trainings, _was_held)


@transition(
    Action,
    source=Status.DONE,
    target=Status.VERIFIED,
    permission="actions.verify_action",
    guards=[not_who_did_it],
    label="Verify",
    then=lambda action, by: publish(ActionVerified(action, by)),
)
def verify(action: Action, *, by: Any) -> None:
    """Confirm that the result is there."""
    action.verified_by = by


@transition(
    Action,
    source=Status.DONE,
    target=Status.OPEN,
    permission="actions.verify_action",
    reason=True,
    label="Send back",
    primary=False,
)
def send_back(action: Action, *, by: Any) -> None:
    """Send it back: the result does not do."""
    action.done_by = action.done_on = None


void = voids(Action, source=[Status.OPEN, Status.DONE], permission="actions.void_action")


def somebody_else_moves_it(action: Action, by: Any, due: date) -> str | None:
    """Nobody grants themselves more time; a roadmap is planned anew as a whole."""
    if action.kind == Action.Kind.ROADMAP:
        return None
    if due > action.due and by.pk in {action.owner_id, *passed_on_by(action)}:
        return "Nobody moves their own day. Ask for an extension; somebody else decides it."
    return None


def not_into_a_roadmap(action: Action, by: Any, kind: str) -> str | None:
    """What moves as a whole is planned there, and is no way around the question for more time."""
    if by.pk == action.owner_id and kind == Action.Kind.ROADMAP:
        return "An action is planned in a roadmap, not made a part of it later."
    return None


editing = amendment(
    Action,
    permission="actions.change_action",
    fields=("title", "description", "owner", "due", "effort", "kind"),
    states=(Status.OPEN,),
    reserves={"due": somebody_else_moves_it, "kind": not_into_a_roadmap},
)


# A later day


def not_who_asks(extension: Extension, by: Any) -> str | None:
    if by.pk in (extension.created_by_id, extension.action.owner_id):
        return "Who asks for a later day does not grant it; somebody else does."
    return None


def its_action_is_open(extension: Extension, by: Any) -> str | None:
    if extension.action.status == Status.OPEN:
        return None
    return f"{extension.action.number} is no longer open."


def it_is_pointless(extension: Extension, by: Any) -> str | None:
    action = Action._base_manager.get(pk=extension.action_id)
    if action.status == Status.OPEN and action.due == extension.was:
        return f"{action.number} is still open and due as it was."
    return None


@creates(Extension, permission="actions.do_action")
def ask_extension(action: Action, *, by: Person, until: date, reason: str) -> Extension:
    """Ask for a later day, with the reason; the day first promised stays on record."""
    locked = Action._base_manager.select_for_update(of=("self",)).get(pk=action.pk)
    if by.pk != locked.owner_id:
        raise PermissionDenied("Only the owner of an action asks for a later day.")
    if locked.status != Status.OPEN:
        raise Refused(f"{locked.number} is {locked.get_status_display().lower()} already.")
    if until <= locked.due:
        raise Refused(f"It is due on {locked.due:%-d %B %Y}; choose a later day.", field="until")
    if until < today():
        raise Refused("Choose a day that is still ahead.", field="until")
    if not reason.strip():
        raise Refused("Say why it takes longer.", field="reason")
    if locked.extensions.filter(status=Extension.Status.ASKED).exists():
        raise Refused("A later day is asked for already; wait for the answer.")
    extension = Extension(
        action=locked, was=locked.due, until=until, reason=reason.strip(), created_by=by
    )
    extension.save()
    refresh(locked)
    return extension


@transition(
    Extension,
    source=Extension.Status.ASKED,
    target=Extension.Status.GRANTED,
    permission="actions.decide_extension",
    guards=[not_who_asks, its_action_is_open],
    label="Grant it",
    then=lambda extension, by: _move(extension, by),
)
def grant_extension(extension: Extension, *, by: Any) -> None:
    """Grant the later day; the first one stays visible."""
    extension.decided_by, extension.decided_on = by, today()


def _move(extension: Extension, by: Any) -> None:
    action = Action._base_manager.select_for_update(of=("self",)).get(pk=extension.action_id)
    action.due = extension.until
    action.save_because(f"Extended: {extension.reason}", by=by)


@transition(
    Extension,
    source=Extension.Status.ASKED,
    target=Extension.Status.REFUSED,
    permission="actions.decide_extension",
    guards=[not_who_asks],
    reason=True,
    label="Refuse it",
    primary=False,
)
def refuse_extension(extension: Extension, *, by: Any) -> None:
    """Refuse the later day, and say why."""
    extension.decided_by, extension.decided_on = by, today()


@transition(
    Extension,
    source=Extension.Status.ASKED,
    target=Extension.Status.LAPSED,
    permission="actions.lapse_extension",
    guards=[it_is_pointless],
    reason=True,
    label="Let it lapse",
    primary=False,
)
def lapse_extension(extension: Extension, *, by: Any) -> None:
    """The action was done, voided or given another day meanwhile."""


@handles(RecordSaved, order=80)
def nothing_is_asked_any_more(event: RecordSaved) -> None:
    """A later day is asked only while the action is open and due as it was."""
    action = event.record
    if not isinstance(action, Action) or event.created:
        return
    asked = action.extensions.filter(status=Extension.Status.ASKED)
    if action.status != Status.OPEN:
        why = f"{action.number} is {action.get_status_display().lower()}."
    else:
        asked, why = asked.exclude(was=action.due), "It was given another day."
    for each in asked:
        lapse_extension(each, by=Person.objects.system(), reason=why)


@contributions.work(Extension)
def who_decides(extension: Extension) -> list[Step]:
    """Whoever asked for the action answers, or the quality manager."""
    if extension.status != Extension.Status.ASKED:
        return []
    asked_by = extension.action.created_by
    fits = asked_by.pk not in (extension.created_by_id, extension.action.owner_id)
    if fits and asked_by.is_active and asked_by.has_perm("actions.decide_extension"):
        return [Step("decide", "Grant or refuse", person=asked_by, due=extension.was)]
    alone = not (
        Person.objects.holding("quality_manager").exclude(pk=extension.created_by_id).exists()
    )
    role = "top_management" if alone else "quality_manager"
    return [Step("decide", "Grant or refuse", role=role, due=extension.was)]


# Overdue for too long


def escalate(day: date) -> int:
    """Tell the owner's manager of what is overdue beyond the limit, once for each due date."""
    limit = contributions.usual_days("escalation_days", LIMIT)
    late = Action.objects.open().filter(due__lt=day - timedelta(days=limit))
    late = late.exclude(escalated_for=F("due"))
    count = 0
    for key in list(late.order_by("pk").values_list("pk", flat=True)):
        with db.atomic():
            rows = Action._base_manager.select_for_update(of=("self",), skip_locked=True)
            action = rows.filter(pk=key, status=Status.OPEN).first()
            if action is not None and action.escalated_for != action.due:
                _escalate(action, day)
                count += 1
    return count


def _escalate(action: Action, day: date) -> None:
    told = told_of(action)
    late = (day - action.due).days
    names = ", ".join(each.name for each in told) or "nobody"
    action.escalated_for = action.due
    action.save_because(f"{late} days late: told {names}.", by=Person.objects.system())
    for each in told:
        send_mail(
            "notice",
            each,
            key=f"escalated:{action.pk}:{action.due.isoformat()}",
            act=action.get_absolute_url(),
            act_label="See the action",
            subject_line=f"{action.number} is {late} days late",
            sentence=f"{action.owner.name} promised “{action.title}” for {action.due:%-d %B %Y}.",
            groups=[],
        )


def told_of(action: Action) -> list[Person]:
    """The owner's manager; where there is none at work, whoever manages quality beside them."""
    manager = action.owner.manager
    if manager is not None and manager.is_active:
        return [manager]
    holders = Person.objects.holding("quality_manager").exclude(pk=action.owner_id)
    return list(holders) or list(
        Person.objects.holding("top_management").exclude(pk=action.owner_id)
    )


@contributions.work(Action)
def next_steps(action: Action) -> list[Step]:
    """The owner does it; then whoever asked for it verifies."""
    if action.status == Status.OPEN:
        return [Step("complete", "Do", person=action.owner, due=action.due), *_told(action)]
    if action.status == Status.DONE and action.kind != Action.Kind.CORRECTIVE:
        # A corrective action is verified with the nonconformity it belongs to.
        did_it = (action.owner_id, action.done_by_id)
        if action.created_by_id not in did_it and not action.created_by.is_system:
            return [Step("verify", "Verify", person=action.created_by, due=None)]
        return [Step("verify", "Verify", role="quality_manager", due=None)]
    return []


def _told(action: Action) -> list[Step]:
    """A manager who was told has it on their list until it is done or has another day."""
    if action.escalated_for != action.due or action.owner.manager is None:
        return []
    label = f"Late: speak with {action.owner.name}"[:40]
    return [Step("escalated", label, person=action.owner.manager, due=action.due, remind=False)]


contributions.navigation(
    "Act",
    "Actions",
    "actions:action_list",
    icon="checklist",
    permission="actions.view_action",
    order=40,
)
contributions.create_entry(
    "Action", "actions:action_create", icon="checklist", permission="actions.add_action", order=60
)
