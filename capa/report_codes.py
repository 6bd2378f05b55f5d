"""The sheet of QR codes by which a problem is reported from a workplace."""

from collections.abc import Sequence
from typing import Any

import segno

from qms import pdf
from qms.scope.models import Organisation

TEMPLATE = "capa/codes_print.html"
Place = tuple[Any, Any, str]  # site, process, address


def codes_pdf(places: Sequence[Place]) -> bytes:
    """One card for each workplace, to be cut out and put up."""
    organisation = Organisation.objects.current()
    cards = [
        {
            "site": site.name,
            "process": process.name,
            "code": segno.make(address, error="m").svg_data_uri(scale=4, border=2, omitsize=True),
            "address": address,
        }
        for site, process, address in places
    ]
    context = {
        "organisation": organisation.name if organisation else "",
        "kind": "Report a problem",
        "title": "Codes for workplaces",
        "cards": cards,
    }
    return pdf.render(TEMPLATE, context, paper=organisation.paper if organisation else "A4")
