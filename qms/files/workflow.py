"""How a file comes to a record and, when it was a mistake, is voided."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models

from qms import contributions, isolated, pdf
from qms.contributions import Panel
from qms.files import storage
from qms.files.inspection import clean_name
from qms.files.models import Attachment, AttachmentQuerySet, Blob, Rendition
from qms.origins import is_visible
from qms.outbox import workflow as outbox
from qms.records import StatefulRecord
from qms.refusals import Refused
from qms.workflow import creates, voids

MEGABYTE = 1024 * 1024
MOST_AT_ONCE = 20
AttachGuard = Callable[[Any, Any], str | None]
Shows = Callable[[Attachment, Any], bool]
_guards: dict[type[models.Model], list[AttachGuard]] = {}
_texts: dict[type[models.Model], Shows] = {}


# Guards


def guards_attaching(model: type[models.Model]) -> Callable[[AttachGuard], AttachGuard]:
    """Register `(record, by) -> sentence or None`: when nothing may be attached to a record."""

    def keep(guard: AttachGuard) -> AttachGuard:
        _guards.setdefault(model, []).append(guard)
        return guard

    return keep


def obstacles(record: Any, by: Any) -> list[str]:
    """Why nothing may be attached to this record now, or taken from it; empty when it may."""
    why = [said for guard in _guards.get(type(record), []) if (said := guard(record, by))]
    frozen = isinstance(record, StatefulRecord) and record.state in record.FROZEN_IN
    if not why and frozen and record.state not in record.TAKES_PROOF_IN:
        why.append("It stands as it was approved, with everything attached to it.")
    return why


# Factories


@creates(Attachment, permission="files.add_attachment")
def attach(record: Any, upload: Any, *, by: Any, caption: str = "") -> Attachment:
    """Attach an uploaded file (anything with `name` and `read`/`chunks`) to a record.

    Raises Refused in words when the file may not come in, PermissionDenied when the person may
    not see the record.
    """
    return _attach(record, [upload], by=by, caption=caption)[0]


@creates(Attachment, permission="files.add_attachment")
def attach_all(
    record: Any, uploads: Sequence[Any], *, by: Any, caption: str = ""
) -> list[Attachment]:
    """Attach several files with one caption, or none of them when one is refused."""
    if len(uploads) > MOST_AT_ONCE:
        raise Refused(f"These are {len(uploads)} files. Attach at most {MOST_AT_ONCE} at once.")
    return _attach(record, uploads, by=by, caption=caption)


def _attach(record: Any, uploads: Sequence[Any], *, by: Any, caption: str) -> list[Attachment]:
    if not is_visible(record, by):
        raise PermissionDenied("You may not see this record.")
    if why := obstacles(record, by):
        raise Refused(" ".join(why))
    received = [receive(upload) for upload in uploads]
    # Again, as it stands now and until this is done: a report may be issued at the same moment.
    stored = type(record)._base_manager.select_for_update(of=("self",)).get(pk=record.pk)
    if why := obstacles(stored, by):
        raise Refused(" ".join(why))
    blobs = storage.keep_all([(content, media_type) for _, content, media_type in received])
    kind, words = ContentType.objects.get_for_model(record), " ".join(caption.split())[:200]
    made = [
        Attachment(
            record_type=kind,
            record_id=record.pk,
            blob=blob,
            name=name,
            caption=words,
            created_by=by,
        )
        for (name, _, _), blob in zip(received, blobs, strict=True)
    ]
    for attachment in made:
        attachment.save()
    return made


def receive(upload: Any) -> tuple[str, bytes, str]:
    """(name, content, media type) of an upload that may come in; else Refused in words."""
    name = clean_name(str(getattr(upload, "name", "") or "file"))
    content = _read(upload, name)
    if not content:
        raise Refused(f"“{name}” is empty. Choose another file.", field="file")
    storage.scan(content)
    try:
        facts, kept = isolated.call("qms.files.inspection:examine", content, seconds=20, name=name)
    except isolated.Ended:
        raise Refused(
            f"“{name}” could not be read. Save it again or as PDF, then attach that.", field="file"
        ) from None
    except Refused as refusal:
        raise Refused(str(refusal), field="file") from None
    return facts["name"], kept, facts["media_type"]


def _read(upload: Any, name: str) -> bytes:
    """The upload's bytes; stops reading as soon as it is too large."""
    most = int(getattr(settings, "FILES_MOST_MEGABYTES", 25))
    content = bytearray()
    for piece in _pieces(upload):
        content += piece
        if len(content) > most * MEGABYTE:
            raise Refused(
                f"“{name}” is larger than {most} MB. Make it smaller, or split it.", field="file"
            )
    return bytes(content)


