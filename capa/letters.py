"""The letter a customer reads: the organisation's, naming nobody and no cause unless chosen."""

from typing import Any

from capa.models import Complaint
from capa.workflow import cause_for
from qms import pdf
from qms.contributions import letterhead
from qms.people.models import Person
from qms.periods import today
from qms.scope.models import Site

TEMPLATE = "capa/letter_print.html"


def letter_context(complaint: Complaint) -> dict[str, Any]:
    """What `TEMPLATE` needs; before it is answered the letter is marked as a draft."""
    sent = complaint.status in (Complaint.Status.ANSWERED, Complaint.Status.CLOSED)
    answers: Person = complaint.answered_by or complaint.owner
    sites = Site.objects.filter(status=Site.Status.ACTIVE).exclude(address="").order_by("pk")
    customer = complaint.feedback.customer
    return letterhead(
        complaint,
        title="Your complaint",
        to=complaint.feedback.from_whom,
        desk=customer.contact if customer else "",
        sender=sites.first(),
        day=complaint.answered_on or today(),
        letter=complaint.letter,
        signs=answers if complaint.with_name else None,
        cause=cause_for(complaint) if complaint.with_cause else "",
        obsolete=not sent,
        marking="" if sent else "Draft",
    )


def letter_pdf(complaint: Complaint) -> bytes:
    """The letter as PDF."""
    context = letter_context(complaint)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
