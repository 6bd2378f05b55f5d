"""What the home page, the dashboard, the calendar and the search get from audits."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models.functions import Coalesce

from audits import outside  # noqa: F401 - registers what outsiders see
from audits.models import Audit, Certificate, CertificationAudit, ChecklistItem, MarkUse
from audits.models.audits import SUBJECTS
from qms import contributions
from qms.contributions import CertifiedScope, Entry, Mention, Related, Tile
from qms.customers.models import Customer
from qms.periods import add_months
from qms.periods import today as today_here
from qms.providers.models import Provider
from qms.scope.models import Process

contributions.navigation(
    "Check",
    "Audits",
    "audits:audit_list",
    icon="clipboard-check",
    permission="audits.view_audit",
    order=10,
)
contributions.navigation(
    "Check",
    "Audit programme",
    "audits:programme_list",
    icon="calendar-event",
    permission="audits.view_auditprogramme",
    order=12,
)
contributions.navigation(
    "Check",
    "Checklist templates",
    "audits:template_list",
    icon="list-check",
    permission="audits.view_checklisttemplate",
    order=13,
)
contributions.navigation(
    "Check",
    "Findings",
    "audits:finding_list",
    icon="flag",
    permission="audits.view_finding",
    order=15,
)
contributions.navigation(
    "Check",
    "Audit figures",
    "audits:figures",
    icon="chart-bar",
    permission="audits.view_finding",
    order=16,
)
contributions.navigation(
    "Settings",
    "Grades of findings",
    "audits:grade_list",
    icon="flag",
    permission="audits.change_findinggrade",
    order=60,
)
contributions.navigation(
    "Certify",
    "Certification",
    "audits:certificate_list",
    icon="certificate",
    permission="audits.view_certificate",
    order=10,
)
contributions.navigation(
    "Certify",
    "Certification bodies",
    "audits:body_list",
    icon="building",
    permission="audits.view_certificationbody",
    order=12,
)
contributions.navigation(
    "Certify",
    "Findings of the body",
    "audits:body_finding_list",
    icon="flag",
    permission="audits.view_bodyfinding",
    order=14,
)
contributions.navigation(
    "Certify",
    "Use of the mark",
    "audits:mark_list",
    icon="certificate-2",
    permission="audits.view_markuse",
    order=16,
)
contributions.create_entry(
    "Audit", "audits:audit_create", icon="clipboard-check", permission="audits.add_audit", order=40
)


def _audits(today: date) -> dict[str, Any]:
    reported = Audit.objects.counting().reported_between(add_months(today, -12), today)
    active = Process.objects.active()
    return {
        "covered": active.filter(pk__in=reported.values("process_id")),
        "all": active,
        "late": Audit.objects.counting().overdue(today),
    }


@contributions.tile(order=20, permission="audits.view_audit", counts=_audits)
def audits_tile(today: date, count: Mapping[str, int]) -> Tile:
    """How many active processes were audited within a year."""
    covered, total, late = count["covered"], count["all"], count["late"]
    tone = "late" if late else "fine" if covered == total else "soon"
    return Tile(
        title="Internal audits",
        figure=f"{covered} of {total}",
        note=f"{late} audit{' is' if late == 1 else 's are'} late."
        if late
        else "Every process was audited within a year."
        if covered == total
        else "processes audited within a year.",
        tone=tone,  # type: ignore[arg-type]
        url="/audits/",
    )


@contributions.tile(order=60, permission="audits.view_certificate")
def certificate_tile(today: date, count: Mapping[str, int]) -> Tile:
    """The certificate and what comes next."""
    certificate = Certificate.objects.valid(today).order_by("-expires_on").first()
    if certificate is None:
        return _without_certificate()
    following = certificate.visits.filter(status="planned").order_by("planned_on").first()
    note = (
        f"Next: {following.get_kind_display().lower()}, {following.planned_on:%-d %b %Y}."
        if following
        else "No visit is planned."
    )
    return Tile(
        title="Certification",
        figure=f"{certificate.expires_on:%b %Y}",
        note=note,
        tone="plain" if following else "soon",
        url=certificate.get_absolute_url(),
    )


def _without_certificate() -> Tile:
    """Why there is none in force: it is suspended, or over, or none was ever held."""
    last = Certificate.objects.exclude(decided_on=None).order_by("-decided_on", "-pk").first()
    if last is None:
        return Tile(
            "Certification", "–", "No certificate is recorded.", "plain", "/audits/certificates/"
        )
    is_over = last.status in Certificate.IN_FORCE  # nobody recorded yet that it ran out
    shown = Certificate.Status.EXPIRED.label if is_over else last.get_status_display()
    said = "No certificate is in force; nothing may name it."
    return Tile("Certification", str(shown), said, "late", last.get_absolute_url())


@contributions.calendar
def audit_days(person: Any, start: date, end: date) -> list[Entry]:
    """When audits are planned, a strip for each kind."""
    rows = Audit.objects.visible_to(person).planned_between(start, end).select_related(*SUBJECTS)
    return [
        Entry(each.planned_on, _told(each), STRIPS[Audit.Kind(each.kind)], each.get_absolute_url())
        for each in rows.order_by("planned_on", "pk")[:200]
    ]


def _told(audit: Audit) -> str:
    """An audit beside the name of its strip, which says of what kind it is."""
    return f"Audit {'by' if audit.is_theirs else 'of'} {audit.subject.name}"


STRIPS = {each: each.label for each in Audit.Kind} | {Audit.Kind.INTERNAL: "Audit"}


@contributions.calendar
def visit_days(person: Any, start: date, end: date) -> list[Entry]:
    """When the certification body comes, and was here."""
    rows = CertificationAudit.objects.visible_to(person).exclude(status="void")
    days = Coalesce("done_on", "planned_on")
    rows = rows.annotate(day=days).filter(day__range=(start, end))
    return [
        Entry(
            each.day,
            each.title,
            "Visit of the body",
            each.get_absolute_url(),
            "fine" if each.done_on else "plain",
        )
        for each in rows.select_related("certificate__body").order_by("day", "pk")
    ]


@contributions.calendar
def looks_at_marks(person: Any, start: date, end: date) -> list[Entry]:
    """When uses of the mark are compared with the certificate again."""
    rows = MarkUse.objects.visible_to(person).in_use().due_between(start, end)
    return [
        Entry(each.next_due, f"Look at {each}", "Use of the mark", each.get_absolute_url())
        for each in rows.order_by("next_due", "pk")
    ]


@contributions.relates(Process, "Audits", permission="audits.view_audit", add="audits:audit_create")
def audits_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The audits of a process of every kind, the latest first; those called off are left out.

    Which of them the programme counts is said of each.
    """
    return _related_by("process_id", Audit.objects.filter(process__in=list(ids)), person)


