"""A nonconformity on paper: the report, the 8D, and the bundle for a customer or body."""

import io
import zipfile
from datetime import datetime
from typing import Any

from capa.causes import cause_context
from capa.models import CorrectiveAction, Nonconformity
from capa.workflow import actions_of, evidence_of, tasks_of
from qms import clauses, pdf
from qms.contributions import letterhead
from qms.files.workflow import content_of, may_see

TEMPLATE = "capa/nc_print.html"
EIGHT_D = "capa/8d_print.html"


def nc_context(nc: Nonconformity, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one nonconformity."""
    return _context(nc, as_of, kind="Nonconformity report", title=nc.title)


def _context(nc: Nonconformity, as_of: datetime | None, **more: Any) -> dict[str, Any]:
    actions = actions_of(nc).exclude(status="void").select_related("owner")
    serving = CorrectiveAction.objects.serving(nc).standing()
    people = ("owner", "approved_by", "verified_by", "predecessor")
    return letterhead(
        nc,
        as_of=as_of,
        nc=nc,
        actions=list(actions.order_by("due", "pk")),
        corrective=[
            {"action": each, "tasks": list(tasks_of(each).select_related("owner").order_by("pk"))}
            for each in serving.select_related(*people).order_by("pk")
        ],
        facts=[
            ("State", nc.get_status_display()),
            ("Grade", nc.get_grade_display()),
            ("Severity", nc.severity_word or "–"),
            ("Source", nc.get_source_display()),
            ("Clause", clauses.label(nc.clause) if nc.clause else "–"),
            ("Process", str(nc.process or "–")),
            ("Site", str(nc.site or "–")),
            ("Product, lot", " · ".join(each for each in (nc.product, nc.lot) if each) or "–"),
            ("Customer affected", nc.customer.name if nc.customer else "–"),
            ("Owner", nc.owner.name if nc.owner else "–"),
            ("Detected", f"{nc.detected_on:%-d %B %Y}"),
            ("Entered", f"{nc.recorded_at:%-d %B %Y}"),
            ("Closed", f"{nc.closed_on:%-d %B %Y}" if nc.closed_on else "–"),
        ],
        **cause_context(nc),
        **more,
    )


def nc_pdf(nc: Nonconformity) -> bytes:
    """The report as PDF."""
    context = nc_context(nc)
    return pdf.render(TEMPLATE, context, paper=context["paper"])


def eight_d_pdf(nc: Nonconformity) -> bytes:
    """The case as an 8D report, discipline by discipline."""
    context = _context(nc, None, kind="8D report", title=nc.title)
    return pdf.render(EIGHT_D, context, paper=context["paper"])


def bundle(nc: Nonconformity, person: Any) -> bytes:
    """A ZIP to send: report and 8D as PDF, and the evidence this person may see beside them."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as inside:
        inside.writestr(f"{nc.number}.pdf", nc_pdf(nc))
        eight_d = getattr(nc, "eight_d", None)
        if eight_d and not eight_d.omitted_because:
            inside.writestr(f"{nc.number}-8D.pdf", eight_d_pdf(nc))
        for count, each in enumerate(evidence_of(nc), 1):
            if may_see(each, person):
                inside.writestr(f"evidence/{count:02d}-{each.name}", content_of(each))
    return written.getvalue()
