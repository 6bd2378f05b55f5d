"""Pages of cases that are alike and of causes that came again."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from capa.models import Nonconformity, Repeat
from capa.recurrence import alike, told_by, told_in_words
from capa.views.nonconformities import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.scope.models import Process

MOST_TYPED = 2_000
MOST_FAMILIES = 50  # on one page, those with the most cases first

REPEATS = [
    Column("nonconformity", "Case", value="nonconformity.number", sort="nonconformity__number"),
    Column("title", "What is wrong", value="nonconformity.title"),
    Column("earlier", "Repeats", value="earlier.number", sort="earlier__number"),
    Column("in_common", "In common"),
    Column("owner", "Owner", value="nonconformity.owner", kind="person"),
    Column("due", "Due", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("status", "State", sort="status", kind="state"),
]
BOTH = ("nonconformity__owner", "nonconformity__process", "earlier__owner", "manager", "noted_by")


@needs("capa.add_nonconformity")
def alike_typed(request: HttpRequest) -> HttpResponse:
    """While somebody reports: what was reported before and sounds the same."""
    title = request.GET.get("title", "")[:MOST_TYPED]
    details = request.GET.get("evidence", "")[:MOST_TYPED]
    found = []
    if len(title.split()) > 1:
        process = pages.named_in(request, "process", Process)
        asked = told_in_words(title, details=details, process=process)
        found = alike(asked, _seen_by(request.user))
    return render(request, "capa/alike.html", {"found": found, "typed": True})


@needs("capa.view_nonconformity")
def nc_alike(request: HttpRequest, pk: int) -> HttpResponse:
    """Cases like this one, wherever they happened: for the search that its answer asks for."""
    nc = pages.find(request, Nonconformity.objects.select_related("process"), pk=pk)
    found = alike(told_by(nc), _seen_by(request.user).exclude(pk=nc.pk), most=10)
    context = {
        "title": f"Cases like {nc.number}",
        "crumbs": [
            ("Nonconformities", reverse("capa:nc_list")),
            (nc.number, nc.get_absolute_url()),
            ("Alike", ""),
        ],
        "record": nc,
        "found": found,
    }
    return pages.respond(request, "capa/nc_alike.html", "capa/alike.html", context)


def _seen_by(person: Any) -> Any:
    rows = Nonconformity.objects.visible_to(person)
    return rows.exclude(status=Nonconformity.Status.VOID)


class RepeatFilter(django_filters.FilterSet):
    """Filters of repeats."""

    status = django_filters.ChoiceFilter(choices=Repeat.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(
        field_name="nonconformity__process", queryset=Process.objects.all(), label="Process"
    )
    owner = django_filters.ModelChoiceFilter(
        field_name="nonconformity__owner", queryset=Person.objects.people(), label="Owner"
    )

    class Meta:
        model = Repeat
        fields = ("status", "process", "owner")


@needs("capa.view_repeat")
def repeat_list(request: HttpRequest) -> HttpResponseBase:
    """Cases whose cause was there before."""
    rows = Repeat.objects.visible_to(request.user).select_related(*BOTH)
    return pages.show_list(
        request,
        rows,
        columns=REPEATS,
        filterset=RepeatFilter,
        default_sort="due",
        title="Repeats",
        intro="The same cause again: what was done before did not last.",
        crumbs=[("Nonconformities", reverse("capa:nc_list")), ("Repeats", "")],
        empty="No cause has come again. Each case is compared once its cause is named.",
    )


@needs("capa.view_repeat")
def repeat_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Two cases side by side: is it the same cause?"""
    repeat = pages.find(request, Repeat.objects.select_related(*BOTH), pk=pk)
    return pages.show_record(
        request,
        repeat,
        template="capa/repeat_detail.html",
        title=str(repeat),
        crumbs=[
            ("Nonconformities", reverse("capa:nc_list")),
            ("Repeats", reverse("capa:repeat_list")),
            (repeat.nonconformity.number, ""),
        ],
        due=repeat.due,
        settled=repeat.is_settled,
        sides=[repeat.nonconformity, repeat.earlier],
    )


@needs(ANYONE_SIGNED_IN)
def repeat_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Decide whether it is the same cause; take note of it."""
    return pages.do_transition(
        request, pages.find(request, Repeat.objects.select_related(*BOTH), pk=pk), name
    )


@dataclass(frozen=True)
class Family:
    """Cases of one cause, linked by repeats, the oldest first."""

    cases: list[Nonconformity]

    @property
    def last(self) -> Nonconformity:
        return self.cases[-1]

    @property
    def began(self) -> date:
        return self.cases[0].detected_on

    @property
    def open_count(self) -> int:
        return sum(not each.is_settled for each in self.cases)

    @property
    def where(self) -> str:
        """The processes it happened in, the commonest first."""
        names = Counter(each.process.name for each in self.cases if each.process)
        return ", ".join(name for name, _ in names.most_common(3))


@needs("capa.view_repeat")
def recurring(request: HttpRequest) -> HttpResponse:
    """Causes that came again, with every case they were behind."""
    repeats = Repeat.objects.visible_to(request.user).counted()
    pairs = list(repeats.values_list("nonconformity_id", "earlier_id"))
    rows = Nonconformity.objects.visible_to(request.user).select_related("process", "owner")
    cases = {each.pk: each for each in rows.filter(pk__in={pk for pair in pairs for pk in pair})}
    found = [Family(_in_order(cases, group)) for group in families(pairs)]
    found.sort(key=lambda family: (-len(family.cases), -family.last.detected_on.toordinal()))
    context = {
        "title": "Causes that come again",
        "crumbs": [("Nonconformities", reverse("capa:nc_list")), ("Causes that come again", "")],
        "tabs": tabs("recurring", request.user),
        "families": found[:MOST_FAMILIES],
        "more": max(0, len(found) - MOST_FAMILIES),
    }
    return render(request, "capa/recurring.html", context)


def _in_order(cases: dict[int, Nonconformity], group: set[int]) -> list[Nonconformity]:
    return sorted((cases[pk] for pk in group), key=lambda each: (each.detected_on, each.pk))


def families(pairs: list[tuple[int, int]]) -> list[set[int]]:
    """The groups that pairs make when whoever shares a member belongs together."""
    groups: dict[int, set[int]] = {}
    for one, other in pairs:
        joined = groups.get(one, {one}) | groups.get(other, {other})
        for member in joined:
            groups[member] = joined
    return [group for pk, group in groups.items() if pk == min(group)]