@contributions.relates(
    Provider, "Audits", permission="audits.view_audit", add="audits:audit_create"
)
def audits_of_providers(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """Our audits of a provider, the latest first."""
    return _related_by("provider_id", Audit.objects.filter(provider__in=list(ids)), person)


@contributions.relates(
    Customer, "Audits", permission="audits.view_audit", add="audits:audit_create"
)
def audits_by_customers(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The audits a customer made of us, the latest first."""
    return _related_by("customer_id", Audit.objects.filter(customer__in=list(ids)), person)


def _related_by(key: str, rows: Any, person: Any) -> dict[int, list[Related]]:
    """The audits by whom they are of, the latest first; those called off are left out."""
    rows = rows.exclude(status=Audit.Status.VOID).order_by("-planned_on", "-pk")
    found: dict[int, list[Related]] = {}
    for each in rows.visible_to(person) if person else rows:
        day = each.conducted_on or each.planned_on
        counts = each.kind == Audit.Kind.INTERNAL
        is_beside = key == "process_id" and not counts
        note = each.get_status_display()
        row = Related(
            f"{STRIPS[Audit.Kind(each.kind)]} of {day:%-d %B %Y}",
            each.number,
            each.get_absolute_url(),
            f"{note}, not counted in the programme" if is_beside else note,
            day=day,
            counts=counts,
        )
        found.setdefault(getattr(each, key), []).append(row)
    return found


@contributions.certifies
def scopes_of_certificates() -> list[CertifiedScope]:
    """What the certificates in force name, and the sites audited within their cycle."""
    valid = Certificate.objects.valid(today_here()).select_related("body").order_by("pk")
    return [
        CertifiedScope(
            str(each),
            each.scope_text,
            each.get_absolute_url(),
            frozenset(_sites_audited_since(each.decided_on)) if each.decided_on else None,
        )
        for each in valid
    ]


def _sites_audited_since(day: date) -> set[int]:
    done = Audit.objects.counting().exclude(status=Audit.Status.VOID).filter(conducted_on__gte=day)
    return set(done.exclude(site=None).values_list("site_id", flat=True))


@contributions.mentions
def questions_naming(number: str) -> list[Mention]:
    """Questions still to be asked that name a document."""
    rows = ChecklistItem.objects.filter(
        question__iregex=rf"\y{re.escape(number)}\y",
        answer=ChecklistItem.Answer.OPEN,
        audit__status__in=("planned", "confirmed", "in_progress"),
    )
    return [
        Mention(
            "Audit question",
            f"{each.audit.number}, question {each.position}",
            each.audit.get_absolute_url(),
            each.audit.lead,
            f"question:{each.pk}",
            each.audit,
        )
        for each in rows.select_related("audit__lead").order_by("audit__number", "position")
    ]
