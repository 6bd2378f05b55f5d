"""Forms: designed, filled in, corrected, handed to their register; and what they refuse."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from capa import workflow as capa
from capa.models import Nonconformity, Proposal
from documents import answers, design, designing, entered
from documents import workflow as documents
from documents.models import Entry
from documents.starters import starter_form, starter_forms
from qms import clock, contributions
from qms.equipment.models import Calibration, ImpactAssessment
from qms.equipment.workflow import measured_since
from qms.periods import today
from qms.providers.models import Provider, ProviderEvaluation
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.workflow import amend
from tests import factories, scenes
from tests.many import multiply
from tests.scenes import FIELDS, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def a_picture(name: str = "photo.jpg") -> "ContentFile[bytes]":
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "JPEG")
    return ContentFile(made.getvalue(), name=name)


PART = {"key": "a", "kind": "text", "label": "A"}


# --- designing ----------------------------------------------------------------------------------


def test_a_design_holds_only_what_its_tables_know() -> None:
    wrong = [
        ("nothing", "not the fields"),
        ([PART | {"kind": "script"}], "of a kind"),
        ([PART | {"label": " "}], "needs a label"),
        ([PART | {"key": "A-1"}], "small letters"),
        ([PART, PART | {"label": "B"}], "same key"),
        ([PART | {"onclick": "x"}], "no field can say"),
        ([PART] * 61, "61 fields"),
        ([PART | {"kind": "choice", "choices": ["One"]}], "from 2 to"),
        ([PART | {"kind": "choice", "choices": ["A", "B"], "beyond": ["C"]}], "none of its"),
        ([PART | {"kind": "number", "low": "5", "high": "2"}], "upwards"),
        ([PART | {"kind": "number", "low": "NaN"}], "no limit"),
        ([PART | {"kind": "number", "low": "1e400"}], "no limit"),
        ([PART | {"kind": "number", "decimals": 9}], "decimals"),
        ([PART | {"kind": "table", "columns": []}], "columns"),
        ([PART | {"kind": "table", "columns": [PART | {"kind": "photo"}]}], "of a kind"),
        ([PART | {"kind": "record"}], "register"),
        ([PART | {"kind": "signature", "signer": "nobody"}], "who signs"),
    ]
    for fields, words in wrong:
        with pytest.raises(Refused, match=words):
            design.check(fields)
    for starter in starter_forms():
        assert design.check(starter.fields) == starter.fields
        rows = designing.shown(starter.fields)
        assert [p["label"] for p in designing.designed(rows)] == [
            p["label"] for p in starter.fields
        ]


def test_the_fields_are_designed_on_a_page_that_needs_no_script(cast: Cast) -> None:
    made = documents.create_document(by=cast.author, title="Check", kind="form", owner=cast.owner)
    draft = made.revisions.get()
    url, client = reverse("documents:revision_fields", args=[draft.pk]), signed_in(cast.author)
    assert client.get(url).status_code == 200
    data: dict[str, Any] = {"version": draft.version}
    for button in ("add:number", "add:choice", "add:table"):
        page = client.post(url, data | {"do": button})
        assert page.status_code == 200
        data |= {f"p-{at}-kind": part["kind"] for at, part in enumerate(page.context["parts"])}
    data |= {"p-0-label": "Bore", "p-0-unit": "mm", "p-0-low": "9,9", "p-0-high": "10.1"}
    data |= {"p-1-label": "Result", "p-1-choices": "Good\nScrap", "p-1-beyond": "Scrap"}
    data |= {"p-2-label": "Readings", "p-2-columns": "Point\nValue; number; mm; 1; 2"}
    shown = client.post(url, data | {"do": "preview"}, headers={"hx-request": "true"})
    assert "Readings" in shown.content.decode()
    moved = client.post(url, data | {"do": "up:1"}).context["parts"]
    assert [each["label"] for each in moved] == ["Result", "Bore", "Readings"]
    assert client.post(url, data | {"p-0-low": "x", "do": "save"}).status_code == 422
    assert client.post(url, data | {"do": "save"}).status_code == 303
    draft.refresh_from_db()
    assert [part["key"] for part in draft.fields] == ["bore", "result", "readings"]
    assert draft.fields[0]["low"] == "9.9"
    assert draft.fields[2]["columns"][1]["unit"] == "mm"
    stale = client.post(url, data | {"do": "save", "p-0-label": "Width"})
    assert stale.status_code == 409
    assert "Width" in stale.content.decode()


def test_a_form_without_fields_is_not_sent_to_review(cast: Cast) -> None:
    made = documents.create_document(
        by=cast.author,
        title="Check",
        kind="form",
        owner=cast.owner,
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        text={"type": "doc", "content": [_paragraph("Check it.")]},
    )
    with pytest.raises(Refused, match="Design its fields"):
        documents.submit(made.revisions.get(), by=cast.author)
    with pytest.raises(Refused, match="Only a form"):
        documents.create_document(
            by=cast.author, title="x", kind="procedure", owner=cast.owner, fields=FIELDS
        )


def _paragraph(words: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def test_what_was_in_force_keeps_its_meaning(cast: Cast) -> None:
    form = scenes.a_form(cast)
    draft = documents.start_revision(form, by=cast.author, change_summary="Other.")
    other = [FIELDS[0] | {"kind": "text"}]
    with pytest.raises(Refused, match="number before"):
        amend(draft, by=cast.author, changes={"fields": design.check([_text(other[0])])})
    with pytest.raises(Refused, match="Design them"):
        amend(
            draft, by=cast.author, changes={"fields": [{"key": "a", "kind": "text", "label": "A"}]}
        )


def _text(part: dict[str, Any]) -> dict[str, Any]:
    return {name: part[name] for name in ("key", "kind", "label")}


# --- answers ------------------------------------------------------------------------------------


def test_answers_are_read_as_typed_and_refused_in_words() -> None:
    kinds = [
        {"key": "n", "kind": "number", "label": "N", "decimals": 2},
        {"key": "t", "kind": "text", "label": "T"},
        {"key": "l", "kind": "long_text", "label": "L"},
        {"key": "d", "kind": "date", "label": "D"},
        {"key": "c", "kind": "choice", "label": "C", "choices": ["A", "B"]},
        {"key": "s", "kind": "choices", "label": "S", "choices": ["A", "B"]},
        {"key": "y", "kind": "yes_no", "label": "Y"},
        {"key": "p", "kind": "person", "label": "P"},
        {"key": "f", "kind": "file", "label": "F"},
        {"key": "r", "kind": "table", "label": "R", "columns": [PART | {"kind": "number"}]},
    ]
    parts = {part["key"]: part for part in design.check(kinds)}
    good = [("n", "12,5", "12.5"), ("n", " -3 ", "-3"), ("y", "yes", True), ("y", False, False)]
    good += [("s", ["A", "A"], ["A"]), ("p", "7", 7), ("r", [{"a": "1,5"}, {}], [{"a": "1.5"}])]
    for key, raw, value in good:
        assert answers.read(parts[key], raw) == (value, "")
    for key, raw in [
        *(("n", raw) for raw in ("NaN", "Infinity", "1e400", "9" * 40, "1.234", "1,234", 1.5)),
        *(("t", "x" * 201), ("l", "x" * 10_001), ("d", "2026-02-30"), ("d", "0001-01-01")),
        *(("c", "Z"), ("s", ["Z"]), ("y", "perhaps"), ("p", "me"), ("p", True)),
        *(("f", [1, 2, 3, 4, 5, 6]), ("r", [{"a": "1"}] * 500), ("r", [{"a": "x"}]), ("r", "x")),
    ]:
        kept, why = answers.read(parts[key], raw)
        assert why.endswith("."), (key, raw, why)
        assert kept is not None or raw == "x"
    assert answers.read(parts["r"], [{"a": "1"}] * 500)[0] == [{"a": "1"}] * 500, "nothing is lost"


# --- filling in ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_draft_keeps_anything_and_a_submission_holds(cast: Cast) -> None:
    form, client = scenes.a_form(cast), signed_in(cast.newcomer)
    url = reverse("documents:entry_create", args=[form.pk])
    page = client.get(url)
    once = page.context["form"]["once"].value()
    data = {"a_bore": "twelve", "once": str(once), "happened_at": "2026-11-01T10:30"}
    for _click in range(2):
        assert client.post(url, data).status_code == 303
    entry = Entry.objects.get()
    assert entry.values == {"bore": "twelve"}
    assert entry.number == f"{form.number}-0001"
    edit = reverse("documents:entry_edit", args=[entry.pk])
    answer = client.post(edit, data | {"version": 1, "action": "submit"})
    assert answer.headers["Location"].endswith("?check=1")
    shown = client.get(f"{edit}?check=1").content.decode()
    assert "Write a number" in shown
    assert "twelve" in shown
    data |= {"a_bore": "10,05", "version": 1, "action": "submit"}
    for _click in range(2):
        answer = client.post(edit, data)
        assert (answer.status_code, answer.headers["Location"]) == (303, entry.get_absolute_url())
    entry.refresh_from_db()
    assert (entry.status, entry.values, entry.worst) == ("submitted", {"bore": "10.05"}, "")
    assert entry.happened_at < entry.recorded_at
    with pytest.raises(Refused):
        amend(entry, by=cast.newcomer, changes={"values": {"bore": "1"}})
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE documents_entry SET values = '{}' WHERE id = %s", [entry.pk])


def test_drafts_are_for_their_author_and_entries_for_the_readers_of_their_form(cast: Cast) -> None:
    form = scenes.a_form(cast, confidentiality="restricted")
    entry = documents.start_entry(by=cast.author, form=form, values={"bore": "10"})
    seen = Entry.objects.visible_to
    assert (seen(cast.author).count(), seen(cast.manager).count()) == (1, 0)
    documents.submit_entry(entry, by=cast.author)
    assert (seen(cast.manager).count(), seen(cast.newcomer).count()) == (1, 0)
    with pytest.raises(PermissionDenied):
        documents.start_entry(by=cast.newcomer, form=form)
    found = contributions.find_everywhere
    assert not [hit for _kind, hits in found(cast.newcomer, entry.number, 5) for hit in hits]
    assert [hit for _kind, hits in found(cast.manager, entry.number, 5) for hit in hits]


def test_photos_stay_and_what_is_no_photo_is_refused(cast: Cast) -> None:
    form = scenes.a_form(cast, [{"key": "photo", "kind": "photo", "label": "Photo"}])
    client = signed_in(cast.newcomer)
    url = reverse("documents:entry_create", args=[form.pk])
    when = {"happened_at": "2026-11-01T10:30", "action": "submit"}
    wrong = client.post(url, when | {"a_photo": ContentFile(b"no picture", name="a.txt")})
    assert wrong.status_code == 422
    assert "no picture" in wrong.content.decode()
    assert not Entry.objects.exists()
    assert client.post(url, when | {"a_photo": a_picture()}).status_code == 303
    entry = Entry.objects.get()
    assert entry.status == "submitted"
    (kept,) = entry.values["photo"]
    assert documents_files(entry) == [kept]
    before = entry.content_hash
    entry.values = {}
    assert entry.content_hash != before, "the file's hash is part of the signed content"


def documents_files(entry: Entry) -> list[int]:
    from qms.files.workflow import attachments_of

    return [each.pk for each in attachments_of(entry)]


@pytest.mark.slow
def test_who_fills_it_in_signs_in_one_and_another_person_after(cast: Cast) -> None:
    fields = [
        {"key": "note", "kind": "text", "label": "Note"},
        {"key": "mine", "kind": "signature", "label": "Done by", "required": True},
        {"key": "theirs", "kind": "signature", "label": "Allowed by", "signer": "another"},
    ]
    form, client = scenes.a_form(cast, fields), signed_in(cast.newcomer)
    url = reverse("documents:entry_create", args=[form.pk])
    data = {"a_note": "x", "happened_at": "2026-11-01T10:30", "action": "submit"}
    for password in ("", "wrong password"):
        answer = client.post(url, data | {"password": password})
        assert answer.headers["Location"].endswith("?check=1")
    assert {each.status for each in Entry.objects.all()} == {"draft"}
    client.post(url, data | {"password": factories.PASSWORD})
    entry = Entry.objects.get(status="submitted")
    assert list(entry.signed) == ["mine"]
    with pytest.raises(PermissionDenied, match="Somebody else"):
        documents.sign_entry(entry, by=cast.newcomer, proof=factories.proof(cast.newcomer))
    documents.sign_entry(entry, by=cast.manager, proof=factories.proof(cast.manager))
    signatures = Signature.objects.of(entry)
    assert {each.content_hash for each in signatures} == {entry.content_hash}
    assert not entry.unsigned


@pytest.mark.slow
def test_a_draft_on_the_revision_before_goes_on_for_some_days_or_moves_over(
    cast: Cast, time_machine: Any
) -> None:
    fields = [
        {"key": "fate", "kind": "choice", "label": "Fate", "choices": ["Keep", "Rework"]},
        {"key": "note", "kind": "text", "label": "Note"},
    ]
    form = scenes.a_form(cast, fields)
    first, second = (
        documents.start_entry(by=cast.author, form=form, values={"fate": "Rework", "note": "n"})
        for _ in range(2)
    )
    draft = documents.start_revision(form, by=cast.author, change_summary="Shorter.")
    shorter = design.check([fields[0] | {"choices": ["Keep", "Scrap"]}])
    amend(draft, by=cast.author, changes={"fields": shorter})
    scenes.approve(cast, draft)
    first.refresh_from_db()
    documents.submit_entry(first, by=cast.author)
    assert first.revision.label == "1"
    time_machine.move_to(clock.now() + timedelta(days=20))
    with pytest.raises(Refused, match="Move it over"):
        documents.submit_entry(second, by=cast.author)
    documents.move_over(second, by=cast.author)
    assert second.values == {"fate": "Rework", "note": "n"}
    assert entered.left_over(second) == [("Note", "n")]
    with pytest.raises(Refused, match="none of the choices"):
        documents.submit_entry(second, by=cast.author)
    page = signed_in(cast.author).get(reverse("documents:entry_edit", args=[second.pk]))
    assert "Rework (no longer offered)" in page.content.decode()


def test_a_withdrawn_form_takes_no_entry(cast: Cast) -> None:
    form = scenes.a_form(cast)
    entry = documents.start_entry(by=cast.author, form=form, values={"bore": "10"})
    documents.withdraw(form, by=cast.manager, reason="Merged.")
    entry.refresh_from_db()
    with pytest.raises(Refused, match="withdrawn"):
        documents.submit_entry(entry, by=cast.author)
    with pytest.raises(Refused, match="withdrawn"):
        documents.start_entry(by=cast.author, form=form)
    answer = signed_in(cast.author).get(reverse("documents:entry_create", args=[form.pk]))
    assert answer.status_code == 422


@pytest.mark.slow
def test_a_mistake_is_corrected_by_another_entry_that_says_why(cast: Cast) -> None:
    entry = documents.submit_entry(scenes.an_entry(cast, "12"), by=cast.author)
    for by in (cast.newcomer, cast.reviewer):
        with pytest.raises(PermissionDenied):
            documents.correct_entry(entry, by=by, why="x")
    with pytest.raises(Refused, match="what is wrong"):
        documents.correct_entry(entry, by=cast.author, why=" ")
    correction = documents.correct_entry(entry, by=cast.author, why="Read wrongly.")
    with pytest.raises(Refused, match="already"):
        documents.correct_entry(entry, by=cast.manager, why="Again.")
    amend(correction, by=cast.author, changes={"values": {"bore": "10.02"}})
    documents.submit_entry(correction, by=cast.author)
    entry.refresh_from_db()
    assert (entry.status, entry.values["bore"]) == ("corrected", "12")
    assert list(Entry.objects.standing()) == [correction]
    page = signed_in(cast.manager).get(entry.get_absolute_url()).content.decode()
    assert correction.number in page
    assert Proposal.objects.get(entry=entry).status == "lapsed"


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_value_beyond_a_limit_proposes_a_nonconformity(cast: Cast) -> None:
    entry = documents.submit_entry(
        scenes.an_entry(cast, "12", process=cast.process()), by=cast.author
    )
    proposal = Proposal.objects.get(entry=entry)
    assert (entry.worst, proposal.owner) == ("limit", cast.owner)
    assert "above 10.1" in proposal.found
    assert "above 10.1" in signed_in(cast.manager).get(entry.get_absolute_url()).content.decode()
    with pytest.raises(PermissionDenied):
        capa.take_up(proposal, by=cast.newcomer)
    capa.take_up(proposal, by=cast.owner)
    nc = Nonconformity.objects.get()
    assert (nc.origin, nc.process) == (entry, cast.process())
    other = documents.submit_entry(
        documents.start_entry(by=cast.author, form=entry.form, values={"bore": "9"}),
        by=cast.author,
    )
    declined = Proposal.objects.get(entry=other)
    capa.decline(declined, by=cast.owner, reason="A test piece.")
    assert declined.status == "declined"


# --- lists, charts, paper -----------------------------------------------------------------------


@pytest.mark.slow
def test_entries_are_listed_counted_drawn_and_printed(cast: Cast) -> None:
    form = scenes.a_form(cast)
    for bore in ("10", "10.05", "9.95", "12"):
        made = documents.start_entry(by=cast.author, form=form, values={"bore": bore})
        documents.submit_entry(made, by=cast.author)
    client = signed_in(cast.manager)
    url = reverse("documents:form_detail", args=[form.pk])
    page = client.get(f"{url}?sort=answer_0")
    values = [cells[2].value for _row, _url, cells in page.context["page"].rows]
    assert values == [Decimal("9.95"), Decimal(10), Decimal("10.05"), Decimal(12)]
    assert "mean of 4 entries" in page.content.decode()
    assert client.get(f"{url}?worst=limit").context["page"].count == 1
    for kind in ("csv", "xlsx"):
        answer = client.get(f"{url}?format={kind}")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content)
    drawn = client.get(reverse("documents:form_trend", args=[form.pk])).content.decode()
    assert "Limit 10.1 mm" in drawn
    assert "Accepted from 9.9 to 10.1 mm." in drawn
    entry = Entry.objects.order_by("pk").first()
    assert entry is not None
    for name, key in (
        ("form_trend_pdf", form.pk),
        ("form_card", form.pk),
        ("entry_pdf", entry.pk),
    ):
        answer = client.get(reverse(f"documents:{name}", args=[key]))
        assert answer.content.startswith(b"%PDF"), name
    short = client.get(reverse("documents:form_short", args=[form.number]))
    assert short.headers["Location"].endswith(f"/forms/{form.pk}/fill/")
    hits = contributions.find_everywhere(cast.manager, entry.number, 5)
    assert [hit.number for _kind, found in hits for hit in found] == [entry.number]


# --- receivers ----------------------------------------------------------------------------------


def a_starter(cast: Cast, key: str) -> Any:
    starter = starter_form(key)
    assert starter is not None
    return scenes.a_form(cast, starter.fields)


@pytest.mark.slow
def test_a_supplier_evaluation_sets_its_next_day(cast: Cast) -> None:
    provider, form = scenes.a_provider(cast), a_starter(cast, "supplier_evaluation")
    values: dict[str, Any] = {
        "external_provider": provider.pk,
        "quality_of_what_was_delivered": "4",
        "delivery_on_the_agreed_day": "3",
        "answers_and_help": "3",
        "verdict": "Suitable",
        "what_follows_from_it": "We go on.",
    }
    entry = documents.start_entry(by=cast.manager, form=form, values=values)
    assert entry.subject == provider
    documents.submit_entry(entry, by=cast.manager)
    provider.refresh_from_db()
    made = ProviderEvaluation.objects.get()
    assert (entry.outcome, provider.last_on, made.verdict) == (made, today(), "suitable")
    assert made.results[0] == ["Quality of what was delivered", "4"]
    assert provider.next_due > today()
    page = signed_in(cast.manager).get(provider.get_absolute_url()).content.decode()
    assert entry.number in page
    assert f"?about={provider.pk}" in page
    with pytest.raises(Refused, match="Void that first"):
        documents.correct_entry(entry, by=cast.manager, why="Wrong.")
    again = documents.start_entry(by=cast.newcomer, form=form, values=values)
    with pytest.raises(Refused, match="role does not allow"):
        documents.submit_entry(again, by=cast.newcomer)
    again.refresh_from_db()
    assert again.status == "draft"
    assert ProviderEvaluation.objects.count() == 1


@pytest.mark.slow
def test_a_row_of_a_long_register_is_found_by_its_number_or_words(cast: Cast) -> None:
    """All can be chosen, however many there are; what fits several is kept and refused."""
    provider, form = scenes.a_provider(cast), a_starter(cast, "supplier_evaluation")
    multiply(provider, 400)
    rare = Provider.objects.order_by("pk").last()
    assert rare is not None
    rare.name = "Rare Earths of Ontario"
    rare.save_because("Renamed.", by=cast.manager)
    client = signed_in(cast.manager)
    fill, choices = reverse("documents:entry_create", args=[form.pk]), "documents:form_choices"
    offered = client.get(reverse(choices, args=["provider"]), {"a_external_provider": "rare ear"})
    assert offered.content.decode().count("<option") == 1
    assert f'value="{rare}"' in offered.content.decode()
    assert client.get(reverse(choices, args=["nothing"])).status_code == 404
    page = client.get(fill, {"about": rare.pk}).content.decode()
    assert f'value="{rare}"' in page
    assert page.count("<option") < 40
    when = {"happened_at": "2026-03-02T09:00", "action": "save"}
    for said in (str(rare), rare.number, "rare earths"):
        client.post(fill, when | {"a_external_provider": said})
        assert Entry.objects.order_by("-pk")[0].subject == rare
    for said in ("12", "nobody"):
        client.post(fill, when | {"a_external_provider": said})
        entry = Entry.objects.order_by("-pk")[0]
        assert entry.subject is None
        again = client.get(reverse("documents:entry_edit", args=[entry.pk])).content.decode()
        assert f'value="{said}"' in again
        with pytest.raises(Refused, match="no one row of the register"):
            documents.submit_entry(entry, by=cast.manager)


@pytest.mark.slow
def test_a_failed_calibration_asks_what_was_measured_since(cast: Cast) -> None:
    instrument = scenes.an_instrument(cast)
    inspection = a_starter(cast, "inspection_report")
    used = documents.start_entry(
        by=cast.owner,
        form=inspection,
        values={
            "order_or_lot": "L 7",
            "what_was_inspected": "Stems",
            "pieces_inspected": "5",
            "measured_with": instrument.pk,
            "decision": "Released",
        },
    )
    documents.submit_entry(used, by=cast.owner)
    entry = documents.start_entry(
        by=cast.owner,
        form=a_starter(cast, "calibration"),
        values={
            "instrument": instrument.pk,
            "reference_and_its_traceability": "Gauge block 4",
            "or_by_a_laboratory": "Metrolab",
            "result": "Failed",
        },
    )
    documents.submit_entry(entry, by=cast.owner)
    assert isinstance(entry.outcome, Calibration)
    impact = ImpactAssessment.objects.get()
    assert [each.number for each in measured_since(impact, cast.manager)] == [used.number]
    assert used.number in signed_in(cast.manager).get(impact.get_absolute_url()).content.decode()


def test_a_receiver_is_told_everything_it_needs_before_review(cast: Cast) -> None:
    starter = starter_form("supplier_evaluation")
    assert starter is not None
    fields = [part for part in starter.fields if part.get("gives") != "verdict"]
    made = documents.create_document(
        by=cast.author,
        title="Evaluation",
        kind="form",
        owner=cast.owner,
        fields=fields,
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
    )
    with pytest.raises(Refused, match="Verdict"):
        documents.submit(made.revisions.get(), by=cast.author)
