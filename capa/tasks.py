"""What the clock does with reports: the mailbox is read, and who wrote is told."""

from typing import Any

from celery import shared_task

from capa import mailbox
from capa.models import Report
from capa.workflow.mails import ACKNOWLEDGE
from qms import mail
from qms.outbox.models import Effect
from qms.outbox.workflow import effect
from qms.scope.models import Organisation


@shared_task(name="capa.read_mailbox", ignore_result=True)
def read_mailbox() -> int:
    """Take up the mails that wait in the mailbox for reports."""
    return mailbox.read_mailbox()


@effect(ACKNOWLEDGE, outside=True, words="Thanks for a report by mail")
def thank(waiting: Effect) -> None:
    """Tell who wrote that we have it, once, in the thread of their mail."""
    report = Report.objects.select_related("created_by").get(pk=waiting.payload["report"])
    person = report.created_by
    to: Any = person
    if person.is_system:
        name = waiting.payload["name"] or waiting.payload["address"]
        to = mail.Outsider(f"report-{report.pk}", name, waiting.payload["address"])
    organisation = Organisation.objects.current()
    context = {
        "subject_line": f"{report.number}: {report.title}",
        "sentence": "Thank you, we have your report. Somebody looks at it"
        + (f" by {report.due:%-d %B %Y}" if report.due else "")
        + f". Its number is {report.number}; name it when you write again.",
        "act_label": "See how far it is",
        "organisation": organisation.name if organisation else "",
    }
    act = "" if person.is_system else report.get_absolute_url()
    message = mail.compose("notice", context, to, key=waiting.key, act=act)
    if message is not None:
        answers_to = waiting.payload["answers_to"]
        message.extra_headers |= {"In-Reply-To": answers_to, "References": answers_to}
        message.extra_headers["Auto-Submitted"] = "auto-replied"
    mail.deliver(message)
