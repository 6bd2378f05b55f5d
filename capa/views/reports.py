"""Pages of reports: what became of one's own, sorting all of them, and the codes on the wall."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from capa.models import Report
from capa.report_codes import codes_pdf
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.origins import is_visible
from qms.pages import Column, PathStep
from qms.periods import today
from qms.scope.models import ProcessSite

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "What happened", sort="title"),
    Column("place", "Where", sort="place"),
    Column("process", "Process", value="process.code", sort="process__code"),
    Column("created_by", "From", sort="created_by__name", kind="person"),
    Column("came_by", "How it came", value="get_came_by_display", sort="came_by", shown=False),
    Column("sender", "From outside", sort="sender", shown=False),
    Column("detected_on", "When", sort="detected_on", kind="date"),
    Column("status", "State", sort="status", kind="state"),
    Column("kind", "What it is", value="get_kind_display", sort="kind"),
]
AT_ONCE = 30  # reports on the page that sorts them


class ReportFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Report.Status.choices, label="State")
    kind = django_filters.ChoiceFilter(choices=Report.Kind.choices, label="What it is")

    class Meta:
        model = Report
        fields = ("title", "status", "kind")


@needs("capa.view_report")
def report_list(request: HttpRequest) -> HttpResponseBase:
    """What was reported: one's own, or all for whoever sorts them."""
    rows = Report.objects.visible_to(request.user).select_related("process", "created_by")
    sorts = request.user.has_perm("capa.sort_report")
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        filterset=ReportFilter,
        default_sort="-number",
        title="Reports" if sorts else "My reports",
        create_url="capa:problem_create",
        create_label="Report a problem",
        empty="Nothing was reported yet. Report what you noticed; it takes a minute.",
    )


@needs("capa.view_report")
def report_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One report, for whoever made it: thanks, and how far it is."""
    rows = Report.objects.select_related(
        "process", "site", "created_by", "sorted_by", "became_type"
    )
    report = pages.find(request, rows, pk=pk)
    became: Any = report.became
    return pages.show_record(
        request,
        report,
        template="capa/report_detail.html",
        title=report.title,
        crumbs=[("Reports", "capa:report_list")],
        path=path_of(report, became),
        due=report.due,
        settled=report.is_settled,
        became=became,
        seen=became is not None and is_visible(became, request.user),
        is_mine=report.created_by_id == request.user.pk,
    )


def path_of(report: Report, became: Any) -> list[PathStep]:
    """Reported, taken up, done."""
    told = PathStep("Reported", "done", report.recorded_at)
    if report.status == Report.Status.ANSWERED:
        return [told, PathStep("Answered", "done", report.sorted_on or "")]
    taken = became is not None
    done = taken and is_done(became)
    return [
        told,
        PathStep("Taken up", "done" if taken else "now", report.sorted_on or report.due or ""),
        PathStep("Done", "done" if done else "now" if taken else "later"),
    ]


def is_done(became: Any) -> bool:
    """Whether nothing more happens with what a report became."""
    if hasattr(became, "is_settled"):
        return bool(became.is_settled)
    return became.status in ("done", "declined")


@needs(ANYONE_SIGNED_IN)
def report_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say what it is, or answer it."""
    rows = Report.objects.select_related("process", "site", "created_by")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("capa.sort_report")
def triage(request: HttpRequest) -> HttpResponse:
    """The reports nobody has sorted yet, the oldest first, each with its clicks."""
    rows = Report.objects.visible_to(request.user).open()
    waiting = rows.select_related("process", "site", "created_by").order_by("due", "pk")
    context = {
        "title": "Sort reports",
        "reports": [
            {"report": each, "steps": pages.steps_of(each, request.user)}
            for each in waiting[:AT_ONCE]
        ],
        "more": max(0, waiting.count() - AT_ONCE),
        "back": reverse("capa:triage"),
        "today": today(),
        "crumbs": [("Reports", reverse("capa:report_list")), ("Sort", "")],
    }
    return render(request, "capa/triage.html", context)


@needs("capa.sort_report")
def report_codes(request: HttpRequest) -> HttpResponse:
    """A sheet of QR codes, one for each workplace, that open the report with it filled in."""
    address = request.build_absolute_uri(reverse("capa:problem_create"))
    links = ProcessSite.objects.live().filter(process__status="active", site__status="active")
    places = [
        (each.site, each.process, f"{address}?process={each.process_id}&site={each.site_id}")
        for each in links.select_related("site", "process").order_by("site__name", "process__code")
    ]
    return pages.send_pdf(codes_pdf(places), "report-codes")
