"""A pack is one instant, whole, signed, and the same again."""

import csv
import io
import json
import os
import threading
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, connections
from django.test import Client

from capa.workflow import report_problem
from qms import clock, pdf
from qms.files.models import Attachment
from qms.files.workflow import attach
from qms.outbox import workflow as outbox
from qms.outbox.models import Effect
from qms.pack import building, gathering, layout, sealing, shelf, tasks, workflow
from qms.pack.models import Pack, PackProgress, RenderedPart
from qms.people.models import Person
from qms.refusals import Refused
from tests import factories
from tests.pack.test_verify import verifier

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = "nc_response"  # where it does not matter what is in it
# Contents are named by their hash: one that a test damages must not be another run's.
NOTE = f"5.02 mm at 21 C, {uuid.uuid4()}".encode()


def build(manager: Person, *, accepted_because: str = "", **fields: Any) -> Pack:
    """A pack, asked for and built by the outbox."""
    pack = workflow.plan_pack(by=manager, **fields)
    workflow.build(
        pack, by=manager, proof=factories.proof(manager), accepted_because=accepted_because
    )
    outbox.drain("pack")
    pack.refresh_from_db()
    return pack


def opened(pack: Pack) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(shelf.get(pack.path)))


def manifest_of(pack: Pack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(pack).read("manifest.json"))
    return found


DRAWN: dict[tuple[str, str], bytes] = {}


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most pages of these packs are the same in each test: the same text is drawn once.

    That the same text gives the same bytes is held in `tests/kernel/test_pdf.py`.
    """
    draw = pdf.render_isolated

    def remembered(html: str, **options: Any) -> bytes:
        key = (html, repr(options))
        if key not in DRAWN:
            DRAWN[key] = draw(html, **options)
        return DRAWN[key]

    monkeypatch.setattr(pdf, "render_isolated", remembered)


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is woken: the test runs the worker's steps itself."""
    monkeypatch.setattr(outbox, "wake", lambda queue: None)


def with_file(manager: Person) -> Attachment:
    nc = report_problem(by=manager, title="Gasket leaks <b>badly</b>", evidence="=1+1")
    upload = ContentFile(NOTE, name="gauge note.txt")
    made: Attachment = attach(nc, upload, by=manager)
    return made


def lose(attachment: Attachment) -> None:
    shelf.place().delete(attachment.blob.path)


@pytest.mark.slow
def test_an_empty_installation_still_gives_an_honest_pack(manager: Person) -> None:
    pack = build(manager)
    assert pack.status == "ready", pack.failure
    inside = opened(pack)
    assert inside.testzip() is None
    names = inside.namelist()
    assert names[:2] == ["manifest.json", "manifest.sig"]
    assert {"index.html", "pack.pdf", "verify.py", "verify.html", "SHA256SUMS"} <= set(names)
    manifest = manifest_of(pack)
    assert [row["path"] for row in manifest["files"]] == names[2:]
    assert manifest["requested_by"] == manager.name
    assert manifest["left_out"], "a pack of nothing says what it leaves out"


@pytest.mark.slow
def test_what_is_built_verifies_with_its_own_verifier(manager: Person) -> None:
    with_file(manager)
    pack = build(manager)
    data = shelf.get(pack.path)
    with pytest.raises(verifier.Answer) as caught:
        verifier.check(data, sealing.own_fingerprint())
    assert caught.value.code == verifier.INTACT, caught.value.sentence
    assert len(data) == pack.size
    assert pack.key_fingerprint == sealing.own_fingerprint()


@pytest.mark.slow
def test_records_registers_and_files_are_in_it_not_counted(manager: Person) -> None:
    attachment = with_file(manager)
    record: Any = attachment.record
    number = record.number
    pack = build(manager)
    inside = opened(pack)
    path = f"11-nonconformities/files/{number}/gauge note.txt"
    assert inside.read(path) == NOTE
    assert inside.read(f"11-nonconformities/{number}.pdf").startswith(b"%PDF")
    text = inside.read("90-registers/nonconformities.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Number"] for row in rows] == [number]
    page = inside.read("index.html").decode()
    assert "Gasket leaks &lt;b&gt;badly&lt;/b&gt;" in page
    assert "<b>badly" not in page
    assert "gauge%20note.txt" in page


