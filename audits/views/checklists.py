"""Pages of checklists: what may be asked and why, templates, and notes of a free inquiry."""

from itertools import groupby
from typing import Any, cast

import django_filters
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from audits import questions, workflow
from audits.forms import NoteForm, NoteTagsForm, TemplateForm, TemplateNameForm
from audits.models import Audit, AuditNote, ChecklistItem, ChecklistTemplate
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.refusals import Refused, Stale

AUDITS = ("Audits", "audits:audit_list")


def _audit(request: HttpRequest, pk: int) -> Audit:
    rows = Audit.objects.select_related(*SUBJECTS, "lead")
    found: Audit = pages.find(request, rows, pk=pk)
    return found


@needs("audits.conduct_audit")
def checklist_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What this audit may ask, with where each question comes from; the chosen are taken over."""
    audit = _audit(request, pk)
    if request.method != "POST":
        return _show_proposal(request, audit)
    chosen = request.POST.getlist("chosen")
    try:
        made = workflow.take_over_questions(audit, by=cast(Person, request.user), chosen=chosen)
    except Stale as stale:
        return _show_proposal(request, audit, chosen, str(stale), status=409)
    except Refused as refusal:
        return _show_proposal(request, audit, chosen, str(refusal), status=422)
    many = len(made)
    messages.success(request, f"{many} question{'s are' if many > 1 else ' is'} added.")
    return pages.go_to(request, audit.get_absolute_url())


def _show_proposal(
    request: HttpRequest,
    audit: Audit,
    chosen: list[str] | None = None,
    refusal: str = "",
    *,
    status: int = 200,
) -> HttpResponse:
    found = questions.proposed_for(audit, request.user)
    rows = [
        {"asked": each, "chosen": each.is_pressing if chosen is None else each.key in chosen}
        for each in found
    ]
    labels = dict(ChecklistItem.Source.choices)
    context: dict[str, Any] = {
        "title": "What to ask",
        "crumbs": [
            ("Audits", reverse("audits:audit_list")),
            (audit.number, audit.get_absolute_url()),
            ("What to ask", ""),
        ],
        "audit": audit,
        "groups": [
            (labels[source], list(many))
            for source, many in groupby(rows, key=lambda row: row["asked"].source)  # type: ignore[attr-defined]
        ],
        "count": len(rows),
        "asked_already": audit.items.count(),
        "closed": audit.is_settled,
        "refusal": refusal,
    }
    return render(request, "audits/checklist_proposal.html", context, status=status)


# Templates

TEMPLATES = [
    Column("name", "Template", kind="link", sort="name"),
    Column("edition", "Edition", value="get_edition_display", sort="edition"),
    Column(
        "process_kind",
        "Kind of process",
        value=lambda template: template.get_process_kind_display() or "All",
        sort="process_kind",
    ),
    Column("count", "Questions", value=lambda template: len(list(template.lines())), numeric=True),
    Column("status", "State", kind="state", sort="status"),
]


class TemplateFilter(django_filters.FilterSet):
    """Filters of the list of templates."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="Name")
    status = django_filters.ChoiceFilter(choices=ChecklistTemplate.Status.choices, label="State")

    class Meta:
        model = ChecklistTemplate
        fields = ("name", "status")


@needs("audits.view_checklisttemplate")
def template_list(request: HttpRequest) -> HttpResponseBase:
    """Templates of checklists, by name."""
    return pages.show_list(
        request,
        ChecklistTemplate.objects.visible_to(request.user),
        columns=TEMPLATES,
        filterset=TemplateFilter,
        default_sort="name",
        title="Checklist templates",
        create_url=reverse("audits:template_create"),
        create_label="Write a template",
        empty="No template is kept yet. Write one, or keep the questions of an audit as one.",
    )


@needs("audits.view_checklisttemplate")
def template_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One template with its questions."""
    template = pages.find(request, ChecklistTemplate.objects.select_related("created_by"), pk=pk)
    return pages.show_record(
        request,
        template,
        template="audits/template_detail.html",
        title=template.name,
        crumbs=[AUDITS, ("Checklist templates", reverse("audits:template_list"))],
        lines=list(template.lines()),
    )


@needs("audits.change_checklisttemplate")
def template_create(request: HttpRequest) -> HttpResponse:
    """Write a template."""
    return pages.edit(
        request,
        form_class=TemplateForm,
        create=workflow.keep_template,
        title="Write a template",
        context={"cancel_url": reverse("audits:template_list")},
    )


@needs("audits.change_checklisttemplate")
def template_from_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the questions of an audit as a template; its answers stay where they are."""
    audit = _audit(request, pk)

    def keep(*, by: Any, **said: Any) -> ChecklistTemplate:
        told = workflow.questions_of(audit)
        return workflow.keep_template(by=by, edition=audit.edition, questions=told, **said)

    return pages.edit(
        request,
        form_class=TemplateNameForm,
        create=keep,
        title=f"Keep the questions of {audit.number}",
        initial={
            "name": audit.title,
            "process_kind": audit.process.kind if audit.process else "",
        },
        context={
            "intro": f"Its {audit.items.count()} questions become a template; its answers do not.",
            "cancel_url": audit.get_absolute_url(),
        },
    )


@needs("audits.change_checklisttemplate")
def template_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a template; checklists that took it over keep their questions."""
    template = pages.find(request, ChecklistTemplate.objects, pk=pk)
    return pages.edit(
        request, form_class=TemplateForm, instance=template, title=f"Edit {template.name}"
    )


@needs(ANYONE_SIGNED_IN)
def template_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Retire a template, or use it again."""
    return pages.do_transition(request, pages.find(request, ChecklistTemplate.objects, pk=pk), name)


# Notes


@needs("audits.conduct_audit")
def note_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a note, and look at those that are to be placed; one field on a phone."""
    audit = _audit(request, pk)

    def take(*, by: Any, **said: Any) -> AuditNote:
        return workflow.take_note(audit, by=by, **said)

    rows = AuditNote.objects.visible_to(request.user).filter(audit=audit)
    return pages.edit(
        request,
        form_class=NoteForm,
        create=take,
        title=f"Notes of {audit.number}",
        template="audits/notes.html",
        done=reverse("audits:note_create", args=[audit.pk]),
        context={
            "crumbs": [
                ("Audits", reverse("audits:audit_list")),
                (audit.number, audit.get_absolute_url()),
                ("Notes", ""),
            ],
            "audit": audit,
            "notes": rows.exclude(status="void").select_related("created_by").order_by("-pk"),
            "submit": "Keep the note",
            "cancel_url": audit.get_absolute_url(),
        },
    )


@needs("audits.view_auditnote")
def note_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One note: what was seen, what it is about, what became of it."""
    rows = AuditNote.objects.select_related(*SUBJECTS_OF_AUDIT, "process", "finding__audit", "item")
    note = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        note,
        template="audits/note_detail.html",
        title="Note",
        crumbs=[
            AUDITS,
            (note.audit.number, note.audit.get_absolute_url()),
            ("Notes", reverse("audits:note_create", args=[note.audit_id])),
            (f"Note {note.pk}", ""),
        ],
    )


@needs("audits.conduct_audit")
def note_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Tag a note with its clause and process, or correct its words."""
    note = pages.find(request, AuditNote.objects.select_related("audit__lead"), pk=pk)
    return pages.edit(request, form_class=NoteTagsForm, instance=note, title="What it is about")


@needs(ANYONE_SIGNED_IN)
def note_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Make a note a finding or an answer, or void it."""
    rows = AuditNote.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead", "process")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
