"""The procedure of a nonconforming output (ISO 9001 8.7): held, decided, settled by authority.

Who made it decides nothing about it, who reworked it does not verify it, and what the contract
lets only the customer accept is not released without the customer.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction as db

from capa.models import NonconformingOutput, Nonconformity
from capa.workflow.details import days, text
from capa.workflow.nonconformities import raise_nonconformity
from qms import contributions
from qms.contributions import Step
from qms.files.workflow import attach_all, guards_attaching
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.workflow import Guard, amend, amendment, creates, transition, voids

Held = NonconformingOutput.Status
Kind = NonconformingOutput.Disposition
FURTHER = ("requirement", "process", "site", "customer", "made_by", "nonconformity")


@creates(NonconformingOutput, permission="capa.add_nonconformingoutput")
def hold_output(
    *,
    by: Person,
    what: str,
    product: str,
    quantity: Decimal,
    unit: str = "pieces",
    lot: str = "",
    found_at: str = "",
    found_on: date | None = None,
    papers: Iterable[Any] = (),
    **facts: Any,
) -> NonconformingOutput:
    """Hold back what is not as required; what is known of it may be added later."""
    if foreign := set(facts) - set(FURTHER):
        raise TypeError(f"A nonconforming output has no {', '.join(sorted(foreign))}.")
    if not what.strip():
        raise Refused("Say in a line what is wrong with it.", field="what")
    if not product.strip():
        raise Refused("Say which product or service it is.", field="product")
    if quantity is None or quantity <= 0:
        raise Refused("Say how much of it there is; it is more than nothing.", field="quantity")
    if found_on and found_on > today():
        raise Refused("It cannot have been found in the future.", field="found_on")
    made = NonconformingOutput(
        what=what.strip(),
        product=product.strip(),
        lot=lot.strip(),
        quantity=quantity,
        unit=unit.strip() or "pieces",
        found_at=found_at or NonconformingOutput.FoundAt.PROCESS,
        found_on=found_on or today(),
        due=due_in(days("containment_days"), today()),
        created_by=by,
        **facts,
    )
    made.save()
    attach_all(made, list(papers), by=by)
    return made


@guards_attaching(NonconformingOutput)
def unless_void(output: NonconformingOutput, by: Any) -> str | None:
    return "It was a mistake; nothing is added to it." if output.status == Held.VOID else None


# Guards


def not_who_made_it(output: NonconformingOutput, by: Any) -> str | None:
    if by.pk == output.made_by_id:
        return "Who made it does not decide about it; ask somebody else."
    return None


def not_who_reworked_it(output: NonconformingOutput, by: Any) -> str | None:
    reworked = output.history.exclude(reworked_by=None).values_list("reworked_by", flat=True)
    if by.pk in {output.reworked_by_id, *reworked}:
        return "Who reworked it does not verify it; ask somebody else."
    return None


def disposed_as(*kinds: str) -> Guard:
    """Only what was decided so goes this way."""

    def check(output: NonconformingOutput, by: Any) -> str | None:
        if output.disposition in kinds:
            return None
        return f"It was decided otherwise: {output.get_disposition_display().lower()}."

    return check


# Transitions


@transition(
    NonconformingOutput,
    source=Held.HELD,
    target=Held.DECIDED,
    permission="capa.decide_nonconformingoutput",
    only=not_who_made_it,
    label="Decide",
    details={
        "disposition": forms.ChoiceField(label="Disposition", choices=Kind.choices),
        "because": text("Why, and within which bounds"),
        "agreement_needed": forms.BooleanField(
            label="The contract asks for the customer's agreement",
            required=False,
            help_text="It is then not released before the agreement is on record.",
        ),
    },
)
def decide_output(
    output: NonconformingOutput,
    *,
    by: Any,
    disposition: str,
    because: str,
    agreement_needed: bool = False,
) -> None:
    """Decide what becomes of it, by authority."""
    if not because.strip():
        raise Refused("Say why, and within which bounds.", field="because")
    if agreement_needed and disposition not in (Kind.USE_AS_IS, Kind.REGRADE):
        raise Refused(
            "The customer agrees to what is used as it is or regraded; nothing else is asked.",
            field="agreement_needed",
        )
    output.disposition, output.because = disposition, because.strip()
    output.agreement_needed, output.agreement = bool(agreement_needed), ""
    output.decided_by, output.decided_on = by, today()
    output.rework, output.reworked_by = "", None
    output.due = due_in(days("action_days"), today())


@transition(
    NonconformingOutput,
    source=Held.DECIDED,
    target=Held.REWORKED,
    permission="capa.rework_nonconformingoutput",
    guards=[disposed_as(Kind.REWORK)],
    label="Reworked",
    details={"rework": text("What was done to it")},
)
def rework_output(output: NonconformingOutput, *, by: Any, rework: str) -> None:
    """Say what was done to it; somebody else then verifies it again."""
    if not rework.strip():
        raise Refused("Say what was done to it.", field="rework")
    output.rework, output.reworked_by = rework.strip(), by
    output.due = due_in(days("containment_days"), today())


@transition(
    NonconformingOutput,
    source=Held.REWORKED,
    target=Held.RELEASED,
    permission="capa.verify_nonconformingoutput",
    only=not_who_reworked_it,
    label="Conforms, release",
    details={"result": text("What was verified, with the result")},
)
def pass_output(output: NonconformingOutput, *, by: Any, result: str) -> None:
    """Verified again after the rework: it conforms and is released."""
    _verify(output, by, result)
    _settle(output)


@transition(
    NonconformingOutput,
    source=Held.REWORKED,
    target=Held.HELD,
    permission="capa.verify_nonconformingoutput",
    only=not_who_reworked_it,
    label="Still not as required",
    primary=False,
    details={"result": text("What was verified, with the result")},
)
def fail_output(output: NonconformingOutput, *, by: Any, result: str) -> None:
    """Verified again after the rework: it still does not conform and is decided about anew."""
    _verify(output, by, result)
    output.due = due_in(days("containment_days"), today())


def _verify(output: NonconformingOutput, by: Any, result: str) -> None:
    if not result.strip():
        raise Refused("Say what was verified, and what it showed.", field="result")
    output.result, output.verified_by = result.strip(), by


@transition(
    NonconformingOutput,
    source=Held.DECIDED,
    target=Held.RELEASED,
    permission="capa.decide_nonconformingoutput",
    only=not_who_made_it,
    guards=[disposed_as(Kind.USE_AS_IS, Kind.REGRADE)],
    label="Release",
    details={
        "agreement": text(
            "The customer's agreement",
            rows=2,
            required=False,
            help_text="Who agreed when, with the number of the concession. Attach the letter.",
        ),
        "settled_how": text("How it is marked or limited", rows=2, required=False),
    },
)
def release_output(
    output: NonconformingOutput, *, by: Any, agreement: str = "", settled_how: str = ""
) -> None:
    """Release it as it is or in its new grade, with the customer's agreement where it is asked."""
    if output.agreement_needed and not agreement.strip():
        raise Refused(
            "The contract asks for the customer's agreement. Say who agreed, when, and under which"
            " number.",
            field="agreement",
        )
    output.agreement = agreement.strip()
    _settle(output, settled_how)


