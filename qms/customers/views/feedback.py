"""Pages of feedback: what customers say, and what follows."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.customers import workflow
from qms.customers.forms import FeedbackForm
from qms.customers.models import Customer, Feedback
from qms.customers.views.tabs import tabs
from qms.pages import Column
from qms.periods import today

FEEDBACK = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "What they said"),
    Column("from_whom", "Customer", sort="customer__name"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("came_by", "How it came", value="get_came_by_display", sort="came_by"),
    Column("about", "About", sort="about", shown=False),
    Column("heard_on", "Heard", sort="heard_on", kind="date"),
    Column("taken_by", "Taken by", sort="taken_by__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
]


class FeedbackFilter(django_filters.FilterSet):
    """Filters of the feedback."""

    words = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    customer = django_filters.CharFilter(
        field_name="customer__name", lookup_expr="icontains", label="Customer"
    )
    about = django_filters.CharFilter(lookup_expr="icontains", label="About")
    kind = django_filters.ChoiceFilter(choices=Feedback.Kind.choices, label="Kind")
    status = django_filters.ChoiceFilter(choices=Feedback.Status.choices, label="State")

    class Meta:
        model = Feedback
        fields = ("words", "customer", "about", "kind", "status")


@needs("customers.view_feedback")
def feedback_list(request: HttpRequest) -> HttpResponseBase:
    """What customers said, the newest first."""
    rows = Feedback.objects.visible_to(request.user).select_related("customer", "taken_by")
    return pages.show_list(
        request,
        rows,
        columns=FEEDBACK,
        filterset=FeedbackFilter,
        default_sort="-heard_on",
        title="Feedback",
        intro="What customers say on the telephone, on a visit, by mail or in public.",
        template="layouts/tabbed.html",
        tabs=tabs(request.user, "customers:feedback_list"),
        create_url="customers:feedback_create",
        create_label="Write down feedback",
        empty="Nothing is written down yet. Praise counts, too.",
    )


@needs("customers.view_feedback")
def feedback_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a customer said, and what follows."""
    rows = Feedback.objects.select_related("customer", "taken_by", "created_by")
    feedback = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        feedback,
        template="customers/feedback_detail.html",
        title=feedback.title,
        crumbs=[("Customers", "customers:customer_list"), ("Feedback", "customers:feedback_list")],
    )


@needs("customers.add_feedback")
def feedback_create(request: HttpRequest) -> HttpResponse:
    """Write down what a customer said; `customer` of the address is chosen already."""
    begun: dict[str, Any] = {"heard_on": today()}
    if (known := pages.named_in(request, "customer", Customer)) is not None:
        begun["customer"] = known.pk
    return pages.edit(
        request,
        form_class=FeedbackForm,
        create=workflow.take_feedback,
        title="Write down feedback",
        initial=begun,
        context={"cancel_url": "customers:feedback_list"},
    )


@needs(ANYONE_SIGNED_IN)
def feedback_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say what follows, take back."""
    rows = Feedback.objects.select_related("customer")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
