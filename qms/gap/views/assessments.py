"""Assessments: the list, the heat map, who assesses what, the comparison, the delta, signals."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import clauses, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.clauses import ClauseRef
from qms.gap import workflow
from qms.gap.forms import AssessmentForm, AssignForm, DeltaForm, NewAssessmentForm
from qms.gap.models import Assessment, GapAnswer
from qms.gap.overview import (
    answers_of,
    categories_of,
    chapters_of,
    counts_of,
    delta_of,
    differences,
    heat_of,
    rows_of,
)
from qms.pages import Column, PathStep
from qms.periods import today
from qms.proofs import GapSignal, gap_signals, seen_by
from qms.refusals import Refused, Stale

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Assessment", sort="title"),
    Column("edition", "Edition", sort="edition"),
    Column("in_place", "In place", sort="in_place", numeric=True),
    Column("gaps", "Gaps", sort="gaps", numeric=True),
    Column("left", "Not assessed", sort="left", numeric=True),
    Column("status", "State", sort="status", kind="state"),
    Column("completed_on", "Completed", sort="completed_on", kind="date"),
]


@needs("gap.view_assessment")
def assessment_list(request: HttpRequest) -> HttpResponseBase:
    """Every assessment there was."""
    rows = Assessment.objects.visible_to(request.user).annotate(
        in_place=Count("answers", filter=Q(answers__rating="in_place")),
        gaps=Count("answers", filter=Q(answers__rating__in=GapAnswer.GAPS)),
        left=Count("answers", filter=Q(answers__rating="open")),
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
        template="gap/assessment_list.html",
        may_start_delta=request.user.has_perm("gap.add_assessment")
        and Assessment.objects.completed().filter(edition="2015").exists(),
        empty="Nobody has looked at the clauses yet. Start with the edition you work to.",
    )


@needs("gap.view_assessment")
def assessment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The heat map, the clauses by chapter, how each stands, and what is done about its gap."""
    related = ("created_by", "delta_from")
    assessment = pages.find(request, Assessment.objects.select_related(*related), pk=pk)
    rows = rows_of(assessment, request.user)
    answers = [row.answer for row in rows]
    rated = sum(each.rating != "open" for each in answers)
    mine = [each for each in answers if each.assessor_id == request.user.pk]
    waiting = [each for each in answers if each.rating == "open"]
    my_open = [each for each in waiting if each.assessor_id == request.user.pk]
    only_mine = request.GET.get("mine") == "1" and bool(mine)
    chosen = [r for r in rows if r.answer.assessor_id == request.user.pk] if only_mine else rows
    may_change = request.user.has_perm("gap.change_assessment")
    return pages.show_record(
        request,
        assessment,
        template="gap/assessment_detail.html",
        title=assessment.title,
        subtitle=f"{assessment.number} · {clauses.standard(assessment.edition)}",
        crumbs=[("Gap assessments", reverse("gap:assessment_list")), (assessment.number, "")],
        path=path_of(assessment),
        chapters=chapters_of(chosen),
        heat=[each.band for each in chapters_of(rows)],
        whole=heat_of(answers),
        categories=categories_of(rows),
        counts=counts_of(answers),
        rated=rated,
        words=f"{rated} of {len(answers)}",
        total=len(answers),
        mine=len(mine),
        only_mine=only_mine,
        first_open=next(iter(my_open or waiting), None),
        without_action=sum(row.lacks_action for row in rows),
        may_answer=may_answer(assessment, request.user),
        may_assign=may_change and assessment.status == Assessment.Status.IN_PROGRESS,
        may_begin_delta=assessment.status == Assessment.Status.COMPLETED
        and assessment.edition == "2015"
        and request.user.has_perm("gap.add_assessment"),
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
        PathStep("Every clause rated", "done" if done else "now"),
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


@needs("gap.add_assessment")
def delta_create(request: HttpRequest) -> HttpResponse:
    """Start a look at what the next edition changes."""
    asked = request.GET.get("from", "")
    initial = {"earlier": int(asked)} if asked.isascii() and asked.isdigit() else {}
    return pages.edit(
        request,
        form_class=DeltaForm,
        create=workflow.start_delta,
        title="What the 2026 edition changes for us",
        initial=initial,
        done=lambda made: reverse("gap:assessment_delta", args=[made.pk]),
        context={
            "submit": "Start",
            "cancel_url": "gap:assessment_list",
            "intro": "Only what is new or changed is assessed again; the rest is taken over.",
        },
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


@needs("gap.change_assessment")
def assessment_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Who assesses which clauses."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    answers = answers_of(assessment)
    heads = [each for each in clauses.clauses(assessment.edition) if each.level == 1]
    blocked = ""
    if assessment.status != Assessment.Status.IN_PROGRESS:
        blocked = f"{assessment.number} is {assessment.get_status_display().lower()}."

    def save(*, by: Any, person: Any, parts: list[str]) -> Assessment:
        count = workflow.assign(assessment, by=by, person=person, parts=parts)
        who = person.name if person else "Nobody"
        words = f"{count} clause{'' if count == 1 else 's'}"
        messages.success(request, f"{who} is asked to assess {words}.")
        return assessment

    return pages.edit(
        request,
        form_class=AssignForm,
        create=save,
        title="Who assesses what",
        template="gap/assign.html",
        edition=assessment.edition,
        done=lambda _made: reverse("gap:assessment_assign", args=[pk]),
        context={
            "assessment": assessment,
            "intro": f"{assessment.number} {assessment.title}. Everybody asked finds it in their"
            " work.",
            "chosen": set(request.POST.getlist("parts")),
            "blocked": blocked,
            "cancel_url": assessment.get_absolute_url(),
            "chapters": [
                (head, [each for each in answers if each.ref.is_within(head.ref)]) for head in heads
            ],
        },
    )


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
def assessment_delta(request: HttpRequest, pk: int) -> HttpResponse:
    """What the later edition changes: to assess again, to check, editorial, unchanged."""
    rows = Assessment.objects.select_related("delta_from")
    assessment = pages.find(request, rows, pk=pk)
    parts = delta_of(assessment)
    if not parts:
        raise Http404("This assessment does not begin from an earlier edition.")
    return pages.respond(
        request,
        "gap/delta.html",
        "gap/delta.html",
        {
            "assessment": assessment,
            "former": assessment.delta_from,
            "parts": parts,
            "left": sum(part.left for part in parts),
            "may_answer": may_answer(assessment, request.user),
        },
    )


# What the records say already --------------------------------------------------------------------


def _signals(assessment: Assessment, person: Any) -> list[tuple[GapSignal, GapAnswer]]:
    """What the records betray and the person may see, with the answer of its clause."""
    known = {each.ref.number: each for each in answers_of(assessment)}
    found = seen_by(gap_signals(assessment.edition, today()), person)
    return [(signal, known[signal.number]) for signal in found if signal.number in known]


@needs("gap.view_assessment")
def assessment_signals(request: HttpRequest, pk: int) -> HttpResponse:
    """Typical gaps the records of today show, each one click from an answer or an action."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    found = _signals(assessment, request.user)
    planned = workflow.actions_by_answer([each for _signal, each in found])
    rows = [
        {
            "signal": signal,
            "answer": each,
            "clause": clauses.clause(ClauseRef(assessment.edition, signal.number)),
            "actions": planned.get(each.pk, []),
            "said": signal.sentence in each.note,
            "settled": each.rating in (GapAnswer.Rating.IN_PLACE, GapAnswer.Rating.NOT_APPLICABLE),
            "promised": any(a.title == signal.plan[:200] for a in planned.get(each.pk, [])),
        }
        for signal, each in found
    ]
    return pages.respond(
        request,
        "gap/signals.html",
        "gap/signals.html",
        {
            "assessment": assessment,
            "rows": rows,
            "may_answer": may_answer(assessment, request.user),
        },
    )


@needs("gap.answer_assessment")
@require_POST
def signal_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what the records say as an answer or as an action."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    wanted = request.POST.get("signal", "")
    pair = next(
        (each for each in _signals(assessment, request.user) if each[0].key == wanted), None
    )
    if pair is None:
        return pages.refused(request, Refused("The records do not say this any more."))
    signal, found = pair
    person: Any = request.user
    plan = request.POST.get("as") == "action"
    try:
        workflow.act_on(assessment, signal, by=person, plan=plan, found=found)
    except Stale as stale:
        return pages.refused(request, stale, status=409)
    except Refused as refusal:
        return pages.refused(request, refusal)
    said = f"{signal.number} has an action now." if plan else f"{signal.number} is answered."
    messages.success(request, said)
    return pages.go_to(request, f"{reverse('gap:assessment_signals', args=[pk])}#{signal.key}")
