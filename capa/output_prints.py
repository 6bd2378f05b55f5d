"""A nonconforming output on paper."""

from datetime import datetime
from typing import Any

from capa.models import NonconformingOutput
from qms import pdf
from qms.contributions import letterhead

TEMPLATE = "capa/output_print.html"


def output_context(output: NonconformingOutput, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one nonconforming output."""
    return letterhead(
        output,
        as_of=as_of,
        kind="Nonconforming output",
        title=output.what,
        output=output,
        facts=[
            ("State", output.get_status_display()),
            ("Product or service", output.product),
            ("Lot, batch or order", output.lot or "–"),
            ("Quantity", output.amount),
            ("Process", str(output.process or "–")),
            ("Site", str(output.site or "–")),
            ("Customer it is for", output.customer.name if output.customer else "–"),
            ("Found", f"{output.get_found_at_display()}, {output.found_on:%-d %B %Y}"),
            ("Nonconformity", output.nonconformity.number if output.nonconformity else "–"),
        ],
    )


def output_pdf(output: NonconformingOutput) -> bytes:
    """The record as PDF."""
    context = output_context(output)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
