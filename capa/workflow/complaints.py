"""The procedure of a complaint: acknowledged, looked into, answered, closed by what they say.

Its days are working days of the organisation. What the customer reads names nobody of ours and no
cause unless somebody chose so. A complaint whose nonconformity is open is not closed.
"""

import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.utils import dateformat

from capa.models import Complaint, Nonconformity
from capa.workflow.details import days, text
from qms import contributions
from qms.contributions import Step
from qms.customers.models import Feedback
from qms.customers.workflow import answer_feedback, only_who_answers_it
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.workflow import working_days_after
from qms.workflow import amendment, creates, transition, voids

State = Complaint.Status
VERDICT_DAYS = 10  # working days in which the customer is asked what they say to the answer


@creates(Complaint, permission="capa.add_complaint")
def take_up_complaint(*, by: Any, feedback: Feedback, owner: Person | None = None) -> Complaint:
    """Handle what a customer complained of; the feedback says which complaint it became."""
    held = Feedback._base_manager.select_for_update(of=("self",)).get(pk=feedback.pk)
    if why := only_who_answers_it(held, by):
        raise PermissionDenied(why)
    if held.status == Feedback.Status.VOID or held.kind != Feedback.Kind.COMPLAINT:
        raise Refused("Only a complaint that stands is handled.", field="feedback")
    known = Complaint.objects.standing().filter(feedback=held).first()
    if known is not None:
        raise Refused(f"It is handled as {known.number} already.", field="feedback")
    of_customer = held.customer.owner if held.customer else None
    made = Complaint(
        feedback=held,
        owner=owner or (of_customer if of_customer and of_customer.is_active else by),
        due=working_days_after(held.heard_on, days("acknowledge_days")),
        created_by=by,
    )
    made.save()
    if held.status == Feedback.Status.HEARD:
        answer_feedback(held, by=by, follows=f"It is handled as {made.number}.")
    return made


@guards_attaching(Complaint)
def until_it_is_void(complaint: Complaint, by: Any) -> str | None:
    return "It was a mistake; nothing is added to it." if complaint.status == State.VOID else None


def only_who_answers_the_complaint(complaint: Complaint, by: Any) -> str | None:
    if by.pk == complaint.owner_id or by.holds("quality_manager", "top_management"):
        return None
    return "Only who answers the complaint or the quality manager does this."


def cases_of_complaint(complaint: Complaint) -> Any:
    """The nonconformities raised from what the customer said, void ones left out."""
    return Nonconformity.objects.raised_from(complaint.feedback).exclude(status="void")


def its_case_is_closed(complaint: Complaint, by: Any) -> str | None:
    first = cases_of_complaint(complaint).exclude(status="closed").order_by("pk").first()
    if first is None:
        return None
    return f"{first.number} is still open: what they complained of is not yet mended for good."


@transition(
    Complaint,
    source=State.RECEIVED,
    target=State.ACKNOWLEDGED,
    permission="capa.answer_complaint",
    only=only_who_answers_the_complaint,
    label="Acknowledged",
    details={
        "acknowledged_how": forms.ChoiceField(
            label="How they were told that we look into it", choices=Complaint.How.choices
        ),
    },
)
def acknowledge(complaint: Complaint, *, by: Any, acknowledged_how: str) -> None:
    """Say that the customer was told that we have their complaint and look into it."""
    complaint.acknowledged_how = acknowledged_how
    complaint.acknowledged_on, complaint.acknowledged_by = today(), by
    complaint.due = _answer_due(complaint)
    if not complaint.letter:
        complaint.letter = begun_letter(complaint)


def _answer_due(complaint: Complaint) -> date:
    return working_days_after(complaint.feedback.heard_on, days("answer_days"))


def begun_letter(complaint: Complaint) -> str:
    """How a letter begins: the day, their own words, thanks."""
    heard = complaint.feedback
    day = dateformat.format(heard.heard_on, "j F Y")
    return (
        "Dear Sir or Madam,\n\n"
        f"On {day} you told us: “{heard.title}” Thank you for saying so.\n\n"
        "We have looked into it."
    )