@pytest.mark.slow
def test_formulas_of_registers_stay_text(manager: Person) -> None:
    report_problem(by=manager, title="=HYPERLINK(1)")
    text = opened(build(manager)).read("90-registers/nonconformities.csv").decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["Title"] == "'=HYPERLINK(1)"


@pytest.mark.slow
def test_the_same_instant_gives_the_same_bytes(manager: Person) -> None:
    with_file(manager)
    pack = workflow.plan_pack(by=manager)
    public = sealing.public_key(sealing.private_key())
    manifests = []
    with gathering.snapshot() as as_of:
        plans = [gathering.read(pack, shelf.new_folder(pack), as_of) for _ in range(2)]
    for at, plan in enumerate(plans):
        if at:
            DRAWN.clear()  # the second is drawn anew
        plan["requested_by"] = manager.name
        drawn = {part["path"]: building.draw_and_keep(plan, part) for part in plan["parts"]}
        contents = building.contents_of(pack, plan, drawn, public)
        listing = [{"path": p, "sha256": d, "size": s} for p, (d, s, _) in sorted(contents.items())]
        manifest = building.manifest_of(pack, plan, public, listing)
        manifest.pop("built_at")
        manifests.append(sealing.canonical(manifest))
    assert manifests[0] == manifests[1]


