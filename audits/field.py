"""The audit on a phone: one question at a time, in large type, with photos (9.2).

Works without a script. The offline capture of a later release uses the same domain calls.
"""

from typing import Any, cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from audits import grades, workflow
from audits.forms import AnswerForm
from audits.models import Audit, ChecklistItem, Finding
from audits.models.audits import SUBJECTS
from qms import pages
from qms.access import needs
from qms.people.models import Person
from qms.refusals import Refused, Stale

CHOICES = [
    ("conforms", "Conforms", "check"),
    ("nonconforming", "Nonconforming", "alert-triangle"),
    ("opportunity", "Opportunity", "bulb"),
    ("not_applicable", "Not applicable", "minus"),
]
# One tap says that there is a finding and how grave it is; on a phone there is no room for more.
SHORT = {
    "major": "Major",
    "minor": "Minor",
    "observation": "Observation",
    "opportunity": "Opportunity",
    "good": "Good practice",
}


def _audit(request: HttpRequest, pk: int) -> Audit:
    found: Audit = pages.find(request, Audit.objects.select_related(*SUBJECTS, "lead"), pk=pk)
    return found


@needs("audits.conduct_audit")
def field_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to the first open question, or to the last one when all are answered."""
    audit = _audit(request, pk)
    item = audit.items.filter(answer="").order_by("position").first()
    item = item or audit.items.order_by("-position").first()
    if item is None:
        return pages.refused(request, Refused("This audit has no questions yet. Add one first."))
    return pages.go_to(request, item.get_absolute_url())


@needs("audits.conduct_audit")
def field_question(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """One question: answer it, note it, go on."""
    audit = _audit(request, pk)
    if answer := _team_alone(request, audit):
        return answer
    items = list(audit.items.order_by("position"))
    item = next((each for each in items if each.position == position), None)
    if item is None:
        raise Http404("There is no such question.")
    if request.method != "POST":
        form = AnswerForm(
            initial={"answer": item.answer, "note": item.note, "version": item.version},
            by=request.user,
        )
        return _page(request, audit, items, item, form)
    form = AnswerForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, audit, items, item, form, status=422)
    try:
        _save(request, item, form)
    except Stale as stale:
        form.refuse(stale)
        return _page(request, audit, items, item, form, status=409)
    except Refused as refusal:
        form.refuse(refusal)
        return _page(request, audit, items, item, form, status=422)
    return pages.go_to(request, _onwards(request, audit, items, item))


def _team_alone(request: HttpRequest, audit: Audit) -> HttpResponse | None:
    """What was answered so far is shown to nobody beyond the team before it is released."""
    if workflow.may_see_papers(audit, request.user):
        return None
    return pages.refused(
        request, Refused("Its team conducts this audit. You see its answers with its findings.")
    )


def _save(request: HttpRequest, item: ChecklistItem, form: AnswerForm) -> None:
    given = form.cleaned_data
    if (given["answer"], given["note"]) != (item.answer, item.note):
        workflow.answer(
            item,
            by=cast(Person, request.user),
            answer=given["answer"],
            note=given["note"],
            version=given["version"],
        )


def _onwards(request: HttpRequest, audit: Audit, items: list[Any], item: ChecklistItem) -> str:
    """Where the pressed button leads: a finding, the next question, and at the end the report."""
    go, _, grade = request.POST.get("go", "").partition(":")
    if go == "finding":
        asked = urlencode({"question": item.position} | ({"grade": grade} if grade else {}))
        return f"{reverse('audits:finding_create', args=[audit.pk])}?{asked}"
    if go == "stay":
        return str(item.get_absolute_url())
    later = [each for each in items if each.position > item.position]
    if later:
        return str(later[0].get_absolute_url())
    if audit.lead_id == request.user.pk and not audit.items.filter(answer="").exists():
        return reverse("audits:audit_transition", args=[audit.pk, "sign_report"])
    return str(audit.get_absolute_url())


def _grades() -> list[tuple[str, str]]:
    """The grades auditors use, in the organisation's words where it has some."""
    usual = dict(Finding.Grade.choices)
    return [
        (grade, SHORT[grade] if label == usual[grade] else label)
        for grade, label in grades.choices()
        if grade in SHORT
    ]


def _page(
    request: HttpRequest,
    audit: Audit,
    items: list[Any],
    item: ChecklistItem,
    form: AnswerForm,
    *,
    status: int = 200,
) -> HttpResponse:
    findings = Finding.objects.visible_to(request.user).filter(audit=audit, item=item)
    findings = findings.exclude(status="void").select_related("audit").order_by("position")
    at = items.index(item)
    context = {
        "title": audit.title,
        "audit": audit,
        "item": item,
        "form": form,
        "choices": CHOICES,
        "grades": _grades(),
        "chosen": form["answer"].value() or "",
        "findings": list(findings),
        "open_count": sum(1 for each in items if not each.answer),
        "flagged": sum(1 for each in items if each.answer in ("nonconforming", "opportunity")),
        "count": len(items),
        "previous": items[at - 1] if at else None,
        "is_last": at == len(items) - 1,
    }
    return render(request, "audits/field_question.html", context, status=status)
