"""The pages everybody starts from: my work, the leadership's screen, the calendar, the search."""

import calendar as months
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST

from qms import contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.contributions import Entry
from qms.home.models import SavedView
from qms.home.workflow import forget_view, keep_view
from qms.periods import EARLIEST, LATEST, today
from qms.refusals import Refused
from qms.work.models import WorkItem

ROWS = 100
AHEAD = timedelta(days=60)  # what is due later than that is in the calendar
ICONS = {
    "action": "checklist",
    "audit": "clipboard-check",
    "certification audit": "certificate",
    "document": "file-text",
    "revision": "file-text",
    "nonconformity": "alert-triangle",
    "objective": "target",
    "review": "presentation",
    "management review": "presentation",
    "scope statement": "sitemap",
    "pack": "checklist",
    "answer to a principle": "compass",
    "briefing of top management": "presentation",
    "project": "route",
    "evidence pack": "checklist",
    "external provider": "truck-delivery",
    "measuring equipment": "ruler-measure",
    "impact assessment": "ruler-measure",
    "customer": "building-store",
}


@dataclass(frozen=True)
class Row:
    """One line of my work, as `components/row.html` draws it."""

    title: str
    url: str
    icon: str
    origin: str
    state: str
    due: date | None
    action: str
    tone: str = ""


@dataclass(frozen=True)
class Group:
    """A group of lines: overdue, this week, later, waiting for others."""

    heading: str
    rows: list[Row]


def _row(item: WorkItem, *, action: str = "") -> Row:
    origin = " · ".join(part for part in (item.number, item.kind, item.obstacle) if part)
    label = action or item.label
    icon = ICONS.get(item.kind, "point")
    return Row(item.title, item.url, icon, origin, item.state, item.due, label)


def _waiting_row(item: WorkItem) -> Row:
    holder = item.person.name if item.person else item.role.replace("_", " ")
    origin = " · ".join(part for part in (item.number, f"{item.label} by {holder}") if part)
    icon = ICONS.get(item.kind, "point")
    return Row(item.title, item.url, icon, origin, item.state, item.due, "Open")


@needs(ANYONE_SIGNED_IN)
def my_work(request: HttpRequest) -> HttpResponse:
    """Everything that waits for the person: overdue first, then soon, then the rest."""
    day, person = today(), request.user
    week = day + timedelta(days=7)
    items = list(WorkItem.objects.of(person).by(day + AHEAD).by_urgency()[: ROWS + 1])
    waiting = list(WorkItem.objects.asked_by(person).select_related("person").by_urgency()[:ROWS])
    mine = items[:ROWS]
    overdue = [item for item in mine if item.due and item.due < day]
    soon = [item for item in mine if item.due and day <= item.due <= week]
    later = [item for item in mine if not item.due or item.due > week]
    groups = [
        Group("Overdue", [_row(item) for item in overdue]),
        Group("This week", [_row(item) for item in soon]),
        Group("Later", [_row(item) for item in later]),
        Group("Waiting for others", [_waiting_row(item) for item in waiting]),
    ]
    context = {
        "title": "My work",
        "today": day,
        "groups": [group for group in groups if group.rows],
        "counts": _counts(len(overdue), len(soon), len(waiting)),
        "more": len(items) > ROWS,
        # The month, and how far the system is for whoever builds it, ask every chapter; the page
        # fetches them when it stands.
        "shows_journey": request.user.has_perm("gap.view_assessment"),
        "shows_start": request.user.has_perm("journey.set_up") and not pages.knows_organisation(),
    }
    return pages.respond(request, "home/my_work.html", "home/my_work.html#work", context)


@needs(ANYONE_SIGNED_IN)
def my_role(request: HttpRequest) -> HttpResponse:
    """What somebody is there for: roles, processes, what they answer for, what they can do."""
    person: Any = request.user
    context = {
        "title": "My role",
        "roles": person.roles,
        "parts": contributions.all_mine(person),
        "holdings": contributions.holdings_of(person),
        "person": person,
    }
    return render(request, "home/my_role.html", context)


def _counts(overdue: int, soon: int, waiting: int) -> str:
    return f"{overdue} overdue, {soon} due this week, {waiting} waiting for others"


@needs("home.view_leadership")
def leadership(request: HttpRequest) -> HttpResponse:
    """Whether the system works, on one screen that prints on one page."""
    day = today()
    context = {
        "title": "Leadership",
        "today": day,
        "tiles": contributions.tiles_for(request.user, day),
    }
    return render(request, "home/leadership.html", context)


# --- calendar -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """A day of the month sheet with what is due on it; days of other months are None."""

    day: date
    entries: list[Entry]
    is_today: bool
    tone: str

    @property
    def label(self) -> str:
        return "; ".join(entry.title for entry in self.entries)


