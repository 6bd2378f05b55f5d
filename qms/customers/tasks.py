"""The mail of a survey: a link for each customer, composed when it is sent (9.1.2)."""

from django.urls import reverse

from qms import mail
from qms.customers.models import SurveyInvitation
from qms.customers.workflow import INVITE
from qms.outbox.models import Effect
from qms.outbox.workflow import effect
from qms.periods import today
from qms.scope.models import Organisation


@effect(INVITE, outside=True, words="Invitation to a survey")
def invite(waiting: Effect) -> None:
    """Send the link, unless the survey ended or was answered meanwhile."""
    rows = SurveyInvitation.objects.live().select_related("survey", "customer")
    rows = rows.filter(pk=waiting.payload["invitation"], answer__isnull=True)
    invitation = rows.first()
    if invitation is None or not invitation.survey.takes_answers_on(today()):
        return
    survey, again = invitation.survey, waiting.payload["what"] == "reminder"
    organisation = Organisation.objects.current()
    context = {
        "subject_line": f"{'A reminder: ' if again else ''}{survey.title}",
        "greeting": survey.greeting,
        "closes_on": f"{survey.closes_on:%-d %B %Y}",
        "again": again,
        "act_label": "Answer",
        "organisation": organisation.name if organisation else "",
    }
    desk = mail.Outsider(f"desk-{invitation.pk}", invitation.customer.name, invitation.address)
    link = reverse("survey_answer", args=[invitation.token])
    message = mail.compose("survey", context, desk, key=waiting.key, act=link)
    mail.deliver(message)
