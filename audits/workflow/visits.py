"""The plan of the body's visit, and what its auditors ask for on the day (ISO/IEC 17021-1, 9.4).

The plan is the body's; here it says who of ours is where. Requests are noted by the escort and
given by whoever fetches them, in as few clicks as it takes.
"""

from collections.abc import Mapping
from datetime import time
from decimal import ROUND_CEILING
from typing import Any

from django import forms

from audits.models import CertificationAudit, VisitRequest, VisitSlot
from audits.models.audits import MOST_DAYS
from audits.models.requests import A_LINK
from audits.workflow.agenda import ends_before
from qms import clock, contributions
from qms.contributions import Step
from qms.people.models import Person
from qms.periods import day_of
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

PLANNED = CertificationAudit.Status.PLANNED
MAY_PLAN = "audits.change_certificate"
MAY_ASK = "audits.add_visitrequest"
MAY_GIVE = "audits.give_visitrequest"
SLOT_FIELDS = (
    "day",
    "starts_at",
    "ends_at",
    "process",
    "what",
    "body_auditor",
    "auditee",
    "escort",
    "place",
)


def the_visit_is_ahead(visit: CertificationAudit) -> str | None:
    if visit.status == PLANNED:
        return None
    shown = visit.get_status_display().lower()
    return f"The visit is {shown}; its plan and what was asked for stand as they were."


# The plan


def days_of_visit(visit: CertificationAudit) -> int:
    """How many days it has at most: as many as audit days, for one auditor alone."""
    if visit.audit_days is None:
        return MOST_DAYS
    return int(visit.audit_days.to_integral_value(rounding=ROUND_CEILING))


def unfit_slot(slot: VisitSlot) -> list[tuple[str, str]]:
    """What is wrong with an hour as it is planned: (field, sentence)."""
    if why := ends_before(slot.starts_at, slot.ends_at):
        return [("ends_at", why)]
    days = days_of_visit(slot.visit)
    if not 1 <= slot.day <= days:
        told = f"{slot.visit.audit_days} audit days" if slot.visit.audit_days else f"{days} days"
        return [("day", f"The visit has {told}; there is no day {slot.day}.")]
    said = _twice(slot)
    return [("starts_at", " ".join([*said, "Choose another time or person."]))] if said else []


def _twice(slot: VisitSlot) -> list[str]:
    """Who is in two places at once: the auditor of the body, the auditee or the escort."""
    others = VisitSlot.objects.filter(
        visit=slot.visit,
        status=VisitSlot.Status.PLANNED,
        day=slot.day,
        starts_at__lt=slot.ends_at,
        ends_at__gt=slot.starts_at,
    ).exclude(pk=slot.pk)
    found = []
    for other in others.select_related("auditee", "escort", "process").order_by("starts_at", "pk"):
        for name in _both(slot, other):
            found.append(
                f"{name} is in “{other.title}” from {other.starts_at:%H:%M} to"
                f" {other.ends_at:%H:%M}."
            )
    return list(dict.fromkeys(found))


def _both(slot: VisitSlot, other: VisitSlot) -> list[str]:
    theirs = slot.body_auditor.strip()
    same = theirs and theirs.casefold() == other.body_auditor.strip().casefold()
    ours = {each for each in (slot.auditee, slot.escort) if each}
    named = sorted(p.name for p in ours & {each for each in (other.auditee, other.escort) if each})
    return [*([theirs] if same else []), *named]


@creates(VisitSlot, permission=MAY_PLAN)
def plan_hour(
    visit: CertificationAudit,
    *,
    by: Person,
    starts_at: time,
    ends_at: time,
    day: int = 1,
    process: Process | None = None,
    what: str = "",
    body_auditor: str = "",
    auditee: Person | None = None,
    escort: Person | None = None,
    place: str = "",
) -> VisitSlot:
    """Add an hour to the plan of a visit, or refuse it in a sentence."""
    locked = CertificationAudit._base_manager.select_for_update(of=("self",)).get(pk=visit.pk)
    if why := the_visit_is_ahead(locked):
        raise Refused(why)
    slot = VisitSlot(
        visit=locked,
        day=day,
        starts_at=starts_at,
        ends_at=ends_at,
        process=process,
        what=what,
        body_auditor=body_auditor.strip(),
        auditee=auditee,
        escort=escort,
        place=place,
        created_by=by,
    )
    for field, why in unfit_slot(slot):
        raise Refused(why, field=field)
    slot.save()
    return slot


