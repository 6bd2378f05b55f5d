"""Pages of gap assessments: the list, the clauses, one clause, the comparison, the roadmap."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import clauses, contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.gap import workflow
from qms.gap.forms import AnswerForm, AssessmentForm, NewAssessmentForm
from qms.gap.models import Assessment, GapAnswer
from qms.gap.overview import answers_of, chapters_of, counts_of, differences, rows_of
from qms.pages import Column, PathStep
from qms.refusals import Refused, Stale

RECORDS_SHOWN = 8
COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Assessment", sort="title"),
    Column("edition", "Edition", sort="edition"),
    Column("met", "Met", sort="met", numeric=True),
    Column("gaps", "Gaps", sort="gaps", numeric=True),
    Column("left", "Not assessed", sort="left", numeric=True),
    Column("status", "State", sort="status", kind="state"),
    Column("completed_on", "Completed", sort="completed_on", kind="date"),
]


@needs("gap.view_assessment")
def assessment_list(request: HttpRequest) -> HttpResponseBase:
    """Every assessment there was."""
    rows = Assessment.objects.visible_to(request.user).annotate(
        met=Count("answers", filter=Q(answers__judgement="met")),
        gaps=Count("answers", filter=Q(answers__judgement__in=GapAnswer.GAPS)),
        left=Count("answers", filter=Q(answers__judgement="open")),
    )
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        default_sort="-number",
        title="Gap assessments",
        intro="Where the organisation stands against each clause; every gap becomes an action.",
        create_url="gap:assessment_create",
        create_label="Start an assessment",
        empty="Nobody has looked at the clauses yet. Start with the edition you work to.",
    )


@needs("gap.view_assessment")
def assessment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The clauses by chapter, how each stands, and what is done about its gap."""
    assessment = pages.find(request, Assessment.objects.select_related("created_by"), pk=pk)
    rows = rows_of(assessment, request.user)
    answers = [row.answer for row in rows]
    judged = sum(each.judgement != "open" for each in answers)
    first_open = next((each for each in answers if each.judgement == "open"), None)
    return pages.show_record(
        request,
        assessment,
        template="gap/assessment_detail.html",
        title=assessment.title,
        subtitle=f"{assessment.number} · {clauses.standard(assessment.edition)}",
        crumbs=[("Gap assessments", reverse("gap:assessment_list")), (assessment.number, "")],
        path=path_of(assessment),
        chapters=chapters_of(rows),
        counts=counts_of(answers),
        judged=judged,
        words=f"{judged} of {len(answers)}",
        total=len(answers),
        first_open=first_open,
        without_action=sum(row.lacks_action for row in rows),
        may_answer=may_answer(assessment, request.user),
        former=assessment.former(),
    )


def may_answer(assessment: Assessment, person: Any) -> bool:
    return assessment.status == Assessment.Status.IN_PROGRESS and person.has_perm(workflow.ANSWER)


def path_of(assessment: Assessment) -> list[PathStep]:
    """Started, completed: how far it is."""
    started = PathStep("Started", "done", assessment.created_by)
    if assessment.status == Assessment.Status.VOID:
        return [started, PathStep("Void", "now")]
    done = assessment.status == Assessment.Status.COMPLETED
    return [
        started,
        PathStep("Every clause judged", "done" if done else "now"),
        PathStep("Completed", "done" if done else "later", assessment.completed_on or ""),
    ]


@needs("gap.add_assessment")
def assessment_create(request: HttpRequest) -> HttpResponse:
    """Start an assessment."""
    return pages.edit(
        request,
        form_class=NewAssessmentForm,
        create=workflow.start_assessment,
        title="Start a gap assessment",
        context={"submit": "Start", "cancel_url": "gap:assessment_list"},
    )


@needs("gap.change_assessment")
def assessment_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename an assessment."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    return pages.edit(
        request, form_class=AssessmentForm, instance=assessment, title=f"Edit {assessment}"
    )


