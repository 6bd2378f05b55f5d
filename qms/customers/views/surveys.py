"""Pages of surveys and of what they came to."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.customers import results, workflow
from qms.customers.forms import AskedForm, NewSurveyForm, SurveyForm
from qms.customers.models import Customer, Survey, SurveyAnswer, SurveyInvitation
from qms.customers.views.tabs import tabs
from qms.pages import Column, PathStep

MOST_ANSWERS = 200


def answered_of(survey: Any) -> str:
    return f"{survey.answered} of {survey.asked}" if survey.asked else "–"


SURVEYS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "Survey", sort="title"),
    Column("about", "About", sort="about"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("opened_on", "Sent", sort="opened_on", kind="date"),
    Column("answered", "Answered", value=answered_of),
    Column("closes_on", "Open until", sort="closes_on", kind="due", settled=lambda s: s.is_settled),
    Column("status", "State", sort="status", kind="state"),
]


class SurveyFilter(django_filters.FilterSet):
    """Filters of the surveys."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    about = django_filters.CharFilter(lookup_expr="icontains", label="About")
    status = django_filters.ChoiceFilter(choices=Survey.Status.choices, label="State")

    class Meta:
        model = Survey
        fields = ("title", "about", "status")


@needs("customers.view_survey")
def survey_list(request: HttpRequest) -> HttpResponseBase:
    """Every survey, the newest first."""
    rows = Survey.objects.visible_to(request.user).counting_answers().select_related("owner")
    return pages.show_list(
        request,
        rows,
        columns=SURVEYS,
        filterset=SurveyFilter,
        default_sort="-number",
        title="Surveys",
        intro="Customers are asked by a mailed link; each answers once, without signing in.",
        template="layouts/tabbed.html",
        tabs=tabs(request.user, "customers:survey_list"),
        create_url="customers:survey_create",
        create_label="New survey",
        empty="No survey is drafted yet. Draft the first: two questions are enough.",
    )


@needs("customers.view_survey")
def survey_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One survey: what it asks, of whom, and what it came to."""
    rows = Survey.objects.select_related("owner", "created_by")
    survey = pages.find(request, rows, pk=pk)
    answers = SurveyAnswer.objects.visible_to(request.user).filter(survey=survey)
    invitations = SurveyInvitation.objects.visible_to(request.user).live().filter(survey=survey)
    sent = SurveyInvitation.objects.filter(survey=survey)
    may = request.user.has_perm
    return pages.show_record(
        request,
        survey,
        template="customers/survey_detail.html",
        title=survey.title,
        crumbs=[("Customers", "customers:customer_list"), ("Surveys", "customers:survey_list")],
        path=path_of(survey),
        due=survey.closes_on,
        settled=survey.is_settled,
        result=results.in_words(results.result_of(answers, sent)) if survey.opened_on else [],
        answers=list(
            answers.select_related("invitation__customer", "survey").order_by(
                "-answered_on", "-pk"
            )[:MOST_ANSWERS]
        ),
        invitations=list(
            invitations.select_related("customer", "answer").order_by("customer__number")
        )
        if may("customers.view_surveyinvitation")
        else [],
        may_choose=survey.status == "draft"
        and may("customers.change_survey")
        and not workflow.only_who_asks(survey, request.user),
        may_take=may("customers.add_feedback"),
    )


def path_of(survey: Survey) -> list[PathStep]:
    """Drafted, sent, closed: how far the survey is."""
    if survey.status == "void":
        return [PathStep("Drafted", "done"), PathStep("Void", "now")]
    behind = {"draft": 1, "open": 2, "closed": 3}[survey.status]
    steps = [
        ("Drafted", ""),
        ("Sent", survey.opened_on or ""),
        ("Closed", survey.closed_on or ""),
    ]
    return [
        PathStep(name, "done" if i < behind else "now" if i == behind else "later", note)
        for i, (name, note) in enumerate(steps)
    ]


@needs("customers.add_survey")
def survey_create(request: HttpRequest) -> HttpResponse:
    """Draft a survey; everybody with a mail address is chosen already."""
    known = Customer.objects.visible_to(request.user).open().exclude(email="")
    return pages.edit(
        request,
        form_class=NewSurveyForm,
        create=workflow.draft_survey,
        title="New survey",
        initial={"customers": list(known.values_list("pk", flat=True))},
        context={
            "cancel_url": "customers:survey_list",
            "intro": "Nothing is sent before you open it.",
        },
    )


@needs("customers.change_survey")
def survey_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is asked while it is a draft; later its owner and its last day."""
    survey = pages.find(request, Survey.objects, pk=pk)
    return pages.edit(
        request, form_class=SurveyForm, instance=survey, title=f"Edit {survey.number}"
    )


