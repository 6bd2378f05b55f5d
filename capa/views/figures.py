"""The board of open cases, and the page of what nonconformities came to."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from capa import figures
from capa.figures import Figures
from capa.models import Nonconformity, Repeat
from capa.views.nonconformities import tabs
from qms import pages
from qms.access import needs
from qms.contributions import Tile
from qms.periods import Period, today
from qms.shares import Share
from qms.workflow import transitions_of

Status = Nonconformity.Status
LANES = (
    Status.OPEN,
    Status.CONTAINED,
    Status.ANALYSED,
    Status.PLANNED,
    Status.IMPLEMENTED,
    Status.EFFECTIVE,
)
MOST_CARDS = 300


@dataclass(frozen=True)
class Move:
    """A step that a person may make with a card: where it leads, and its form."""

    label: str
    to: str
    url: str


@dataclass(frozen=True)
class Card:
    """An open case on the board."""

    case: Nonconformity
    age: int
    late: int
    repeats: bool
    moves: list[Move]

    @property
    def leads_to(self) -> str:
        """The lanes it may be drawn to, with the form that asks what the step asks."""
        return " ".join(f"{move.to}={move.url}" for move in self.moves)


@needs("capa.view_nonconformity")
def board(request: HttpRequest) -> HttpResponse:
    """Open cases by state. To move a card is to open its step's form, which asks and refuses."""
    day = today()
    rows = Nonconformity.objects.visible_to(request.user).open()
    rows = rows.select_related("process", "owner").order_by("due", "pk")
    found = list(rows[: MOST_CARDS + 1])
    shown = found[:MOST_CARDS]
    again = set(
        Repeat.objects.counted()
        .filter(nonconformity__in=[nc.pk for nc in shown])
        .values_list("nonconformity_id", flat=True)
    )
    cards = [_card(nc, request.user, day, nc.pk in again) for nc in shown]
    lanes = [
        (Status(lane).label, str(lane), [card for card in cards if card.case.status == lane])
        for lane in LANES
    ]
    context = {
        "title": "Board",
        "crumbs": [("Nonconformities", reverse("capa:nc_list")), ("Board", "")],
        "tabs": tabs("board", request.user),
        "lanes": lanes,
        "count": len(shown),
        "more": len(found) > MOST_CARDS,
        "today": day,
    }
    return render(request, "capa/board.html", context)


def _card(nc: Nonconformity, person: Any, day: date, again: bool) -> Card:
    moves = [
        Move(each.label, each.target, f"{nc.get_absolute_url()}do/{each.name}/")
        for each in transitions_of(Nonconformity)
        if nc.status in each.source
        and each.target not in (nc.status, Status.VOID)
        and each.permitted(nc, person)
    ]
    return Card(nc, nc.days_open(day), nc.days_late(day, nc.close_by), again, moves)


@needs("capa.view_nonconformity")
def figures_page(request: HttpRequest) -> HttpResponse:
    """Age, punctuality, effect and return of cases, for a calendar year."""
    day = today()
    year = pages.year_asked(request, day)
    found = figures.figures_of(request.user, Period.year(year), day)
    printing = request.GET.get("print") == "1"
    here = reverse("capa:figures")
    years = range(day.year, day.year - 4, -1)
    context = {
        "title": "What cases came to",
        "crumbs": [("Nonconformities", reverse("capa:nc_list")), ("Figures", "")],
        "year": year,
        "found": found,
        "tiles": tiles_of(found),
        "tabs": tabs("figures", request.user),
        "years": [(str(each), f"{here}?year={each}", each == year) for each in years],
        "on_time": figures.ON_TIME,
        "base": "layouts/print.html" if printing else "base.html",
    }
    return render(request, "capa/figures.html", context)


def tiles_of(found: Figures) -> list[Tile]:
    """The figures above the charts."""
    late = Tile(
        "Open",
        str(found.open),
        f"{found.late} late." if found.late else "None is late.",
        "late" if found.late else "fine",
        reverse("capa:board"),
    )
    extended = found.on_time_with_extensions
    said = f"{found.on_time.part} of {found.on_time.whole} closed"
    if extended.part != found.on_time.part:
        said += f"; {extended.part} with the time granted later"
    again = Tile(
        "Came again",
        found.again.words,
        f"{found.again.part} of {found.again.whole} cases repeat an earlier cause.",
        "soon" if found.again.part else "fine",
        reverse("capa:recurring"),
    )
    return [
        late,
        _kept("Closed on time", found.on_time, f"{said}."),
        _kept(
            "Effective",
            found.effective,
            f"{found.effective.part} of {found.effective.whole} corrective actions judged.",
        ),
        again,
    ]


def _kept(title: str, share: Share, said: str) -> Tile:
    if share.percent is None:
        return Tile(title, share.words, said, "plain", "")
    return Tile(title, share.words, said, "fine" if share.is_good else "soon", "")
