"""How a system is begun: questions answered, top management briefed, a plan laid and moved.

Opening answers and principles are asked once and looked at again; the briefing is signed by top
management (ISO 9001 5.1.1); the plan is a list of actions that keep their first dates (6.2.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import promise
from qms.contributions import Step
from qms.events import publish
from qms.journey import plan
from qms.journey.models import (
    LONGEST,
    SHORTEST,
    Briefing,
    BriefingAttendee,
    OpeningAnswer,
    PlanStep,
    PrincipleAnswer,
    Project,
    guide,
)
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.periods import add_months, months_between, today
from qms.records import insert_together
from qms.refusals import Refused
from qms.scope.models import Organisation
from qms.workflow import amend, amendment, creates, transition, voids

OPENING, PRINCIPLES = "journey.answer_opening", "journey.answer_principle"
REVIEW_MONTHS = 12
FARTHEST_START = 12  # months from today at which a plan can begin, either way
Status, Decision = Project.Status, Briefing.Decision


@dataclass(frozen=True)
class OpeningAnswered:
    """The opening questions were answered; whoever keeps registers may take the lines up."""

    question: str
    lines: tuple[str, ...]
    by: Any


# Guards


def organisation_is_set_up(project: Project, by: Any) -> str | None:
    if Organisation.objects.exists():
        return None
    return "Describe the organisation first; its zone and size are needed for the plan."


def plan_is_done(project: Project, by: Any) -> str | None:
    left = actions_of(project).open().count()
    if left:
        few = "One line of the plan is" if left == 1 else f"{left} lines of the plan are"
        return f"{few} still open. Do them, or void the actions that are not needed."
    return None


def somebody_attended(briefing: Briefing, by: Any) -> str | None:
    if attendees_of(briefing):
        return None
    return "Say who was there first."


def who_signs_was_there(briefing: Briefing, by: Any) -> str | None:
    if any(person.pk == by.pk for person in attendees_of(briefing)):
        return None
    return "Who signs was at the briefing. Let somebody of top management sign who was there."


def it_has_taken_place(briefing: Briefing, by: Any) -> str | None:
    if briefing.held_on > today():
        return f"It takes place on {briefing.held_on:%-d %B %Y}. It is signed afterwards."
    return None


def attendees_of(briefing: Briefing) -> list[Person]:
    """Who was there, by name."""
    links = briefing.attendee_links.filter(ended=False)
    people = Person.objects.filter(pk__in=links.values("person_id"))
    return list(people.order_by("name", "pk"))


# The project and its plan


@creates(Project, permission="journey.add_project")
def start_project(
    *, by: Person, starts_on: date | None = None, months: int = 9, starter: str = ""
) -> Project:
    """Begin to build the system; there is one project in an installation."""
    if Project.objects.exists():
        raise Refused("The project has begun already. Go on where it stands.")
    project = Project(starts_on=starts_on or today(), months=months, starter=starter, created_by=by)
    project.save()
    return project


def the_project(by: Person) -> Project:
    """The project, begun now if nobody has."""
    return Project.objects.current() or start_project(by=by)


LENGTH = {
    "starts_on": forms.DateField(label="First day"),
    "months": forms.IntegerField(
        label="Months to the certificate",
        min_value=SHORTEST,
        max_value=LONGEST,
        help_text="Six months are brisk, nine are usual, twelve leave room for the daily work.",
    ),
}


@transition(
    Project,
    source=Status.PREPARING,
    target=Status.RUNNING,
    permission="journey.change_project",
    guards=[organisation_is_set_up],
    details=LENGTH,
    label="Lay the plan",
    then=lambda project, by: lay_plan(project, by=by),
)
def begin(project: Project, *, by: Any, starts_on: date, months: int) -> None:
    """Lay the plan: every line becomes an action with an owner and a day."""
    if abs(months_between(today(), starts_on)) >= FARTHEST_START:
        raise Refused("Choose a first day within a year of today.", field="starts_on")
    project.starts_on, project.months = starts_on, months


@transition(
    Project,
    source=Status.RUNNING,
    target=Status.COMPLETED,
    permission="journey.change_project",
    guards=[plan_is_done],
    label="Complete",
)
def complete(project: Project, *, by: Any) -> None:
    """Complete it: the system is built; from now on it is kept alive."""


@transition(
    Project,
    source=Status.COMPLETED,
    target=Status.RUNNING,
    permission="journey.change_project",
    reason=True,
    label="Take up again",
    primary=False,
)
def resume(project: Project, *, by: Any) -> None:
    """Take it up again."""


def choose_starter(project: Project, *, by: Person, key: str) -> Project:
    """Remember which starter the organisation begins with, while nothing is laid yet."""
    if not by.has_perm("journey.add_project"):
        raise PermissionDenied("Your role does not allow you to choose a starter.")
    with db.atomic():
        locked: Project = Project._base_manager.select_for_update(of=("self",)).get(pk=project.pk)
        if locked.status == Status.PREPARING and locked.starter != key:
            locked.starter = key
            locked.save_because(f"Begins with the starter {key}.", by=by)
    return locked


def lay_plan(project: Project, *, by: Person) -> None:
    """The lines of the plan with their actions, dated from the first day and the length."""
    lines = guide.plan_lines()
    days = plan.lay_out([line.share for line in lines], project.starts_on, project.months)
    steps = [
        PlanStep(
            project=project, position=position, step=line.step, share=line.share, created_by=by
        )
        for position, line in enumerate(lines, start=1)
    ]
    insert_together(steps)
    for step, line, day in zip(steps, lines, days, strict=True):
        promise(
            by=by,
            title=line.title,
            owner=owner_for(line.role, by),
            due=day,
            origin=step,
            kind=Action.Kind.ROADMAP,
            description=guide.steps()[line.step - 1].purpose,
        )


def owner_for(role: str, by: Person) -> Person:
    """Whoever holds the role first by name; else who keeps the system; else who asks."""
    holders = Person.objects.holding
    found = holders(role).first() or holders("quality_manager").first()
    return found or by


def actions_of(project: Project) -> Any:
    """The actions of the plan, without voided ones."""
    steps = list(project.steps.all())
    return Action.objects.raised_from(*steps).exclude(status=Action.Status.VOID)


@dataclass(frozen=True)
class Planned:
    """A line of the plan with its action and the day it will really end."""

    step: PlanStep
    action: Action
    expected: date

    @property
    def is_done(self) -> bool:
        return self.action.status in (Action.Status.DONE, Action.Status.VERIFIED)

    @property
    def moved(self) -> bool:
        """Whether the day is another than the one first promised."""
        return self.action.due != self.action.original_due

    @property
    def slips(self) -> int:
        """Days by which it will end later than planned; 0 when it is done or in time."""
        return 0 if self.is_done else max(0, (self.expected - self.action.due).days)


def planned(project: Project, day: date) -> list[Planned]:
    """The plan in its order, with what is to be expected of it; two queries."""
    steps = {step.pk: step for step in project.steps.all()}
    rows = Action.objects.raised_from(*steps.values()).exclude(status=Action.Status.VOID)
    actions = sorted(
        rows.select_related("owner"), key=lambda each: (steps[each.origin_id].position, each.pk)
    )
    lines = [
        plan.Line(
            steps[each.origin_id].share,
            each.due,
            each.done_on if _is_done(each) else None,
            each.due != each.original_due,
        )
        for each in actions
    ]
    return [
        Planned(steps[action.origin_id], action, expected)
        for action, expected in zip(actions, plan.forecast(lines, day), strict=True)
    ]


def _is_done(action: Action) -> bool:
    return action.status in (Action.Status.DONE, Action.Status.VERIFIED)


def replan(project: Project, *, by: Person, until: date, reason: str) -> int:
    """Lay out what is open anew, from today to `until`; returns how many lines have moved.

    Done lines and every first date stay as they are. Raises PermissionDenied and Refused.
    """
    if not by.has_perm("journey.change_project"):
        raise PermissionDenied("Your role does not allow you to move the plan.")
    day = today()
    if until <= day:
        raise Refused("Choose a day to come; the open lines need time.", field="until")
    if until > add_months(day, 2 * LONGEST):
        raise Refused("Choose a day within two years.", field="until")
    if not reason.strip():
        raise Refused("Say why the plan moves; the reason is kept with every line.", field="reason")
    with db.atomic():
        locked = Project._base_manager.select_for_update(of=("self",)).get(pk=project.pk)
        if locked.status != Status.RUNNING:
            raise Refused("There is no running plan to move.")
        return _move(planned(locked, day), day, until, by, reason)


def _move(rows: list[Planned], start: date, until: date, by: Person, reason: str) -> int:
    lines = [
        plan.Line(row.step.share, row.action.due, row.action.done_on if row.is_done else None)
        for row in rows
    ]
    moved = 0
    for row, day in zip(rows, plan.lay_out_anew(lines, start, until), strict=True):
        if not row.is_done and row.action.due != day:
            amend(row.action, by=by, changes={"due": day}, reason=reason)
            moved += 1
    return moved


# The opening questions


@creates(OpeningAnswer, permission=OPENING)
def add_opening_answer(*, by: Person, question: str, text: str) -> OpeningAnswer:
    """The first answer to an opening question."""
    answer = OpeningAnswer(question=question, text=text, created_by=by)
    answer.save()
    return answer


def answer_opening(*, by: Person, answers: Mapping[str, str]) -> list[OpeningAnswer]:
    """Answer opening questions by their keys; what is left empty stays as it was."""
    if not by.has_perm(OPENING):
        raise PermissionDenied("Your role does not allow you to answer the opening questions.")
    known = {each.key for each in guide.questions()}
    if foreign := set(answers) - known:
        raise Refused(f"There is no opening question {', '.join(sorted(foreign))}.")
    found = []
    with db.atomic():
        rows = OpeningAnswer._base_manager.select_for_update(of=("self",))
        existing = {each.question: each for each in rows.order_by("pk")}
        for key, text in answers.items():
            if text.strip():
                found.append(_answer_one(existing.get(key), key, text.strip(), by))
    return found


def _answer_one(existing: OpeningAnswer | None, key: str, text: str, by: Person) -> OpeningAnswer:
    if existing is None:
        answer = add_opening_answer(by=by, question=key, text=text)
    elif existing.text == text:
        return existing
    else:
        answer = existing
        answer.text = text
        answer.save_because("Answered anew.", by=by)
    publish(OpeningAnswered(key, tuple(answer.lines), by))
    return answer


def opening_lines(question: str) -> list[str]:
    """What was answered to an opening question, one thing each; empty before."""
    answer = OpeningAnswer.objects.filter(question=question).first()
    return answer.lines if answer else []


# The seven principles


@creates(PrincipleAnswer, permission=PRINCIPLES)
def add_principle_answer(*, by: Person, question: str, answer: str) -> PrincipleAnswer:
    """The first answer to a question about a principle."""
    day = today()
    made = PrincipleAnswer(
        question=question,
        answer=answer,
        looked_at_on=day,
        looked_at_by=by,
        review_on=add_months(day, REVIEW_MONTHS),
        created_by=by,
    )
    made.save()
    return made


def answer_principle(
    *, by: Person, principle: str, answers: Mapping[str, str]
) -> list[PrincipleAnswer]:
    """Answer the questions of one principle, or look at them again: the year begins anew.

    `answers` maps "leadership.2" to the words; an empty one is left as it was. What is given again
    in the same words is kept as looked at.
    """
    if not by.has_perm(PRINCIPLES):
        raise PermissionDenied("Your role does not allow you to answer for the principles.")
    found = guide.principle(principle)
    if found is None:
        raise Refused("There are seven principles. Choose one of them.")
    known = {key for key, _text in found.asked()}
    if foreign := set(answers) - known:
        raise Refused(f"This principle has no question {', '.join(sorted(foreign))}.")
    if not any(text.strip() for text in answers.values()):
        raise Refused("Answer at least one of the questions in a sentence or two.")
    with db.atomic():
        rows = PrincipleAnswer._base_manager.select_for_update(of=("self",))
        existing = {each.question: each for each in rows.filter(question__in=known)}
        return [
            _look_at(existing.get(key), key, text.strip(), by)
            for key, text in answers.items()
            if text.strip()
        ]


def _look_at(existing: PrincipleAnswer | None, key: str, text: str, by: Person) -> PrincipleAnswer:
    if existing is None:
        return add_principle_answer(by=by, question=key, answer=text)
    day = today()
    same = existing.answer == text
    existing.answer = text
    existing.looked_at_on, existing.looked_at_by = day, by
    existing.review_on = add_months(day, REVIEW_MONTHS)
    existing.save_because("Looked at again; it still holds." if same else "Answered anew.", by=by)
    return existing


# The briefing


@creates(Briefing, permission="journey.add_briefing")
def record_briefing(
    *,
    by: Person,
    held_on: date,
    topics: str,
    hours: int,
    budget: Decimal,
    currency: str = Briefing.Currency.USD,
    decision: str = Decision.GO_AHEAD,
    conditions: str = "",
    guests: str = "",
    attendees: Iterable[Person] = (),
) -> Briefing:
    """What was said and granted at a briefing, as a draft until top management signs it."""
    briefing = Briefing(
        held_on=held_on,
        topics=topics.strip(),
        hours=hours,
        budget=budget,
        currency=currency,
        decision=decision,
        conditions=conditions.strip(),
        guests=guests.strip(),
        created_by=by,
    )
    briefing.check_conditions()
    briefing.save()
    _attended(briefing, attendees, by)
    return briefing


def set_attendees(
    briefing: Briefing, *, by: Person, attendees: Iterable[Person], seen: str | None = None
) -> Briefing:
    """Say who was there, while the briefing is a draft; who is left out is ended, not deleted.

    `seen` is the seal of the links on the page. Raises PermissionDenied, Refused, Stale.
    """
    if not editing_briefing.permitted(briefing, by):
        raise PermissionDenied("Your role does not allow you to say who was there.")
    with db.atomic():
        locked = Briefing._base_manager.select_for_update(of=("self",)).get(pk=briefing.pk)
        if why := editing_briefing.obstacles(locked, by):
            raise Refused(" ".join(why))
        refuse_stale(seen, {"briefing": locked}, BriefingAttendee)
        _attended(locked, attendees, by)
    return briefing


def _attended(briefing: Briefing, people: Iterable[Person], by: Person) -> None:
    owner = {"briefing": briefing}
    set_links(BriefingAttendee, owner=owner, target="person", targets=people, by=by)


@transition(
    Briefing,
    source=Briefing.Status.DRAFT,
    target=Briefing.Status.SIGNED,
    permission="journey.sign_briefing",
    guards=[somebody_attended, who_signs_was_there, it_has_taken_place],
    signs="Agreed",
    label="Sign",
)
def sign(briefing: Briefing, *, by: Any) -> None:
    """Sign it: what was decided and granted stands from now on."""
    briefing.signed_by, briefing.signed_on = by, today()


void = voids(Briefing, source=Briefing.Status.DRAFT, permission="journey.void_briefing")

BRIEFING_FIELDS = (
    "held_on",
    "topics",
    "hours",
    "budget",
    "currency",
    "decision",
    "conditions",
    "guests",
)
editing_briefing = amendment(
    Briefing,
    permission="journey.change_briefing",
    fields=BRIEFING_FIELDS,
    states=(Briefing.Status.DRAFT,),
)


# Who has to do what next


@contributions.work(Project)
def project_steps(project: Project) -> list[Step]:
    """Whoever keeps the system goes on with the start-up until the plan is laid."""
    if project.status != Status.PREPARING:
        return []
    return [Step("start", "Continue", role="quality_manager", remind=False, url="/start/")]


@contributions.work(Briefing)
def briefing_steps(briefing: Briefing) -> list[Step]:
    """Top management signs what it has decided."""
    if briefing.status != Briefing.Status.DRAFT:
        return []
    return [Step("sign", "Sign", role="top_management", remind=False)]


@contributions.work(PrincipleAnswer)
def principle_steps(answer: PrincipleAnswer) -> list[Step]:
    """Each principle is looked at once a year; its first question stands for all of them."""
    if not answer.question.endswith(".1"):
        return []
    return [Step("look", "Look at it again", role="quality_manager", due=answer.review_on)]
