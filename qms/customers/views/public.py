"""The public page on which a customer answers: no sign-in, no script, one answer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from qms.access import PUBLIC, looks_too_often, needs
from qms.customers import workflow
from qms.customers.forms import AnswerForm
from qms.customers.models import SurveyAnswer
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Organisation

LOOKS, WINDOW = 60, 60  # looks at survey pages from one address, in seconds


@never_cache
@needs(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def survey_answer(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a survey with the link that was mailed, once."""
    if looks_too_often(request, "survey", most=LOOKS, seconds=WINDOW):
        response = _said(request, "wait", status=429)
        response["Retry-After"] = str(WINDOW)
        return response
    invitation = workflow.invitation_of(token)
    if invitation is None:
        return _said(request, "unknown", status=404)
    if SurveyAnswer.objects.filter(invitation=invitation).exists():
        return _said(request, "thanks")
    if invitation.ended or not invitation.survey.takes_answers_on(today()):
        return _said(request, "over", status=410)
    form = AnswerForm(request.POST or None, survey=invitation.survey)
    if request.method == "POST" and form.is_valid():
        try:
            workflow.answer_survey(invitation, by=Person.objects.system(), **form.said())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _said(request, "thanks")
    status = 422 if request.method == "POST" else 200
    return _said(request, "asked", status=status, form=form, survey=invitation.survey)


def _said(request: HttpRequest, what: str, *, status: int = 200, **context: object) -> HttpResponse:
    organisation = Organisation.objects.current()
    full = {"what": what, "organisation": organisation, **context}
    response = render(request, "customers/survey_answer.html", full, status=status)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"  # the link itself is told to nobody
    return response
