"""A complaint of a customer becomes a nonconformity, once; each shows the other (9.1.2, 10.2.1)."""

from typing import Any

from django.db import transaction as db

from capa.models import Nonconformity
from capa.workflow import raise_nonconformity
from qms.customers.models import Feedback
from qms.customers.workflow import answer_feedback
from qms.refusals import Refused


def raised_from(feedback: Feedback) -> Nonconformity | None:
    """The nonconformity it became; a void one counts as none."""
    rows = Nonconformity.objects.raised_from(feedback).exclude(status="void")
    found: Nonconformity | None = rows.order_by("pk").first()
    return found


def raise_from_complaint(feedback: Feedback, *, by: Any) -> Nonconformity:
    """Raise what a customer complained of, in their words, and answer the complaint with it."""
    with db.atomic():
        held = Feedback._base_manager.select_for_update(of=("self",)).get(pk=feedback.pk)
        if held.status == Feedback.Status.VOID or held.kind != Feedback.Kind.COMPLAINT:
            raise Refused("Only a complaint that stands becomes a nonconformity.")
        if (known := raised_from(held)) is not None:
            raise Refused(f"{known.number} was raised from it already.")
        made: Nonconformity = raise_nonconformity(
            by=by,
            title=f"{held.from_whom}: {held.title}"[:200],
            evidence=held.words,
            source=Nonconformity.Source.COMPLAINT,
            detected_on=held.heard_on,
            product=held.about,
            customer=held.customer,
            origin=held,
        )
        if held.status == Feedback.Status.HEARD:
            answer_feedback(held, by=by, follows=f"It is dealt with as {made.number}.")
    feedback.refresh_from_db()
    return made
