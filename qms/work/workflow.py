"""Writing work items with the change that causes them, and deciding who is reminded when."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from qms import contributions
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Absence, Person
from qms.records import Record, RecordSaved
from qms.work.models import Reminder, WorkItem

STAGES = (-7, -1, 0, 1, 7, 14, 28)  # days after the due date


@handles(RecordSaved, order=90)
def write_work(event: RecordSaved) -> None:
    """Every save of a record leaves its next steps behind."""
    refresh(event.record, is_new=event.created)


def refresh(record: Record, *, is_new: bool = False) -> None:
    """Make the stored work items of a record equal to what its chapter says is next.

    Items that stay keep their age; items that are no longer next disappear. A new record has none.
    """
    steps_of = contributions.work_of(type(record))
    if steps_of is None:
        return
    record_type = ContentType.objects.get_for_model(record)
    wanted = {_key(step): step for step in steps_of(record)}
    stored = WorkItem.objects.filter(record_type=record_type, record_id=record.pk)
    gone = []
    for item in () if is_new else stored:
        step = wanted.pop((item.step, item.person_id, item.role), None)
        if step is None:
            gone.append(item.pk)
        elif _tell(item, step, record):
            item.save()
    if gone:
        WorkItem.objects.filter(pk__in=gone).delete()
    new = [WorkItem(record_type=record_type, record_id=record.pk) for _step in wanted]
    for item, step in zip(new, wanted.values(), strict=True):
        _tell(item, step, record)
    WorkItem.objects.bulk_create(new)


def rebuild() -> int:
    """Write all work items anew from the records; returns how many records were read."""
    count = 0
    for model in contributions.models_with_work():
        for record in model._base_manager.order_by("pk").iterator(chunk_size=500):
            refresh(record)  # type: ignore[arg-type]
            count += 1
    return count


def reminders_due(today: date) -> dict[Person, list[tuple[WorkItem, int]]]:
    """Who is to be reminded of what today: person → [(item, stage)].

    A stage is due from its day on until it was sent, so a scheduler that slept catches up; of
    several missed stages only the latest is sent.
    """
    horizon = today - timedelta(days=min(STAGES))
    items = (
        WorkItem.objects.filter(remind=True, due__lte=horizon)
        .select_related("person", "record_type")
        .order_by("due", "pk")
    )
    sent = _sent_stages(today)
    found: dict[Person, list[tuple[WorkItem, int]]] = defaultdict(list)
    by_role = _people_by_role({item.role for item in items if item.role})
    away = Absence.objects.on(today).select_related("deputy")
    deputies = {each.person_id: each.deputy for each in away}
    for item in items:
        named = [deputies.get(item.person_id, item.person)] if item.person else by_role[item.role]
        for person in named:
            stage = latest_stage(item.due, today)  # type: ignore[arg-type]
            if stage is None or not person.is_active or person.is_system:
                continue
            key = (item.record_type_id, item.record_id, item.step, person.pk, item.due)
            if stage > sent.get(key, -10_000):
                found[person].append((item, stage))
    return dict(found)


def latest_stage(due: date, today: date) -> int | None:
    """The latest stage reached today for a due date; None while the first is still ahead."""
    reached = [stage for stage in STAGES if due + timedelta(days=stage) <= today]
    return reached[-1] if reached else None


def mark_reminded(person: Person, items: list[tuple[WorkItem, int]], today: date) -> int:
    """Remember that these stages were sent; returns how many were new."""
    with transaction.atomic():
        rows = [
            Reminder(
                record_type_id=item.record_type_id,
                record_id=item.record_id,
                step=item.step,
                person=person,
                due=item.due or today,
                stage=stage,
                sent_for=today,
            )
            for item, stage in items
        ]
        return len(Reminder.objects.bulk_create(rows))


def _sent_stages(today: date) -> dict[tuple[Any, ...], int]:
    fields = ("record_type_id", "record_id", "step", "person_id", "due")
    open_items = WorkItem.objects.filter(
        record_type=models.OuterRef("record_type"),
        record_id=models.OuterRef("record_id"),
        step=models.OuterRef("step"),
        due=models.OuterRef("due"),
    )
    rows = (
        Reminder.objects.filter(models.Exists(open_items))
        .values_list(*fields)
        .annotate(latest=models.Max("stage"))
    )
    return {row[:-1]: row[-1] for row in rows}


def _people_by_role(roles: set[str]) -> dict[str, list[Person]]:
    return {role: list(Person.objects.holding(role)) for role in roles}


def _key(step: Step) -> tuple[str, int | None, str]:
    return step.key, step.person.pk if step.person else None, "" if step.person else step.role


def _tell(item: WorkItem, step: Step, record: Any) -> bool:
    """Let the item say what the step and its record say now; whether it said anything else."""
    values = {
        "step": step.key,
        "label": step.name,
        "person_id": step.person.pk if step.person else None,
        "role": "" if step.person else step.role,
        "asked_by_id": record.created_by_id,
        "due": step.due,
        "obstacle": step.obstacle[:300],
        "remind": step.remind,
        "kind": str(record._meta.verbose_name),
        "number": _number(record),
        "title": str(getattr(record, "title", "") or record)[:250],
        "state": _state(record),
        "url": step.url or record.get_absolute_url(),
    }
    changed = [name for name, value in values.items() if getattr(item, name) != value]
    for name in changed:
        setattr(item, name, values[name])
    return bool(changed)


def _number(record: Any) -> str:
    """The number people say: a revision's own is a count, which says nothing without its document.

    A record whose name begins with nothing else (it has no number) goes without.
    """
    number = getattr(record, "number", "")
    return number if isinstance(number, str) else str(record)[:40]


def _state(record: Any) -> str:
    name = getattr(record, "STATE_FIELD", "")
    return str(getattr(record, f"get_{name}_display")()) if name else ""
