"""The procedure of a survey: drafted, opened to some customers, answered once each, closed (9.1.2).

Opening it mails each customer a link of their own; one reminder goes to who has not answered. The
link ends with the survey.
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.contributions import Step
from qms.customers.models import Customer, Survey, SurveyAnswer, SurveyInvitation, digest_of
from qms.customers.models.surveys import LONGEST_QUESTION, MOST_QUESTIONS
from qms.links import set_links
from qms.outbox.workflow import add
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition, voids

State = Survey.Status
INVITE = "customers.invite"
KEEPERS = ("quality_manager", "top_management")
ANSWER_EARLY = 7  # days before the end from which a reminder is worth asking for


# Guards


def only_who_asks(survey: Survey, by: Any) -> str | None:
    if by.pk == survey.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, the quality manager or top management does this."


def asks_something(survey: Survey, by: Any) -> str | None:
    if survey.asks_satisfaction or survey.asks_recommendation or survey.asked_freely:
        return None
    return "It asks nothing yet. Choose a question."


def somebody_is_asked(survey: Survey, by: Any) -> str | None:
    """Each customer that is asked has an address."""
    if survey.status != State.DRAFT:
        return None
    asked = [each.customer for each in invitations_of(survey)]
    if not asked:
        return "Nobody is asked yet. Choose the customers."
    mute = [each.number for each in asked if not each.email]
    if not mute:
        return None
    return f"No mail address is known of {', '.join(mute[:5])}. Enter it, or leave them out."


def is_still_running(survey: Survey, by: Any) -> str | None:
    if survey.closes_on >= today():
        return None
    return f"It ended on {survey.closes_on:%-d %B %Y}. Choose a later day."


def not_reminded_yet(survey: Survey, by: Any) -> str | None:
    if survey.reminded_on is None:
        return None
    return f"They were reminded on {survey.reminded_on:%-d %B %Y}; one reminder is enough."


def somebody_is_silent(survey: Survey, by: Any) -> str | None:
    return None if silent_in(survey).exists() else "Everybody has answered."


def questions_are_few(survey: Survey, changed: Mapping[str, Any]) -> str | None:
    return _too_many(changed.get("questions", ""))


def stays_open_long_enough(survey: Survey, changed: Mapping[str, Any]) -> str | None:
    day = changed.get("closes_on")
    if day is not None and survey.opened_on is not None and day < survey.opened_on:
        return "It cannot end before it was opened."
    return None


def _too_many(questions: str) -> str | None:
    lines = [line.strip() for line in questions.splitlines() if line.strip()]
    if len(lines) > MOST_QUESTIONS:
        return f"Ask at most {MOST_QUESTIONS} free questions; long surveys are not answered."
    if any(len(line) > LONGEST_QUESTION for line in lines):
        return f"A question has at most {LONGEST_QUESTION} characters."
    return None


def invitations_of(survey: Survey) -> Any:
    """Who is asked, by customer."""
    rows = SurveyInvitation.objects.live().filter(survey=survey).select_related("customer")
    return rows.order_by("customer__number")


def silent_in(survey: Survey) -> Any:
    """The invitations that were sent and not answered."""
    return invitations_of(survey).filter(sent_on__isnull=False, answer__isnull=True)


# Factories


@creates(Survey, permission="customers.add_survey")
def draft_survey(
    *,
    by: Person,
    title: str,
    closes_on: date,
    owner: Person | None = None,
    about: str = "",
    greeting: str = "",
    asks_satisfaction: bool = True,
    asks_recommendation: bool = True,
    questions: str = "",
    customers: Iterable[Customer] = (),
) -> Survey:
    """Draft a survey; nobody gets mail before it is opened."""
    if not title.strip():
        raise Refused("Say in a line what the survey is about.", field="title")
    if closes_on < today():
        raise Refused("The day is past already; choose one to come.", field="closes_on")
    if why := _too_many(questions):
        raise Refused(why, field="questions")
    survey = Survey(
        title=title.strip(),
        closes_on=closes_on,
        owner=owner or by,
        about=about.strip(),
        greeting=greeting.strip(),
        asks_satisfaction=asks_satisfaction,
        asks_recommendation=asks_recommendation,
        questions=questions.strip(),
        created_by=by,
    )
    survey.save()
    _ask(survey, by, customers)
    return survey


def _ask(survey: Survey, by: Person, customers: Iterable[Customer]) -> None:
    chosen = list(customers)
    if gone := [each.number for each in chosen if each.is_settled]:
        raise Refused(f"We do not deliver to {', '.join(gone)} any more.", field="customers")
    owner = {"survey": survey}
    set_links(SurveyInvitation, owner=owner, target="customer", targets=chosen, by=by)


def ask_customers(survey: Survey, *, by: Person, customers: Iterable[Customer]) -> Survey:
    """Choose who is asked, while it is a draft."""
    if not editing_survey.permitted(survey, by):
        raise PermissionDenied("Your role does not allow you to edit this survey.")
    with db.atomic():
        locked = Survey._base_manager.select_for_update(of=("self",)).get(pk=survey.pk)
        if locked.status != State.DRAFT:
            raise Refused("Whom it asks stands still since it was opened.")
        _ask(locked, by, customers)
    return survey


@creates(SurveyAnswer, permission="customers.answer_survey")
def answer_survey(
    invitation: SurveyInvitation,
    *,
    by: Person,
    satisfaction: int | None = None,
    recommendation: int | None = None,
    words: Iterable[tuple[str, str]] = (),
    comment: str = "",
) -> SurveyAnswer:
    """Keep what a customer answered, once. Raises Refused when it is too late or was done."""
    rows = SurveyInvitation._base_manager.select_related("survey").select_for_update(of=("self",))
    held = rows.get(pk=invitation.pk)
    if held.ended or not held.survey.takes_answers_on(today()):
        raise Refused("The survey has ended; nothing more is taken.")
    if SurveyAnswer.objects.filter(invitation=held).exists():
        raise Refused("It was answered already, with this link.")
    said = [[question, told.strip()] for question, told in words if told.strip()]
    comment = comment.strip()
    if satisfaction is None and recommendation is None and not said and not comment:
        raise Refused("Nothing is answered yet. Choose or write something.")
    answer = SurveyAnswer(
        survey=held.survey,
        invitation=held,
        answered_on=today(),
        satisfaction=satisfaction if held.survey.asks_satisfaction else None,
        recommendation=recommendation if held.survey.asks_recommendation else None,
        words=said,
        comment=comment,
        created_by=by,
    )
    answer.save()
    return answer


def invitation_of(token: str) -> SurveyInvitation | None:
    """The invitation whose link ends with this token; None where there is none.

    Asks the same whatever the token, and compares in constant time.
    """
    rows = SurveyInvitation._base_manager.select_related("survey", "customer")
    found: SurveyInvitation | None = rows.filter(
        digest=digest_of(token), sent_on__isnull=False
    ).first()
    known = found.token if found else ""
    if not hmac.compare_digest(known.encode(), token.encode()) or not known:
        return None
    return found


# Transitions


@transition(
    Survey,
    source=State.DRAFT,
    target=State.OPEN,
    permission="customers.run_survey",
    only=only_who_asks,
    guards=[asks_something, somebody_is_asked, is_still_running],
    label="Send it",
)
def open_survey(survey: Survey, *, by: Any) -> None:
    """Mail each customer a link of their own; it can be answered until its last day."""
    survey.opened_on = today()
    for invitation in invitations_of(survey).select_for_update(of=("self",)):
        invitation.address, invitation.sent_on = invitation.customer.email, today()
        invitation.save_because("Invited.", by=by)
        _mail(invitation, "invitation")


@transition(
    Survey,
    source=State.OPEN,
    target=State.OPEN,
    permission="customers.run_survey",
    only=only_who_asks,
    guards=[is_still_running, not_reminded_yet, somebody_is_silent],
    label="Remind",
)
def remind(survey: Survey, *, by: Any) -> None:
    """Remind, once, whoever has not answered."""
    survey.reminded_on = today()
    for invitation in silent_in(survey):
        _mail(invitation, "reminder")


def _mail(invitation: SurveyInvitation, what: str) -> None:
    add(INVITE, f"survey:{invitation.pk}:{what}", invitation=invitation.pk, what=what)


@transition(
    Survey,
    source=State.OPEN,
    target=State.CLOSED,
    permission="customers.run_survey",
    only=only_who_asks,
    label="Close",
)
def close_survey(survey: Survey, *, by: Any) -> None:
    """End it: its links open no more, and its result stands."""
    survey.closed_on = today()


void_survey = voids(Survey, source=[State.DRAFT, State.OPEN], permission="customers.void_survey")

editing_survey = amendment(
    Survey,
    permission="customers.change_survey",
    fields=(
        "title",
        "about",
        "greeting",
        "asks_satisfaction",
        "asks_recommendation",
        "questions",
        "owner",
        "closes_on",
    ),
    only=only_who_asks,
    states=[State.DRAFT, State.OPEN],
    checks=[questions_are_few, stays_open_long_enough],
)


# Work and hand-over


@contributions.work(Survey)
def next_of_survey(survey: Survey) -> list[Step]:
    """The owner sends it, reminds once, and closes it when its last day is over."""
    if survey.is_settled:
        return []
    if not survey.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager")]
    if survey.status == State.DRAFT:
        return [Step("open", "Send", person=survey.owner, due=survey.closes_on, remind=False)]
    steps = [Step("close", "Close", person=survey.owner, due=survey.closes_on + timedelta(days=1))]
    if survey.reminded_on is None:
        day = survey.closes_on - timedelta(days=ANSWER_EARLY)
        steps.append(Step("remind", "Remind", person=survey.owner, due=day))
    return steps


@contributions.hand_over("Surveys", order=84)
def surveys_of(person: Any) -> list[contributions.Holding]:
    """Surveys somebody runs."""
    rows = Survey.objects.filter(owner=person, status__in=(State.DRAFT, State.OPEN))
    return contributions.held(rows.order_by("number"), "owner", permission="customers.run_survey")
