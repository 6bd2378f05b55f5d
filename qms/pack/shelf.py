"""Where packs, their parts and what a worker has gathered lie: in the storage of files.

Behind Django's storage API, so that several machines share it; nothing is overwritten in place.
"""

import hashlib
import json
import uuid
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import transaction

from qms.pack.models import Pack, RenderedPart


def place() -> Storage:
    return storages["files"]


def new_folder(pack: Pack) -> str:
    """A folder nobody else writes to: a second worker gathers into another one."""
    return f"packs/{pack.pk}/work-{uuid.uuid4().hex}"


def put(path: str, content: bytes) -> None:
    """Make the storage hold this content at this path."""
    shelf = place()
    if shelf.exists(path):
        shelf.delete(path)
    shelf.save(path, ContentFile(content))


def put_file(path: str, opened: Any) -> None:
    """The same for a large file that is open for reading."""
    shelf = place()
    if shelf.exists(path):
        shelf.delete(path)
    shelf.save(path, File(opened))


def get(path: str) -> bytes:
    with place().open(path) as opened:
        content: bytes = opened.read()
    return content


def put_json(path: str, value: Any) -> None:
    put(path, json.dumps(value, ensure_ascii=False, sort_keys=True).encode())


def get_json(path: str) -> Any:
    return json.loads(get(path))


def clear(folder: str) -> None:
    """Throw away what was gathered; a folder that is gone already is fine."""
    shelf = place()
    if not folder.startswith("packs/") or "/work-" not in folder:
        raise ValueError(f"{folder} is no working folder.")
    try:
        _, names = shelf.listdir(folder)
    except OSError:
        return
    for name in names:
        shelf.delete(f"{folder}/{name}")
    shelf.delete(folder)  # an empty folder, where the storage has folders


# Drawn pages -------------------------------------------------------------------------------


def part(fingerprint: str) -> bytes | None:
    """The drawn page kept under this fingerprint, or None when there is none that is whole."""
    row = RenderedPart.objects.filter(fingerprint=fingerprint).first()
    if row is None:
        return None
    try:
        content = get(row.path)
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != row.sha256:
        row.delete()
        return None
    return content


def missing_parts(fingerprints: list[str]) -> set[str]:
    """Those of the fingerprints under which nothing is kept yet."""
    known = RenderedPart.objects.filter(fingerprint__in=fingerprints)
    return set(fingerprints) - set(known.values_list("fingerprint", flat=True))


def keep_part(fingerprint: str, content: bytes) -> None:
    """Keep a drawn page; the row is written when the file is there."""
    digest = hashlib.sha256(content).hexdigest()
    row = RenderedPart(fingerprint=fingerprint, sha256=digest, size=len(content))
    put(row.path, content)
    with transaction.atomic():
        RenderedPart.objects.get_or_create(
            fingerprint=fingerprint, defaults={"sha256": digest, "size": len(content)}
        )
