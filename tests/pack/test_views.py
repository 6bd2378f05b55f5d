"""Who may build, take along and confirm a pack, on the page, at the API and in the domain."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from capa.workflow import raise_nonconformity
from qms.outbox import workflow as outbox
from qms.pack import shelf, workflow
from qms.pack.models import Pack, PackDownload
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.periods import today
from qms.refusals import Refused
from tests import factories

pytestmark = pytest.mark.django_db
LOOKS = {"quality_manager", "top_management", "lead_auditor"}


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


def draft(manager: Person, **fields: Any) -> Pack:
    made: Pack = workflow.plan_pack(by=manager, **fields)
    return made


def ready(manager: Person) -> Pack:
    """A built pack without the long way: the system's own transitions, and a small file."""
    import hashlib

    pack = workflow.build(draft(manager), by=manager, proof=factories.proof(manager))
    system = Person.objects.system()
    from qms import clock

    workflow.begin(pack, by=system, as_of=clock.now(), plan="")
    content = b"PK a pack"
    digest = hashlib.sha256(content).hexdigest()
    path = f"packs/{pack.pk}/{digest}.zip"
    shelf.put(path, content)
    made = {
        "path": path,
        "size": len(content),
        "sha256": digest,
        "manifest_sha256": "1" * 64,
        "key_fingerprint": "2" * 64,
        "left_out": [],
    }
    built: Pack = workflow.finish(pack, by=system, made=made)
    return built


@pytest.mark.parametrize("role", sorted(ROLES))
def test_pages_open_for_those_who_may_look(role: str, manager: Person) -> None:
    pack = ready(manager)
    client = signed_in(factories.person(role))
    expected = 200 if role in LOOKS else 403
    for address in ("/packs/", f"/packs/{pack.pk}/", f"/packs/{pack.pk}/download/"):
        status = client.get(address).status_code
        assert status == (expected if role in LOOKS or address == "/packs/" else 403), address
    assert PackDownload.objects.count() == (1 if role in LOOKS else 0)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"quality_manager"}))
def test_nobody_else_builds(role: str, manager: Person) -> None:
    pack, person = draft(manager), factories.person(role)
    with pytest.raises(PermissionDenied):
        workflow.plan_pack(by=person)
    with pytest.raises(PermissionDenied):
        workflow.build(pack, by=person, proof=factories.proof(person))
    client = signed_in(person)
    assert client.post("/packs/new/stage1/").status_code == 403
    assert client.get(f"/packs/{pack.pk}/do/build/").status_code in (403, 404)
    answer = client.post(
        f"/api/v1/packs/{pack.pk}/build/",
        {"version": 1, "password": factories.PASSWORD},
        content_type="application/json",
    )
    assert answer.status_code in (403, 404)
    pack.refresh_from_db()
    assert pack.status == "draft"


@pytest.mark.parametrize("name", ["begin", "finish", "fail"])
def test_what_the_worker_does_no_person_does(name: str, manager: Person) -> None:
    pack = draft(manager)
    client = signed_in(manager)
    assert client.post(f"/packs/{pack.pk}/do/{name}/").status_code == 403
    url = f"/api/v1/packs/{pack.pk}/{name}/"
    assert client.post(url, {"version": 1}, content_type="application/json").status_code == 403


@pytest.mark.slow
def test_from_the_list_to_the_signed_request_in_two_clicks(manager: Person) -> None:
    client = signed_in(manager)
    page = client.get("/packs/").content.decode()
    assert 'action="/packs/new/stage1/"' in page
    answer = client.post("/packs/new/stage1/")
    pack = Pack.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/packs/{pack.pk}/do/build/")
    assert (pack.period_end, pack.preset) == (today(), "stage1")
    asked = client.get(answer["Location"])
    assert "Before it leaves" in asked.content.decode()
    answer = client.post(answer["Location"], {"password": factories.PASSWORD, "version": 1})
    assert (answer.status_code, answer["Location"]) == (303, f"/packs/{pack.pk}/")
    pack.refresh_from_db()
    assert pack.status == "requested"


def test_a_wrong_password_requests_nothing(manager: Person) -> None:
    pack = draft(manager)
    client = signed_in(manager)
    answer = client.post(f"/packs/{pack.pk}/do/build/", {"password": "wrong", "version": 1})
    assert answer.status_code == 422
    assert "not your password" in answer.content.decode()
    pack.refresh_from_db()
    assert pack.status == "draft"


