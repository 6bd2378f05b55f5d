"""The journey itself: ten steps, the plan, the opening questions, the seven principles."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.journey import startup, steps, workflow
from qms.journey.forms import OpeningForm, PrincipleForm, ReplanForm
from qms.journey.models import OpeningAnswer, PrincipleAnswer, Project, guide
from qms.pages import PathStep
from qms.periods import today


@needs("journey.view_project")
def journey(request: HttpRequest) -> HttpResponse:
    """The ten steps: what each is for, what is done, what is next, who, by when."""
    day = today()
    found = steps.standings(day)
    now = steps.current(found)
    return pages.respond(
        request,
        "journey/journey.html",
        "journey/journey.html",
        {
            "title": "Journey",
            "today": day,
            "standings": found,
            "now": now,
            "done": sum(each.is_done for each in found),
            "certified": steps.is_certified(found),
            "project": Project.objects.current(),
            "stops": _open_stops(request, found),
        },
    )


def _open_stops(request: HttpRequest, found: list[steps.Standing]) -> list[startup.Stop]:
    """What is left of the start-up path, for whoever walks it, until the plan is laid."""
    person: Any = request.user
    if not person.has_perm("journey.set_up") or steps.is_certified(found):
        return []
    return [each for each in startup.stops() if not each.is_done]


@needs("journey.view_project")
def compact(request: HttpRequest) -> HttpResponse:
    """The journey in a few lines for the home page; after the certificate, the momentum."""
    day = today()
    found = steps.standings(day)
    certified = steps.is_certified(found)
    pulses = steps.momentum(request.user, day) if certified else []
    return pages.respond(
        request,
        "journey/compact.html",
        "journey/compact.html#panel",
        {
            "title": "How far we are",
            "today": day,
            "standings": found,
            "now": steps.current(found),
            "done": sum(each.is_done for each in found),
            "certified": certified,
            "pulses": pulses,
            "said": steps.said_of(pulses) if pulses else "",
        },
    )


@needs("journey.view_project")
def momentum(request: HttpRequest) -> HttpResponse:
    """Whether the system keeps going: what was done in each of the last four quarters."""
    day = today()
    pulses = steps.momentum(request.user, day)
    return pages.respond(
        request,
        "journey/momentum.html",
        "journey/momentum.html",
        {
            "title": "Momentum",
            "pulses": pulses,
            "spans": steps.quarters(day),
            "said": steps.said_of(pulses) if pulses else "",
        },
    )


# --- the plan -----------------------------------------------------------------------------------


@needs("journey.view_project")
def project_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan with its first dates, its dates now, and what is to be expected."""
    project = pages.find(request, Project.objects.select_related("created_by"), pk=pk)
    day = today()
    rows = workflow.planned(project, day)
    open_ones = [row for row in rows if not row.is_done]
    end = max((row.action.due for row in rows), default=None)
    expected = max((row.expected for row in rows), default=None)
    late = (expected - end).days if end and expected else 0
    return pages.show_record(
        request,
        project,
        template="journey/project_detail.html",
        title="The plan",
        subtitle=_length(project),
        crumbs=[("Journey", "journey:journey"), ("The plan", "")],
        path=_path(project),
        rows=rows,
        open_count=len(open_ones),
        end=end,
        expected=expected,
        late=max(0, late),
        may_move=project.status == Project.Status.RUNNING
        and bool(open_ones)
        and request.user.has_perm("journey.change_project"),
    )


def _length(project: Project) -> str:
    if project.status == Project.Status.PREPARING:
        return "Not laid yet. Choose the first day and the length; everything else is computed."
    return f"{project.months} months from {project.starts_on:%-d %B %Y}"


def _path(project: Project) -> list[PathStep]:
    order = [Project.Status.PREPARING, Project.Status.RUNNING, Project.Status.COMPLETED]
    reached = order.index(Project.Status(project.status))
    names = ["Prepared", "Running", "Completed"]
    return [
        PathStep(name, "done" if at < reached else "now" if at == reached else "later")
        for at, name in enumerate(names)
    ]


@needs("journey.change_project")
def project_replan(request: HttpRequest, pk: int) -> HttpResponse:
    """Move what is open; what is done and every first date stay."""
    project = pages.find(request, Project.objects, pk=pk)
    rows = workflow.planned(project, today())
    expected = max((row.expected for row in rows if not row.is_done), default=today())

    def move(*, by: Any, until: Any, reason: str) -> Project:
        moved = workflow.replan(project, by=by, until=until, reason=reason)
        messages.success(request, f"{moved} lines of the plan have new days.")
        return project

    return pages.edit(
        request,
        form_class=ReplanForm,
        create=move,
        title="Move the plan",
        done=lambda _project: project.get_absolute_url(),
        initial={"until": max(expected, today() + timedelta(days=1))},
        context={
            "intro": "As things stand, the last line ends on "
            f"{expected:%-d %B %Y}. Lines that are done keep their days.",
            "submit": "Move the plan",
            "cancel_url": project.get_absolute_url(),
        },
    )


