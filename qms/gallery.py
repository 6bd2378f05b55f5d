"""The gallery: every component in all its states on one page, for those who build pages.

Only in debug mode. Its examples are invented, with the long words and the empty lists that pages
meet in real life.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms as django_forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from qms import contributions, forms, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.listing import Cell, Column, Heading, ListPage
from qms.pages import EditButton, Move, PathStep, StepButton, Steps
from qms.story import Change, Entry, Story

LONG = "Qualitätsmanagementdokumentationsverantwortlichkeitsübertragung at Goods-in, line 2"


class ExampleForm(forms.PlainForm):
    """Every kind of field."""

    title = django_forms.CharField(label="What is wrong?", help_text="One sentence is enough.")
    details = django_forms.CharField(
        label="What did you see?", widget=django_forms.Textarea, required=False
    )
    grade = django_forms.ChoiceField(
        label="Grade",
        choices=[("major", "Major"), ("minor", "Minor")],
        widget=django_forms.RadioSelect,
    )
    process = django_forms.ChoiceField(
        label="Process", choices=[("", "Choose a process"), ("p", "Production"), ("g", "Goods-in")]
    )
    seen_on = django_forms.DateField(label="Seen on")
    quantity = django_forms.DecimalField(label="Pieces affected", required=False, min_value=0)
    contained = django_forms.BooleanField(label="It is contained already.", required=False)
    photos = forms.ManyFilesField(label="Photos", required=False)


@needs(ANYONE_SIGNED_IN)
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component in all its states; 404 outside debug mode."""
    if not settings.DEBUG:
        raise Http404
    today = periods.today()
    context = {
        "title": "Gallery",
        "crumbs": [("My work", "/"), ("Gallery", "")],
        "today": today,
        "days": [today + timedelta(days=n) for n in (-4, -1, 0, 1, 3, 40)],
        "tones": [
            ("In review", ""),
            ("Effective", "fine"),
            ("Due for review", "soon"),
            ("Rejected", "late"),
            ("Planned", "info"),
            ("Void", "void"),
        ],
        "people": [
            SimpleNamespace(name=n) for n in ("Ana Ruiz", "Jean-Baptiste Łukasiewicz", "Li")
        ],
        "path": _path(today),
        "steps": _steps(),
        "edit_button": EditButton("#", ""),
        "record": SimpleNamespace(version=3, pk=1, get_absolute_url="/gallery/"),
        "story": _story(),
        "rows": _rows(today),
        "no_rows": [],
        "page": _page(today),
        "rows_template": "components/list_rows.html",
        "tiles": _tiles(),
        "kv_pairs": [
            ("Requirement", "Measuring equipment is fit for its purpose."),
            (LONG, LONG),
            ("Raised on", today),
            ("Cost", Decimal("1234.50")),
            ("Closed on", None),
        ],
        "signatures": [_signature()],
        "attachments": [_attachment("torque-wrench-TW-07.jpg", 482_113), _attachment(LONG, 9)],
        "tabs": [("Overview", "#", True), ("Findings 4", "#", False), ("Report", "#", False)],
        "blank_form": ExampleForm(by=request.user),
        "wrong_form": _wrong_form(request.user),
        "versions": [{"label": "Title", "theirs": "Torque wrench lapsed", "yours": LONG}],
        "sentence": "Someone changed this meanwhile. Look at the new version, then try again.",
        "table_headings": ["Month", "On time", "Late"],
        "table_rows": [["September", 412, 9], ["October", 398, 21]],
    }
    return render(request, "gallery.html", context)


def _path(today: date) -> list[PathStep]:
    return [
        PathStep("Contained", "done", today - timedelta(days=12)),
        PathStep("Cause", "now", "due 18 Nov"),
        PathStep("Similar cases", "later", "2 proposed"),
        PathStep("Actions", "later"),
        PathStep("Effective?", "later", "criterion first"),
        PathStep("Closed", "later"),
    ]