@pytest.mark.slow
def test_everything_shows_one_instant(manager: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    report_problem(by=manager, title="Known before")
    registers = gathering._Reader._registers

    def meanwhile(reader: Any, index: Any) -> Any:
        """Somebody reports another one between the registers and the sections."""
        found = registers(reader, index)

        def somebody() -> None:
            report_problem(by=manager, title="Came in between")
            connections.close_all()

        thread = threading.Thread(target=somebody)
        thread.start()
        thread.join()
        return found

    monkeypatch.setattr(gathering._Reader, "_registers", meanwhile)
    pack = build(manager)
    page = opened(pack).read("index.html").decode()
    assert "Known before" in page
    assert "Came in between" not in page
    assert pack.as_of and pack.as_of <= clock.now()


@pytest.mark.slow
def test_reading_cannot_change_anything(manager: Person) -> None:
    with gathering.snapshot(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)


@pytest.mark.slow
def test_a_missing_file_stops_the_pack_until_somebody_says_why(manager: Person) -> None:
    attachment = with_file(manager)
    lose(attachment)
    pack = workflow.plan_pack(by=manager)
    with pytest.raises(Refused, match=r"missing or altered: gauge note.txt of NC-") as refusal:
        workflow.build(pack, by=manager, proof=factories.proof(manager))
    assert refusal.value.field == "accepted_because"
    pack.refresh_from_db()
    assert pack.status == "draft"
    made = build(manager, accepted_because="The gauge was scrapped with its note.")
    assert made.status == "ready"
    [missing] = [each for each in made.left_out if each["what"].startswith("gauge note.txt")]
    assert "The gauge was scrapped" in missing["why"]
    assert "The gauge was scrapped" in opened(made).read("index.html").decode()


@pytest.mark.slow
def test_an_altered_file_is_found_while_building(manager: Person) -> None:
    attachment = with_file(manager)
    lose(attachment)
    shelf.place().save(attachment.blob.path, ContentFile(NOTE.replace(b"5.02", b"5.99")))
    pack = build(manager)
    assert pack.status == "failed"
    assert "missing or altered" in pack.failure
    lose(attachment)  # the same content is attached anew by other tests


@pytest.mark.slow
def test_a_record_that_cannot_be_drawn_becomes_a_page_that_says_so(
    manager: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_problem(by=manager, title="Undrawable")
    drawing = pdf.render_isolated

    def refuse(html: str, **options: Any) -> bytes:
        if "Nonconformity report" in html:
            raise pdf.RenderFailed("This page could not be printed: it is too long.")
        return drawing(html, **options)

    monkeypatch.setattr(pdf, "render_isolated", refuse)
    pack = build(manager)
    assert pack.status == "ready", pack.failure
    [left] = [each for each in pack.left_out if "Undrawable" in each["what"]]
    assert left["why"] == "It could not be printed. View on site."
    monkeypatch.setattr(pdf, "render_isolated", drawing)
    later = build(manager)
    assert not [each for each in later.left_out if "Undrawable" in each["what"]]


@pytest.mark.slow
def test_a_second_pack_draws_nothing_anew(manager: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    report_problem(by=manager, title="Once")
    build(manager)
    kept = set(RenderedPart.objects.values_list("fingerprint", flat=True))
    monkeypatch.setattr(building, "draw", lambda part, paper: pytest.fail("drawn again"))
    assert build(manager).status == "ready"
    assert set(RenderedPart.objects.values_list("fingerprint", flat=True)) == kept


@pytest.mark.slow
def test_a_damaged_kept_page_is_drawn_again(manager: Person) -> None:
    report_problem(by=manager, title="Once")
    build(manager)
    for row in RenderedPart.objects.all():
        shelf.put(row.path, b"cut off")
    assert build(manager).status == "ready"


@pytest.mark.slow
def test_drawing_goes_in_steps_and_a_new_worker_goes_on(
    manager: Person, monkeypatch: pytest.MonkeyPatch, no_worker: None
) -> None:
    for at in range(3):
        report_problem(by=manager, title=f"Problem {at}")
    monkeypatch.setattr(building, "STEP_SECONDS", -1.0)
    drawn: list[str] = []
    draw = building.draw

    def one(part: Any, paper: str) -> bytes:
        drawn.append(part["path"])
        return draw(part, paper)

    monkeypatch.setattr(building, "draw", one)
    pack = workflow.plan_pack(by=manager, preset="nc_response")
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    assert outbox.run_next("pack")
    pack.refresh_from_db()
    assert pack.status == "building"
    assert outbox.run_next("pack"), "no time: nothing is drawn, and nothing is lost"
    assert drawn == []
    monkeypatch.setattr(building, "STEP_SECONDS", 60.0)
    assert outbox.run_next("pack")
    pack.refresh_from_db()
    assert pack.status == "ready"
    assert len(drawn) == len(set(drawn)) >= 4
    assert not outbox.run_next("pack")


@pytest.mark.slow
def test_a_cancelled_pack_stops_and_leaves_nothing(manager: Person, no_worker: None) -> None:
    pack = workflow.plan_pack(by=manager, preset=SMALL)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    outbox.run_next("pack")
    folder = PackProgress.objects.get(pack=pack).plan
    assert shelf.place().exists(f"{folder}/plan.json")
    pack.refresh_from_db()
    workflow.cancel(pack, by=manager)
    outbox.drain("pack")
    pack.refresh_from_db()
    assert (pack.status, pack.path) == ("cancelled", "")
    assert not shelf.place().exists(f"{folder}/plan.json")
    assert Effect.objects.get(key__startswith=f"pack:{pack.pk}:").state == "done"


@pytest.mark.slow
def test_a_pack_whose_workers_died_says_so_and_can_be_tried_again(
    manager: Person, monkeypatch: pytest.MonkeyPatch, no_worker: None
) -> None:
    pack = workflow.plan_pack(by=manager, preset=SMALL)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    effect = Effect.objects.get(kind="pack.build")
    for _ in range(Effect.MAX_ATTEMPTS):
        assert outbox._lease("pack") is not None  # and the worker is killed
        Effect.objects.filter(pk=effect.pk).update(leased_until=effect.created_at)
    assert not outbox.run_next("pack")
    pack.refresh_from_db()
    assert pack.status == "failed"
    assert "Try again" in pack.failure
    mail = Effect.objects.filter(kind="mail", key__startswith=f"mail:pack-failed:{pack.pk}")
    assert not mail.exists(), "who asked for it is still looking"
    workflow.try_again(pack, by=manager, proof=factories.proof(manager))
    outbox.drain("pack")
    pack.refresh_from_db()
    assert (pack.status, pack.failure) == ("ready", "")


@pytest.mark.slow
def test_who_left_the_page_is_told_by_mail(manager: Person, no_worker: None) -> None:
    pack = workflow.plan_pack(by=manager, preset=SMALL)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    PackProgress.objects.filter(pack=pack).update(seen_at=None)
    outbox.drain("pack")
    mail = Effect.objects.get(kind="mail", key__startswith=f"mail:pack-ready:{pack.pk}")
    assert mail.payload["to"] == manager.pk
    assert mail.payload["act"] == pack.get_absolute_url()


@pytest.mark.slow
def test_a_built_pack_never_changes(manager: Person) -> None:
    pack = build(manager, preset=SMALL)
    for name, value in (("sha256", "0" * 64), ("as_of", clock.now()), ("left_out", [])):
        changed = Pack.objects.get(pk=pack.pk)
        setattr(changed, name, value)
        with pytest.raises(Refused):
            changed.save_because("A nicer one", by=manager)
    assert not workflow.try_again.permitted(pack, factories.person("employee"))
    with pytest.raises(Refused, match="already ready"):
        workflow.cancel(pack, by=manager)


@pytest.mark.slow
def test_a_correction_names_the_pack_it_replaces(manager: Person) -> None:
    first = build(manager, preset=SMALL)
    second = build(manager, preset=SMALL, replaces=first)
    assert manifest_of(second)["replaces"] == first.number
    draft = workflow.plan_pack(by=manager, preset=SMALL)
    with pytest.raises(Refused, match="was built"):
        workflow.plan_pack(by=manager, replaces=draft)


@pytest.mark.slow
def test_every_contribution_has_its_folder() -> None:
    from qms import contributions

    folders = {each.folder for each in contributions.sections()}
    folders |= {each.folder for each in contributions.prints()}
    assert {"05-documents", "09-internal-audit", "11-nonconformities"} <= folders
    assert folders <= set(layout.SUBJECTS)


@pytest.mark.slow
def test_the_key_is_its_owners_and_stays(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.PACK_SIGNING_KEY = ""
    first = sealing.own_fingerprint()
    [path] = (tmp_path / "keys").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sealing.own_fingerprint() == first
    settings.PRODUCTION = True
    with pytest.raises(Refused, match="PACK_SIGNING_KEY"):
        sealing.private_key()
    settings.PACK_SIGNING_KEY = os.urandom(32).hex()
    assert sealing.own_fingerprint() != first
    settings.PACK_SIGNING_KEY = "secret"
    with pytest.raises(Refused, match="64 hexadecimal"):
        sealing.private_key()


@pytest.mark.slow
def test_the_software_version_is_that_of_the_project(settings: Any) -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == settings.SOFTWARE_VERSION


@pytest.mark.slow
def test_a_worker_that_lost_its_lease_finishes_nothing(manager: Person, no_worker: None) -> None:
    pack = workflow.plan_pack(by=manager, preset=SMALL)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    late = outbox._lease("pack")
    assert late is not None
    Effect.objects.filter(pk=late.pk).update(leased_until=late.created_at)
    outbox.drain("pack")  # another worker takes over and builds it
    pack.refresh_from_db()
    assert pack.status == "ready"
    rows = pack.history.count()
    tasks.build_pack(late)
    assert pack.history.count() == rows


@pytest.mark.slow
def test_the_page_of_a_pack_under_way_asks_again_by_itself(
    manager: Person, client: Client, no_worker: None
) -> None:
    pack = workflow.plan_pack(by=manager, preset=SMALL)
    workflow.build(pack, by=manager, proof=factories.proof(manager))
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    page = client.get(pack.get_absolute_url()).content.decode()
    assert "every 2s" in page
    assert 'http-equiv="refresh"' in page, "and without a script by reloading"
    part = client.get(f"/packs/{pack.pk}/progress/", headers={"HX-Request": "true"})
    assert "Waiting for a worker." in part.content.decode()
    outbox.drain("pack")
    over = client.get(f"/packs/{pack.pk}/progress/", headers={"HX-Request": "true"})
    assert over["HX-Redirect"] == f"/packs/{pack.pk}/?take=1"
    taken = client.get(over["HX-Redirect"])
    assert taken["Refresh"] == f"0; url=/packs/{pack.pk}/download/"