def _pieces(upload: Any) -> Iterable[bytes]:
    if hasattr(upload, "chunks"):
        yield from upload.chunks()
        return
    while piece := upload.read(65_536):
        yield piece


# Transitions

void = voids(
    Attachment,
    source="kept",
    permission="files.void_attachment",
    guards=[lambda attachment, by: " ".join(obstacles(attachment.record, by)) or None],
)


# Words and PDF of what is attached

RENDER = "files.render"


@dataclass(frozen=True)
class RenditionMade:
    """The words (and the PDF, where there is one) of a stored content are there."""

    rendition: Rendition


def render(blob: Blob) -> Rendition:
    """The rendition of a content; asked for now if nobody did before."""
    found, new = Rendition.objects.get_or_create(blob=blob)
    if new:
        outbox.add(RENDER, f"render:{blob.sha256}", blob=blob.pk)
    return found


def pdf_of(attachment: Attachment) -> bytes | None:
    """The PDF that was made of an attached file; None where there is none (yet)."""
    made = Rendition.objects.filter(blob=attachment.blob_id).select_related("pdf").first()
    return storage.read(made.pdf) if made and made.pdf else None


# Destroying what was kept long enough

DESTROY = "files.destroy"


def destroy(attached: Iterable[Attachment], *, why: str) -> int:
    """Destroy the contents of these files for good, once the running transaction is kept.

    A content that something else has attached stays. Returns how many will go; that they were
    there, under which name and hash, stays in the history.
    """
    mine = {each.pk: each.blob_id for each in attached}
    elsewhere = Attachment.objects.kept().filter(blob__in=mine.values()).exclude(pk__in=mine)
    going = set(mine.values()) - set(elsewhere.values_list("blob_id", flat=True))
    for blob in sorted(going):
        outbox.add(DESTROY, f"destroy:{blob}", blob=blob, why=why)
    return len(going)


# What others ask


def attachments_of(*records: Any) -> AttachmentQuerySet:
    """What is attached to one or more records of one model and was not voided."""
    found: AttachmentQuerySet = Attachment.objects.of(*records).kept().select_related("blob")
    return found


def content_of(attachment: Attachment) -> bytes:
    """The attached content, checked against its hash; raises Refused when it is not there."""
    return storage.read(attachment.blob)


def missing(attachment: Attachment) -> str | None:
    """Why the content cannot be had (missing or altered), as a sentence; None when it can."""
    try:
        storage.read(attachment.blob)
    except storage.Damaged as damage:
        return str(damage)
    return None


def picture_of(attachment: Attachment, *, width_mm: float = 80, height_mm: float = 90) -> str:
    """An attached picture as a data URI for a printed page, sized for it."""
    return pdf.picture(content_of(attachment), width_mm=width_mm, height_mm=height_mm)


def may_see(attachment: Attachment, person: Any) -> bool:
    """Whether the person may see the record it belongs to; a voided one is for those who void."""
    record = attachment.record
    if record is None or not is_visible(record, person):
        return False
    if attachment.status == Attachment.Status.VOID:
        return bool(person.has_perm("files.void_attachment"))
    return True


def shows_pictures(model: type[models.Model]) -> Callable[[Shows], Shows]:
    """Register `(picture, person) -> bool`: whether they read a text its record lends it to.

    Pictures of a text are for its readers, also for those who see no attachments at all.
    """

    def keep(shows: Shows) -> Shows:
        _texts[model] = shows
        return shows

    return keep


def may_see_picture(attachment: Attachment, person: Any) -> bool:
    """Whether the person may see it as a picture: as an attachment, or in a text they read."""
    if person.has_perm("files.view_attachment") and may_see(attachment, person):
        return True
    record: Any = attachment.record
    shows = _texts.get(type(record))
    stands = attachment.status != Attachment.Status.VOID
    return bool(shows and stands and shows(attachment, person))


@contributions.record_panel
def attachments_panel(record: Any, person: Any) -> Panel | None:
    """The attachments on every record's page."""
    if isinstance(record, Attachment) or not person.has_perm("files.view_attachment"):
        return None
    attached = list(attachments_of(record))
    may_add = person.has_perm("files.add_attachment") and not obstacles(record, person)
    if not attached and not may_add:
        return None
    kind = ContentType.objects.get_for_model(record)
    return Panel(
        template="files/panel.html",
        context={
            "attachments": attached,
            "attach_to": (kind.pk, record.pk) if may_add else None,
            "may_void": person.has_perm("files.void_attachment"),
        },
        order=60,
    )
