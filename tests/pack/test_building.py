"""A pack is one instant, whole, and the same again."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client

from qms.outbox import workflow as outbox
from qms.pack import shelf, workflow
from qms.pack.models import Pack
from qms.people.models import Person
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def build(manager: Person, **fields: Any) -> Pack:
    """A pack, asked for and built by the outbox (tasks run at once in tests)."""
    pack = workflow.plan_pack(by=manager, **fields)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    outbox.drain("pack")
    pack.refresh_from_db()
    return pack


def opened(pack: Pack) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(shelf.get(pack.path)))


def test_an_empty_installation_still_gives_an_honest_pack() -> None:
    manager = factories.person("quality_manager")
    pack = build(manager)
    assert pack.status == "ready", pack.failure
    inside = opened(pack)
    assert inside.testzip() is None
    names = inside.namelist()
    assert names[:2] == ["manifest.json", "manifest.sig"]
    assert {"index.html", "pack.pdf", "verify.py", "verify.html", "SHA256SUMS"} <= set(names)
    manifest = json.loads(inside.read("manifest.json"))
    assert [row["path"] for row in manifest["files"]] == names[2:]
    assert manifest["requested_by"] == manager.name
    assert manifest["left_out"], "a pack of nothing says what it leaves out"
