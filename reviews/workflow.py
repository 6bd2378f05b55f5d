"""The procedure of a management review: planned, compiled, held, its minutes signed (9.3).

It cannot be held while an input has neither content nor a reason why nothing changed, nor without
top management; it cannot be closed without an entry under each of the three outputs, nor while an
objective is neither confirmed nor revised nor closed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import transaction as db
from django.db.models import Q
from django.urls import reverse

from objectives.models import Analysis, Indicator, Objective, in_a_row
from objectives.workflow import standing_of
from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import promise
from qms.actions.workflow import void as void_action
from qms.contributions import Step
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.forms import DateInput
from qms.people.models import Person
from qms.periods import add_months, today
from qms.records import RecordSaved, insert_together
from qms.refusals import Refused
from qms.scope.models import Organisation, Process
from qms.work.workflow import refresh
from qms.workflow import amend, amendment, creates, transition, voids
from reviews import inputs
from reviews.models import Decision, Review, ReviewAttendee, ReviewedObjective, ReviewInput

Status = Review.Status
SIGN_WITHIN = 14  # days after the meeting
ANALYSE_BEFORE = 7  # days before the planned day
REVISE_WITHIN = 28  # days after the meeting until an objective is as the review wants it
TO_BE_CHANGED = (ReviewedObjective.Answer.REVISED, ReviewedObjective.Answer.CLOSED)
ANSWERED = {
    ReviewedObjective.Answer.CONFIRMED: "confirmed",
    ReviewedObjective.Answer.REVISED: "revised",
    ReviewedObjective.Answer.CLOSED: "closed",
}
ACTION_KINDS = {
    Decision.Kind.IMPROVEMENT: Action.Kind.IMPROVEMENT,
    Decision.Kind.CHANGE: Action.Kind.CHANGE,
    Decision.Kind.RESOURCES: Action.Kind.RESOURCE,
}


# Guards


def every_input_is_answered(review: Review, by: Any) -> str | None:
    """Rule 1: content, or an explicit reason that nothing changed."""
    bare = [each.key for each in inputs_of(review) if each.required and not each.is_answered]
    if not bare:
        return None
    if len(bare) == 1:
        return f"Input {bare[0]} is empty: say what you see, or why nothing changed."
    return f"{len(bare)} inputs are empty ({', '.join(bare)}): say what you see, or why not."


def every_output_is_decided(review: Review, by: Any) -> str | None:
    """Rule 5: at least one entry under each of the three outputs, possibly that none is needed."""
    decided = review.decisions.exclude(status=Decision.Status.VOID)
    there = set(decided.values_list("kind", flat=True))
    missing = [kind.label.lower() for kind in Decision.Kind if kind.value not in there]
    if not missing:
        return None
    return f"Nothing is decided yet about {' and '.join(missing)}. If none is needed, say why."


def every_objective_is_answered(review: Review, by: Any) -> str | None:
    """Each objective pursued at the review is confirmed, revised or closed, with the reason."""
    bare = [row.objective.number for row in objectives_of(review) if not row.is_answered]
    if not bare:
        return None
    named = in_a_row(bare) if len(bare) < 4 else f"{len(bare)} objectives"
    verb = "is" if len(bare) == 1 else "are"
    return f"{named} {verb} neither confirmed nor revised nor closed."


def took_part(review: Review, by: Any) -> str | None:
    """Who signs the minutes was there, as one of top management."""
    attended = ReviewAttendee.objects.live().filter(review=review, as_top_management=True)
    if attended.filter(person_id=by.pk).exists():
        return None
    return "Only somebody of top management who took part signs the minutes."


def is_being_prepared(given: ReviewInput, by: Any) -> str | None:
    """What was said before the meeting stands in the minutes."""
    if given.review.status == Status.COMPILED:
        return None
    return "The inputs can be commented on from compiling until the review is held."


def objectives_are_open(row: ReviewedObjective, by: Any) -> str | None:
    if row.review.status in (Status.COMPILED, Status.HELD):
        return None
    return "Objectives are answered from compiling until the minutes are signed."


def answered_with_a_reason(row: ReviewedObjective, changed: Mapping[str, Any]) -> str | None:
    """An answer says why; a reason alone answers nothing."""
    answer = changed.get("answer", row.answer)
    because = changed.get("because", row.because).strip()
    if answer and not because:
        return f"Say why {row.objective.number} is {ANSWERED[answer]}."
    if because and not answer:
        return f"Say whether {row.objective.number} is confirmed, revised or closed."
    return None


def decisions_are_open(decision: Decision, by: Any) -> str | None:
    if decision.review.status in (Status.COMPILED, Status.HELD):
        return None
    return "The minutes are signed; their decisions stay."


def inputs_of(review: Review) -> list[ReviewInput]:
    """The inputs in the order of the list, each knowing its review."""
    return list(review.inputs.order_by("position", "pk"))


def objectives_of(review: Review) -> list[ReviewedObjective]:
    """The objectives a review answers, by number; each knows its review."""
    rows = review.reviewed_objectives.select_related("objective__indicator", "objective__owner")
    return [row for row in rows.order_by("objective__number", "pk") if row.is_asked]


# Factories


@creates(Review, permission="reviews.add_review")
def plan_review(
    *,
    by: Person,
    chair: Person,
    planned_on: date,
    period_start: date | None = None,
    period_end: date | None = None,
    title: str = "",
    edition: str = "",
    place: str = "",
    number: str = "",
) -> Review:
    """Plan a review of a period; by default the twelve months up to the planned day."""
    end = period_end or planned_on - timedelta(days=1)
    start = period_start or add_months(end + timedelta(days=1), -12)
    if number and Review.objects.filter(number=number).exists():
        raise Refused(f"There is a review {number} already.", field="number")
    review = Review(
        number=number,
        title=title.strip() or f"Management review {planned_on:%B %Y}",
        edition=edition or Organisation.objects.edition(),
        period_start=start,
        period_end=end,
        planned_on=planned_on,
        place=place.strip(),
        chair=chair,
        created_by=by,
    )
    review.check_plan()
    review.save()
    return review


@creates(Decision, permission="reviews.add_decision")
def decide(
    *,
    by: Person,
    review: Review,
    kind: str,
    text: str = "",
    owner: Person | None = None,
    due: date | None = None,
    none_because: str = "",
) -> Decision:
    """Note a decision: an action with owner and date, or the reason why none is needed."""
    rows = Review._base_manager.select_for_update(of=("self",))
    held: Review = rows.get(pk=review.pk)
    if held.status not in (Status.COMPILED, Status.HELD):
        raise Refused("Decisions are noted from compiling until the minutes are signed.")
    text, none_because = text.strip(), none_because.strip()
    _check_decision(text, owner, due, none_because)
    action = None
    if owner is not None and due is not None:
        action = promise(
            by=by,
            title=text if len(text) <= 200 else f"{text[:197]}…",
            description=text if len(text) > 200 else "",
            owner=owner,
            due=due,
            origin=held,
            kind=ACTION_KINDS[Decision.Kind(kind)],
        )
    decision = Decision(
        review=held,
        position=Decision.objects.filter(review=held).count() + 1,
        kind=kind,
        text=text,
        action=action,
        none_because=none_because,
        created_by=by,
    )
    decision.save()
    return decision


def _check_decision(text: str, owner: Person | None, due: date | None, none_because: str) -> None:
    """Rule 4: owner and date, or a reason; never both, never half of it."""
    if none_because:
        if owner is not None or due is not None:
            raise Refused(
                "Either somebody acts by a day, or no action is needed. Empty one of the two.",
                field="none_because",
            )
        return
    if not text:
        raise Refused("Say what is decided, or why nothing is needed.", field="text")
    if owner is None:
        raise Refused("Say who does it, or why no action is needed.", field="owner")
    if due is None:
        raise Refused("Say by when, or why no action is needed.", field="due")
    if due < today():
        raise Refused("The day is past already; choose one to come.", field="due")


# Transitions


@transition(
    Review,
    source=Status.PLANNED,
    target=Status.COMPILED,
    permission="reviews.change_review",
    label="Compile the inputs",
)
def compile_inputs(review: Review, *, by: Any) -> None:
    """Gather every input from the records as they stand now, and freeze it."""
    review.compiled_on = today()
    known = {each.key: each for each in inputs_of(review)}
    new = []
    for position, found in enumerate(inputs.compiled(review.edition, review.period), start=1):
        given = known.pop(found.key, None)
        if given is None:
            given = ReviewInput(review=review, key=found.key, created_by=by)
        elif given.title != found.title:
            # The other edition asks something else under this letter; history keeps the answer.
            given.comment = given.comment_opportunities = given.no_change_because = ""
        given.position, given.title, given.trend = position, found.title, found.trend
        given.required, given.lines = found.required, found.stored
        if given._state.adding:
            new.append(given)
        else:
            given.save_because("Compiled again from the records.", by=by)
    insert_together(new)
    for left in known.values():
        left.required, left.position = False, left.position + 100
        left.save_because("The list of this edition does not ask for it.", by=by)
    lay_out_objectives(review, by)


def lay_out_objectives(review: Review, by: Any, *, anew: bool = True) -> None:
    """A row for each objective pursued now, with how it stands; `anew` looks at known ones too."""
    known = {row.objective_id: row for row in ReviewedObjective.objects.filter(review=review)}
    new = []
    for objective in Objective.objects.active().with_readings().order_by("number"):
        row = known.get(objective.pk)
        if row is not None and not anew:
            continue
        if row is None:
            row = ReviewedObjective(review=review, objective=objective, created_by=by)
        standing = standing_of(objective, today())
        row.aim = f"{objective.aim_in_words} by {objective.deadline:%-d %B %Y}"
        row.standing, row.sentence = standing.words, standing.sentence
        row.seen_version = objective.version
        if row._state.adding:
            new.append(row)
        else:
            row.save_because("Compiled again from the records.", by=by)
    insert_together(new)


@transition(
    Review,
    source=Status.COMPILED,
    target=Status.PLANNED,
    permission="reviews.change_review",
    reason=True,
    label="Open the inputs again",
    primary=False,
)
def reopen_inputs(review: Review, *, by: Any) -> None:
    """Take the inputs back to compile them anew; comments stay."""
    review.compiled_on = None


@transition(
    Review,
    source=Status.COMPILED,
    target=Status.HELD,
    permission="reviews.hold_review",
    guards=[every_input_is_answered],
    label="Record the meeting",
    details={
        "held_on": forms.DateField(label="Held on", widget=DateInput()),
        "place": forms.CharField(label="Place", max_length=120, required=False),
        "attendees": forms.ModelMultipleChoiceField(
            Person.objects.all(),
            label="Who took part",
            widget=forms.CheckboxSelectMultiple,
            help_text="At least one of top management.",
        ),
        "guests": forms.CharField(
            label="Others who took part",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
        ),
        "conclusions": forms.CharField(
            label="Is the system suitable, adequate and effective?",
            max_length=10_000,
            widget=forms.Textarea(attrs={"rows": 5}),
        ),
    },
)
def hold(
    review: Review,
    *,
    by: Any,
    held_on: date,
    attendees: Iterable[Person],
    conclusions: str,
    place: str = "",
    guests: str = "",
) -> None:
    """Record when the review was held, who took part and what was concluded."""
    if held_on > today():
        raise Refused("The meeting cannot have been held in the future.", field="held_on")
    people = list(attendees)
    leaders = {each.pk for each in people if each.holds("top_management")}
    if not leaders:
        raise Refused("Nobody of top management took part; it is their review.", field="attendees")
    review.held_on, review.place = held_on, place.strip() or review.place
    review.guests, review.conclusions = guests.strip(), conclusions.strip()
    lay_out_objectives(review, by, anew=False)
    for person in people:
        ReviewAttendee(
            review=review,
            person=person,
            as_top_management=person.pk in leaders,
            created_by=by,
        ).save()


@transition(
    Review,
    source=Status.HELD,
    target=Status.CLOSED,
    permission="reviews.close_review",
    guards=[
        every_input_is_answered,
        every_output_is_decided,
        every_objective_is_answered,
        took_part,
    ],
    signs="Approved the minutes",
    label="Sign the minutes",
)
def close(review: Review, *, by: Any) -> None:
    """Approve the minutes: inputs, attendance and decisions as they stand here."""
    review.closed_on = today()


void = voids(Review, source=[Status.PLANNED, Status.COMPILED], permission="reviews.void_review")

editing = amendment(
    Review,
    permission="reviews.change_review",
    fields=(
        "title",
        "edition",
        "period_start",
        "period_end",
        "planned_on",
        "place",
        "chair",
        "guests",
        "conclusions",
    ),
    states=(Status.PLANNED, Status.COMPILED, Status.HELD),
)
commenting = amendment(
    ReviewInput,
    permission="reviews.change_review",
    fields=("comment", "comment_opportunities", "no_change_because"),
    guards=[is_being_prepared],
)


answering = amendment(
    ReviewedObjective,
    permission="reviews.change_review",
    fields=("answer", "because"),
    guards=[objectives_are_open],
    checks=[answered_with_a_reason],
)


@dataclass(frozen=True)
class Answered:
    """What somebody says of one objective; `version` is the row's on the page they looked at."""

    row: ReviewedObjective
    answer: str
    because: str
    version: int | None = None


