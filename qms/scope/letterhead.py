"""What every printed record of the organisation has in common: its name, paper and signatures."""

from datetime import datetime
from typing import Any

from qms import contributions
from qms.periods import zone
from qms.scope.models import Organisation
from qms.signing.models import Signature
from qms.signing.workflow import signatures_of


@contributions.writes_letterhead
def letterhead(record: Any, *, as_of: datetime | None = None, **more: Any) -> dict[str, Any]:
    """The context `layouts/document.html` needs for a record.

    `as_of` leaves out signatures given later. Same record and instant, same context, so that a
    drawn page can be kept.
    """
    organisation = Organisation.objects.current()
    given = [s for s in signatures_of(record) if as_of is None or s.signed_at <= as_of]
    return {
        "record": record,
        "organisation": organisation.name if organisation else "",
        "paper": organisation.paper if organisation else "A4",
        "number": getattr(record, "number", ""),
        "title": str(getattr(record, "title", record)),
        "signatures": [signature_row(each) for each in given],
        **more,
    }


def signature_row(signature: Signature) -> dict[str, str]:
    """A signature in words: printed name, meaning, local minute with its zone, hash."""
    local = signature.signed_at.astimezone(zone())
    return {
        "name": signature.printed_name,
        "role": signature.person.job_title,
        "meaning": signature.meaning,
        "at": f"{local:%-d %B %Y, %H:%M %Z}",
        "hash": signature.content_hash,
    }
