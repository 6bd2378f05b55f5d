"""The signature ceremony: re-authenticate, say what it means, bind it to the content."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.http import HttpRequest

from qms import clock, contributions
from qms.events import handles
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.workflow import Signed, transitions_of

GOOD_FOR = timedelta(minutes=2)
TRIES, TRIES_WINDOW = 5, 300  # wrong passwords, seconds


@dataclass(frozen=True)
class Proof:
    """That a person has just shown to be themselves; made only by the functions below."""

    person_id: int
    method: str
    at: datetime


def prove_person(person: Any, password: str) -> Proof:
    """A proof from the own password. Raises Refused when it is wrong or tried too often."""
    key = f"signing-tries:{person.pk}"
    if cache.get(key, 0) >= TRIES:
        raise Refused(
            "Too many wrong passwords. Wait five minutes, then sign again.", field="password"
        )
    if not password:
        raise Refused("Enter your password to sign.", field="password")
    if not person.check_password(password):
        cache.add(key, 0, TRIES_WINDOW)
        cache.incr(key)
        raise Refused("That is not your password. Nothing was signed.", field="password")
    cache.delete(key)
    return Proof(person.pk, "password", clock.now())


@contributions.proves
def prove(request: HttpRequest, data: Any) -> Proof:
    """The proof for whoever is signed in, from the posted form or API body."""
    return prove_person(request.user, str(data.get("password") or ""))


def demo_proof(person: Any) -> Proof:
    """A proof for the loader of demo data, who has no password to type."""
    if not settings.DEMO or not clock.is_demo_database():
        raise RuntimeError("Only demo data is signed without a password.")
    return Proof(person.pk, "demo", clock.now())


@handles(Signed, order=10)
def keep_signature(event: Signed) -> None:
    """Verify the proof and keep the signature with the content as it is being saved."""
    proof = event.proof
    if not isinstance(proof, Proof):
        raise Refused("Enter your password to sign.", field="password")
    if proof.person_id != event.by.pk:
        raise Refused("Sign with your own password.", field="password")
    if not timedelta(0) <= clock.now() - proof.at <= GOOD_FOR:
        raise Refused("The password was entered too long ago. Enter it again.", field="password")
    Signature.objects.create(
        record_type=ContentType.objects.get_for_model(event.record),
        record_id=event.record.pk,
        record_version=event.record.version + 1,
        content_hash=event.record.content_hash,
        meaning=event.meaning,
        person=event.by,
        printed_name=event.by.name,
        method=proof.method,
    )


def signatures_of(record: Any) -> list[Signature]:
    """The signatures under a record, oldest first; most kinds of records are never signed."""
    if not any(each.signs for each in transitions_of(type(record))):
        return []
    return list(Signature.objects.of(record).select_related("person"))


@contributions.record_panel
def signatures_panel(record: Any, person: Any) -> contributions.Panel | None:
    """Signatures are shown wherever the record is shown."""
    signatures = signatures_of(record)
    if not signatures:
        return None
    return contributions.Panel("components/signatures.html", {"signatures": signatures}, order=20)