def test_the_api_plans_and_requests_like_the_page(manager: Person) -> None:
    client = signed_in(manager)
    made = client.post(
        "/api/v1/packs/", {"preset": "surveillance"}, content_type="application/json"
    )
    assert made.status_code == 201, made.content
    pack = made.json()
    assert pack["period_end"] == today().isoformat()
    done = client.post(
        f"/api/v1/packs/{pack['id']}/build/",
        {"version": pack["version"], "password": factories.PASSWORD},
        content_type="application/json",
    )
    assert (done.status_code, done.json()["status"]) == (200, "requested")


def test_days_that_lie_ahead_or_end_before_they_start_are_refused(manager: Person) -> None:
    ahead = draft(manager, period_end=today() + timedelta(days=2))
    with pytest.raises(Refused, match="lies ahead"):
        workflow.build(ahead, by=manager, proof=factories.proof(manager))
    with pytest.raises(Refused, match="ends before it starts"):
        draft(manager, period_start=today(), period_end=today() - timedelta(days=1))
    client = signed_in(manager)
    answer = client.post(
        "/packs/new/",
        {"preset": "custom", "period_start": "2026-05-01", "period_end": "2026-01-01"},
    )
    assert answer.status_code == 422
    assert "Swap the two dates" in answer.content.decode()


def test_a_download_is_kept_with_person_and_address(manager: Person) -> None:
    pack = ready(manager)
    answer = signed_in(manager).get(f"/packs/{pack.pk}/download/", REMOTE_ADDR="192.0.2.7")
    assert b"".join(answer.streaming_content) == b"PK a pack"  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == f'attachment; filename="{pack.number}.zip"'
    [kept] = PackDownload.objects.all()
    assert (kept.person, kept.address) == (manager, "192.0.2.7")
    with pytest.raises(TypeError):
        PackDownload.objects.all().delete()
    assert "192.0.2.7" in signed_in(manager).get(f"/packs/{pack.pk}/").content.decode()


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_damaged_file_does_not_leave(damage: str, manager: Person) -> None:
    pack = ready(manager)
    shelf.place().delete(pack.path)
    if damage == "altered":
        shelf.put(pack.path, b"PK another")
    answer = signed_in(manager).get(f"/packs/{pack.pk}/download/")
    assert answer.status_code == 410
    assert b"come back from a backup" in answer.content
    assert not PackDownload.objects.exists()


def test_what_is_not_built_is_not_downloaded(manager: Person) -> None:
    answer = signed_in(manager).get(f"/packs/{draft(manager).pk}/download/")
    assert answer.status_code == 410
    assert b"nothing to download" in answer.content


def test_anybody_confirms_a_fingerprint_and_learns_nothing_else(manager: Person) -> None:
    pack = ready(manager)
    answer = Client().get(f"/verify/{pack.number}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert pack.sha256 in page
    assert pack.key_fingerprint in page
    assert manager.name not in page
    assert str(pack.period) not in page
    unknown, unbuilt = Client().get("/verify/PACK-2026-9999/"), draft(manager)
    assert unknown.status_code == 404
    assert Client().get(f"/verify/{unbuilt.number}/").status_code == 404
    assert "Not issued here" in unknown.content.decode()


def test_what_stands_out_is_said_before_it_leaves(manager: Person) -> None:
    raise_nonconformity(by=manager, title="Valve body cracked", grade="major")
    page = signed_in(manager).get(f"/packs/{draft(manager).pk}/do/build/").content.decode()
    assert "is a major and open: Valve body cracked" in page
    assert "stand as a gap" in page


def test_the_list_asks_the_database_as_often_for_many_as_for_few(manager: Person) -> None:
    client = signed_in(manager)
    counts = []
    for more in (3, 40):
        for _ in range(more):
            draft(manager)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get("/packs/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_nothing_is_attached_to_a_pack(manager: Person) -> None:
    from django.core.files.base import ContentFile

    from qms.files.workflow import attach

    with pytest.raises(Refused, match="Attach the file to its record"):
        attach(draft(manager), ContentFile(b"x", name="a.txt"), by=manager)


def test_asking_twice_builds_once(manager: Person) -> None:
    pack = workflow.build(draft(manager), by=manager, proof=factories.proof(manager))
    with pytest.raises(Refused, match="already requested"):
        workflow.build(pack, by=manager, proof=factories.proof(manager))
    assert outbox.waiting() == 1
