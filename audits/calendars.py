"""Audits as calendars read them: the invitation of one audit, and everybody's own feed."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import Q

from audits.models import Audit, AuditSlot
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from audits.workflow.agenda import agenda_of
from audits.workflow.teams import team_of
from qms import clock, contributions, ical
from qms.contributions import Entry
from qms.ical import Event, Guest
from qms.mail import address_of, full_address
from qms.people.models import Person

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
OFF = (Audit.Status.VOID,)
MOST = 500


def invitation(audit: Audit) -> bytes:
    """The file that invites the team and who answers for what is audited to each part of it."""
    people = dict.fromkeys([*team_of(audit), *_owners(audit)])
    guests = [Guest(p.name, p.email or "") for p in people if p is not None and address_of(p)]
    organiser = Guest(audit.lead.name, audit.lead.email or "") if address_of(audit.lead) else None
    events = list(events_of(audit, agenda_of(audit), organiser=organiser, guests=guests))
    return ical.calendar(events, name=str(audit), at=clock.now(), is_invitation=True)


def _owners(audit: Audit) -> list[Person | None]:
    """Who answers for what is audited; of a customer's audit of one process its owner, too."""
    return [audit.subject.owner, audit.process.owner if audit.process else None]


def events_of(audit: Audit, slots: Iterable[AuditSlot], **more: Any) -> Iterator[Event]:
    """One event for each part; without an agenda the days of the audit."""
    url = full_address(audit.get_absolute_url())
    is_off = audit.status in OFF
    slots = list(slots)
    for slot in slots:
        who = slot.auditor.name if slot.auditor else ""
        words = [f"Auditor: {who}" if who else "", slot.remote_link, url]
        yield Event(
            key=f"audit-part-{slot.pk}",
            title=f"{audit.number} {slot.title}",
            starts=slot.starts,
            ends=slot.ends,
            version=slot.version + audit.version,
            place=slot.place,
            words="\n".join(each for each in words if each),
            url=url,
            is_off=is_off,
            **more,
        )
    if not slots:
        yield Event(
            key=f"audit-{audit.pk}",
            title=f"{audit.number} {audit.title}",
            starts=audit.planned_on,
            ends=audit.ends_on,
            version=audit.version,
            place=str(audit.site or ""),
            words=url,
            url=url,
            is_off=is_off,
            **more,
        )


def feed(person: Person, today: date) -> bytes:
    """What the year planner shows somebody, with the hours of the audits that concern them.

    Theirs are the audits they conduct, and those of what they answer for.
    """
    mine = Audit.objects.of_team(person)
    own = Audit.objects.filter(
        Q(process__owner=person) | Q(provider__owner=person) | Q(customer__owner=person)
    )
    rows = Audit.objects.visible_to(person).filter(
        Q(pk__in=mine.values("pk")) | Q(pk__in=own.values("pk")),
        planned_on__range=(today - BACK, today + AHEAD),
    )
    audits = list(
        rows.select_related(
            *SUBJECTS, *(f"{each}__owner" for each in SUBJECTS), "site", "lead"
        ).order_by("planned_on", "pk")[:MOST]
    )
    parts = AuditSlot.objects.filter(audit__in=audits, status=AuditSlot.Status.PLANNED)
    by_audit: dict[int, list[AuditSlot]] = {}
    for slot in parts.select_related("process", "auditor", *SUBJECTS_OF_AUDIT).order_by("pk"):
        by_audit.setdefault(slot.audit_id, []).append(slot)
    events = [
        event
        for audit in audits
        for event in events_of(audit, _theirs(by_audit.get(audit.pk, []), audit, person))
    ]
    events += _planned(person, today, {audit.get_absolute_url() for audit in audits})
    return ical.calendar(events, name="Quality management", at=clock.now())


def _planned(person: Person, today: date, told: set[str]) -> list[Event]:
    """Everything else of the year planner as days: other audits, reviews, calibrations, visits.

    `told` are the addresses of what stands there already, hour by hour. An entry keeps its key when
    its day moves, so that a calendar moves it, too.
    """
    entries = contributions.calendar_for(person, today - BACK, today + AHEAD)
    shown = [each for each in entries if each.url not in told][:MOST]
    return [
        Event(
            key=f"planned-{mark}",
            title=f"{each.kind}: {each.title}",
            starts=each.day,
            ends=each.day,
            words=full_address(each.url),
            url=full_address(each.url),
        )
        for each, mark in zip(shown, _marks(shown), strict=True)
    ]


def _marks(entries: Iterable[Entry]) -> Iterator[str]:
    """One word for what each entry is, whatever its day; what comes again is counted."""
    known: Counter[str] = Counter()
    for entry in entries:
        told = f"{entry.kind}|{entry.url}|{entry.title}"
        mark = hashlib.sha256(told.encode()).hexdigest()[:20]
        known[mark] += 1
        yield mark if known[mark] == 1 else f"{mark}-{known[mark]}"


def _theirs(slots: list[AuditSlot], audit: Audit, person: Person) -> list[AuditSlot]:
    """The parts somebody is in: an owner in all of theirs, an auditor in their own and the joint.

    Without any they get the whole audit, as a day.
    """
    if person in _owners(audit):
        return slots
    return [slot for slot in slots if slot.auditor_id in (None, person.pk)]
