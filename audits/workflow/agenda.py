"""The agenda of an audit: nobody in two places at once, nothing outside its days (9.2.2)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from audits.independence import facts_in, in_words, ties_of
from audits.models import Audit, AuditSlot, AuditTeamMember
from audits.models.audits import MOST_DAYS, SUBJECTS_OF_AUDIT
from audits.workflow.teams import team_of
from qms import contributions
from qms.people.models import Person
from qms.records import insert_together
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, voids

MAY = "audits.change_auditslot"
OPEN = (Audit.Status.PLANNED, Audit.Status.CONFIRMED, Audit.Status.IN_PROGRESS)
Kind = AuditSlot.Kind


def closed_to_plans(audit: Audit) -> str | None:
    if audit.status in OPEN:
        return None
    return "The report is issued, or the audit void; its agenda stands as it was."


def outside_its_days(day: int, days: int) -> str | None:
    """Why a part cannot be on that day; None when it can."""
    if 1 <= day <= days:
        return None
    has = "1 day" if days == 1 else f"{days} days"
    return f"The audit has {has}; there is no day {day}. Give it more days in its plan."


def ends_before(starts_at: time, ends_at: time) -> str | None:
    return None if ends_at > starts_at else "It ends before it begins. Compare both times."


def elsewhere(slot: AuditSlot, who: Sequence[Person]) -> list[str]:
    """Who of these people is in another part of an agenda at the same time, as sentences."""
    keys = {person.pk: person for person in who}
    found = []
    for other in _at_the_same_time(slot):
        team = [other.auditor_id] if other.auditor_id else _team_keys(other.audit)
        for key in team:
            if key in keys:
                found.append(
                    f"{keys[key].name} is in “{other.title}” of {other.audit.number} from"
                    f" {other.starts_at:%H:%M} to {other.ends_at:%H:%M}."
                )
    return list(dict.fromkeys(found))


def _at_the_same_time(slot: AuditSlot) -> list[AuditSlot]:
    """Other parts of any audit that overlap in time; one that ends when this begins does not."""
    near = timedelta(days=MOST_DAYS)
    rows = AuditSlot.objects.filter(
        status=AuditSlot.Status.PLANNED,
        starts_at__lt=slot.ends_at,
        ends_at__gt=slot.starts_at,
        audit__status__in=OPEN,
        audit__planned_on__range=(slot.on - near, slot.on),
    ).exclude(kind=Kind.BREAK)
    rows = rows.exclude(pk=slot.pk).select_related(*SUBJECTS_OF_AUDIT, "process")
    return [each for each in rows.order_by("starts_at", "pk") if each.on == slot.on]


def _team_keys(audit: Audit) -> list[int]:
    links = AuditTeamMember.objects.live().filter(audit=audit)
    return [audit.lead_id, *links.values_list("person_id", flat=True)]


def _takes_part(slot: AuditSlot) -> list[Person]:
    return [slot.auditor] if slot.auditor else team_of(slot.audit)


def ones_own_work(slot: AuditSlot) -> list[str]:
    """What stands against a part in another process, where nobody in it is independent."""
    process, day = slot.process, slot.audit.planned_on
    if process is None or process.pk == slot.audit.process_id:
        return []
    who = _takes_part(slot)
    ties = ties_of(who, [process])
    said = [[f for f in facts_in(ties, each, process, day) if f.blocks] for each in who]
    return [words for facts in said for words in in_words(facts)] if all(said) else []


def unfit(slot: AuditSlot) -> list[tuple[str, str]]:
    """What is wrong with a part as it is planned: (field, sentence)."""
    found = []
    if why := ends_before(slot.starts_at, slot.ends_at):
        found.append(("ends_at", why))
    elif why := outside_its_days(slot.day, slot.audit.days):
        found.append(("day", why))
    elif slot.auditor and slot.auditor not in team_of(slot.audit):
        found.append(("auditor", f"{slot.auditor.name} is not in the team of this audit."))
    elif said := ones_own_work(slot):
        found.append(("auditor", " ".join([*said, "Choose another auditor for this part."])))
    elif slot.kind != Kind.BREAK:
        told = elsewhere(slot, _takes_part(slot))
        found += [("starts_at", " ".join([*told, "Choose another time or auditor."]))] * bool(told)
    return found


@creates(AuditSlot, permission=MAY)
def add_slot(
    audit: Audit,
    *,
    by: Person,
    starts_at: time,
    ends_at: time,
    day: int = 1,
    kind: str = Kind.PART,
    what: str = "",
    process: Process | None = None,
    auditor: Person | None = None,
    place: str = "",
    remote_link: str = "",
) -> AuditSlot:
    """Add a part to the agenda, or refuse it in a sentence."""
    locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if why := closed_to_plans(locked):
        raise Refused(why)
    slot = AuditSlot(
        audit=locked,
        day=day,
        starts_at=starts_at,
        ends_at=ends_at,
        kind=kind,
        what=what,
        process=process,
        auditor=auditor,
        place=place,
        remote_link=remote_link,
        created_by=by,
    )
    for field, why in unfit(slot):
        raise Refused(why, field=field)
    slot.save()
    return slot


USUAL = (
    (Kind.OPENING, "", time(9), time(9, 15)),
    (Kind.PART, "Documents and records", time(9, 15), time(10, 30)),
    (Kind.PART, "At the place of work", time(10, 30), time(12)),
    (Kind.BREAK, "", time(12), time(13)),
    (Kind.PART, "Samples and interviews", time(13), time(15)),
    (Kind.TEAM, "", time(15), time(15, 45)),
    (Kind.CLOSING, "", time(15, 45), time(16, 15)),
)


def begin_usual_agenda(audit: Audit, *, by: Person) -> list[AuditSlot]:
    """Begin an empty agenda with a usual day, to be moved as wanted."""
    if not by.has_perm(MAY):
        raise PermissionDenied("Your role does not allow you to change an agenda.")
    with db.atomic():
        locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if why := closed_to_plans(locked):
            raise Refused(why)
        if locked.slots.filter(status=AuditSlot.Status.PLANNED).exists():
            raise Refused("It has an agenda already. Change its parts one by one.")
        slots = [
            AuditSlot(
                audit=locked,
                kind=kind,
                what=what,
                starts_at=starts_at,
                ends_at=ends_at,
                created_by=by,
            )
            for kind, what, starts_at, ends_at in USUAL
        ]
        busy = [why for slot in slots if slot.kind != Kind.BREAK for _field, why in unfit(slot)]
        if busy:
            raise Refused(busy[0])
        insert_together(slots)
    return slots


def stays_fit(slot: AuditSlot, changed: Mapping[str, Any]) -> str | None:
    before = {name: getattr(slot, name) for name in changed}
    for name, value in changed.items():
        setattr(slot, name, value)
    try:
        return " ".join(why for _field, why in unfit(slot)) or None
    finally:
        for name, value in before.items():
            setattr(slot, name, value)


def its_audit_is_open(slot: AuditSlot, by: Any) -> str | None:
    return closed_to_plans(slot.audit)


editing_slot = amendment(
    AuditSlot,
    permission=MAY,
    fields=(
        "day",
        "starts_at",
        "ends_at",
        "kind",
        "what",
        "process",
        "auditor",
        "place",
        "remote_link",
    ),
    guards=[its_audit_is_open],
    states=(AuditSlot.Status.PLANNED,),
    checks=[stays_fit],
)
void_slot = voids(
    AuditSlot, source=AuditSlot.Status.PLANNED, permission=MAY, guards=[its_audit_is_open]
)


def agenda_of(audit: Audit) -> list[AuditSlot]:
    """The parts that are planned, in order of time."""
    rows = audit.slots.filter(status=AuditSlot.Status.PLANNED)
    rows = rows.select_related(*SUBJECTS_OF_AUDIT, "process", "auditor")
    return list(rows.order_by("day", "starts_at", "pk"))


def the_agenda_holds(audit: Audit, by: Any) -> str | None:
    """What stands against the agenda as the audit is planned now, after it or its team moved."""
    said = [why for slot in agenda_of(audit) for _field, why in unfit(slot)]
    if not said:
        return None
    return f"{' '.join(dict.fromkeys(said))} Change the agenda, the day or the team."


def days_of(audit: Audit) -> Iterable[date]:
    return (audit.planned_on + timedelta(days=n) for n in range(audit.days))


@contributions.record_panel
def agenda_panel(record: Any, person: Any) -> contributions.Panel | None:
    """The agenda beside an audit's plan."""
    if not isinstance(record, Audit):
        return None
    slots = agenda_of(record)
    may_change = person.has_perm(MAY) and record.status in OPEN
    if not (slots or may_change):
        return None
    context = {"audit": record, "slots": slots, "may_change": may_change}
    return contributions.Panel("audits/agenda_panel.html", context, order=5)