@transition(
    Complaint,
    source=State.ACKNOWLEDGED,
    target=State.ANSWERED,
    permission="capa.answer_complaint",
    only=only_who_answers_the_complaint,
    label="Answer",
    details={
        "justified": forms.ChoiceField(label="Justified?", choices=Complaint.Justified.choices),
        "justified_because": text("Why", rows=2),
        "outcome": text("What the customer gets", rows=2),
        "letter": text(
            "Letter to the customer",
            rows=8,
            help_text="What they read. It is printed under the name of the organisation.",
        ),
        "with_name": forms.BooleanField(
            label="Names of ours may stand in the letter", required=False
        ),
        "with_cause": forms.BooleanField(
            label="The letter tells the cause that was found", required=False
        ),
    },
)
def answer_complaint(
    complaint: Complaint,
    *,
    by: Any,
    justified: str,
    justified_because: str,
    outcome: str,
    letter: str,
    with_name: bool = False,
    with_cause: bool = False,
) -> None:
    """Answer it: whether it is justified and why, what they get, and the letter they read."""
    said = {"justified_because": justified_because, "outcome": outcome, "letter": letter}
    for name, words in said.items():
        if not words.strip():
            raise Refused("Say it in a sentence; the answer is whole or not given.", field=name)
    if why := fit_to_send(letter, with_name=with_name):
        raise Refused(why, field="letter")
    if with_cause and not cause_for(complaint):
        raise Refused(
            "No cause is found yet, so the letter cannot tell it. Take the choice back, or find"
            " the cause first.",
            field="with_cause",
        )
    complaint.justified, complaint.justified_because = justified, justified_because.strip()
    complaint.outcome, complaint.letter = outcome.strip(), letter.strip()
    complaint.with_name, complaint.with_cause = bool(with_name), bool(with_cause)
    complaint.answered_on, complaint.answered_by = today(), by
    if complaint.answered_in_time is None:
        complaint.answered_in_time = complaint.due is None or today() <= complaint.due
    complaint.answers += 1
    complaint.due = working_days_after(today(), VERDICT_DAYS)


def fit_to_send(letter: str, *, with_name: bool) -> str | None:
    """A letter names nobody of ours unless it was chosen."""
    if with_name:
        return None
    words = " ".join(letter.split())  # a name is one across a line's end and in capitals, too
    for name in Person.objects.people().order_by("name").values_list("name", flat=True):
        if re.search(rf"\b{re.escape(' '.join(name.split()))}\b", words, re.IGNORECASE):
            return f"The letter names {name}. Take the name out, or say that names may stand in it."
    return None


def cause_for(complaint: Complaint) -> str:
    """The cause that was found for what they complained of; empty before there is one."""
    found = cases_of_complaint(complaint).exclude(root_cause="").order_by("pk").first()
    return found.root_cause if found else ""


@transition(
    Complaint,
    source=State.ANSWERED,
    target=State.CLOSED,
    permission="capa.answer_complaint",
    only=only_who_answers_the_complaint,
    guards=[its_case_is_closed],
    label="Close with their verdict",
    details={
        "verdict": forms.ChoiceField(
            label="What the customer says to it", choices=Complaint.Verdict.choices
        ),
        "verdict_words": text("In their words", rows=2, required=False),
        "what_then": text(
            "What was done then",
            rows=2,
            required=False,
            help_text="Needed unless they are satisfied.",
        ),
    },
)
def close_complaint(
    complaint: Complaint,
    *,
    by: Any,
    verdict: str,
    verdict_words: str = "",
    what_then: str = "",
) -> None:
    """Close it with what the customer says to the answer."""
    if verdict != Complaint.Verdict.SATISFIED and not what_then.strip():
        raise Refused(
            "Say what was done then: another offer, a talk, why nothing more is possible.",
            field="what_then",
        )
    complaint.verdict, complaint.verdict_words = verdict, verdict_words.strip()
    complaint.what_then = what_then.strip()
    complaint.closed_on, complaint.closed_by, complaint.due = today(), by, None


@transition(
    Complaint,
    source=State.ANSWERED,
    target=State.ACKNOWLEDGED,
    permission="capa.answer_complaint",
    only=only_who_answers_the_complaint,
    label="They are not satisfied: answer again",
    primary=False,
    details={"verdict_words": text("What they said to the answer", rows=2)},
)
def answer_again(complaint: Complaint, *, by: Any, verdict_words: str) -> None:
    """The customer does not accept the answer; it is looked into and answered again."""
    if not verdict_words.strip():
        raise Refused("Say what they said to the answer.", field="verdict_words")
    complaint.verdict_words = verdict_words.strip()
    complaint.due = working_days_after(today(), days("answer_days"))


void_complaint = voids(Complaint, source=State.RECEIVED, permission="capa.void_complaint")
editing_complaint = amendment(
    Complaint,
    permission="capa.answer_complaint",
    only=only_who_answers_the_complaint,
    fields=("owner", "letter", "with_name", "with_cause"),
    states=(State.RECEIVED, State.ACKNOWLEDGED),
)


@contributions.work(Complaint)
def next_of_complaint(complaint: Complaint) -> list[Step]:
    """Who answers it acknowledges, answers, and hears what they say."""
    words = {
        State.RECEIVED: "Acknowledge",
        State.ACKNOWLEDGED: "Answer",
        State.ANSWERED: "Ask what they say",
    }
    if complaint.status not in words:
        return []
    name, due = words[State(complaint.status)], complaint.due
    if complaint.owner.is_active:
        return [Step(complaint.status, name, person=complaint.owner, due=due)]
    return [Step(complaint.status, name, role="quality_manager", due=due)]
