"""Pages of findings."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from audits import grades, repeats, workflow
from audits.forms import (
    FindingForm,
    NewFindingForm,
    ResponseForm,
)
from audits.models import Audit, Finding
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from capa.models import Nonconformity
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.files.workflow import attach_all
from qms.pages import Column
from qms.scope.models import Process

FINDINGS = [
    Column("number", "Finding", sort="audit__number", kind="link"),
    Column("title", "What was found"),
    Column("of", "Audited", value="audit.subject.name", sort="audit__process__name"),
    Column("reference", "Their number", sort="reference", shown=False),
    Column("clause", "Clause", sort="clause"),
    Column("status", "State", sort="status", kind="state"),
    Column("issued_on", "Report", value="audit.issued_on", sort="audit__issued_on", kind="date"),
]


def columns() -> list[Column]:
    """The columns, with the grades in the organisation's words."""
    words = grades.labels()
    grade = Column("grade", "Grade", value=lambda row: words[row.standing_grade], sort="grade")
    return [FINDINGS[0], grade, *FINDINGS[1:]]


class FindingFilter(django_filters.FilterSet):
    """Filters of the list of findings."""

    grade = django_filters.ChoiceFilter(
        choices=lambda: list(grades.labels().items()), label="Grade"
    )
    status = django_filters.ChoiceFilter(choices=Finding.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(
        field_name="audit__process", queryset=Process.objects.all(), label="Process"
    )
    kind = django_filters.ChoiceFilter(
        field_name="audit__kind", choices=Audit.Kind.choices, label="Kind of audit"
    )
    text = django_filters.CharFilter(field_name="statement", lookup_expr="icontains", label="Text")

    class Meta:
        model = Finding
        fields = ("grade", "status", "process", "kind", "text")


# Audits


@needs("audits.view_finding")
def finding_list(request: HttpRequest) -> HttpResponseBase:
    """Every finding of every audit."""
    rows = Finding.objects.visible_to(request.user).exclude(status="void")
    return pages.show_list(
        request,
        rows.select_related(*SUBJECTS_OF_AUDIT),
        columns=columns(),
        filterset=FindingFilter,
        default_sort="-number",
        title="Findings",
        empty="No audit has found anything yet.",
    )


@needs("audits.view_finding")
def finding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding and the nonconformity it raised."""
    rows = Finding.objects.select_related(
        "audit__process__owner",
        "audit__provider",
        "audit__customer",
        "audit__lead",
        "audit__auditee",
        "item",
        "created_by",
        "merged_into__audit",
        "decided_by",
    )
    finding = pages.find(request, rows, pk=pk)
    grades.named([finding])
    again = repeats.earlier_of([finding]).get(finding.pk, [])
    raised = Nonconformity.objects.raised_from(finding).first()
    return pages.show_record(
        request,
        finding,
        template="audits/finding_detail.html",
        title=finding.title,
        crumbs=[
            ("Audits", reverse("audits:audit_list")),
            (finding.audit.number, finding.audit.get_absolute_url()),
            (f"Finding {finding.position}", ""),
        ],
        nonconformity=raised,
        earlier=grades.named(_seen(request, again)),
        responses=list(finding.responses.select_related("created_by").order_by("pk")),
        merged=list(finding.merged.select_related("audit").order_by("position")),
        addenda=grades.regraded(finding.addenda.issued().order_by("number")),
        may_respond=finding.status == "released"
        and finding.audit.status != "closed"
        and request.user.has_perm("audits.answer_audit")
        and not workflow.only_the_auditee(finding.audit, request.user),
        due=finding.answer_due if finding.wants_answer else None,
    )


def _seen(request: HttpRequest, findings: list[Finding]) -> list[Finding]:
    """Those of them this person may see, in one question; none is asked where there are none."""
    if not findings:
        return []
    keys = [each.pk for each in findings]
    seen = set(
        Finding.objects.visible_to(request.user).filter(pk__in=keys).values_list("pk", flat=True)
    )
    return [each for each in findings if each.pk in seen]


@needs("audits.answer_audit")
def response_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something to a released finding."""
    rows = Finding.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead")
    finding = pages.find(request, rows, pk=pk)
    return pages.edit(
        request,
        form_class=ResponseForm,
        create=lambda *, by, **fields: workflow.respond(finding, by=by, **fields),
        title=f"Respond to {finding}",
        done=finding.get_absolute_url(),
        context={
            "intro": finding.statement or finding.evidence,
            "cancel_url": finding.get_absolute_url(),
        },
    )


@needs("audits.conduct_audit")
def finding_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a finding with its photos."""
    audit = pages.find(request, Audit.objects.select_related(*SUBJECTS, "lead"), pk=pk)
    asked = request.GET.get("question", "")
    item = audit.items.filter(position=int(asked)).first() if asked.isdigit() else None

    class WithPhotos(NewFindingForm):
        audited = audit

        def record(self, *, by: Any, **fields: Any) -> Finding:
            finding = workflow.record_finding(audit, by=by, item=item, **fields)
            if item is not None and not item.answer:
                workflow.answer(item, by=by, answer=workflow.answer_of(finding), note=item.note)
            attach_all(finding, self.cleaned_data["photos"], by=by)
            return finding

    return finding_form(request, WithPhotos, audit, item)


def finding_form(request: HttpRequest, form_class: Any, audit: Audit, item: Any) -> HttpResponse:
    """The form of a new finding; it returns to the question it came from."""
    forms_made: list[Any] = []

    class Remembered(form_class):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if item is not None:
                grade = request.GET.get("grade", "")
                known = {"clause": workflow.clause_of(item, audit)} | (
                    {"grade": grade} if grade else {}
                )
                kwargs.setdefault("initial", known)
            super().__init__(*args, **kwargs)
            forms_made.append(self)

    back = item.get_absolute_url() if item is not None else audit.get_absolute_url()
    return pages.edit(
        request,
        form_class=Remembered,
        create=lambda *, by, **fields: forms_made[-1].record(by=by, **fields),
        title=f"Finding in {audit.number}",
        done=back,
        context={"intro": item.question if item is not None else ""},
    )


@needs("audits.conduct_audit")
def finding_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete or correct a draft finding."""
    rows = Finding.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead")
    finding = pages.find(request, rows, pk=pk)
    return pages.edit(request, form_class=FindingForm, instance=finding, title=f"Edit {finding}")


@needs(ANYONE_SIGNED_IN)
def finding_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Soften, merge or void a draft; accept or decline an observation."""
    rows = Finding.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


# Certificates
