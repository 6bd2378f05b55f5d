"""The procedure of feedback: written down by whoever hears it, and answered where it asks for it.

A complaint that shows a nonconformity becomes one in the chapter of nonconformities, which answers
it here at the same moment.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms

from qms import contributions
from qms.contributions import Step
from qms.customers.models import Customer, Feedback
from qms.files.workflow import attach_all, guards_attaching
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.workflow import creates, transition, voids

State = Feedback.Status
ANSWER_WITHIN = 7  # days


@creates(Feedback, permission="customers.add_feedback")
def take_feedback(
    *,
    by: Person,
    heard_on: date,
    kind: str,
    came_by: str,
    words: str,
    customer: Customer | None = None,
    said_by: str = "",
    about: str = "",
    papers: Iterable[Any] = (),
) -> Feedback:
    """Write down what a customer said. Raises Refused."""
    if customer is None and not said_by.strip():
        raise Refused("Choose the customer, or say who it was.", field="customer")
    if heard_on > today():
        raise Refused("The day is still ahead. Give the day it was heard.", field="heard_on")
    if not words.strip():
        raise Refused("Say what they said.", field="words")
    if kind not in Feedback.Kind.values or came_by not in Feedback.CameBy.values:
        raise Refused("Choose what it is, and how it came.", field="kind")
    made = Feedback(
        customer=customer,
        said_by=said_by.strip(),
        heard_on=heard_on,
        kind=kind,
        came_by=came_by,
        about=about.strip(),
        words=words.strip(),
        taken_by=by,
        created_by=by,
    )
    made.save()
    attach_all(made, list(papers), by=by)
    return made


@guards_attaching(Feedback)
def while_it_stands(feedback: Feedback, by: Any) -> str | None:
    void = feedback.status == State.VOID
    return "It was taken back; nothing is added." if void else None


def only_who_answers_it(feedback: Feedback, by: Any) -> str | None:
    """Who took it, who answers for the customer, and who keeps or leads the system."""
    owner = feedback.customer.owner_id if feedback.customer else None
    if by.pk in (feedback.taken_by_id, owner) or by.holds("quality_manager", "top_management"):
        return None
    return "Only who took it, the customer's owner or the quality manager answers it."


@transition(
    Feedback,
    source=State.HEARD,
    target=State.ANSWERED,
    permission="customers.answer_feedback",
    only=only_who_answers_it,
    label="Say what follows",
    details={
        "follows": forms.CharField(
            label="What follows, and what they were told",
            max_length=5000,
            widget=forms.Textarea(attrs={"rows": 3}),
        )
    },
)
def answer_feedback(feedback: Feedback, *, by: Any, follows: str) -> None:
    """Say what follows from it and what the customer was told."""
    if not follows.strip():
        raise Refused("Say what follows.", field="follows")
    feedback.follows = follows.strip()


void_feedback = voids(
    Feedback, source=[State.HEARD, State.ANSWERED], permission="customers.void_feedback"
)


@contributions.work(Feedback)
def next_of_feedback(feedback: Feedback) -> list[Step]:
    """A complaint is answered: by the customer's owner, else by the quality manager."""
    if feedback.status != State.HEARD or feedback.kind != Feedback.Kind.COMPLAINT:
        return []
    due = due_in(ANSWER_WITHIN, feedback.heard_on)
    owner = feedback.customer.owner if feedback.customer else None
    if owner is not None and owner.is_active:
        return [Step("answer", "Answer", person=owner, due=due)]
    return [Step("answer", "Answer", role="quality_manager", due=due)]
