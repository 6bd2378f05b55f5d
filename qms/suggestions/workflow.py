"""The procedure of a suggestion: received, decided with an answer, done (ISO 9001 10.3)."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied

from qms import contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.actions.workflow import ActionDone
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import day_of, today
from qms.refusals import Refused
from qms.suggestions.models import Suggestion, Vote
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, one_of_two, transition

Status = Suggestion.Status
ANSWER_DAYS = 14


def not_ones_own(suggestion: Suggestion, by: Any) -> str | None:
    if by.pk == suggestion.created_by_id:
        return "Somebody else decides on your suggestion."
    return None


def only_who_had_it(suggestion: Suggestion, by: Any) -> str | None:
    if by.pk == suggestion.created_by_id:
        return None
    return "Only who had the idea words it anew."


@creates(Suggestion, permission="suggestions.add_suggestion")
def suggest(*, by: Person, title: str, details: str = "") -> Suggestion:
    """Hand in an idea; one line is enough."""
    if not title.strip():
        raise Refused("Say your idea in one line.", field="title")
    suggestion = Suggestion(title=title.strip(), details=details.strip(), created_by=by)
    suggestion.save()
    return suggestion


@transition(
    Suggestion,
    source=Status.RECEIVED,
    target=Status.TAKEN_UP,
    permission="suggestions.decide_suggestion",
    only=not_ones_own,
    label="Do it",
    details={
        "answer": forms.CharField(
            label="Your answer to the person",
            widget=forms.Textarea(attrs={"rows": 2}),
            max_length=2000,
        ),
        "owner": forms.ModelChoiceField(Person.objects.people(), label="Who does it"),
        "due": forms.DateField(label="By when"),
    },
)
def take_up(suggestion: Suggestion, *, by: Any, answer: str, owner: Person, due: date) -> None:
    """Take it up: it becomes an action, and whoever had the idea is thanked."""
    _answer(suggestion, by, answer)
    actions.promise(
        by=by,
        title=suggestion.title,
        owner=owner,
        due=due,
        origin=suggestion,
        kind=Action.Kind.IMPROVEMENT,
        description=suggestion.details,
    )


@transition(
    Suggestion,
    source=Status.RECEIVED,
    target=Status.DECLINED,
    permission="suggestions.decide_suggestion",
    only=not_ones_own,
    label="Decline",
    primary=False,
    details={
        "answer": forms.CharField(
            label="Why not, to the person",
            widget=forms.Textarea(attrs={"rows": 2}),
            max_length=2000,
        )
    },
)
def decline(suggestion: Suggestion, *, by: Any, answer: str) -> None:
    """Decline it, with the reason told to whoever had the idea."""
    _answer(suggestion, by, answer)


def _answer(suggestion: Suggestion, by: Any, answer: str) -> None:
    suggestion.answer, suggestion.decided_by = answer.strip(), by
    suggestion.decided_on = today()


def its_action_is_done(suggestion: Suggestion, by: Any) -> str | None:
    action = suggestion.action
    if action is None:
        return "Its action was voided; nothing was put into practice."
    return f"{action.number} is still open." if action.status == Action.Status.OPEN else None


def its_action_is_given_up(suggestion: Suggestion, by: Any) -> str | None:
    action = suggestion.action
    return f"{action.number} is for it; void that first." if action is not None else None


@transition(
    Suggestion,
    source=Status.TAKEN_UP,
    target=Status.DONE,
    permission="suggestions.decide_suggestion",
    guards=[its_action_is_done],
    label="It is done",
)
def finish(suggestion: Suggestion, *, by: Any) -> None:
    """Say that the idea is put into practice."""
    suggestion.done_on = today()


@transition(
    Suggestion,
    source=Status.TAKEN_UP,
    target=Status.DECLINED,
    permission="suggestions.decide_suggestion",
    only=not_ones_own,
    guards=[its_action_is_given_up],
    reason=True,
    label="It is not done after all",
    primary=False,
)
def give_up(suggestion: Suggestion, *, by: Any) -> None:
    """Say why an idea that was taken up is not put into practice; it counts as no improvement."""
    suggestion.decided_by, suggestion.decided_on = by, today()


def may_vote(suggestion: Suggestion, by: Any) -> bool:
    """Whether somebody may say that they want it: not one's own, and only until it is decided."""
    may = by.has_perm("suggestions.vote_suggestion")
    return bool(may and suggestion.state == Status.RECEIVED and not not_ones_own(suggestion, by))


def has_voted(suggestion: Suggestion, by: Any) -> bool:
    return Vote.objects.live().filter(suggestion=suggestion, person=by).exists()


def vote(suggestion: Suggestion, *, by: Any, wants: bool = True) -> None:
    """Say that one wants it, or take that back; once for each person, until it is decided."""
    if not by.has_perm("suggestions.vote_suggestion"):
        raise PermissionDenied("Your role does not allow you to vote.")
    with one_of_two():
        held = Suggestion._base_manager.select_for_update(of=("self",)).get(pk=suggestion.pk)
        if not_ones_own(held, by):
            raise Refused("Your own idea has your vote already.")
        if held.state != Status.RECEIVED:
            raise Refused("It is decided; nobody votes on it any more.")
        known = Vote.objects.filter(suggestion=held, person=by).first()
        if known is None and wants:
            Vote(suggestion=held, person=by, created_by=by).save()
        elif known is not None and known.ended == wants:
            known.ended = not wants
            known.save_because("Wants it." if wants else "Took it back.", by=by)


amendment(
    Suggestion,
    permission="suggestions.add_suggestion",
    fields=("title", "details"),
    only=only_who_had_it,
    states=[Status.RECEIVED],
)


@contributions.work(Suggestion)
def next_of_suggestion(suggestion: Suggestion) -> list[Step]:
    """The quality manager answers within two weeks; later, once its action is done, closes it."""
    if suggestion.state == Status.RECEIVED:
        due = day_of(suggestion.recorded_at) + timedelta(days=ANSWER_DAYS)
        return [Step("answer", "Answer", role="quality_manager", due=due)]
    if suggestion.state == Status.TAKEN_UP and not its_action_is_done(suggestion, None):
        return [Step("finish", "Close", role="quality_manager", remind=False)]
    return []


@handles(ActionDone)
def its_suggestion_waits(event: ActionDone) -> None:
    """An action of a suggestion was done: the suggestion can be closed."""
    if isinstance(event.action.origin, Suggestion):
        refresh(event.action.origin)
