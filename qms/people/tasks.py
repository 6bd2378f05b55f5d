"""The invitation: a mail with a link by which a new person sets their password (ISO 9001 7.2).

The link is made when the mail is sent and stands nowhere but in the mail.
"""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from qms import mail
from qms.outbox.models import Effect
from qms.outbox.workflow import effect
from qms.people.models import Person


def password_link(person: Person) -> str:
    """The path at which this person, once, sets a password; it ends with the first use."""
    key = default_token_generator.make_token(person)
    uid = user_pk_to_url_str(person)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})


@effect("people.invite", outside=True)
def invite(waiting: Effect) -> None:
    """Send the link, unless the person left meanwhile."""
    person = Person.objects.filter(pk=waiting.payload["person"], is_active=True).first()
    if person is None:
        return
    context = {
        "subject_line": "Your account in the quality management system",
        "sentence": f"{waiting.payload['by']} has made an account for you. Set a password, then"
        " sign in with this e-mail address. The link works once, for three days.",
        "act_label": "Set my password",
    }
    message = mail.compose("notice", context, person, key=waiting.key, act=password_link(person))
    mail.deliver(message)
