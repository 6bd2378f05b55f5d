"""Pages of indicators: list, record with its chart and readings, form."""

from typing import Any

import django_filters
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from objectives import schedule, workflow
from objectives.charts import MOST_DRAWN, chart_of_indicator, histogram_of, spark_of
from objectives.control import Control, Seen, control_of, fit_of
from objectives.forms import IndicatorForm
from objectives.models import Indicator, Objective, carry, readings_of, series_of
from objectives.prints import indicator_pdf as pdf_of
from objectives.status import trend_in_words
from objectives.views.objectives import last_value, stands
from qms import contributions, pages, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.listing import Column, cells_of
from qms.people.models import Person
from qms.scope.models import Process, Site
from qms.templatetags.face import badge, day_words, moment, person, state

PEOPLE = ("responsible", "process", "site")
MANY = 500  # indicators on one page
READINGS_A_PAGE = 12  # a year of months
MOST_SIGNALS = 10


def missing_word(indicator: Any) -> str:
    """The period whose reading is late, in words; empty where none is."""
    if indicator.status != Indicator.Status.ACTIVE:
        return ""
    last = schedule.latest_expected(indicator.frequency, indicator.starts_on, None, periods.today())
    readings = readings_of(indicator)
    if last is None or (readings and readings[-1][0] >= last.start):
        return ""
    return f"{schedule.name_of(indicator.frequency, last)} is missing"


def how_current(indicator: Any) -> Any:
    """Whether the reading that was due is there, as a badge."""
    if indicator.status != Indicator.Status.ACTIVE:
        return badge(indicator.get_status_display(), "void")
    word = missing_word(indicator)
    return badge(word, "soon") if word else badge("Up to date", "fine")


COLUMNS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "Indicator", sort="title"),
    Column("responsible", "Responsible", sort="responsible__name", kind="person"),
    Column("frequency", "Measured", value=lambda i: i.frequency.capitalize(), sort="frequency"),
    Column("last", "Last", value=last_value, numeric=True),
    Column("spark", "Course", value=spark_of, export=False),
    Column("current", "Readings", value=how_current, export=False),
    Column("missing", "Missing", value=missing_word, shown=False),
    Column("process", "Process", sort="process__code"),
    Column("site", "Site", sort="site__name", shown=False),
    Column("unit", "Unit", sort="unit", shown=False),
    Column("chart", "Chart", value="get_chart_display", shown=False),
    Column("collection", "Collected", value="get_collection_display", shown=False),
    Column("status", "State", kind="state", shown=False),
]


def how_entered(reading: Any) -> Any:
    """The value, struck out where it no longer counts, and what stands behind it."""
    value = format_html("<del>{}</del>" if reading.status != "live" else "{}", reading.shown)
    behind = reading.behind
    return format_html('{}<br><span class="muted">{}</span>', value, behind) if behind else value


def note_of(reading: Any) -> Any:
    """What was noted, and what became of the reading."""
    parts = [] if reading.status == "live" else [state(reading)]
    if reading.corrects:
        day = day_words(reading.corrects.measured_for)
        parts.append(format_html('<span class="muted">Corrects the value of {}:</span>', day))
    parts += [linebreaksbr(reading.note, autoescape=True)] if reading.note else []
    return mark_safe(" ".join(parts))  # noqa: S308 - escaped above


def who_entered(reading: Any) -> Any:
    """By whom and when it was entered."""
    who, when = person(reading.created_by), moment(reading.recorded_at)
    return format_html('{}<br><span class="muted">{}</span>', who, when)


READING_COLUMNS = [
    Column("measured_for", "Value of"),
    Column("value", "Value", value=how_entered, numeric=True),
    Column("note", "Note", value=note_of),
    Column("entered", "Entered", value=who_entered),
]

READING_FIELDS = (
    *(
        "indicator",
        "measured_for",
        "value",
        "counted",
        "size",
        "values",
        "note",
        "status",
        "recorded_at",
    ),
    *("created_by__name", "corrects__measured_for"),
)


