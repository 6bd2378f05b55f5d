"""Certificates and the visits of the certification body, as they are recorded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from audits.certification import (
    AGREE_MONTHS,
    PREPARE_MONTHS,
    RESTORATION_MONTHS,
    Suspension,
    check_dates,
)
from audits.cycles import cycle_of, next_to_agree
from audits.models import (
    Certificate,
    CertificateSite,
    CertificateSuspension,
    CertificationAudit,
    CertificationBody,
)
from qms import contributions
from qms.contributions import Step
from qms.events import handles, publish
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.periods import add_months, today
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Site
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Certificate.Status


@dataclass(frozen=True)
class CertificateChanged:
    """What is printed on a certificate changed: what names it is to be compared with it again."""

    certificate: Certificate
    by: Any


TERMS = (
    "accreditation",
    "contact",
    "contact_email",
    "contract_from",
    "contract_until",
    "currency",
    "plan_days_major",
    "plan_days_minor",
    "evidence_days_major",
    "evidence_days_minor",
)


@creates(CertificationBody, permission="audits.change_certificate")
def enter_body(*, by: Person, name: str, **terms: Any) -> CertificationBody:
    """Enter a certification body with the terms of its contract (`TERMS`)."""
    body = CertificationBody(name=name, created_by=by, **terms)
    if why := name_is_taken(body, {"name": name}):
        raise Refused(why, field="name")
    if why := contract_ends_after_it_begins(body, {}):
        raise Refused(why, field="contract_until")
    body.save()
    return body


def name_is_taken(body: CertificationBody, changed: Mapping[str, Any]) -> str | None:
    others = CertificationBody.objects.exclude(pk=body.pk)
    if "name" in changed and others.filter(name__iexact=changed["name"]).exists():
        return "A certification body of that name is here already; open it instead."
    return None


def contract_ends_after_it_begins(
    body: CertificationBody, changed: Mapping[str, Any]
) -> str | None:
    begins = changed.get("contract_from", body.contract_from)
    ends = changed.get("contract_until", body.contract_until)
    if begins and ends and ends < begins:
        return "The contract ends before it begins. Compare both days with it."
    return None


editing_body = amendment(
    CertificationBody,
    permission="audits.change_certificate",
    fields=("name", *TERMS),
    checks=[name_is_taken, contract_ends_after_it_begins],
)


@creates(Certificate, permission="audits.change_certificate")
def apply_for_certificate(
    *,
    by: Person,
    body: CertificationBody,
    scope_text: str,
    edition: str = "2026",
    accreditation: str = "",
    cycle: int = 1,
    predecessor: Certificate | None = None,
    sites: Iterable[Site] = (),
) -> Certificate:
    """Record the application at a certification body: the first, or for the next cycle.

    What follows a certificate counts its cycle on from it; a transfer goes on in the same cycle.
    """
    if predecessor is not None:
        if why := cannot_be_followed(predecessor):
            raise Refused(why, field="predecessor")
        moved = predecessor.status == Status.TRANSFERRED
        cycle = predecessor.cycle + (0 if moved else 1)
    certificate = Certificate(
        body=body,
        scope_text=scope_text,
        edition=edition,
        accreditation=accreditation,
        cycle=cycle,
        predecessor=predecessor,
        created_by=by,
    )
    certificate.save()
    _set_sites(certificate, by=by, sites=sites)
    if predecessor is not None:
        refresh(predecessor)
    return certificate


def cannot_be_followed(certificate: Certificate) -> str | None:
    """Why no next certificate follows it; None when one may."""
    if following := follower_of(certificate):
        return f"It is followed already: {following.title}. Withdraw that first."
    if certificate.status in (Status.APPLIED, Status.WITHDRAWN):
        shown = certificate.get_status_display().lower()
        return f"It is {shown}; the next cycle follows a certificate that was granted."
    return None


def follower_of(certificate: Certificate) -> Certificate | None:
    """The certificate or application that follows it."""
    found: Certificate | None = certificate.successors.exclude(status=Status.WITHDRAWN).first()
    return found


def _set_sites(certificate: Certificate, *, by: Person, sites: Iterable[Site]) -> bool:
    return set_links(
        CertificateSite,
        owner={"certificate": certificate},
        target="site",
        targets=sites,
        by=by,
    )


def cover_sites(
    certificate: Certificate, *, by: Person, sites: Iterable[Site], seen: str = ""
) -> Certificate:
    """Say which sites are on the certificate; what was there before is ended, not deleted."""
    if not editing_certificate.permitted(certificate, by):
        raise PermissionDenied("Your role does not allow you to edit this certificate.")
    with db.atomic():
        locked = Certificate._base_manager.select_for_update(of=("self",)).get(pk=certificate.pk)
        if why := editing_certificate.obstacles(locked, by):
            raise Refused(" ".join(why))
        refuse_stale(seen, {"certificate": locked}, CertificateSite)
        if _set_sites(locked, by=by, sites=sites):
            publish(CertificateChanged(locked, by))
    return certificate


@creates(CertificationAudit, permission="audits.change_certificate")
def plan_visit(
    *,
    by: Person,
    certificate: Certificate,
    kind: str,
    planned_on: date,
    auditors: str = "",
    audit_days: Decimal | None = None,
    cost: Decimal | None = None,
) -> CertificationAudit:
    """Plan a visit of the certification body."""
    visit = CertificationAudit(
        certificate=certificate,
        kind=kind,
        planned_on=planned_on,
        auditors=auditors,
        audit_days=audit_days,
        cost=cost,
        created_by=by,
    )
    visit.save()
    return visit


PRINTED = ("number", "decided_on", "issued_on", "expires_on")
_GRANT = {
    "number": forms.CharField(label="Certificate number", max_length=60),
    "decided_on": forms.DateField(label="Date of the decision"),
    "issued_on": forms.DateField(label="Issued on"),
    "expires_on": forms.DateField(label="Valid through", help_text="The date as printed on it."),
}


@transition(
    Certificate,
    source=Status.APPLIED,
    target=Status.CERTIFIED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: an_audit_was_done(certificate)],
    details=_GRANT,
    label="Certificate received",
    then=lambda certificate, by: the_one_before_is_told(certificate),
)
def grant(
    certificate: Certificate,
    *,
    by: Any,
    number: str,
    decided_on: date,
    issued_on: date,
    expires_on: date,
) -> None:
    """Record the decision of the certification body."""
    check_dates(decided_on, issued_on, expires_on)
    if issued_on > today():
        raise Refused(
            "It cannot be issued in the future; record it when you hold it.", field="issued_on"
        )
    if why := too_late_to_follow(certificate, decided_on):
        raise Refused(why, field="decided_on")
    certificate.number, certificate.decided_on = number, decided_on
    certificate.issued_on, certificate.expires_on = issued_on, expires_on


def the_one_before_is_told(certificate: Certificate) -> None:
    if certificate.predecessor is not None:
        refresh(certificate.predecessor)


def an_audit_was_done(certificate: Certificate) -> str | None:
    """Whether an audit of the body stands behind the decision; a transfer takes over the other's.

    A recertification audit belongs to the cycle it ends.
    """
    before = certificate.predecessor
    if before is not None and before.status == Status.TRANSFERRED:
        return None
    visits = CertificationAudit.objects.filter(status="done")
    own = visits.filter(certificate=certificate, kind__in=("stage2", "recertification"))
    last = visits.filter(certificate=before, kind="recertification") if before else visits.none()
    if own.exists() or last.exists():
        return None
    return "Record the stage 2 or recertification audit first."


def too_late_to_follow(certificate: Certificate, decided_on: date) -> str | None:
    """A cycle that ended more than six months ago is not renewed: it begins with a stage 2."""
    before = certificate.predecessor
    if before is None or before.expires_on is None or before.decided_on is None:
        return None
    if decided_on <= before.decided_on:
        return f"The cycle before was decided on {before.decided_on:%-d %B %Y}; this one later."
    until = add_months(before.expires_on, RESTORATION_MONTHS)
    stage2 = certificate.visits.filter(kind="stage2", status="done")
    if decided_on > until and not stage2.exists():
        return (
            f"The certificate before could be restored until {until:%-d %B %Y}. After that at least"
            " a stage 2 is needed: record it first."
        )
    return None


@transition(
    Certificate,
    source=Certificate.IN_FORCE,
    target=Status.SUSPENDED,
    permission="audits.change_certificate",
    reason=True,
    label="Suspended",
    primary=False,
    details={"began_on": forms.DateField(label="Suspended from")},
)
def suspend(certificate: Certificate, *, by: Any, began_on: date) -> None:
    """Record that the certification body suspended it."""
    if began_on > today():
        raise Refused("Record a suspension on the day it begins.", field="began_on")
    if certificate.decided_on and began_on < certificate.decided_on:
        raise Refused("It cannot begin before the decision.", field="began_on")
    ended = certificate.suspensions.filter(ended_on__gt=began_on).order_by("ended_on").last()
    if ended:
        raise Refused(
            f"It was suspended until {ended.ended_on:%-d %B %Y} before; this one begins later.",
            field="began_on",
        )
    CertificateSuspension(certificate=certificate, began_on=began_on, created_by=by).save()


def _end_suspension(certificate: Certificate, ended_on: date, by: Any, why: str) -> None:
    """Close the suspension that is open, where there is one."""
    suspension = certificate.suspensions.filter(ended_on=None).first()
    if suspension is None:
        return
    if ended_on < suspension.began_on:
        raise Refused(
            f"It was suspended on {suspension.began_on:%-d %B %Y}; it ends after that.",
            field="ended_on",
        )
    suspension.ended_on = ended_on
    suspension.save_because(why, by=by)


@transition(
    Certificate,
    source=Status.SUSPENDED,
    target=Status.RESTORED,
    permission="audits.change_certificate",
    reason=True,
    label="Restored",
    details={"ended_on": forms.DateField(label="In force again from")},
)
def lift(certificate: Certificate, *, by: Any, ended_on: date) -> None:
    """Record that the certification body lifted the suspension."""
    if ended_on > today():
        raise Refused("Record it on the day it is in force again.", field="ended_on")
    _end_suspension(certificate, ended_on, by, "The suspension was lifted.")


@transition(
    Certificate,
    source=Certificate.HELD,
    target=Status.REDUCED,
    permission="audits.change_certificate",
    reason=True,
    label="Scope reduced",
    primary=False,
    details={
        "scope_text": forms.CharField(
            label="Scope that remains",
            max_length=10_000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="As it stands on the new certificate. Change the sites on its page.",
        )
    },
    then=lambda certificate, by: publish(CertificateChanged(certificate, by)),
)
def reduce_scope(certificate: Certificate, *, by: Any, scope_text: str) -> None:
    """Record that the certification body took something out of the scope."""
    if scope_text.strip() == certificate.scope_text.strip():
        raise Refused("That is the scope as it was. Type what remains.", field="scope_text")
    certificate.scope_text = scope_text
    _end_suspension(certificate, today(), by, "The scope was reduced.")


@transition(
    Certificate,
    source=Certificate.IN_FORCE,
    target=Status.TRANSFERRED,
    permission="audits.change_certificate",
    reason=True,
    label="Transferred",
    primary=False,
    details={
        "transferred_to": forms.CharField(label="To which certification body", max_length=120),
        "transferred_on": forms.DateField(label="On"),
    },
)
def transfer(
    certificate: Certificate, *, by: Any, transferred_to: str, transferred_on: date
) -> None:
    """Record that another certification body took it over; its certificate follows this one."""
    if transferred_on > today():
        raise Refused("Record a transfer on its day.", field="transferred_on")
    if certificate.decided_on and transferred_on < certificate.decided_on:
        raise Refused("It cannot be transferred before its decision.", field="transferred_on")
    certificate.transferred_to, certificate.transferred_on = transferred_to, transferred_on


@transition(
    Certificate,
    source=[Status.APPLIED, *Certificate.HELD],
    target=Status.WITHDRAWN,
    permission="audits.change_certificate",
    reason=True,
    label="Withdrawn",
    primary=False,
    then=lambda certificate, by: the_one_before_is_told(certificate),
)
def withdraw(certificate: Certificate, *, by: Any) -> None:
    """Record that the application or certificate was withdrawn."""
    _end_suspension(certificate, today(), by, "The certificate was withdrawn.")


@transition(
    Certificate,
    source=Certificate.HELD,
    target=Status.EXPIRED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: its_date_is_past(certificate)],
    label="Expired",
    primary=False,
)
def expire(certificate: Certificate, *, by: Any) -> None:
    """Record that it ran out."""
    _end_suspension(certificate, today(), by, "The certificate expired.")


def its_date_is_past(certificate: Certificate) -> str | None:
    if certificate.expires_on and certificate.expires_on >= today():
        return f"It is valid through {certificate.expires_on:%-d %B %Y}."
    return None


def printed_dates_hold(certificate: Certificate, changed: Mapping[str, Any]) -> str | None:
    """What is printed stays whole: an application has none of it, a certificate all."""
    if not set(PRINTED) & set(changed):
        return None
    if certificate.status == Status.APPLIED:
        return "What is printed on the certificate is typed when it is received."
    stands = {name: changed.get(name, getattr(certificate, name)) for name in PRINTED}
    if not all(stands.values()):
        return "A certificate has a number and all three dates. Type them as printed on it."
    if stands["issued_on"] > today():
        return "It cannot be issued in the future; type the day printed on it."
    try:
        check_dates(stands["decided_on"], stands["issued_on"], stands["expires_on"])
    except Refused as refusal:
        return str(refusal)
    return None


NAMED = ("edition", "scope_text", "accreditation", "number")  # what uses of the mark may repeat


def what_names_it_is_compared_again(
    certificate: Certificate, by: Any, changed: Mapping[str, Any]
) -> None:
    if set(NAMED) & set(changed):
        publish(CertificateChanged(certificate, by))


editing_certificate = amendment(
    Certificate,
    permission="audits.change_certificate",
    fields=("edition", "scope_text", "accreditation", *PRINTED),
    states=(Status.APPLIED, *Certificate.HELD),
    checks=[printed_dates_hold],
    follows=what_names_it_is_compared_again,
)


@transition(
    CertificationAudit,
    source=CertificationAudit.Status.PLANNED,
    target=CertificationAudit.Status.DONE,
    permission="audits.change_certificate",
    label="Record the result",
    details={
        "done_on": forms.DateField(label="Last day of the audit"),
        "result": forms.CharField(
            label="Result", widget=forms.Textarea(attrs={"rows": 4}), max_length=10_000
        ),
        "majors": forms.IntegerField(label="Major nonconformities", min_value=0, initial=0),
        "minors": forms.IntegerField(label="Minor nonconformities", min_value=0, initial=0),
    },
)
def record_visit(
    visit: CertificationAudit,
    *,
    by: Any,
    done_on: date,
    result: str,
    majors: int = 0,
    minors: int = 0,
) -> None:
    """Record what the certification body concluded."""
    if done_on > today():
        raise Refused("The audit cannot have ended in the future.", field="done_on")
    visit.done_on, visit.result, visit.majors, visit.minors = done_on, result, majors, minors


void_visit = voids(
    CertificationAudit,
    source=CertificationAudit.Status.PLANNED,
    permission="audits.change_certificate",
)


editing_visit = amendment(
    CertificationAudit,
    permission="audits.change_certificate",
    fields=("kind", "planned_on", "auditors", "audit_days", "cost"),
    states=(CertificationAudit.Status.PLANNED,),
)


@handles(RecordSaved, order=91)
def the_cycle_follows_its_visits(event: RecordSaved) -> None:
    """What is next in a cycle depends on its visits."""
    if isinstance(event.record, CertificationAudit):
        refresh(event.record.certificate)


# Who has to do what next


@contributions.work(CertificationAudit)
def visits_ahead(visit: CertificationAudit) -> list[Step]:
    """The quality manager prepares for the certification body."""
    if visit.status == CertificationAudit.Status.PLANNED:
        return [Step("prepare", "Prepare", role="quality_manager", due=visit.planned_on)]
    return []


@contributions.work(Certificate)
def cycle_steps(certificate: Certificate) -> list[Step]:
    """The quality manager agrees on visits in time, prepares the next cycle, ends a suspension."""
    cycle = cycle_of(certificate)
    if cycle is None or not certificate.is_held:
        return []
    role, steps = "quality_manager", []
    for suspension in certificate.suspensions.filter(ended_on=None):
        until = Suspension(suspension.began_on).ends_by
        steps.append(Step("end_suspension", "End the suspension", role=role, due=until))
    if duty := next_to_agree(certificate):
        due = max(cycle.decided_on, add_months(duty.due_on, -AGREE_MONTHS))
        steps.append(Step("agree", "Agree on the next visit", role=role, due=due))
    if follower_of(certificate) is None:
        due = add_months(cycle.expires_on, -PREPARE_MONTHS)
        steps.append(Step("renew", "Prepare the recertification", role=role, due=due))
    return steps
