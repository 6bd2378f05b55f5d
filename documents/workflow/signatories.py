"""Who reviews and approves a revision: named in the draft, in any order or one after the other.

Who wrote a part of it signs nothing, with the one exception of `documents.workflow`. A signatory
who cannot sign hands it on, with a reason; what was signed stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, prefetch_related_objects

from documents.models import Revision, Signatory
from qms.events import handles
from qms.origins import is_visible
from qms.records import RecordSaved, authors_of
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, one_of_two

Part = Signatory.Part
PERMISSION = {
    Part.REVIEW: "documents.review_revision",
    Part.APPROVAL: "documents.approve_revision",
}
_VERB = {Part.REVIEW: "review", Part.APPROVAL: "approve"}
MOST = 10


def writers_of(revision: Revision) -> set[int]:
    """The ids of everybody who wrote a part of this revision."""
    columns = ("title", "text", "source_id", "fields", "questions", "change_summary")
    return authors_of(revision, columns)


@dataclass(frozen=True)
class Plan:
    """The signatories of one part of a revision, in order, and how many of them are needed."""

    seats: Sequence[Signatory]
    needed: int
    in_order: bool

    @property
    def signed(self) -> int:
        return sum(seat.signed_on is not None for seat in self.seats)

    @property
    def is_complete(self) -> bool:
        """Whether enough have signed; nobody named is never enough."""
        return bool(self.seats) and self.signed >= self.needed

    @property
    def next(self) -> list[Signatory]:
        """Whose turn it is: everybody who has not signed, or only the first of them."""
        waiting = [seat for seat in self.seats if seat.signed_on is None]
        if self.is_complete:
            return []
        return waiting[:1] if self.in_order else waiting

    def seat_of(self, person: Any) -> Signatory | None:
        return next((seat for seat in self.seats if seat.person_id == person.pk), None)


def signatories_of(revision: Revision, part: str) -> Plan:
    """Who signs this part of a revision and how far it is."""
    seats = [seat for seat in _seats_of(revision) if seat.part == part and not seat.ended]
    asked = revision.review_quorum if part == Part.REVIEW else revision.approval_quorum
    return Plan(seats, min(asked or len(seats), len(seats)), revision.in_order)


def _seats_of(revision: Revision) -> Iterable[Signatory]:
    """Who is or was named, in order; read once for each object, because every guard asks."""
    everybody = Signatory.objects.order_by("part", "position", "pk").select_related("person")
    prefetch_related_objects([revision], Prefetch("signatories", everybody))
    return revision.signatories.all()


def _read_anew(revision: Revision) -> None:
    """Somebody was named, or took back a signature: the next guard asks the database again."""
    if "signatories" in getattr(revision, "_prefetched_objects_cache", ()):
        revision.refresh_from_db(fields=["signatories"])


def unfit(revision: Revision, part: str, person: Any) -> str:
    """Why a person cannot sign this part; empty when they can."""
    verb = _VERB[Part(part)]
    if not person.is_active or person.is_system:
        return f"{person.name} has left and cannot {verb} it. Name somebody else."
    if not person.has_perm(PERMISSION[Part(part)]):
        return f"{person.name} has no role that may {verb} documents. Name somebody else."
    if person.pk in writers_of(revision) and not _may_approve_own(revision, part, person):
        return f"{person.name} wrote a part of it and does not {verb} it. Name somebody else."
    return ""


def _may_approve_own(revision: Revision, part: str, person: Any) -> bool:
    """Top management may, where another person signs the review."""
    if part != Part.APPROVAL or not person.holds("top_management"):
        return False
    return any(seat.person_id != person.pk for seat in signatories_of(revision, Part.REVIEW).seats)


def name_signatories(revision: Revision, part: str, people: Iterable[Any], *, by: Any) -> None:
    """Make the signatories of a part of a draft exactly these people, in this order.

    Raises Refused when the revision is no draft or names too many.
    """
    wanted = list(dict.fromkeys(people))
    if revision.status != Revision.Status.DRAFT:
        raise Refused("Who signs is named in the draft. Send it back first, or hand it on.")
    if len(wanted) > MOST:
        raise Refused(f"These are {len(wanted)} people. Name at most {MOST}.")
    with one_of_two():
        stored = {
            seat.person_id: seat
            # Of a person who was named before and again since, the seat that stands.
            for seat in Signatory.objects.filter(revision=revision, part=part)
            .select_for_update(of=("self",))
            .order_by("-ended", "pk")
        }
        for position, person in enumerate(wanted, start=1):
            seat = stored.pop(person.pk, None)
            if seat is None:
                Signatory(
                    revision=revision, part=part, person=person, position=position, created_by=by
                ).save()
            elif seat.ended or seat.position != position:
                seat.ended, seat.position = False, position
                seat.save_because("Named again." if seat.ended else "Another order.", by=by)
        for seat in stored.values():
            if not seat.ended:
                seat.ended = True
                seat.save_because("No longer named.", by=by)
    _read_anew(revision)


@creates(Signatory, permission="documents.change_revision")
def name_signatory(*, by: Any, revision: Revision, part: str, person: Any) -> Signatory:
    """Name one more who signs a draft, after those who are named."""
    if not is_visible(revision, by):
        raise PermissionDenied("You may not see this revision.")
    named = [seat.person for seat in signatories_of(revision, part).seats]
    if person in named:
        raise Refused(f"{person.name} signs this already.", field="person")
    name_signatories(revision, part, [*named, person], by=by)
    return Signatory.objects.get(revision=revision, part=part, person=person, ended=False)


def sign_off(revision: Revision, part: str, *, by: Any, on: Any) -> None:
    """Keep at the seat that its person signed, with the signed revision in one transaction."""
    seat = signatories_of(revision, part).seat_of(by)
    if seat is None:
        raise RuntimeError("Only a named signatory signs; a guard must have said so.")
    seat.signed_on = on
    seat.save_because(f"Signed the {seat.get_part_display().lower()}.", by=by)


def begin_anew(revision: Revision, *, by: Any, reason: str) -> None:
    """Nobody has signed: the revision went back to its author."""
    for seat in Signatory.objects.seated().filter(revision=revision).exclude(signed_on=None):
        seat.signed_on = None
        seat.save_because(reason, by=by)
    _read_anew(revision)


# Handing on


def whose_seat(seat: Signatory, by: Any) -> str | None:
    allowed = {seat.person_id, seat.revision.created_by_id, seat.revision.document.owner_id}
    if by.pk in allowed or by.holds("quality_manager"):
        return None
    return "Only the signatory, the author, the owner or the quality manager hands it on."


def seat_is_open(seat: Signatory, by: Any) -> str | None:
    if seat.ended:
        return "This person is no longer named."
    if seat.signed_on is not None:
        return "It is signed already and stays so."
    if seat.revision.status not in Revision.OPEN_STATES:
        return f"The revision is {seat.revision.get_status_display().lower()}."
    return None


def why_not_successor(seat: Signatory, person: Any) -> str:
    """Why the seat cannot pass to a person; empty when it can."""
    if Signatory.objects.filter(
        revision=seat.revision, part=seat.part, person=person, ended=False
    ).exists():
        return f"{person.name} signs this already."
    return unfit(seat.revision, seat.part, person)


handing_on = amendment(
    Signatory,
    permission="documents.change_signatory",
    fields=("person",),
    only=whose_seat,
    guards=[seat_is_open],
    checks=[lambda seat, changes: new_person_may_sign(seat, changes)],
)


def new_person_may_sign(seat: Signatory, changes: Mapping[str, Any]) -> str | None:
    return why_not_successor(seat, changes["person"]) or None if changes else None


@handles(RecordSaved, order=80)
def tell_the_revision(event: RecordSaved) -> None:
    """Who is next with a revision follows its signatories."""
    seat = event.record
    if isinstance(seat, Signatory) and seat.revision.status != Revision.Status.DRAFT:
        _read_anew(seat.revision)
        refresh(seat.revision)