def answer_objectives(said: Iterable[Answered], *, by: Any) -> list[Refused]:
    """Keep every answer, or none: then the refusals, each with its row as `field`."""
    wrong = []
    with db.atomic():
        for each in said:
            try:
                changes = {"answer": each.answer, "because": each.because.strip()}
                amend(each.row, by=by, changes=changes, version=each.version)
            except Refused as refusal:
                wrong.append(Refused(str(refusal), field=str(each.row.pk)))
        db.set_rollback(bool(wrong))
    return wrong


def hold_its_review(decision: Decision) -> None:
    """The minutes are not signed meanwhile."""
    Review._base_manager.select_for_update().get(pk=decision.review_id)


def give_up_its_action(decision: Decision, by: Any) -> None:
    """The action was promised for this decision only."""
    action = decision.action
    if action is not None and action.status in (Action.Status.OPEN, Action.Status.DONE):
        void_action(action, by=by, reason=f"{decision} was taken back.")


@transition(
    Decision,
    source=Decision.Status.NOTED,
    target=Decision.Status.VOID,
    permission="reviews.void_decision",
    guards=[decisions_are_open],
    reason=True,
    label="Take back",
    primary=False,
    locks=hold_its_review,
    then=give_up_its_action,
)
def take_back(decision: Decision, *, by: Any) -> None:
    """Take the decision back, and its action with it; both stay visible, with the reason."""