@needs(ANYONE_SIGNED_IN)
def assessment_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Complete or void an assessment."""
    return pages.do_transition(request, pages.find(request, Assessment.objects, pk=pk), name)


@needs("gap.view_assessment")
def answer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One clause: what it means, what the records show, and the answer."""
    rows = GapAnswer.objects.select_related("assessment", "answered_by")
    found = pages.find(request, rows, pk=pk)
    context = _about(request, found)
    title = f"{found.ref.number} {found.about.title}"
    if not context["may_answer"]:
        if request.method == "POST":
            why = "It takes no answer any more, or your role does not answer it."
            return pages.refused(request, Refused(why), status=403)
        return pages.respond(
            request, "gap/answer.html", "gap/answer.html", {**context, "title": title}
        )

    def save(*, by: Any, **fields: Any) -> GapAnswer:
        version = request.POST.get("version", "")
        seen = int(version) if version.isascii() and version.isdigit() else None
        try:
            return workflow.answer(found, by=by, version=seen, **fields)
        except Stale as stale:  # what was typed stays; sending it again is a decision
            raise Refused(str(stale)) from stale

    return pages.edit(
        request,
        form_class=AnswerForm,
        create=save,
        title=title,
        template="gap/answer.html",
        done=lambda _answer: _after(request, context, found),
        initial={"judgement": found.judgement, "evidence": found.evidence, "note": found.note},
        context=context,
    )


def _after(request: HttpRequest, context: dict[str, Any], found: GapAnswer) -> str:
    """The next clause where the person asked for it, else the list."""
    following = context["following"]
    if "go_on" in request.POST and following:
        return str(following.get_absolute_url())
    return f"{found.assessment.get_absolute_url()}#clause-{found.ref.number}"


def _about(request: HttpRequest, found: GapAnswer) -> dict[str, Any]:
    """What the page of a clause shows beside its form."""
    assessment = found.assessment
    order = answers_of(assessment)
    at = order.index(found)
    former = assessment.former()
    before = former.answers.filter(clause=found.clause).first() if former else None
    evidence = contributions.evidence_for(assessment.edition, request.user)
    records = evidence.get(found.ref.number, [])
    return {
        "answer": found,
        "assessment": assessment,
        "clause": found.about,
        "previous": order[at - 1] if at else None,
        "following": order[at + 1] if at + 1 < len(order) else None,
        "position": at + 1,
        "total": len(order),
        "former": former,
        "before": before,
        "records": records[:RECORDS_SHOWN],
        "more_records": max(0, len(records) - RECORDS_SHOWN),
        "actions": list(workflow.actions_of([found]).select_related("owner").order_by("due", "pk")),
        "may_answer": may_answer(assessment, request.user),
        "cancel_url": assessment.get_absolute_url(),
    }


@needs("gap.view_assessment")
def assessment_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """This assessment beside an earlier one, clause by clause."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    others = list(
        Assessment.objects.visible_to(request.user)
        .completed()
        .exclude(pk=pk)
        .order_by("-completed_on", "-pk")
    )
    asked = request.GET.get("with", "")
    former = next((each for each in others if str(each.pk) == asked), None)
    former = former or (None if asked else assessment.former())
    if former is None:
        raise Http404("There is no completed assessment to compare with.")
    found = differences(assessment, former)
    return pages.respond(
        request,
        "gap/compare.html",
        "gap/compare.html",
        {
            "assessment": assessment,
            "former": former,
            "others": others,
            "changed": [each for each in found if each.kind not in ("same", "open")],
            "left": sum(each.kind == "open" for each in found),
            "same": sum(each.kind == "same" for each in found),
            "better": sum(each.kind == "better" for each in found),
            "worse": sum(each.kind == "worse" for each in found),
        },
    )


@needs("gap.view_assessment")
def assessment_roadmap(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The actions of the gaps by their day: what is promised, what is done."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    answers = {each.pk: each for each in assessment.answers.all()}
    columns = [
        Column("number", "Number", sort="number", kind="link"),
        Column("clause", "Clause", value=lambda row: answers[row.origin_id].ref.number),
        Column("title", "What will be done", sort="title"),
        Column("owner", "Owner", sort="owner__name", kind="person"),
        Column("due", "Due", sort="due", kind="due", settled=lambda row: row.status != "open"),
        Column("status", "State", sort="status", kind="state"),
        Column("done_on", "Done on", sort="done_on", kind="date"),
    ]
    rows = Action.objects.visible_to(request.user).raised_from(*answers.values())
    return pages.show_list(
        request,
        rows.exclude(status=Action.Status.VOID).select_related("owner"),
        columns=columns,
        default_sort="due",
        title=f"Roadmap of {assessment.number}",
        intro="What was promised for each gap, by the day it is due.",
        template="gap/roadmap.html",
        assessment=assessment,
        empty="No action is planned yet. Open a gap and say what will be done.",
    )
