"""Pages of imports: bring a sheet, see every problem, accept the good rows, watch it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from objectives import workflow
from objectives.forms import SheetForm
from objectives.models import Indicator, ReadingSheet
from objectives.workflow.sheets import rows_done
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.periods import day_of

COLUMNS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("name", "Sheet", sort="name"),
    Column("created_by", "Brought by", sort="created_by__name", kind="person"),
    Column("recorded_at", "When", sort="recorded_at", kind="moment"),
    Column("written", "Imported", numeric=True),
    Column("left_out", "Left out", numeric=True),
    Column("status", "State", sort="status", kind="state"),
]
RELATED = ("created_by", "indicator", "progress")


@needs("objectives.view_readingsheet")
def sheet_list(request: HttpRequest) -> HttpResponseBase:
    """Every sheet that was brought."""
    return pages.show_list(
        request,
        ReadingSheet.objects.visible_to(request.user).select_related("created_by"),
        columns=COLUMNS,
        default_sort="-number",
        title="Imports of readings",
        create_url=reverse("objectives:sheet_create"),
        create_label="Bring a sheet",
        empty="No sheet was brought yet. Bring one with a column each for indicator, date, value.",
    )


@needs("objectives.import_measurement")
def sheet_create(request: HttpRequest) -> HttpResponse:
    """Bring a sheet of readings."""
    asked = request.GET.get("indicator", "")
    known = asked if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    found = Indicator.objects.visible_to(request.user).filter(pk=known).first() if known else None
    return pages.edit(
        request,
        form_class=SheetForm,
        create=workflow.bring_sheet,
        title="Import readings from a sheet",
        initial={"indicator": found.pk if found else None},
        context={
            "intro": "It is read first, and every problem is named by row and column. Nothing is"
            " kept before you accept it.",
            "submit": "Read it",
            "cancel_url": "objectives:indicator_list",
        },
    )


def _find(request: HttpRequest, pk: int) -> Any:
    return pages.find(request, ReadingSheet.objects.select_related(*RELATED), pk=pk)


def _progress(sheet: Any) -> dict[str, Any]:
    done, total = rows_done(sheet) if sheet.is_under_way else (0, 0)
    stored = getattr(sheet, "progress", None)
    if stored is not None and not total:
        done, total = stored.done, stored.total
    return {"record": sheet, "progress": stored, "done": done, "total": total}


@needs("objectives.view_readingsheet")
def sheet_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: how far it is, what it would keep, every problem, what it kept."""
    sheet = _find(request, pk)
    context = _progress(sheet)
    context.pop("record")
    return pages.show_record(
        request,
        sheet,
        template="objectives/sheet_detail.html",
        title=sheet.name,
        crumbs=[("Imports", reverse("objectives:sheet_list")), (sheet.number, "")],
        path=path_of(sheet),
        **context,
    )


@needs("objectives.view_readingsheet")
@require_safe
def sheet_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, asked every two seconds; when it is over the page moves on."""
    sheet = _find(request, pk)
    if not sheet.is_under_way:
        return pages.go_to(request, sheet.get_absolute_url())
    return render(request, "objectives/sheet_progress.html", _progress(sheet))


@needs(ANYONE_SIGNED_IN)
def sheet_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Accept the good rows, or cancel."""
    return pages.do_transition(request, _find(request, pk), name)


def path_of(sheet: ReadingSheet) -> list[PathStep]:
    """Read, accepted, written."""
    names = ["Read", "Accept", "Write", "Imported"]
    notes = [day_of(sheet.recorded_at), "", "", ""]
    if sheet.status in ("failed", "cancelled"):
        return [PathStep("Brought", "done"), PathStep(str(sheet.get_status_display()), "now")]
    at = ["reading", "checked", "writing", "done"].index(sheet.status)
    return [
        PathStep(name, "done" if i < at or at == 3 else "now" if i == at else "later", note)
        for i, (name, note) in enumerate(zip(names, notes, strict=True))
    ]
