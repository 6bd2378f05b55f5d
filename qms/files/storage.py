"""Where content lies: behind Django's storage API, named by its hash, checked when read.

The address of a content is its SHA-256, so that a changed file is noticed, the same file is kept
once, and nothing a person typed ever becomes part of a path.
"""

import hashlib
import socket
from collections.abc import Iterable, Sequence
from contextlib import closing

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import connection, transaction

from qms import isolated
from qms.files.inspection import PICTURES
from qms.files.models import Blob
from qms.refusals import Refused

THUMBNAILS = {"small": 320, "large": 1600}


class Damaged(Refused):
    """A stored file is missing or is not what was stored."""


def storage() -> Storage:
    return storages["files"]


def keep_all(contents: Sequence[tuple[bytes, str]]) -> list[Blob]:
    """Store contents (bytes, media type) once each and return their rows, in the order given.

    Safe when several people attach the same files at once: each content is locked until the
    transaction ends, always in the order of the hashes, so that nobody waits in a circle. A
    transaction that fails afterwards leaves a file nobody refers to, which is harmless.
    """
    digests = [hashlib.sha256(content).hexdigest() for content, _ in contents]
    kept: dict[str, Blob] = {}
    with transaction.atomic():
        for digest, (content, media_type) in sorted(zip(digests, contents, strict=True)):
            if digest not in kept:
                kept[digest] = _keep(digest, content, media_type)
    return [kept[digest] for digest in digests]


def _keep(digest: str, content: bytes, media_type: str) -> Blob:
    _only_one_at_a_time(digest)
    blob = Blob(sha256=digest, size=len(content), media_type=media_type)
    _write(blob.path, content)
    # Under the lock nobody else inserts it between the question and the answer.
    found = Blob.objects.filter(sha256=digest).first()
    if found is None:
        found = Blob.objects.create(sha256=digest, size=len(content), media_type=media_type)
    return found


def _only_one_at_a_time(digest: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"files:{digest}"])


def _write(path: str, content: bytes) -> None:
    """Make the storage hold exactly this content at exactly this path."""
    place = storage()
    if place.exists(path):
        with place.open(path) as stored:
            if stored.read() == content:
                return
        place.delete(path)  # cut off while it was written, or damaged since
    saved = place.save(path, ContentFile(content))
    if saved != path:
        place.delete(saved)
        raise RuntimeError("The storage renamed a file; its address must be its hash.")


def read(blob: Blob) -> bytes:
    """The content, checked against its hash; raises Damaged in words."""
    try:
        with storage().open(blob.path) as stored:
            content: bytes = stored.read()
    except OSError:
        raise Damaged(
            "The content of this file is missing from the storage. "
            "Tell your administrator; it may come back from a backup."
        ) from None
    if hashlib.sha256(content).hexdigest() != blob.sha256:
        raise Damaged(
            "The content of this file is not what was attached. "
            "Tell your administrator; it may come back from a backup."
        )
    return content


def destroy(blob: Blob) -> None:
    """Take the content and its small pictures out of the storage for good; the row stays."""
    place = storage()
    small = [f"thumbnails/{blob.path}-{size}.jpg" for size in THUMBNAILS]
    for path in (blob.path, *small):
        place.delete(path)


def thumbnail(blob: Blob, size: str) -> bytes:
    """A picture as a small JPEG, made once; raises Refused when it is no picture."""
    if blob.media_type not in PICTURES or size not in THUMBNAILS:
        raise Refused("There is no small picture of this file. Download it instead.")
    place, path = storage(), f"thumbnails/{blob.path}-{size}.jpg"
    if place.exists(path):
        with place.open(path) as stored:
            made: bytes = stored.read()
        return made
    try:
        _, made = isolated.call(
            "qms.files.inspection:shrink", read(blob), seconds=15, side=THUMBNAILS[size]
        )
    except isolated.Ended:
        raise Refused("There is no small picture of this file. Download it instead.") from None
    saved = place.save(path, ContentFile(made))
    if saved != path:  # somebody else was faster
        place.delete(saved)
    return made


# Scanning ----------------------------------------------------------------------------------


def scan(content: bytes) -> None:
    """Ask ClamAV (setting CLAMAV_ADDRESS, host:port) whether the content is clean, or refuse.

    Without the setting nothing is asked. A scanner that does not answer refuses, too.
    """
    address = getattr(settings, "CLAMAV_ADDRESS", "")
    if not address:
        return
    try:
        answer = _ask_clamav(address, content)
    except OSError:
        answer = ""
    if answer.endswith("OK"):
        return
    if answer.endswith("FOUND"):
        raise Refused("The virus scanner found something in this file. It was not kept.")
    raise Refused("Files cannot be checked for viruses at the moment. Try again later.")


def _ask_clamav(address: str, content: bytes) -> str:
    host, _, port = address.rpartition(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as line:
        line.sendall(b"zINSTREAM\0")
        for piece in _pieces(content):
            line.sendall(len(piece).to_bytes(4, "big") + piece)
        line.sendall(bytes(4))
        with line.makefile("rb") as answer:
            return answer.read(1024).rstrip(b"\0\r\n ").decode("ascii", "replace")


def _pieces(content: bytes, size: int = 65_536) -> Iterable[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))