def _button(label: str, *obstacles: str, primary: bool = True, at_once: bool = False) -> StepButton:
    name = label.lower().replace(" ", "_")
    move = Move(name, label, f"{label}.", primary, None)
    return StepButton(move, list(obstacles), "/gallery/", at_once)


def _steps() -> Steps:
    return Steps(
        _button("Cause found"),
        [_button("Void", primary=False)],
        [_button("Close", "Search for similar cases, plan an action, or say why none is needed.")],
    )


def _story() -> Story:
    ana, li = SimpleNamespace(name="Ana Ruiz"), SimpleNamespace(name="Li Wei")
    at = datetime(2026, 11, 10, 14, 12, tzinfo=UTC)
    moved = [Change("Title", "Wrench lapsed", LONG), Change("Owner", "Nobody", "Li Wei")]
    return Story(
        [
            Entry(at, li, "Contained: wrench withdrawn, first 10 orders rechecked.", False, moved),
            Entry(at - timedelta(days=1), ana, "Raised from finding 3.", True),
        ],
        1,
        True,
    )


def _rows(today: date) -> list[dict[str, Any]]:
    return [
        {
            "icon": "alert-triangle",
            "title": "Torque wrench past its calibration date used on line 2",
            "url": "#",
            "origin": "NC-2026-0113 · Production · from audit IA-2026-07",
            "state": "Cause analysis",
            "due": today - timedelta(days=4),
            "action": "Find cause",
        },
        {
            "icon": "file-text",
            "title": LONG,
            "url": "#",
            "origin": "QP-08 · Procurement · sent by the process owner",
            "state": "In review",
            "due": today,
            "action": "Review",
        },
        {
            "icon": "clipboard-check",
            "title": "Audit of Goods-in",
            "url": "#",
            "origin": "IA-2026-11 · lead auditor · 2 auditees confirmed",
            "state": "Confirmed",
            "due": today + timedelta(days=2),
            "action": "Prepare",
        },
    ]


def _page(today: date) -> ListPage:
    columns = [
        Column("number", "Number", kind="number", sort="number"),
        Column("title", "Title", sort="title"),
        Column("owner", "Owner", kind="person"),
        Column("due_on", "Due", kind="due", sort="due_on"),
        Column("pieces", "Pieces", numeric=True),
    ]
    row = SimpleNamespace(
        number="NC-2026-0113",
        title=LONG,
        owner=SimpleNamespace(name="Ana Ruiz"),
        due_on=today - timedelta(days=4),
        pieces=1240,
    )
    cells = [Cell(column, column.of(row), row) for column in columns]
    headings = [
        Heading(each, "down" if at == 0 else "", each.name) for at, each in enumerate(columns)
    ]
    return ListPage(
        headings, [(row, "#", cells)] * 3, 2, 50, 1000, True, True, "-number", [1, 2, None, 9]
    )


def _tiles() -> list[contributions.Tile]:
    make = contributions.Tile
    return [
        make(
            "On-time delivery",
            "96.4 %",
            "Target 97 %, two months below.",
            "soon",
            "#",
            (97.2, 97.8, None, 96.9, 96.1, 96.4),
            (("October", "96.4 %"), ("September", "96.1 %")),
        ),
        make("Audits", "9 of 11", "On plan; the next one is on 24 Nov.", "fine", "#"),
        make("Documents past review", "6", "The oldest has waited for 41 days.", "late", "#"),
    ]


def _signature() -> SimpleNamespace:
    return SimpleNamespace(
        printed_name="Ana Ruiz",
        meaning="approved",
        signed_at=datetime(2026, 11, 9, 16, 40, tzinfo=UTC),
        content_hash="9f2ce1b06a7745d1a0c6",
    )


def _attachment(name: str, size: int) -> SimpleNamespace:
    return SimpleNamespace(name=name, size=size, get_absolute_url="#")


def _wrong_form(person: Any) -> ExampleForm:
    typed = {"title": "", "details": "Wrench TW-07 on line 2.", "seen_on": "31.11.2026"}
    form = ExampleForm(typed, by=person, prefix="wrong")
    form.data = {f"wrong-{name}": value for name, value in typed.items()}
    form.full_clean()
    return form