class IndicatorFilter(django_filters.FilterSet):
    """Filters of the list of indicators."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Indicator.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    site = django_filters.ModelChoiceFilter(queryset=Site.objects.all(), label="Site")
    responsible = django_filters.ModelChoiceFilter(
        queryset=Person.objects.people(), label="Responsible"
    )

    class Meta:
        model = Indicator
        fields = ("title", "status", "process", "site", "responsible")


@needs("objectives.view_indicator")
def indicator_list(request: HttpRequest) -> HttpResponseBase:
    """Everything that is measured, with its course."""
    rows = Indicator.objects.visible_to(request.user).with_readings()
    return pages.show_list(
        request,
        rows.select_related("responsible", "process", "site"),
        columns=COLUMNS,
        template="objectives/indicator_list.html",
        filterset=IndicatorFilter,
        page_size=MANY,
        default_sort="title",
        title="Indicators",
        intro="What is measured again and again. Objectives are judged by these readings.",
        create_url=reverse("objectives:indicator_create"),
        create_label="Measure something",
        empty="Nothing is measured yet. Begin with one figure that tells how well a process runs.",
    )


@needs("objectives.view_indicator")
def indicator_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One indicator: its chart, its readings with corrections, the objectives judged by it."""
    indicator = pages.find(request, Indicator.objects.select_related(*PEOPLE), pk=pk)
    today = periods.today()
    found = control_of(indicator, today) if indicator.chart != Indicator.Chart.RUN else None
    taken = found.known if found else series_of(indicator, until=today, most=MOST_DRAWN)
    readings = carry(indicator, taken[-MOST_DRAWN:])
    in_use = indicator.status == Indicator.Status.ACTIVE
    objectives = Objective.objects.visible_to(request.user).exclude(status="void")
    related = objectives.filter(indicator=indicator).with_readings()
    source = contributions.source_named(indicator.computed_by) if indicator.is_computed else None
    fit = fit_of(found) if found else None
    return pages.show_record(
        request,
        indicator,
        template="objectives/indicator_detail.html",
        title=indicator.title,
        crumbs=[("Indicators", reverse("objectives:indicator_list")), (indicator.number, "")],
        chart=chart_of_indicator(indicator, today, found),
        control=found,
        limits=found.decisions[::-1] if found else [],
        answers=_answers(found),
        to_explain=sum(seen.is_open for seen in found.by_period) if found else 0,
        fit=fit,
        histogram=histogram_of(found, fit.values) if found and fit and fit.values else None,
        may_decide=in_use and not workflow.only_who_keeps_it(indicator, request.user),
        trend=trend_in_words(indicator.direction, readings),
        **_readings(indicator, request.GET.get("readings")),
        last=last_value(indicator),
        missing=missing_word(indicator),
        objectives=[(each, stands(each)) for each in related.order_by("-number")[:50]],
        source_words=source.words if source else "",
        may_measure=in_use
        and not indicator.is_computed
        and not workflow.only_who_measures(indicator, request.user),
        may_import=in_use
        and not indicator.is_computed
        and request.user.has_perm("objectives.import_measurement"),
    )


def _readings(indicator: Indicator, asked: str | None) -> dict[str, Any]:
    """A page of its readings, taken back ones too, and how many count."""
    rows = indicator.measurements.order_by("-measured_for", "-pk")
    for_all = rows.aggregate(all=Count("pk"), live=Count("pk", filter=Q(status="live")))
    drawn = rows.select_related("created_by", "corrects").only(*READING_FIELDS)
    paged = Paginator(drawn, READINGS_A_PAGE)
    paged.count = for_all["all"]
    page = paged.get_page(asked)
    for reading in page:
        reading.indicator = indicator
    cells = cells_of(page, READING_COLUMNS)
    return {"readings": page, "reading_rows": cells, "count": for_all["live"]}


def _answers(found: Control | None) -> list[Seen]:
    """The newest signals of a chart: those nobody explained yet in their order, then the others."""
    known = found.by_period if found else []
    newest = sorted(known, key=lambda seen: (not seen.is_open, -seen.index))[:MOST_SIGNALS]
    return sorted(newest, key=lambda s: (not s.is_open, s.index if s.is_open else -s.index))


@needs("objectives.add_indicator")
def indicator_create(request: HttpRequest) -> HttpResponse:
    """Measure something new."""
    return pages.edit(
        request,
        form_class=IndicatorForm,
        create=workflow.add_indicator,
        title="Measure something",
        template="objectives/indicator_form.html",
        initial={"starts_on": periods.today(), **_asked(request)},
        context={"cancel_url": "objectives:indicator_list"},
    )


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The process the address names, where the person may see it."""
    found = pages.named_in(request, "process", Process)
    return {"process": found.pk} if found is not None else {}


@needs("objectives.change_indicator")
def indicator_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is said of an indicator, with the reason."""
    indicator = pages.find(request, Indicator.objects.select_related(*PEOPLE), pk=pk)
    return pages.edit(
        request,
        form_class=IndicatorForm,
        instance=indicator,
        title=f"Edit {indicator.number}",
        template="objectives/indicator_form.html",
    )


@needs(ANYONE_SIGNED_IN)
def indicator_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Retire, measure again, void."""
    rows = Indicator.objects.select_related(*PEOPLE)
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("objectives.view_indicator")
def indicator_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The indicator with its chart and newest readings as a PDF."""
    indicator = pages.find(request, Indicator.objects.select_related(*PEOPLE), pk=pk)
    return pages.send_pdf(pdf_of(indicator), indicator.number)