@guards_attaching(Review)
def minutes_are_open(review: Review, by: Any) -> str | None:
    if review.status in (Status.CLOSED, Status.VOID):
        return "The minutes are signed; nothing is attached any more."
    return None


# Who has to do what next


@handles(RecordSaved, order=91)
def parts_move_the_work_on(event: RecordSaved) -> None:
    """A comment, an answer or a decision may take away what a review waits for."""
    part = event.record
    if isinstance(part, ReviewInput) and event.created:
        return  # the review is being compiled: its own save follows and writes its work
    if isinstance(part, Decision):
        refresh(part.review)
    elif isinstance(part, ReviewInput | ReviewedObjective):
        # While a review is compiled or held its own save follows and writes its work.
        waits = Status.COMPILED if isinstance(part, ReviewInput) else Status.HELD
        rows = Review.objects.filter(pk=part.review_id, status=waits)
        for review in rows.select_related("chair"):
            refresh(review)


@handles(RecordSaved, order=92)
def what_was_wanted_is_asked_for(event: RecordSaved) -> None:
    """A review that was held asks for what it wants of objectives, until they are so."""
    rows = ReviewedObjective.objects.filter(answer__in=TO_BE_CHANGED)
    if isinstance(event.record, Objective):
        rows = rows.filter(objective=event.record)
    elif isinstance(event.record, Review):
        rows = rows.filter(review=event.record)
    else:
        return
    for row in rows.select_related("review", "objective__owner"):
        refresh(row)