@needs("customers.change_survey")
def survey_customers(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whom it asks."""
    survey = pages.find(request, Survey.objects, pk=pk)
    asked = SurveyInvitation.objects.live().filter(survey=survey)

    def save(*, by: Any, customers: Any) -> Survey:
        return workflow.ask_customers(survey, by=by, customers=customers)

    return pages.edit(
        request,
        form_class=AskedForm,
        create=save,
        title=f"Whom {survey.number} asks",
        initial={"customers": list(asked.values_list("customer_id", flat=True))},
        context={"cancel_url": survey.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def survey_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Send, remind, close, void."""
    return pages.do_transition(request, pages.find(request, Survey.objects, pk=pk), name)


@dataclass(frozen=True)
class Line:
    """A survey, a product or a customer with what it came to."""

    name: str
    url: str
    when: Any
    result: results.Result


@needs("customers.view_surveyanswer")
@require_safe
def results_page(request: HttpRequest) -> HttpResponse:
    """What surveys came to: survey by survey, by product, by customer; each counted anew."""
    surveys = Survey.objects.visible_to(request.user).filter(status__in=("open", "closed"))
    about = request.GET.get("about", "").strip()[:120]
    known = list(surveys.order_by("-opened_on", "-pk"))
    products = sorted({each.about for each in known if each.about})
    if about in products:
        known = [each for each in known if each.about == about]
    answers = SurveyAnswer.objects.visible_to(request.user).filter(survey__in=known)
    sent = results.invitations_to(known)
    by_survey = _by_survey(known, answers, sent)
    printing = request.GET.get("print") == "1"
    context = {
        "title": "What surveys came to",
        "tabs": tabs(request.user, "customers:results"),
        "about": about if about in products else "",
        "products": products,
        "whole": results.in_words(results.together(each.result for each in by_survey))
        if known
        else [],
        "parts": [
            ("Survey by survey", "Survey", by_survey),
            ("By product or service", "About", _by_product(answers, sent)),
            ("By customer", "Customer", _by_customer(request, answers, sent)),
        ],
        "fewest": results.FEWEST,
        "crumbs": [("Customers", reverse("customers:customer_list")), ("Results", "")],
        "base": "layouts/print.html" if printing else "base.html",
    }
    return render(request, "customers/results.html", context)


def _by_survey(known: list[Survey], answers: Any, sent: Any) -> list[Line]:
    found = results.results_by("survey", answers, sent)
    return [
        Line(str(each), each.get_absolute_url(), each.opened_on, found[each.pk])
        for each in known
        if each.pk in found
    ]


def _by_product(answers: Any, sent: Any) -> list[Line]:
    found = results.results_by("survey__about", answers, sent)
    return [Line(name or "Everything", "", None, found[name]) for name in sorted(found)]


def _by_customer(request: HttpRequest, answers: Any, sent: Any) -> list[Line]:
    found = results.results_by("customer", answers, sent)
    rows = Customer.objects.visible_to(request.user).filter(pk__in=list(found)).order_by("name")
    return [Line(each.name, each.get_absolute_url(), None, found[each.pk]) for each in rows]