def slot_stays_fit(slot: VisitSlot, changed: Mapping[str, Any]) -> str | None:
    tried = VisitSlot.objects.select_related("visit").get(pk=slot.pk)
    for name, value in changed.items():
        setattr(tried, name, value)
    return " ".join(why for _field, why in unfit_slot(tried)) or None


def its_visit_is_ahead(slot: VisitSlot, by: Any) -> str | None:
    return the_visit_is_ahead(slot.visit)


editing_hour = amendment(
    VisitSlot,
    permission=MAY_PLAN,
    fields=SLOT_FIELDS,
    guards=[its_visit_is_ahead],
    states=(VisitSlot.Status.PLANNED,),
    checks=[slot_stays_fit],
)
void_hour = voids(
    VisitSlot, source=VisitSlot.Status.PLANNED, permission=MAY_PLAN, guards=[its_visit_is_ahead]
)


def plan_of(visit: CertificationAudit) -> list[VisitSlot]:
    """The hours that are planned, in order of time."""
    rows = visit.slots.filter(status=VisitSlot.Status.PLANNED)
    rows = rows.select_related("visit", "process", "auditee", "escort")
    return list(rows.order_by("day", "starts_at", "pk"))


# Requests

Status = VisitRequest.Status


@creates(VisitRequest, permission=MAY_ASK)
def note_request(
    *,
    by: Person,
    visit: CertificationAudit,
    what: str,
    asked_by_whom: str = "",
    fetcher: Person | None = None,
) -> VisitRequest:
    """Note what an auditor of the body asks to see, at this moment."""
    locked = CertificationAudit._base_manager.select_for_update(of=("self",)).get(pk=visit.pk)
    if why := the_visit_is_ahead(locked):
        raise Refused(why)
    if not what.strip():
        raise Refused("Write what is asked for.", field="what")
    request = VisitRequest(
        visit=locked,
        what=what.strip(),
        asked_by_whom=asked_by_whom.strip(),
        asked_at=clock.now(),
        fetcher=fetcher,
        created_by=by,
    )
    request.save()
    return request


def only_who_fetches_it(request: VisitRequest, by: Any) -> str | None:
    """Whoever fetches it, and whoever notes requests."""
    if by.pk == request.fetcher_id or by.has_perm(MAY_ASK):
        return None
    return "Somebody else fetches it."


def request_is_of_a_visit_ahead(request: VisitRequest, by: Any) -> str | None:
    return the_visit_is_ahead(request.visit)


@transition(
    VisitRequest,
    source=Status.ASKED,
    target=Status.GIVEN,
    permission=MAY_GIVE,
    only=only_who_fetches_it,
    details={
        "shown": forms.CharField(label="What was shown", max_length=300, required=False),
        "link": forms.CharField(
            label="Where it is",
            max_length=300,
            required=False,
            validators=[A_LINK],
            help_text="The address of the record, so that it is found again.",
        ),
    },
    label="Given",
)
def give(request: VisitRequest, *, by: Any, shown: str = "", link: str = "") -> None:
    """Record that it was shown, at this moment."""
    request.given_at, request.shown, request.link = clock.now(), shown, link


@transition(
    VisitRequest,
    source=Status.GIVEN,
    target=Status.ASKED,
    permission=MAY_ASK,
    guards=[request_is_of_a_visit_ahead],
    reason=True,
    label="Asked again",
    primary=False,
)
def ask_again(request: VisitRequest, *, by: Any) -> None:
    """What was shown is not what was meant; it is asked for again."""
    request.given_at = None


@transition(
    VisitRequest,
    source=Status.ASKED,
    target=Status.DROPPED,
    permission=MAY_ASK,
    label="Not needed any more",
    primary=False,
)
def drop_request(request: VisitRequest, *, by: Any) -> None:
    """The auditor does not need it any more."""


editing_request = amendment(
    VisitRequest,
    permission=MAY_ASK,
    fields=("what", "asked_by_whom", "fetcher"),
    states=(Status.ASKED,),
)


@contributions.work(VisitRequest)
def requests_waiting(request: VisitRequest) -> list[Step]:
    """Whoever fetches it brings it today; without anybody the quality manager sees to it."""
    if request.status != Status.ASKED:
        return []
    due = day_of(request.asked_at)
    if request.fetcher is not None:
        return [Step("fetch", "Bring", person=request.fetcher, due=due, remind=False)]
    return [Step("fetch", "Bring", role="quality_manager", due=due, remind=False)]