@transition(
    NonconformingOutput,
    source=Held.DECIDED,
    target=Held.REMOVED,
    permission="capa.rework_nonconformingoutput",
    guards=[disposed_as(Kind.RETURN, Kind.SCRAP)],
    label="Returned or scrapped",
    details={"settled_how": text("What was done with it, and what shows it", rows=2)},
)
def remove_output(output: NonconformingOutput, *, by: Any, settled_how: str) -> None:
    """Say that it is gone: returned to the supplier or scrapped."""
    if not settled_how.strip():
        raise Refused("Say what was done with it.", field="settled_how")
    _settle(output, settled_how)


@transition(
    NonconformingOutput,
    source=Held.DECIDED,
    target=Held.HELD,
    permission="capa.decide_nonconformingoutput",
    only=not_who_made_it,
    reason=True,
    label="Decide anew",
    primary=False,
)
def decide_anew(output: NonconformingOutput, *, by: Any) -> None:
    """The decision does not hold, as when the customer does not agree; it is held again."""
    output.due = due_in(days("containment_days"), today())


void_output = voids(
    NonconformingOutput, source=Held.HELD, permission="capa.void_nonconformingoutput"
)


def _settle(output: NonconformingOutput, how: str = "") -> None:
    output.settled_how, output.settled_on, output.due = how.strip(), today(), None


