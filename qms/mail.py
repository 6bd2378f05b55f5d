"""Mail to people: text and HTML from one template, a way to act and a way to mute, never twice.

`compose` builds a message, `deliver` sends it; the outbox calls both, so that nothing is lost and
a retry has the same Message-ID. Nobody who left is written to.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

LONGEST_SUBJECT = 150
_NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f\u0085\u2028\u2029]+")


@dataclass(frozen=True)
class Outsider:
    """Whom a mail goes to that is no person of ours; `pk` is a name of its own in keys."""

    pk: str
    name: str
    email: str
    is_active: bool = True


def compose(
    template: str,
    context: Mapping[str, Any],
    to: Any,
    *,
    key: str,
    act: str = "",
    mute: str = "",
) -> EmailMultiAlternatives | None:
    """A message from `templates/email/<template>.txt` and `.html`; None when `to` gets no mail.

    The text's first line is the subject ("Subject: …"). `to` is a person; `key` names the event,
    so that the same event gives the same Message-ID. `act` is the path of the page where the
    person acts with one click, `mute` of the one where this kind of mail is stopped; both also
    stand in the context as full addresses, beside `person`.
    """
    address = address_of(to)
    if address is None:
        return None
    if not _NAME.fullmatch(template):
        raise ValueError(f"{template!r} is no name of a mail.")
    full = {
        **context,
        "person": to,
        "act_url": full_address(act),
        "mute_url": full_address(mute),
        "home_url": full_address("/"),
    }
    subject, text = _split(render_to_string(f"email/{template}.txt", full), template)
    html = render_to_string(f"email/{template}.html", full | {"subject": subject})
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers=_headers(f"{key}:{to.pk}", full["mute_url"]),
    )
    message.attach_alternative(html, "text/html")
    return message


def deliver(message: EmailMultiAlternatives | None) -> bool:
    """Send a composed message; returns whether there was one to send.

    Raises what the mail server's refusal raises (OSError, smtplib.SMTPException); the outbox
    tries again.
    """
    return message is not None and bool(message.send(fail_silently=False))


def address_of(person: Any) -> str | None:
    """ "Name <e-mail>" of an active person with an address; None for everybody else."""
    email = getattr(person, "email", None)
    if not email or not person.is_active or getattr(person, "is_system", False):
        return None
    name, _, domain = email.rpartition("@")
    if _SPACE.search(email) or not name or not domain:
        return None  # an address that would break the header is nobody's
    try:
        return str(Address(_one_line(str(person.name)), name, domain))
    except (ValueError, IndexError):
        return None


def full_address(path: str) -> str:
    """The full address of a path of ours; empty for an empty path.

    Refuses anything else: a mail never leads to another site.
    """
    if not path:
        return ""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not path.startswith("/") or _SPACE.search(path):
        raise ValueError(f"{path!r} is not a path of ours.")
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def _split(rendered: str, template: str) -> tuple[str, str]:
    first, _, rest = rendered.lstrip().partition("\n")
    if not first.startswith("Subject:"):
        raise ValueError(f"email/{template}.txt does not begin with its subject.")
    subject = _one_line(first.removeprefix("Subject:"))
    # One less: a header that is folded before a long first word is read back with a space.
    if len(subject) >= LONGEST_SUBJECT:
        subject = subject[: LONGEST_SUBJECT - 2].rstrip() + "…"
    return subject, re.sub(r"\n{3,}", "\n\n", rest).strip() + "\n"


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _headers(key: str, mute_url: str) -> dict[str, str]:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    digest = hashlib.sha256(key.encode()).hexdigest()[:40]
    headers = {
        "Message-ID": f"<{digest}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if mute_url:
        headers["List-Unsubscribe"] = f"<{mute_url}>"
    return headers
