"""Mail as an effect: written with the change that causes it, sent once, never to who left."""

from typing import Any

from django.contrib.auth import get_user_model

from qms import mail
from qms.outbox import workflow
from qms.outbox.models import Effect


def send(template: str, to: Any, *, key: str, act: str = "", **context: Any) -> Effect | None:
    """Write a mail with the running transaction; None when this key was sent before.

    `context` must be plain JSON values; the person is loaded again when it is sent.
    """
    return workflow.add(
        "mail", f"mail:{key}:{to.pk}", template=template, to=to.pk, act=act, context=context
    )


@workflow.effect("mail", outside=True)
def deliver(effect: Effect) -> None:
    """Compose and send; a retry has the same Message-ID, who left gets nothing."""
    payload = effect.payload
    person = get_user_model().objects.filter(pk=payload["to"]).first()
    if person is None or not person.is_active:
        return
    message = mail.compose(
        payload["template"], payload["context"], person, key=effect.key, act=payload["act"]
    )
    mail.deliver(message)