# Its nonconformity


def raise_from_output(output: NonconformingOutput, *, by: Any) -> Nonconformity:
    """Raise a nonconformity with what is known of the output, and link both."""
    with db.atomic():
        NonconformingOutput._base_manager.select_for_update(of=("self",)).get(pk=output.pk)
        output.refresh_from_db()
        if output.status == Held.VOID:
            raise Refused("It was a mistake; no nonconformity is raised from it.")
        if output.nonconformity_id:
            raise Refused(f"It belongs to {output.nonconformity} already.")
        return _raise(output, by)


def _raise(output: NonconformingOutput, by: Any) -> Nonconformity:
    made: Nonconformity = raise_nonconformity(
        by=by,
        title=output.what,
        statement=f"{output.amount} of {output.product}: {output.what}",
        requirement=output.requirement,
        evidence=f"{output.number}, {output.get_found_at_display().lower()}.",
        source=Nonconformity.Source.PRODUCT,
        process=output.process,
        product=output.product,
        lot=output.lot,
        customer=output.customer,
        site=output.site,
        extent=output.amount,
        detected_on=output.found_on,
        origin=output,
    )
    amend(
        output,
        by=by,
        changes={"nonconformity": made},
        reason=f"{made.number} was raised from it.",
    )
    return made


def maker_is_not_who_decided(output: NonconformingOutput, changes: Any) -> str | None:
    maker = changes.get("made_by")
    if maker is not None and output.decided_by_id == maker.pk:
        return f"{maker.name} decided about it; who made it does not. Decide anew first."
    return None


def only_another_names_the_maker(output: NonconformingOutput, by: Any, maker: Any) -> str | None:
    """Nobody takes their own name off, to decide about what they made."""
    if by.pk == output.made_by_id:
        return "You are named as who made it; somebody else corrects that."
    return None


DECIDED_ABOUT = ("what", "product", "lot", "quantity", "unit", "requirement", "customer")


def what_was_decided_about_stays(output: NonconformingOutput, changes: Any) -> str | None:
    """The authority was given for what stood there: not for more of it, nor for something else."""
    if output.status in (Held.DECIDED, Held.REWORKED) and set(changes) & set(DECIDED_ABOUT):
        return "It was decided about as it stands there. Take the decision back, then change it."
    return None


def quantity_is_some(output: NonconformingOutput, changes: Any) -> str | None:
    quantity = changes.get("quantity")
    if quantity is not None and quantity <= 0:
        return "The quantity is more than nothing."
    return None


editing_output = amendment(
    NonconformingOutput,
    permission="capa.change_nonconformingoutput",
    fields=(*NonconformingOutput.WHAT, "nonconformity"),
    states=(Held.HELD, Held.DECIDED, Held.REWORKED, Held.RELEASED, Held.REMOVED),
    checks=[maker_is_not_who_decided, what_was_decided_about_stays, quantity_is_some],
    reserves={"made_by": only_another_names_the_maker},
)


@contributions.work(NonconformingOutput)
def next_of_output(output: NonconformingOutput) -> list[Step]:
    """The owner of its process decides and releases, else the quality manager."""
    words = {
        Held.HELD: "Decide about it",
        Held.DECIDED: "Carry it out",
        Held.REWORKED: "Verify it again",
    }
    if output.status not in words:
        return []
    name = words[Held(output.status)]
    owner = output.process.owner if output.process else None
    barred = output.reworked_by_id if output.status == Held.REWORKED else output.made_by_id
    if owner is not None and owner.is_active and owner.pk != barred:
        return [Step(output.status, name, person=owner, due=output.due)]
    return [Step(output.status, name, role="quality_manager", due=output.due)]