@dataclass(frozen=True)
class Month:
    """A month in weeks from Monday to Sunday."""

    first: date
    weeks: list[list[Day | None]]

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)


def month_of(person: Any, first: date, day: date) -> Month:
    """The month beginning with `first`: the person's own work and every contributed entry."""
    last = first.replace(day=months.monthrange(first.year, first.month)[1])
    entries = [
        *contributions.calendar_for(person, first, last),
        *(
            Entry(
                item.due, f"{item.label}: {item.title}", item.kind, item.url, _tone(item.due, day)
            )
            for item in WorkItem.objects.of(person).due_between(first, last).by_urgency()
            if item.due
        ),
    ]
    by_day: dict[date, list[Entry]] = {}
    for entry in entries:
        by_day.setdefault(entry.day, []).append(entry)
    weeks = [
        [
            _day(each, by_day.get(each, []), day) if each.month == first.month else None
            for each in week
        ]
        for week in months.Calendar().monthdatescalendar(first.year, first.month)
    ]
    return Month(first, weeks)


def _day(each: date, entries: list[Entry], day: date) -> Day:
    own = [entry.tone for entry in entries if entry.tone != "plain"]
    tone = "late" if "late" in own else "soon" if own else "some" if entries else ""
    return Day(each, entries, each == day, tone)


def _tone(due: date, day: date) -> Any:
    return "late" if due < day else "soon"


@needs(ANYONE_SIGNED_IN)
def calendar(request: HttpRequest) -> HttpResponse:
    """One month: own work, audits, reviews, deadlines."""
    day = today()
    first = _asked_month(request.GET.get("month", "")) or day.replace(day=1)
    month = month_of(request.user, first, day)
    listed = [each for week in month.weeks for each in week if each and each.entries]
    context = {"title": "Calendar", "today": day, "month": month, "listed": listed}
    return pages.respond(request, "home/calendar.html", "home/month.html", context)


@dataclass(frozen=True)
class Strip:
    """One kind of thing over the twelve months of a year; `cells` hold what comes when."""

    kind: str
    cells: list[list[Entry]]

    @property
    def count(self) -> int:
        return sum(map(len, self.cells))


def year_of(person: Any, year: int) -> list[Strip]:
    """Everything planned in a year, a strip for each kind, the earliest first."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    strips: dict[str, list[list[Entry]]] = {}
    found = contributions.calendar_for(person, first, last)
    for entry in sorted(found, key=lambda each: (each.day, each.title)):
        cells = strips.setdefault(entry.kind, [[] for _ in range(12)])
        cells[entry.day.month - 1].append(entry)
    return [Strip(kind, cells) for kind, cells in strips.items()]


@needs(ANYONE_SIGNED_IN)
def planner(request: HttpRequest) -> HttpResponse:
    """One year on one page: audits, visits, reviews, calibrations, evaluations, deadlines."""
    day = today()
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else day.year
    year = min(max(year, EARLIEST.year), LATEST.year)
    context = {
        "title": str(year),
        "today": day,
        "year": year,
        "months": [date(year, month, 1) for month in range(1, 13)],
        "strips": year_of(request.user, year),
    }
    return render(request, "home/planner.html", context)


def _asked_month(text: str) -> date | None:
    try:
        asked = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return asked if 1990 <= asked.year <= 2190 else None


# --- search -------------------------------------------------------------------------------------


@needs(ANYONE_SIGNED_IN)
def search(request: HttpRequest) -> HttpResponse:
    """Search over everything the person may see."""
    query = " ".join(request.GET.get("q", "").split())[:100]
    asked = query if len(query) > 1 else ""
    found = contributions.search_everywhere(request.user, asked, 20)
    context = {
        "title": "Search",
        "search_query": query,
        "found": found.groups,
        "taken_for": dict(found.taken_for),
        "count": sum(len(hits) for _order, _kind, hits in found.groups),
        "too_short": len(query) == 1,
    }
    return pages.respond(request, "home/search.html", "home/search.html#found", context)


# --- views of lists -----------------------------------------------------------------------------


@needs(ANYONE_SIGNED_IN)
@require_POST
def view_keep(request: HttpRequest) -> HttpResponse:
    """Keep the filters and the order of a list under a name."""
    url, _, query = request.POST.get("list", "").partition("?")
    kept = QueryDict(query, mutable=True)
    kept.pop("page", None)
    try:
        view = keep_view(
            by=request.user,
            url=url,
            query=kept.urlencode(),
            name=request.POST.get("name", ""),
            shared=request.POST.get("shared") == "on",
        )
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, f"{url}?{view.query}")


@needs(ANYONE_SIGNED_IN)
@require_POST
def view_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a view of a list."""
    view = SavedView.objects.chosen_by(request.user).filter(pk=pk).first()
    if view is None:
        raise Http404("There is no such view.")
    try:
        forget_view(view, by=request.user)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, view.page)
