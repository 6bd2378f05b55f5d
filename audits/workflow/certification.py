"""Certificates and the visits of the certification body, as they are recorded."""

from datetime import date
from typing import Any

from django import forms

from audits.models import (
    Certificate,
    CertificationAudit,
)
from qms import contributions
from qms.contributions import Step
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import creates, transition, voids


@creates(Certificate, permission="audits.change_certificate")
def apply_for_certificate(
    *, by: Person, body: str, scope_text: str, edition: str = "2026", cycle: int = 1
) -> Certificate:
    """Record the application at a certification body."""
    certificate = Certificate(
        body=body, scope_text=scope_text, edition=edition, cycle=cycle, created_by=by
    )
    certificate.save()
    return certificate


@creates(CertificationAudit, permission="audits.change_certificate")
def plan_visit(
    *, by: Person, certificate: Certificate, kind: str, planned_on: date, auditors: str = ""
) -> CertificationAudit:
    """Plan a visit of the certification body."""
    visit = CertificationAudit(
        certificate=certificate,
        kind=kind,
        planned_on=planned_on,
        auditors=auditors,
        created_by=by,
    )
    visit.save()
    return visit


_GRANT = {
    "number": forms.CharField(label="Certificate number", max_length=60),
    "decided_on": forms.DateField(label="Date of the decision"),
    "expires_on": forms.DateField(label="Valid through", help_text="The date as printed on it."),
}


@transition(
    Certificate,
    source=Certificate.Status.APPLIED,
    target=Certificate.Status.CERTIFIED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: an_audit_was_done(certificate)],
    details=_GRANT,
    label="Certificate received",
)
def grant(
    certificate: Certificate, *, by: Any, number: str, decided_on: date, expires_on: date
) -> None:
    """Record the decision of the certification body."""
    if expires_on <= decided_on:
        raise Refused("A certificate is valid beyond its decision.", field="expires_on")
    if decided_on > today():
        raise Refused("The decision cannot lie in the future.", field="decided_on")
    certificate.number, certificate.decided_on = number, decided_on
    certificate.expires_on = expires_on


def an_audit_was_done(certificate: Certificate) -> str | None:
    kinds = (CertificationAudit.Kind.STAGE2, CertificationAudit.Kind.RECERTIFICATION)
    done = certificate.visits.filter(kind__in=kinds, status="done")
    return None if done.exists() else "Record the stage 2 or recertification audit first."


@transition(
    Certificate,
    source=Certificate.Status.CERTIFIED,
    target=Certificate.Status.SUSPENDED,
    permission="audits.change_certificate",
    reason=True,
    label="Suspended",
    primary=False,
)
def suspend(certificate: Certificate, *, by: Any) -> None:
    """Record that the certification body suspended it."""


@transition(
    Certificate,
    source=Certificate.Status.SUSPENDED,
    target=Certificate.Status.CERTIFIED,
    permission="audits.change_certificate",
    reason=True,
    label="Suspension lifted",
)
def lift(certificate: Certificate, *, by: Any) -> None:
    """Record that the suspension was lifted."""


@transition(
    Certificate,
    source=[
        Certificate.Status.APPLIED,
        Certificate.Status.CERTIFIED,
        Certificate.Status.SUSPENDED,
    ],
    target=Certificate.Status.WITHDRAWN,
    permission="audits.change_certificate",
    reason=True,
    label="Withdrawn",
    primary=False,
)
def withdraw(certificate: Certificate, *, by: Any) -> None:
    """Record that the application or certificate was withdrawn."""


@transition(
    Certificate,
    source=Certificate.Status.CERTIFIED,
    target=Certificate.Status.EXPIRED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: its_date_is_past(certificate)],
    label="Expired",
    primary=False,
)
def expire(certificate: Certificate, *, by: Any) -> None:
    """Record that it ran out."""


def its_date_is_past(certificate: Certificate) -> str | None:
    if certificate.expires_on and certificate.expires_on >= today():
        return f"It is valid through {certificate.expires_on:%-d %B %Y}."
    return None


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


# Who has to do what next


@contributions.work(CertificationAudit)
def visits_ahead(visit: CertificationAudit) -> list[Step]:
    """The quality manager prepares for the certification body."""
    if visit.status == CertificationAudit.Status.PLANNED:
        return [Step("prepare", "Prepare", role="quality_manager", due=visit.planned_on)]
    return []
