"""The page of what audits came to."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from audits import figures
from audits.figures import Figures
from audits.grades import wordings
from qms import pages
from qms.access import needs
from qms.contributions import Tile
from qms.periods import today
from qms.shares import Share


@needs("audits.view_finding")
def figures_page(request: HttpRequest) -> HttpResponse:
    """Progress, punctuality, findings, load and age, for a calendar year."""
    day = today()
    year = pages.year_asked(request, day)
    found = figures.figures_of(request.user, year, day)
    printing = request.GET.get("print") == "1"
    here = reverse("audits:figures")
    context = {
        "title": "What audits came to",
        "crumbs": [("Audits", reverse("audits:audit_list")), ("Figures", "")],
        "found": found,
        "tiles": tiles_of(found),
        "programmes_url": reverse("audits:programme_list"),
        "grades": [words.label for words in wordings().values()],
        "tabs": [(str(each), f"{here}?year={each}", each == year) for each in found.years[:6]],
        "on_time": figures.ON_TIME,
        "report_on_time": figures.REPORT_ON_TIME,
        "base": "layouts/print.html" if printing else "base.html",
    }
    return render(request, "audits/figures.html", context)


def tiles_of(found: Figures) -> list[Tile]:
    """The four figures above the charts."""
    listed = f"{reverse('audits:audit_list')}?year={found.year}"
    late = Tile(
        "Late",
        str(found.late),
        "Their day passed without the audit." if found.late else "None is late.",
        "late" if found.late else "fine",
        listed,
    )
    of_all = f"{found.reported.part} of {found.reported.whole} audits planned for the year."
    return [
        Tile("Reported", found.reported.words, of_all, "plain", listed),
        _kept("Audits on time", found.on_time),
        _kept("Reports on time", found.reports_on_time),
        late,
    ]


def _kept(title: str, share: Share) -> Tile:
    if share.percent is None:
        return Tile(title, share.words, "Nothing to judge yet.")
    tone: Literal["fine", "soon"] = "fine" if share.is_good else "soon"
    return Tile(title, share.words, f"{share.part} of {share.whole}.", tone)
