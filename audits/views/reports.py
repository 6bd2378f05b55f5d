"""Pages of the report beside its findings: what it says, its addenda, the grades' words."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from audits import grades, workflow
from audits.forms import AddendumForm, GradeForm, NewGradeForm, ReportForm
from audits.models import Addendum, Audit, AuditReport, FindingGrade
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs


@needs("audits.conduct_audit")
def report_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What the report says, who met and who receives it; what is left empty fills itself."""
    report = pages.find(
        request, AuditReport.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead"), pk=pk
    )
    return pages.edit(
        request,
        form_class=ReportForm,
        instance=report,
        title=f"Report of {report.audit.number}",
        context={
            "intro": "Leave empty what fits: each part says below what it will say by itself.",
            "cancel_url": report.audit.get_absolute_url(),
        },
    )


@needs("audits.report_audit")
def addendum_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct an issued report."""
    audit = pages.find(request, Audit.objects.select_related(*SUBJECTS, "lead"), pk=pk)
    return pages.edit(
        request,
        form_class=_of(audit),
        create=lambda *, by, **fields: workflow.draft_addendum(audit, by=by, **fields),
        title=f"Addendum to {audit.number}",
        context={
            "intro": "The report stays as it was signed. The addendum says what holds instead.",
            "cancel_url": audit.get_absolute_url(),
        },
    )


def _of(audit: Audit) -> type[AddendumForm]:
    class OfThisAudit(AddendumForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, audit=audit, **kwargs)

    return OfThisAudit


def _addendum(request: HttpRequest, pk: int) -> Addendum:
    rows = Addendum.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead", "finding__audit")
    found: Addendum = pages.find(request, rows.select_related("created_by"), pk=pk)
    return found


@needs("audits.view_addendum")
def addendum_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One addendum: what it corrects, why, and both grades where one changed."""
    addendum = _addendum(request, pk)
    words = grades.labels()
    finding = addendum.finding
    before = addendum.grade_before or (finding.standing_grade if finding else "")
    return pages.show_record(
        request,
        addendum,
        template="audits/addendum_detail.html",
        title=str(addendum),
        crumbs=[
            ("Audits", reverse("audits:audit_list")),
            (addendum.audit.number, addendum.audit.get_absolute_url()),
            (f"Addendum {addendum.number or '(draft)'}", ""),
        ],
        before=words.get(before, ""),
        after=words.get(addendum.grade_after, ""),
    )


@needs("audits.report_audit")
def addendum_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the draft of an addendum."""
    addendum = _addendum(request, pk)
    return pages.edit(
        request, form_class=_of(addendum.audit), instance=addendum, title=f"Edit {addendum}"
    )


@needs(ANYONE_SIGNED_IN)
def addendum_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Sign an addendum, or void its draft."""
    return pages.do_transition(request, _addendum(request, pk), name)


# What grades are called


@needs("audits.view_findinggrade")
def grade_list(request: HttpRequest) -> HttpResponse:
    """The grades: what they are called here, when each is given, and what it leads to."""
    own = {each.grade: each.pk for each in FindingGrade.objects.visible_to(request.user)}
    context = {
        "title": "Grades of findings",
        "crumbs": [("Findings", reverse("audits:finding_list")), ("Grades", "")],
        "rows": [(each, own.get(each.grade)) for each in grades.wordings().values()],
        "may_change": request.user.has_perm("audits.change_findinggrade"),
    }
    return render(request, "audits/grades.html", context)


@needs("audits.change_findinggrade")
def grade_create(request: HttpRequest) -> HttpResponse:
    """Give a grade words of the organisation's own."""
    asked = grades.wordings().get(request.GET.get("grade", ""))

    class Filled(NewGradeForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if asked is not None:
                kwargs["initial"] = {
                    "grade": asked.grade,
                    "label": asked.label,
                    "definition": asked.definition,
                }
            super().__init__(*args, **kwargs)

    return pages.edit(
        request,
        form_class=Filled,
        create=workflow.word_grade,
        title=f"Words for “{asked.label}”" if asked else "Words for a grade",
        context={"intro": asked.meaning if asked else "", "cancel_url": "audits:grade_list"},
    )


@needs("audits.change_findinggrade")
def grade_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the words of a grade."""
    worded = pages.find(request, FindingGrade.objects, pk=pk)
    return pages.edit(
        request,
        form_class=GradeForm,
        instance=worded,
        title=f"Words for “{worded}”",
        context={"cancel_url": "audits:grade_list"},
    )
