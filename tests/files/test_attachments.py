"""Attachments: kept once, checked when read, seen only with their record, never opened inline."""

import hashlib
import io
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.contributions import panels_of
from qms.files import storage, workflow
from qms.files.models import Attachment, Blob
from qms.people.models import Person
from qms.refusals import Refused
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def worker() -> Person:
    return factories.person("employee")


@pytest.fixture
def action(manager: Person) -> Action:
    return actions.plan_action(
        by=manager, title="Fit a guard", owner=manager, due=timezone.localdate()
    )


def text(content: bytes = b"measured 5.02 mm", name: str = "note.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def photo(name: str = "gauge.jpg", size: tuple[int, int] = (900, 600)) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "JPEG")
    return SimpleUploadedFile(name, buffer.getvalue())


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


# Keeping -----------------------------------------------------------------------------------


def test_an_attachment_keeps_content_name_caption_and_person(
    action: Action, worker: Person
) -> None:
    made = workflow.attach(action, text(), by=worker, caption="  After \n the repair ")
    assert list(workflow.attachments_of(action)) == [made]
    assert workflow.content_of(made) == b"measured 5.02 mm"
    assert (made.name, made.caption, made.created_by) == ("note.txt", "After the repair", worker)
    assert made.blob.sha256 == hashlib.sha256(b"measured 5.02 mm").hexdigest()
    assert made.size == 16
    assert made.history.count() == 1
    assert workflow.missing(made) is None


def test_the_same_content_is_stored_once(action: Action, worker: Person) -> None:
    one = workflow.attach(action, text(name="a.txt"), by=worker)
    other = workflow.attach(action, text(name="b.txt"), by=worker)
    assert one.blob == other.blob
    assert Blob.objects.count() == 1
    first = one.blob.sha256
    assert one.blob.path == f"{first[:2]}/{first[2:4]}/{first}"
    assert storage.storage().listdir(f"{first[:2]}/{first[2:4]}")[1] == [first]


def test_several_files_come_together_or_not_at_all(action: Action, worker: Person) -> None:
    bad = SimpleUploadedFile("a.exe", b"MZ\x90\0" + bytes(99))
    with pytest.raises(Refused, match=r"a\.exe"), transaction.atomic():
        workflow.attach_all(action, [text(), bad], by=worker)
    assert not workflow.attachments_of(action).exists()
    with pytest.raises(Refused, match="at most 20 at once"):
        workflow.attach_all(action, [text()] * 21, by=worker)


def test_what_was_attached_never_changes(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(), by=worker)
    other = workflow.attach(action, text(b"other"), by=worker)
    made.blob = other.blob
    with pytest.raises(Refused):
        made.save_because("Swap it", by=worker)
    with pytest.raises(TypeError):
        Attachment.objects.filter(pk=made.pk).update(name="x")
    with pytest.raises(TypeError):
        Blob.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Attachment._base_manager.filter(pk=made.pk)._raw_delete("default")
    with pytest.raises(DatabaseError), transaction.atomic():
        Blob._base_manager.filter(pk=made.blob_id)._raw_delete("default")


def test_a_mistake_is_voided_with_a_reason_and_its_content_stays(
    action: Action, worker: Person, manager: Person
) -> None:
    made = workflow.attach(action, text(), by=worker)
    with pytest.raises(PermissionDenied):
        workflow.void(made, by=worker, reason="Wrong file")
    with pytest.raises(Refused, match="Say why"):
        workflow.void(made, by=manager)
    workflow.void(made, by=manager, reason="Wrong file")
    assert not workflow.attachments_of(action).exists()
    assert workflow.content_of(made) == b"measured 5.02 mm"
    assert not workflow.may_see(made, worker)
    assert workflow.may_see(made, manager)


def test_a_chapter_may_say_when_nothing_may_be_attached(
    action: Action, worker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(workflow._guards, Action, [lambda record, by: "It is verified already."])
    with pytest.raises(Refused, match="It is verified already"):
        workflow.attach(action, text(), by=worker)


def test_a_record_one_may_not_see_takes_no_files(
    action: Action, worker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "is_visible", lambda record, person: False)
    with pytest.raises(PermissionDenied):
        workflow.attach(action, text(), by=worker)


def test_a_missing_or_altered_content_is_noticed(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(), by=worker)
    place = storage.storage()
    with open(place.path(made.blob.path), "wb") as stored:  # noqa: PTH123
        stored.write(b"measured 5.01 mm")
    assert "is not what was attached" in str(workflow.missing(made))
    place.delete(made.blob.path)
    assert "is missing from the storage" in str(workflow.missing(made))
    again = workflow.attach(action, text(), by=worker)
    assert again.blob == made.blob
    assert workflow.missing(made) is None, "attaching it again brings it back"


def test_a_write_that_was_cut_off_is_made_whole(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(), by=worker)
    with open(storage.storage().path(made.blob.path), "wb") as stored:  # noqa: PTH123
        stored.write(b"meas")
    workflow.attach(action, text(), by=worker)
    assert workflow.missing(made) is None


@pytest.mark.django_db(transaction=True)
def test_ten_people_attach_the_same_file_at_once(action: Action, worker: Person) -> None:
    gate = threading.Barrier(10)
    kept, problems = [], []

    def attach() -> None:
        try:
            gate.wait(timeout=20)
            kept.append(workflow.attach(action, text(b"the same"), by=worker).blob_id)
        except Exception as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attach) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not problems
    assert len(kept) == 10
    assert len(set(kept)) == 1
    blob = Blob.objects.get()
    assert storage.read(blob) == b"the same"


@pytest.mark.django_db(transaction=True)
def test_two_people_attach_the_same_files_in_opposite_order(action: Action, worker: Person) -> None:
    contents = [f"content {n}".encode() for n in range(6)]
    gate, problems = threading.Barrier(2), []

    def attach(order: list[bytes]) -> None:
        try:
            gate.wait(timeout=20)
            for _ in range(5):
                workflow.attach_all(action, [text(each) for each in order], by=worker)
        except Exception as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attach, args=[o]) for o in (contents, contents[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not problems
    assert Blob.objects.count() == 6
    assert workflow.attachments_of(action).count() == 60


# Serving -----------------------------------------------------------------------------------


def test_a_file_is_always_a_download_that_can_do_nothing(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(name='Prüf "plan".txt'), by=worker)
    answer = signed_in(worker).get(made.get_absolute_url())
    assert answer.status_code == 200
    assert answer.content == b"measured 5.02 mm"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "%C3%BC" in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Content-Type"] == "text/plain"
    assert "private" in answer["Cache-Control"]


def test_a_picture_shows_small_and_inline_as_we_drew_it(action: Action, worker: Person) -> None:
    made = workflow.attach(action, photo(), by=worker)
    for size, side in (("small", 320), ("large", 900)):
        address = reverse("files:thumbnail", args=[made.pk, size])
        answers = [signed_in(worker).get(address) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert answers[0]["Content-Type"] == "image/jpeg"
        assert answers[0]["Content-Security-Policy"] == "default-src 'none'; sandbox"
        with Image.open(io.BytesIO(answers[0].content)) as seen:
            assert max(seen.size) == side
    assert signed_in(worker).get(f"/files/{made.pk}/picture/huge/").status_code == 404
    note = workflow.attach(action, text(), by=worker)
    assert signed_in(worker).get(f"/files/{note.pk}/picture/small/").status_code == 404


def test_a_file_is_seen_only_with_its_record(
    action: Action, worker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workflow.attach(action, photo(), by=worker)
    addresses = [made.get_absolute_url(), reverse("files:thumbnail", args=[made.pk, "small"])]
    for address in addresses:
        assert Client().get(address).status_code in (302, 401, 403)
    monkeypatch.setattr(workflow, "is_visible", lambda record, person: False)
    for address in addresses:
        assert signed_in(worker).get(address).status_code == 404
    assert signed_in(worker).get("/files/999999/").status_code == 404


def test_a_damaged_file_is_said_in_words(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(), by=worker)
    storage.storage().delete(made.blob.path)
    answer = signed_in(worker).get(made.get_absolute_url())
    assert answer.status_code == 410
    assert "missing from the storage" in answer.content.decode()


def test_attaching_the_content_again_mends_a_damaged_file(action: Action, worker: Person) -> None:
    made = workflow.attach(action, text(), by=worker)
    place, damaged = storage.storage(), b"?" * made.blob.size
    place.delete(made.blob.path)
    place.save(made.blob.path, ContentFile(damaged))
    with pytest.raises(storage.Damaged, match="not what was attached"):
        storage.read(made.blob)
    workflow.attach(action, text(), by=worker)
    assert len(storage.read(made.blob)) == made.blob.size


# Pages -------------------------------------------------------------------------------------


def attach_address(record: Any) -> str:
    panel = next(
        p for p in panels_of(record, record.created_by) if p.template == "files/panel.html"
    )
    return reverse("files:attachment_create", args=panel.context["attach_to"])


def test_files_are_attached_on_a_page(action: Action, worker: Person) -> None:
    client, address = signed_in(worker), attach_address(action)
    assert client.get(address).status_code == 200
    answer = client.post(address, {"file": [text(), photo()], "caption": "After"})
    assert answer.status_code == 303
    assert answer["Location"] == action.get_absolute_url()
    assert [a.name for a in workflow.attachments_of(action)] == ["note.txt", "gauge.jpg"]


def test_a_refused_file_leaves_the_form_and_nothing_else(action: Action, worker: Person) -> None:
    client, address = signed_in(worker), attach_address(action)
    for files in ([], [text(b"<script>x</script>", "x.html")], [text(b"", "empty.txt")]):
        answer = client.post(address, {"file": files, "caption": "Kept words"})
        assert answer.status_code == 422
        assert "Kept words" in answer.content.decode()
    assert not workflow.attachments_of(action).exists()


def test_nothing_is_attached_to_what_is_no_record(worker: Person) -> None:
    from django.contrib.contenttypes.models import ContentType

    client = signed_in(worker)
    kinds = [ContentType.objects.get_for_model(m).pk for m in (ContentType, Blob)]
    for kind in (*kinds, 999_999):
        address = reverse("files:attachment_create", args=[kind, 1])
        assert client.post(address, {"file": [text()]}).status_code == 404


def test_the_panel_stands_on_the_records_page_with_small_pictures(
    action: Action, manager: Person
) -> None:
    made = workflow.attach(action, photo(), by=manager, caption="<b>Guard</b>")
    page = signed_in(manager).get(action.get_absolute_url()).content.decode()
    assert reverse("files:thumbnail", args=[made.pk, "small"]) in page
    assert "&lt;b&gt;Guard&lt;/b&gt;" in page
    assert "<b>Guard</b>" not in page
    assert reverse("files:attachment_transition", args=[made.pk, "void"]) in page


def test_a_picture_for_print_is_small_and_from_the_kept_content(
    action: Action, worker: Person
) -> None:
    made = workflow.attach(action, photo(size=(3000, 2000)), by=worker)
    uri = workflow.picture_of(made, width_mm=80)
    assert uri.startswith("data:image/jpeg;base64,")
    assert len(uri) < 20_000


def test_an_upload_needs_only_name_and_read(action: Action, worker: Person) -> None:
    stream = io.BytesIO(b"from a task")
    made = workflow.attach(action, SimpleNamespace(name="t.txt", read=stream.read), by=worker)
    assert workflow.content_of(made) == b"from a task"
