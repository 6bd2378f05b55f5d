"""Pages of what cases cost."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from capa import workflow
from capa.costs import costs_of
from capa.forms import CostForm
from capa.models import CostEntry, NonconformingOutput, Nonconformity
from capa.money import currency
from capa.views.nonconformities import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.periods import Period, today
from qms.scope.models import Process

COLUMNS = [
    Column("subject", "Of", value="subject.number"),
    Column("title", "What is wrong", value="subject.title"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("amount", "Amount", sort="amount", numeric=True),
    Column("arose_on", "Arose", sort="arose_on", kind="date"),
    Column("process", "Process", value="subject.process"),
    Column("note", "Note", shown=False),
    Column("status", "State", sort="status", kind="state", shown=False),
]

SUBJECTS = ("nonconformity", "output")


class CostFilter(django_filters.FilterSet):
    """Filters of the entries."""

    kind = django_filters.ChoiceFilter(choices=CostEntry.Kind.choices, label="Kind")
    status = django_filters.ChoiceFilter(choices=CostEntry.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(
        queryset=Process.objects.all(), label="Process", method="of_process"
    )

    class Meta:
        model = CostEntry
        fields = ("kind", "status", "process")

    def of_process(self, rows: Any, name: str, process: Process) -> Any:
        """Entries of the cases and of the outputs of a process."""
        return rows.of_process(process)


@needs("capa.view_costentry")
def cost_list(request: HttpRequest) -> HttpResponseBase:
    """Every amount that was entered, with its case."""
    rows = CostEntry.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("nonconformity__process", "output__process"),
        columns=COLUMNS,
        filterset=CostFilter,
        default_sort="-arose_on",
        title="Entries of cost",
        intro=f"Amounts in {currency() or 'the currency of the organisation'}.",
        crumbs=[
            ("Nonconformities", reverse("capa:nc_list")),
            ("Cost", reverse("capa:costs")),
            ("Entries", ""),
        ],
        empty="No cost is entered yet. It is entered on the page of its case, or of what was held"
        " back.",
    )


@needs("capa.view_costentry")
def cost_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One amount: of which case or output, for what."""
    entry = pages.find(request, CostEntry.objects.select_related(*SUBJECTS), pk=pk)
    return pages.show_record(
        request,
        entry,
        template="capa/cost_detail.html",
        title=entry.title,
        crumbs=[
            ("Nonconformities", reverse("capa:nc_list")),
            (entry.subject.number, entry.subject.get_absolute_url()),
            ("Cost", ""),
        ],
        currency=currency(),
    )


@needs("capa.add_costentry")
def cost_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what a case cost."""
    nc = pages.find(request, Nonconformity.objects, pk=pk)
    return _enter(request, nc, nonconformity=nc)


@needs("capa.add_costentry")
def output_cost_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what a nonconforming output cost."""
    output = pages.find(request, NonconformingOutput.objects, pk=pk)
    return _enter(request, output, output=output)


def _enter(request: HttpRequest, subject: Any, **of: Any) -> HttpResponse:
    return pages.edit(
        request,
        form_class=CostForm,
        create=lambda *, by, **fields: workflow.enter_cost(by=by, **of, **fields),
        title=f"Cost of {subject.number}",
        initial={"arose_on": today()},
        done=subject.get_absolute_url(),
        context={"intro": f"In {currency()}." if currency() else "", "submit": "Enter"},
    )


@needs(ANYONE_SIGNED_IN)
def cost_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take an entry back."""
    entry = pages.find(request, CostEntry.objects.select_related(*SUBJECTS), pk=pk)
    return pages.do_transition(request, entry, name)


@needs("capa.view_costentry")
def costs(request: HttpRequest) -> HttpResponse:
    """The cost of poor quality of a calendar year, by kind, cause, process and customer."""
    day = today()
    year = pages.year_asked(request, day)
    here = reverse("capa:costs")
    context = {
        "title": "Cost of poor quality",
        "crumbs": [("Nonconformities", reverse("capa:nc_list")), ("Cost", "")],
        "tabs": tabs("costs", request.user),
        "years": [
            (str(each), f"{here}?year={each}", each == year)
            for each in range(day.year, day.year - 4, -1)
        ],
        "year": year,
        "found": costs_of(request.user, Period.year(year)),
    }
    return render(request, "capa/costs.html", context)
