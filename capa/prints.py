"""The report of a nonconformity on paper."""

from datetime import datetime
from typing import Any

from capa.models import Nonconformity
from qms import clauses, pdf
from qms.actions.models import Action
from qms.contributions import letterhead

TEMPLATE = "capa/nc_print.html"


def nc_context(nc: Nonconformity, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one nonconformity."""
    actions = Action.objects.raised_from(nc).exclude(status="void").select_related("owner")
    return letterhead(
        nc,
        as_of=as_of,
        kind="Nonconformity report",
        title=nc.title,
        nc=nc,
        actions=list(actions.order_by("due", "pk")),
        facts=[
            ("State", nc.get_status_display()),
            ("Grade", nc.get_grade_display()),
            ("Source", nc.get_source_display()),
            ("Clause", clauses.label(nc.clause) if nc.clause else "–"),
            ("Process", str(nc.process or "–")),
            ("Owner", nc.owner.name if nc.owner else "–"),
            ("Detected", f"{nc.detected_on:%-d %B %Y}"),
            ("Entered", f"{nc.recorded_at:%-d %B %Y}"),
            ("Closed", f"{nc.closed_on:%-d %B %Y}" if nc.closed_on else "–"),
        ],
    )


def nc_pdf(nc: Nonconformity) -> bytes:
    """The report as PDF."""
    context = nc_context(nc)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