@contributions.work(Review)
def next_steps(review: Review) -> list[Step]:
    """The quality manager prepares; the chair holds it and signs."""
    if review.status == Status.PLANNED:
        prepare = Step("compile", "Prepare", role="quality_manager", due=review.planned_on)
        return [prepare, *analyses_wanted(review)]
    if review.status == Status.COMPILED:
        why = every_input_is_answered(review, None) or ""
        return [
            *(
                [Step("answer", "Answer", role="quality_manager", due=review.planned_on)]
                if why
                else []
            ),
            Step("hold", "Hold", person=review.chair, due=review.planned_on, obstacle=why),
        ]
    if review.status == Status.HELD and review.held_on is not None:
        open_yet = (every_output_is_decided, every_objective_is_answered)
        why = " ".join(said for guard in open_yet if (said := guard(review, None)))
        due = review.held_on + timedelta(days=SIGN_WITHIN)
        return [Step("close", "Sign", person=review.chair, due=due, obstacle=why)]
    return []


def analyses_wanted(review: Review) -> list[Step]:
    """Who measures or pursues something in a process looks at it before the review is compiled."""
    processes = Process.objects.filter(status=Process.Status.ACTIVE, owner__is_active=True)
    measured = Indicator.objects.filter(status=Indicator.Status.ACTIVE, process__isnull=False)
    pursued = Objective.objects.active().filter(process__isnull=False)
    asked = processes.filter(
        Q(pk__in=measured.values("process")) | Q(pk__in=pursued.values("process"))
    )
    done = Analysis.objects.concluded().ending_in(review.period).filter(process__isnull=False)
    due = review.planned_on - timedelta(days=ANALYSE_BEFORE)
    return [
        Step(
            f"analyse-{each.pk}",
            f"Analyse {each.code}",
            person=each.owner,
            due=due,
            url=f"{reverse('objectives:analysis_create')}?{urlencode(_asked(each, review))}",
        )
        for each in asked.exclude(pk__in=done.values("process"))
        .select_related("owner")
        .order_by("code")
    ]


def _asked(process: Process, review: Review) -> dict[str, Any]:
    days = {"period_start": review.period_start, "period_end": review.period_end}
    return {"process": process.pk, **days}


@handles(RecordSaved, order=93)
def an_analysis_is_no_longer_asked_for(event: RecordSaved) -> None:
    """What is concluded is not waited for."""
    if isinstance(event.record, Analysis) and event.record.status == Analysis.Status.CONCLUDED:
        for review in Review.objects.filter(status=Status.PLANNED).select_related("chair"):
            refresh(review)


@contributions.work(ReviewedObjective)
def what_follows(row: ReviewedObjective) -> list[Step]:
    """The owner revises what is to be revised, the quality manager closes what is to be closed."""
    review, objective = row.review, row.objective
    if objective.status != Objective.Status.ACTIVE or review.held_on is None:
        return []
    due = review.held_on + timedelta(days=REVISE_WITHIN)
    url = objective.get_absolute_url()
    if row.answer == row.Answer.REVISED and objective.version == row.seen_version:
        return [Step("revise", "Revise", person=objective.owner, due=due, url=url)]
    if row.answer == row.Answer.CLOSED:
        return [Step("end", "Close", role="quality_manager", due=due, url=url)]
    return []
