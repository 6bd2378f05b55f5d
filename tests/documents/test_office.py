"""Uploaded documents: five real files from upload to a controlled PDF, and what they may not do."""

import io
import socket
import threading
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.test import Client

from documents import redline, workflow
from documents.models import Revision
from documents.prints import revision_pdf
from qms.files import office
from qms.files.models import Rendition
from qms.files.workflow import attach
from qms.outbox.workflow import drain
from qms.workflow import amend
from tests.documents import office as files
from tests.documents.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2"), pytest.mark.slow]
needs_office = pytest.mark.skipif(
    office.program() is None,
    reason="LibreOffice is missing: apt-get install libreoffice-writer-nogui",
)
LINES = ["Count the parcels.", "Compare with the order.", "Sign the delivery note."]
TABLE = [["Fault", "What to do"], ["Wet carton", "Put aside, call the buyer"]]


def upload(revision: Revision, content: bytes, name: str, by: Any) -> Revision:
    source = attach(revision, ContentFile(content, name=name), by=by)
    amend(revision, by=by, changes={"source": source})
    drain("default")
    return revision


def made_of(revision: Revision) -> Rendition:
    assert revision.source
    return Rendition.objects.get(blob=revision.source.blob_id)


def pages_of(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


@needs_office
def test_five_office_files_go_from_upload_to_a_controlled_pdf(tmp_path: Path) -> None:
    word = files.word(LINES, table=TABLE)
    open_document = files.converted(word, ".docx", "odt", tmp_path / "a")
    five = {
        "python-docx.docx": word,
        "libreoffice.odt": open_document,
        "libreoffice.docx": files.converted(open_document, ".odt", "docx", tmp_path / "b"),
        "printed.pdf": files.converted(word, ".docx", "pdf", tmp_path / "c"),
        "gauges.xlsx": files.workbook(),
    }
    for name, content in five.items():
        cast = Cast()
        revision = upload(cast.draft(), content, name, cast.author)
        rendition = made_of(revision)
        assert rendition.state == "made", (name, rendition.why)
        assert (
            "Torque wrench" if "gauges" in name else "Compare with the order"
        ) in rendition.words
        cast.approved(revision)
        controlled = revision_pdf(revision)
        assert pages_of(controlled) >= (3 if "gauges" not in name else 2)
        client = Client()
        client.force_login(cast.author, backend="qms.people.access.RoleBackend")
        assert client.get(f"{revision.get_absolute_url()}original.pdf").status_code == 200


def test_without_libreoffice_the_original_is_kept_and_the_page_says_so(settings: Any) -> None:
    settings.SOFFICE = "/nowhere/soffice"
    cast = Cast()
    revision = upload(cast.draft(), files.word(LINES), "a.docx", cast.author)
    rendition = made_of(revision)
    assert (rendition.state, rendition.pdf) == ("none", None)
    assert "Compare with the order." in rendition.words
    client = Client()
    client.force_login(cast.author, backend="qms.people.access.RoleBackend")
    page = client.get(revision.get_absolute_url()).content.decode()
    assert "There is no PDF of it: LibreOffice" in page
    assert client.get(f"{revision.get_absolute_url()}original.pdf").status_code == 404
    assert pages_of(revision_pdf(revision)) == 1


@needs_office
def test_a_document_that_calls_elsewhere_is_answered_by_nobody() -> None:
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    connection, _ = trap.accept()
                except TimeoutError:
                    continue
                asked.append("somebody called")
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        port = trap.getsockname()[1]
        made = office.to_pdf(files.word_that_calls(f"http://127.0.0.1:{port}/x.png"), ".docx")
        ended.set()
        thread.join()
    assert made.startswith(b"%PDF-")
    assert asked == []


def test_the_redline_of_uploaded_files_compares_their_words() -> None:
    cast = Cast()
    first = upload(cast.draft(), files.word(LINES), "a.docx", cast.author)
    cast.approved(first)
    second = workflow.start_revision(first.document, by=cast.author)
    changed = [LINES[0], "Compare with the order and the drawing.", LINES[2]]
    upload(second, files.word(changed), "b.docx", cast.author)
    drawn = redline.compare(first, second, person=cast.author)
    assert "<del>order.</del> <ins>order and the drawing.</ins>" in drawn.html
    assert (drawn.waiting, [name for name, _, _ in drawn.facts]) == (False, ["Uploaded file"])


def test_one_content_is_rendered_once() -> None:
    cast, content = Cast(), files.workbook()
    upload(cast.draft(), content, "a.xlsx", cast.author)
    upload(cast.draft(), content, "b.xlsx", cast.author)
    assert Rendition.objects.count() == 1