@needs(ANYONE_SIGNED_IN)
def project_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Lay the plan, complete the project, take it up again."""
    return pages.do_transition(request, pages.find(request, Project.objects, pk=pk), name)


# --- opening questions --------------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """An opening question with its answer and who gave it."""

    question: guide.Question
    answer: OpeningAnswer | None


@needs("journey.view_openinganswer")
def opening(request: HttpRequest) -> HttpResponse:
    """The opening questions as they are answered, and where each answer is used."""
    rows = OpeningAnswer.objects.select_related("created_by")
    known = {each.question: each for each in rows}
    return pages.respond(
        request,
        "journey/opening.html",
        "journey/opening.html",
        {
            "title": "Opening questions",
            "answers": [Answered(each, known.get(each.key)) for each in guide.questions()],
            "may_answer": request.user.has_perm(workflow.OPENING),
            "any": bool(known),
        },
    )


@needs("journey.answer_opening")
def opening_edit(request: HttpRequest) -> HttpResponse:
    """Answer the opening questions, once; they are used wherever they fit."""
    return pages.edit(
        request,
        form_class=OpeningForm,
        create=lambda *, by, **answers: workflow.answer_opening(by=by, answers=answers),
        title="Opening questions",
        done="journey:opening",
        context={
            "intro": "Answer in your own words, one thing a line. You can come back at any time.",
            "cancel_url": "journey:opening",
        },
    )


# --- principles ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """A principle with its questions and answers, and when it is to be looked at again."""

    principle: guide.Principle
    answers: list[tuple[str, PrincipleAnswer | None]]

    @property
    def given(self) -> int:
        return sum(answer is not None for _question, answer in self.answers)

    @property
    def review_on(self) -> Any:
        days = [answer.review_on for _question, answer in self.answers if answer]
        return min(days, default=None)


def lived() -> list[Lived]:
    """The seven principles as the organisation lives them; one query."""
    rows = PrincipleAnswer.objects.select_related("looked_at_by")
    known = {each.question: each for each in rows}
    return [
        Lived(each, [(text, known.get(key)) for key, text in each.asked()])
        for each in guide.principles()
    ]


@needs("journey.view_principleanswer")
def principle_list(request: HttpRequest) -> HttpResponse:
    """The seven principles, and how the organisation lives each."""
    found = lived()
    return pages.respond(
        request,
        "journey/principles.html",
        "journey/principles.html",
        {
            "title": "How we live the principles",
            "today": today(),
            "principles": found,
            "given": sum(each.given for each in found),
            "asked": sum(len(each.answers) for each in found),
            "may_answer": request.user.has_perm(workflow.PRINCIPLES),
        },
    )


@needs("journey.answer_principle")
def principle(request: HttpRequest, key: str) -> HttpResponse:
    """The questions about one principle."""
    found = guide.principle(key)
    if found is None:
        raise Http404("There are seven principles; this is none of them.")
    order = guide.principles()
    at = order.index(found)
    following = order[at + 1] if at + 1 < len(order) else None

    def answer(*, by: Any, **answers: str) -> list[PrincipleAnswer]:
        given = {f"{key}.{name.removeprefix('answer_')}": text for name, text in answers.items()}
        return workflow.answer_principle(by=by, principle=key, answers=given)

    def done(_answers: Any) -> str:
        if "go_on" in request.POST and following:
            return reverse("journey:principle", args=[following.key])
        return reverse("journey:principles")

    keys = [each for each, _text in found.asked()]
    return pages.edit(
        request,
        form_class=PrincipleForm,
        create=answer,
        title=found.title,
        template="journey/principle.html",
        done=done,
        principle=found,
        context={
            "intro": found.meaning,
            "principle": found,
            "position": at + 1,
            "following": following,
            "latest": PrincipleAnswer.objects.filter(question__in=keys)
            .select_related("looked_at_by")
            .order_by("-looked_at_on", "pk")
            .first(),
            "cancel_url": "journey:principles",
        },
    )


@needs("journey.view_principleanswer")
def principle_history(request: HttpRequest, pk: int) -> HttpResponse:
    """What was answered over the years, with who and when."""
    answer = get_object_or_404(PrincipleAnswer.objects.visible_to(request.user), pk=pk)
    key = answer.question.partition(".")[0]
    found = guide.principle(key)
    text = dict(found.asked()).get(answer.question, "") if found else ""
    return pages.show_record(
        request,
        answer,
        template="journey/principle_history.html",
        title=text,
        subtitle=found.title if found else "",
        crumbs=[("Principles", "journey:principles"), (found.title if found else "", "")],
    )
