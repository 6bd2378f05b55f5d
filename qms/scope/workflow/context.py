"""The context is written down, looked at again, closed with a reason (ISO 9001 4.1, 4.2, 8.2.2).

Looking again without finding a change is work, too: it leaves a row, so an auditor sees that it was
done. What no longer holds is closed or withdrawn, never deleted.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.db import transaction as db

from qms import contributions
from qms.contributions import Step
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope.models import (
    ClimateDecision,
    InterestedParty,
    Issue,
    PartyRequirement,
    Process,
    Requirement,
    RequirementProcess,
)
from qms.scope.workflow.permission import check_may
from qms.workflow import Transition, amendment, creates, transition

REVIEW_MONTHS = 12
CONTEXT, REGISTER = "scope.change_context", "scope.change_requirement"


def next_review() -> date:
    """Where nobody says a day: a year from today."""
    return add_months(today(), REVIEW_MONTHS)


def check_owner_works_here(owner: Any) -> None:
    """Refuse somebody who has left as the one who answers for it."""
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )


def owner_works_here(record: Any, by: Any) -> str | None:
    if record.owner.is_active:
        return None
    return f"{record.owner.name} is no longer active. Edit it and choose another owner first."


def _said(text: str, sentence: str, field: str) -> str:
    if not text.strip():
        raise Refused(sentence, field=field)
    return text.strip()


def _review_details() -> dict[str, forms.Field]:
    return {
        "review_on": forms.DateField(
            label="Look at it again on", required=False, help_text="Left empty, in a year."
        )
    }


def _look_again(record: Any, review_on: date | None) -> None:
    day = review_on if review_on and review_on > today() else next_review()
    record.reviewed_on, record.review_on = today(), day


# Issues


@creates(Issue, permission="scope.add_context")
def raise_issue(
    *,
    by: Person,
    what: str,
    category: str,
    why: str,
    owner: Person,
    kind: str = Issue.Kind.EXTERNAL,
    effect: str = "",
    review_on: date | None = None,
) -> Issue:
    """Write down an internal or external issue and why it matters."""
    check_owner_works_here(owner)
    made = Issue(
        what=_said(what, "Say what the issue is.", "what"),
        kind=kind,
        category=category,
        why=_said(why, "Say why it matters; else it is no issue of yours.", "why"),
        effect=effect.strip(),
        owner=owner,
        review_on=review_on or next_review(),
        created_by=by,
    )
    made.save()
    return made


@transition(
    Issue,
    source=Issue.Status.CURRENT,
    target=Issue.Status.CURRENT,
    permission=CONTEXT,
    guards=[owner_works_here],
    details=_review_details(),
    label="It still holds",
)
def confirm_issue(issue: Issue, *, by: Any, review_on: date | None = None) -> None:
    """Looked at again: it still holds as it stands."""
    _look_again(issue, review_on)


@transition(
    Issue,
    source=Issue.Status.CURRENT,
    target=Issue.Status.CLOSED,
    permission=CONTEXT,
    reason=True,
    label="Close",
    primary=False,
)
def close_issue(issue: Issue, *, by: Any) -> None:
    """It no longer matters; the reason is kept."""


@transition(
    Issue,
    source=Issue.Status.CLOSED,
    target=Issue.Status.CURRENT,
    permission=CONTEXT,
    guards=[owner_works_here],
    reason=True,
    label="Take it up again",
)
def reopen_issue(issue: Issue, *, by: Any) -> None:
    """It matters again."""


ISSUE_FIELDS = ("what", "kind", "category", "why", "effect", "owner", "review_on")


editing_issue = amendment(
    Issue, permission=CONTEXT, fields=ISSUE_FIELDS, states=(Issue.Status.CURRENT,)
)


# Interested parties and what they require (4.2)


@creates(InterestedParty, permission="scope.add_context")
def add_party(
    *,
    by: Person,
    name: str,
    why: str,
    owner: Person,
    kind: str = InterestedParty.Kind.CUSTOMER,
    review_on: date | None = None,
) -> InterestedParty:
    """Write down an interested party and why it is relevant."""
    check_owner_works_here(owner)
    name = _said(name, "Say who they are.", "name")
    if InterestedParty.objects.live().filter(name__iexact=name).exists():
        raise Refused(f"“{name}” are on the list already. Add what they require.", field="name")
    made = InterestedParty(
        name=name,
        kind=kind,
        why=_said(why, "Say why they are relevant.", "why"),
        owner=owner,
        review_on=review_on or next_review(),
        created_by=by,
    )
    made.save()
    return made


@transition(
    InterestedParty,
    source=InterestedParty.Status.CURRENT,
    target=InterestedParty.Status.CURRENT,
    permission=CONTEXT,
    guards=[owner_works_here],
    details=_review_details(),
    label="They and their needs still hold",
)
def confirm_party(party: InterestedParty, *, by: Any, review_on: date | None = None) -> None:
    """Looked at again: the party and what it requires still hold."""
    _look_again(party, review_on)
    for need in PartyRequirement.objects.live().filter(party=party).order_by("pk"):
        need.review_on = party.review_on
        need.save_because(f"Looked at again with {party}: it still holds.", by=by)


@transition(
    InterestedParty,
    source=InterestedParty.Status.CURRENT,
    target=InterestedParty.Status.CLOSED,
    permission=CONTEXT,
    reason=True,
    label="No longer relevant",
    primary=False,
)
def close_party(party: InterestedParty, *, by: Any) -> None:
    """They are no longer relevant; the reason is kept."""


def nobody_took_the_name(party: InterestedParty, by: Any) -> str | None:
    if InterestedParty.objects.live().filter(name__iexact=party.name).exists():
        return f"“{party.name}” are on the list again already."
    return None


@transition(
    InterestedParty,
    source=InterestedParty.Status.CLOSED,
    target=InterestedParty.Status.CURRENT,
    permission=CONTEXT,
    guards=[owner_works_here, nobody_took_the_name],
    reason=True,
    label="Relevant again",
)
def reopen_party(party: InterestedParty, *, by: Any) -> None:
    """They are relevant again."""


PARTY_FIELDS = ("name", "kind", "why", "owner", "review_on")
editing_party = amendment(
    InterestedParty,
    permission=CONTEXT,
    fields=PARTY_FIELDS,
    states=(InterestedParty.Status.CURRENT,),
)

DECIDED = "Say how the system takes it up, or why it does not."


def _check_answer(addressed: str, how: str) -> None:
    if addressed != PartyRequirement.Answer.OPEN and not how.strip():
        raise Refused(DECIDED, field="how")


@creates(PartyRequirement, permission="scope.add_context")
def add_need(
    *,
    by: Person,
    party: InterestedParty,
    what: str,
    addressed: str = PartyRequirement.Answer.OPEN,
    how: str = "",
    about_climate: bool = False,
    review_on: date | None = None,
) -> PartyRequirement:
    """Write down what a party needs or expects, and whether the system takes it up."""
    if party.is_settled:
        raise Refused(f"{party} are no longer relevant. Take them up again first.", field="party")
    _check_answer(addressed, how)
    made = PartyRequirement(
        party=party,
        what=_said(what, "Say what they need or expect.", "what"),
        addressed=addressed,
        how=how.strip(),
        about_climate=about_climate,
        review_on=review_on or party.review_on,
        created_by=by,
    )
    made.save()
    return made


@transition(
    PartyRequirement,
    source=PartyRequirement.Status.CURRENT,
    target=PartyRequirement.Status.WITHDRAWN,
    permission=CONTEXT,
    reason=True,
    label="They no longer require it",
    primary=False,
)
def withdraw_need(need: PartyRequirement, *, by: Any) -> None:
    """They no longer require it; the reason is kept."""


@transition(
    PartyRequirement,
    source=PartyRequirement.Status.WITHDRAWN,
    target=PartyRequirement.Status.CURRENT,
    permission=CONTEXT,
    reason=True,
    label="They require it again",
)
def reopen_need(need: PartyRequirement, *, by: Any) -> None:
    """They require it again."""


NEED_FIELDS = ("what", "addressed", "how", "about_climate", "review_on")

editing_need = amendment(
    PartyRequirement,
    permission=CONTEXT,
    fields=NEED_FIELDS,
    states=(PartyRequirement.Status.CURRENT,),
)


# The climate decision (4.1, amendment of 2024)


@creates(ClimateDecision, permission="scope.decide_climate")
def decide_climate(
    *, by: Person, relevant: bool, reason: str, decided_on: date | None = None
) -> ClimateDecision:
    """Decide whether climate change is a relevant issue; the decision before gives way."""
    reason = _said(
        reason, "Say why; “not relevant” is an answer, and it needs its reason.", "reason"
    )
    day = decided_on or today()
    if day > today():
        raise Refused("A decision is entered once it was made.", field="decided_on")
    for former in ClimateDecision.objects.live():
        give_way(former, by=Person.objects.system(), reason=f"Decided anew on {today():%-d %B %Y}.")
    made = ClimateDecision(
        relevant=relevant, reason=reason, decided_on=day, decided_by=by, created_by=by
    )
    made.save()
    return made


@transition(
    ClimateDecision,
    source=ClimateDecision.Status.IN_FORCE,
    target=ClimateDecision.Status.SUPERSEDED,
    permission="scope.supersede_climatedecision",
    reason=True,
    label="Supersede",
    primary=False,
)
def give_way(decision: ClimateDecision, *, by: Any) -> None:
    """Give way to the next decision."""


# The register of requirements (8.2.2, 4.2)


@creates(Requirement, permission="scope.add_requirement")
def register_requirement(
    *,
    by: Person,
    what: str,
    source: str,
    owner: Person,
    kind: str = Requirement.Kind.STATUTORY,
    how_met: str = "",
    review_on: date | None = None,
    processes: Iterable[Process] = (),
) -> Requirement:
    """Enter a requirement with its source, who answers for it, and the processes that meet it."""
    check_owner_works_here(owner)
    made = Requirement(
        what=_said(what, "Say what is required.", "what"),
        source=_said(source, "Say where it stands: the law, the contract, the code.", "source"),
        kind=kind,
        owner=owner,
        how_met=how_met.strip(),
        review_on=review_on or next_review(),
        created_by=by,
    )
    made.save()
    _set_processes(made, by=by, processes=processes)
    return made


def _set_processes(requirement: Requirement, *, by: Person, processes: Iterable[Process]) -> bool:
    return set_links(
        RequirementProcess,
        owner={"requirement": requirement},
        target="process",
        targets=processes,
        by=by,
    )


def bind_processes(
    requirement: Requirement,
    *,
    by: Person,
    processes: Iterable[Process],
    seen: str | None = None,
) -> Requirement:
    """Say which processes must meet it; what was there before is ended, not deleted.

    `seen` is the seal of the links on the page. Raises PermissionDenied, Refused, Stale.
    """
    check_may(editing_requirement, requirement, by)
    with db.atomic():
        locked = Requirement._base_manager.select_for_update(of=("self",)).get(pk=requirement.pk)
        if why := editing_requirement.obstacles(locked, by):
            raise Refused(" ".join(why))
        refuse_stale(seen, {"requirement": locked}, RequirementProcess)
        _set_processes(locked, by=by, processes=processes)
    return requirement


def says_how_it_is_met(requirement: Requirement, by: Any) -> str | None:
    return None if requirement.how_met.strip() else "Say first how it is met: edit it."


@transition(
    Requirement,
    source=Requirement.Status.ACTIVE,
    target=Requirement.Status.ACTIVE,
    permission=REGISTER,
    guards=[owner_works_here, says_how_it_is_met],
    details=_review_details(),
    label="It is still met",
)
def confirm_requirement(
    requirement: Requirement, *, by: Any, review_on: date | None = None
) -> None:
    """Looked at again: the requirement stands and is met as described."""
    _look_again(requirement, review_on)


@transition(
    Requirement,
    source=Requirement.Status.ACTIVE,
    target=Requirement.Status.WITHDRAWN,
    permission=REGISTER,
    reason=True,
    label="Withdraw",
    primary=False,
)
def withdraw_requirement(requirement: Requirement, *, by: Any) -> None:
    """It no longer applies; the reason is kept."""


@transition(
    Requirement,
    source=Requirement.Status.WITHDRAWN,
    target=Requirement.Status.ACTIVE,
    permission=REGISTER,
    guards=[owner_works_here],
    reason=True,
    label="It applies again",
)
def reinstate_requirement(requirement: Requirement, *, by: Any) -> None:
    """It applies again."""


REQUIREMENT_FIELDS = ("what", "kind", "source", "how_met", "owner", "review_on")
editing_requirement = amendment(
    Requirement,
    permission=REGISTER,
    fields=REQUIREMENT_FIELDS,
    states=(Requirement.Status.ACTIVE,),
)


# What is next


def _look_step(record: Any, confirm: Transition) -> list[Step]:
    """The owner looks again on the day; whoever keeps the system where the owner has left."""
    if record.is_settled:
        return []
    if not record.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager", due=record.review_on)]
    return [Step(confirm.name, "Look at it again", person=record.owner, due=record.review_on)]


@contributions.work(Issue)
def look_at_issue(issue: Issue) -> list[Step]:
    """Its owner, once a year or when they said."""
    return _look_step(issue, confirm_issue)


@contributions.work(InterestedParty)
def look_at_party(party: InterestedParty) -> list[Step]:
    """Its owner, with everything the party requires."""
    return _look_step(party, confirm_party)


@contributions.work(Requirement)
def look_at_requirement(requirement: Requirement) -> list[Step]:
    """Its owner, on the day of its review."""
    return _look_step(requirement, confirm_requirement)
