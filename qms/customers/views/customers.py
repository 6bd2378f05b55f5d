"""Pages of customers and satisfaction reviews."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from qms import contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.customers import workflow
from qms.customers.forms import CustomerForm, NewCustomerForm, ReviewForm
from qms.customers.models import (
    Customer,
    Feedback,
    SatisfactionReview,
    SurveyAnswer,
    Verdict,
)
from qms.customers.views.tabs import tabs
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today

REVIEWS_SHOWN = 12

CUSTOMERS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("name", "Customer", sort="name"),
    Column("buys", "Products and services"),
    Column("special", "Special requirements", shown=False),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("last_on", "Asked", sort="last_on", kind="date", shown=False),
    Column("verdict", "Last verdict", value="get_verdict_display", sort="verdict"),
    Column("next_due", "Next review", sort="next_due", kind="due", settled=lambda c: c.is_settled),
    Column("status", "State", sort="status", kind="state"),
]


class CustomerFilter(django_filters.FilterSet):
    """Filters of the register."""

    text = django_filters.CharFilter(method="with_words", label="Text")
    status = django_filters.ChoiceFilter(choices=Customer.Status.choices, label="State")
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices, label="Last verdict")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    late = django_filters.BooleanFilter(method="only_late", label="Overdue")

    class Meta:
        model = Customer
        fields = ("text", "status", "verdict", "owner", "late")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.known_as(value)

    def only_late(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open().overdue(today()) if value else rows


@needs("customers.view_customer")
def customer_list(request: HttpRequest) -> HttpResponseBase:
    """Every customer."""
    return pages.show_list(
        request,
        Customer.objects.visible_to(request.user).select_related("owner"),
        columns=CUSTOMERS,
        filterset=CustomerFilter,
        default_sort="number",
        title="Customers",
        intro="Who buys what, what they ask for in particular, and how satisfied they are.",
        template="layouts/tabbed.html",
        tabs=tabs(request.user, "customers:customer_list"),
        create_url="customers:customer_create",
        create_label="New customer",
        empty="No customer is entered yet. Begin with those who ask for something special.",
    )


@needs("customers.view_customer")
def customer_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer: what they buy and ask for, and how satisfied they were."""
    rows = Customer.objects.select_related("owner", "created_by")
    customer = pages.find(request, rows, pk=pk)
    reviews = SatisfactionReview.objects.visible_to(request.user).filter(customer=customer)
    reviews = reviews.select_related("created_by", "customer").newest_first()
    answers = SurveyAnswer.objects.visible_to(request.user).of_customer(customer)
    answers = answers.exclude(survey__status="void").select_related("survey")
    feedback = Feedback.objects.visible_to(request.user).standing().filter(customer=customer)
    return pages.show_record(
        request,
        customer,
        template="customers/customer_detail.html",
        title=customer.name,
        crumbs=[("Customers", "customers:customer_list")],
        due=customer.next_due,
        settled=customer.is_settled,
        reviews=list(reviews[:REVIEWS_SHOWN]),
        answers=list(answers.order_by("-answered_on", "-pk")[:REVIEWS_SHOWN]),
        feedback=list(feedback.order_by("-heard_on", "-pk")[:REVIEWS_SHOWN]),
        beside=contributions.related_to(Customer, [customer.pk], request.user)[customer.pk].items(),
        may_take=not customer.is_settled and request.user.has_perm("customers.add_feedback"),
        may_review=not customer.is_settled
        and request.user.has_perm("customers.add_satisfactionreview"),
    )


@needs("customers.add_customer")
def customer_create(request: HttpRequest) -> HttpResponse:
    """Enter a customer."""
    return pages.edit(
        request,
        form_class=NewCustomerForm,
        create=workflow.enter_customer,
        title="New customer",
        context={"cancel_url": "customers:customer_list"},
    )


@needs("customers.change_customer")
def customer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of a customer."""
    customer = pages.find(request, Customer.objects, pk=pk)
    return pages.edit(
        request, form_class=CustomerForm, instance=customer, title=f"Edit {customer.number}"
    )


@needs(ANYONE_SIGNED_IN)
def customer_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """End, take up again."""
    return pages.do_transition(request, pages.find(request, Customer.objects, pk=pk), name)


# Satisfaction reviews

REVIEWS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("customer", "Customer", value="customer.name", sort="customer__name"),
    Column("reviewed_on", "Asked", sort="reviewed_on", kind="date"),
    Column("source", "How we know", value="get_source_display", sort="source"),
    Column("verdict", "Verdict", value="get_verdict_display", sort="verdict"),
    Column("heard", "What was heard", shown=False),
    Column("by", "By", value="created_by", sort="created_by__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
]


class ReviewFilter(django_filters.FilterSet):
    """Filters of the reviews."""

    customer = django_filters.CharFilter(
        field_name="customer__name", lookup_expr="icontains", label="Customer"
    )
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices, label="Verdict")
    source = django_filters.ChoiceFilter(
        choices=SatisfactionReview.Source.choices, label="How we know"
    )

    class Meta:
        model = SatisfactionReview
        fields = ("customer", "verdict", "source")


@needs("customers.view_satisfactionreview")
def review_list(request: HttpRequest) -> HttpResponseBase:
    """Every satisfaction review, the newest first."""
    rows = SatisfactionReview.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("customer", "created_by"),
        columns=REVIEWS,
        filterset=ReviewFilter,
        default_sort="-reviewed_on",
        title="Satisfaction of customers",
        template="layouts/tabbed.html",
        tabs=tabs(request.user, "customers:review_list"),
        empty="No customer was asked yet. Open a customer and write down what you hear.",
    )


@needs("customers.view_satisfactionreview")
def review_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One review: what was heard, what follows."""
    rows = SatisfactionReview.objects.select_related("customer", "created_by")
    review = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        review,
        template="customers/review_detail.html",
        title=f"How satisfied {review.customer.name} is",
        crumbs=[
            ("Customers", "customers:customer_list"),
            (review.customer.number, review.customer.get_absolute_url()),
        ],
    )


@needs("customers.add_satisfactionreview")
def review_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down how satisfied a customer is."""
    customer = pages.find(request, Customer.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> SatisfactionReview:
        made: SatisfactionReview = workflow.record_review(customer, by=by, **said)
        return made

    return pages.edit(
        request,
        form_class=ReviewForm,
        create=save,
        title=f"How satisfied is {customer.name}?",
        done=customer.get_absolute_url(),
        context={"intro": customer.buys, "cancel_url": customer.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def review_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take a review back."""
    return pages.do_transition(
        request, pages.find(request, SatisfactionReview.objects, pk=pk), name
    )
