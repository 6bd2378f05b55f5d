"""What a person may not see is not there for them: on no page, in no list, file, search or API.

Restricted documents, drafts of revisions, and findings of a running audit, with their files.
Every GET address of the program is asked by every role, with real keys.
"""

import io
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from audits import workflow as audits
from documents import workflow as documents
from documents.content import from_markdown
from qms import clock
from qms.actions.workflow import plan_action
from qms.api import operations
from qms.contributions import evidence_for, find_everywhere
from qms.files.workflow import attach
from qms.gap import workflow as gap
from qms.pack import workflow as packs
from qms.people.models import ApiToken
from qms.people.roles import ROLES
from qms.periods import today
from qms.scope.workflow import add_flow, create_process
from qms.workflow import transitions_of
from reviews.workflow import compile_inputs, inputs_of
from tests import scenes
from tests.architecture.test_promises import OWN
from tests.sampling import played, spread
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.proof, pytest.mark.clause("7.5.3.2")]

SECRET = "okapi stripes recipe"  # in the restricted document, its text and its file
DRAFT = "narwhal torque table"  # in a draft of an open document
FOUND = "pangolin shelf finding"  # in a finding and a note of a running audit
BODY = "quokka board finding"  # in an observation of the certification body
MAY_SEE = {
    DRAFT: {"quality_manager", "process_owner"},
    SECRET: {"quality_manager", "top_management"},
    FOUND: {"quality_manager", "lead_auditor"},
    BODY: {"auditor", "lead_auditor", "process_owner", "quality_manager", "top_management"},
}


def picture() -> "ContentFile[bytes]":
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "JPEG")
    return ContentFile(made.getvalue(), name="photo.jpg")


@dataclass
class House:
    """A company in which something is hidden from most people."""

    cast: Cast
    hidden: dict[str, list[Any]] = field(default_factory=dict)
    files: dict[str, list[Any]] = field(default_factory=dict)
    near: dict[str, Any] = field(default_factory=dict)

    def clients(self) -> Iterator[tuple[str, Any, Client]]:
        for role in ROLES:
            person = getattr(self.cast, role)
            client = Client()
            client.force_login(person, backend="qms.people.access.RoleBackend")
            yield role, person, client


@pytest.fixture
def house(made: House, db: None) -> House:
    """The house, of this test alone."""
    return deepcopy(made)


@pytest.fixture(scope="module")
def made(for_the_file: None) -> House:
    cast = Cast()
    with time_machine.travel(clock.now() - timedelta(days=45), tick=True):
        secret = scenes.approve(
            cast,
            documents.create_document(
                by=cast.author,
                title=f"The {SECRET}",
                kind="procedure",
                owner=cast.owner,
                text=from_markdown(f"Mix the {SECRET} well."),
                reviewers=[cast.reviewer],
                approvers=[cast.approver],
                confidentiality="restricted",
                review_months=1,
                clauses=["2026:8.4.1"],
            ).revisions.get(),
        )
    secret_draft = documents.start_revision(
        secret.document, by=cast.author, change_summary=f"A new {SECRET}."
    )
    opened = scenes.approve(cast, scenes.a_draft(cast)).document
    draft = documents.start_revision(
        opened,
        by=cast.author,
        text=from_markdown(f"The {DRAFT}."),
        change_summary=f"Adds the {DRAFT}.",
    )
    entry = documents.start_entry(
        by=cast.author,
        form=scenes.a_form(cast, confidentiality="restricted"),
        values={"bore": "12", "remark": SECRET},
    )
    entry = documents.submit_entry(entry, by=cast.author)
    finding = scenes.a_finding(cast)
    audit = finding.audit
    finding = audits.record_finding(
        audit, by=cast.member, grade="minor", statement=f"A {FOUND}.", evidence=f"The {FOUND}."
    )
    note = audits.take_note(audit, by=cast.member, words=f"Once more a {FOUND}.")
    visit = scenes.a_visit(cast)
    remark = audits.record_body_finding(
        by=cast.manager,
        visit=visit,
        reference="OBS-1",
        grade="observation",
        statement=f"A {BODY}.",
        found_on=today(),
    )
    review = compile_inputs(scenes.a_review(cast), by=cast.manager)
    assessment = gap.start_assessment(by=cast.manager, edition="2026")
    house = House(cast)
    house.hidden = {
        SECRET: [secret.document, secret, secret_draft, entry, entry.proposals.get()],
        DRAFT: [draft],
        FOUND: [finding, note],
        BODY: [remark],
    }
    for words, records in house.hidden.items():
        who = {FOUND: cast.member, BODY: cast.manager}.get(words, cast.author)
        house.files[words] = [
            attach(each, picture(), by=who, caption=words)
            for each in records
            if getattr(each, "submitted_on", None) is None
        ]
    house.near = {
        "actions/": scenes.an_action(cast),
        "scope/sites/": cast.things["site"],
        "scope/processes/": create_process(
            by=cast.manager, code="MAKE", name="Making", owner=cast.owner
        ),
        "scope/processes/flows/": add_flow(
            by=cast.manager, what="Orders", target=cast.process(), source_party="Customers"
        ),
        "scope/extensions/": scenes.an_extension(cast),
        "scope/statements/": scenes.a_statement(cast),
        "gap/": assessment,
        "gap/answers/": assessment.answers.get(clause="2026:8.4.1"),
        "packs/": packs.plan_pack(by=cast.manager),
        "documents/": opened,
        "documents/revisions/": opened.revisions.get(number=1),
        "audits/": audit,
        "audits/certificates/": visit.certificate,
        "audits/visits/": visit,
        "audits/bodies/": visit.certificate.body,
        "audits/body-findings/": remark,
        "audits/templates/": scenes.a_template(cast),
        "audits/requests/": audits.note_request(by=cast.manager, visit=visit, what="Order 7"),
        "nonconformities/": scenes.a_nonconformity(cast),
        "objectives/": scenes.an_objective(cast),
        "reviews/": review,
        "reviews/inputs/": inputs_of(review)[0],
        "people/": cast.author,
    }
    return house


def asked(house: House) -> Iterator[str]:
    """Every page that has no key, or whose key is that of something everybody may know of."""
    for path, _view in OWN:
        if "health" in path or path.startswith(("gallery", "verify")):
            continue
        if "<" not in path:
            yield f"/{path}"
            continue
        prefix = path.split("<", 1)[0]
        record = house.near.get(prefix)
        if record is None:
            continue
        moves = [each.name for each in transitions_of(type(record))]
        # Every step's page is drawn by the same code, so one of each procedure is asked for.
        for name in moves[:1] if "<slug:name>" in path else [""]:
            filled = path.replace("<slug:name>", name)
            filled = filled.replace("<int:pk>", str(record.pk)).replace("<int:position>", "1")
            if "<" not in filled:
                yield f"/{filled}"


def text_of(answer: Any) -> str:
    if answer.get("Content-Type", "").startswith("application/pdf"):
        return ""
    return b"".join(answer).decode(errors="replace")


@pytest.mark.slow
def test_no_page_tells_what_its_reader_may_not_see(house: House) -> None:
    month = (today() - timedelta(days=15)).strftime("%Y-%m")
    more = [
        f"/calendar/?month={month}",
        f"/calendar/?month={today():%Y-%m}",
        *(f"/search/?q={words.split()[0]}" for words in MAY_SEE),
        *(f"/documents/?title={words.split()[0]}" for words in MAY_SEE),
        *(f"/audits/findings/?text={words.split()[0]}" for words in MAY_SEE),
        *(f"{each.get_absolute_url()}?print=1" for each in house.near.values()),
    ]
    paths = list(dict.fromkeys([*asked(house), *more]))
    lists = [f"/{path}" for path, view in OWN if view.__name__.endswith("_list")]
    paths += [f"{path}?format=csv" for path in lists]
    told, seen = [], set()
    for role, _person, client in house.clients():
        for path in paths:
            if path not in more and not played(f"{role} {path}", one_in=20):
                continue
            answer = client.get(path)
            assert answer.status_code < 500, path
            page = text_of(answer)
            for words, readers in MAY_SEE.items():
                if words in page:
                    seen.add((role, words))
                    told += [] if role in readers else [f"{role} reads “{words}” at {path}"]
    assert not told, told
    for words, readers in MAY_SEE.items():  # the test can see: its readers do find it
        assert {role for role, what in seen if what == words} == readers


def keyed(house: House, words: str) -> Iterator[str]:
    """Every address that bears the key of something hidden."""
    for record in house.hidden[words]:
        own = record.get_absolute_url()
        yield own
        yield f"{own}?print=1"
        yield f"{own}edit/"
        kind = ContentType.objects.get_for_model(record)
        yield reverse("files:attachment_create", args=[kind.pk, record.pk])
        for each in transitions_of(type(record)):
            yield f"{own}do/{each.name}/"
        pattern = own[1:].replace(str(record.pk), "<int:pk>")
        known = {path for path, _view in OWN}
        yield from (f"{own}{name}/" for name in ("pdf", "revise") if f"{pattern}{name}/" in known)
    for each in house.files[words]:
        yield each.get_absolute_url()
        yield reverse("files:thumbnail", args=[each.pk, "small"])
        yield reverse("files:attachment_transition", args=[each.pk, "void"])


@pytest.mark.parametrize("words", spread(MAY_SEE, quick=1))
@pytest.mark.slow
def test_what_is_hidden_is_not_found_by_its_key(words: str, house: House) -> None:
    paths = list(keyed(house, words))
    assert len(paths) > 8
    opened = set()
    for role, _person, client in house.clients():
        for path in paths:
            if role not in MAY_SEE[words] and not played(f"key {role} {path}", one_in=4):
                continue
            answer = client.get(path)
            if role in MAY_SEE[words]:
                opened |= {path} if answer.status_code == 200 else set()
                continue
            assert answer.status_code in (403, 404), f"{role} {path}"
            assert words not in text_of(answer), f"{role} {path}"
            if not played(f"{role} {path}", one_in=10):
                continue
            # To whoever may open such pages at all it is as if it were not there.
            none = client.get(re.sub(r"/\d+/", "/999999/", path, count=1))
            same = none.status_code == answer.status_code or "attach" in path
            assert same, f"{role} {path}: {answer.status_code}, for none {none.status_code}"
    assert set(paths) - opened == set() or all(
        "edit" in path or "revise" in path or "do/" in path or "picture" in path
        for path in set(paths) - opened
    )


API = {"documents.Document": "documents", "documents.Revision": "revisions"}
API |= {"audits.AuditNote": "audit-notes", "audits.BodyFinding": "body-findings"}
API |= {"audits.Finding": "findings", "documents.Entry": "entries"}
API |= {"capa.Proposal": "proposed-nonconformities", "capa.Repeat": "repeats"}


@pytest.mark.slow
def test_no_operation_of_the_api_tells_it(house: House) -> None:
    lists = [each.path for each in operations if each.method == "GET" and "{" not in each.path]
    own = {f"/api/v1/{name}/" for name in API.values()}
    assert len(lists) > 15 and own <= set(lists)
    for role, person, _client in house.clients():
        _token, secret = ApiToken.issue(person, "test", clock.now() + timedelta(days=1))
        headers = {"authorization": f"Bearer {secret}"}
        pages = {
            path: Client().get(path, headers=headers).content.decode()
            for path in lists
            if path in own or played(f"{role} {path}", one_in=4)
        }
        for words, readers in MAY_SEE.items():
            told = [path for path, page in pages.items() if words in page]
            assert bool(told) is (role in readers), f"{role}: {told}"
            if role not in readers:
                for record in house.hidden[words]:
                    _is_not_there(record, words, headers)


def _is_not_there(record: Any, words: str, headers: dict[str, str]) -> None:
    """Read, edited or moved by its key, a record that is not visible stays as unknown as before."""
    path = f"/api/v1/{API[record._meta.label]}/{record.pk}/"
    body = {"version": record.version, "reason": "x", "title": "x"}
    edited = Client().patch(path, body, "application/json", headers=headers)
    edit = ("PATCH", f"/api/v1/{API[record._meta.label]}/{{int:pk}}/")
    if edit not in {(each.method, each.path) for each in operations}:
        # This kind of record has no edit for anybody: that says nothing of this one.
        assert edited.status_code == 405, edited.content
        assert words not in edited.content.decode()
        answers = [Client().get(path, headers=headers)]
    else:
        answers = [Client().get(path, headers=headers), edited]
    for each in transitions_of(type(record)):
        asks = {"password": "x"} | {name: _said(field) for name, field in each.details.items()}
        send = {**body, **asks}
        answers.append(
            Client().post(f"{path}{each.name}/", send, "application/json", headers=headers)
        )
    for answer in answers:
        assert answer.status_code in (403, 404), answer.content
        assert words not in answer.content.decode()
    version = record.version
    record.refresh_from_db()
    assert record.version == version


def _said(field: Any) -> Any:
    """Something of the kind a field asks for."""
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return next(str(value) for value, _label in field.choices if value)
    if isinstance(field, forms.DateField):
        return today().isoformat()
    return 1 if isinstance(field, forms.IntegerField) else "x"


@pytest.mark.slow
def test_search_and_evidence_are_asked_for_a_person(house: House) -> None:
    for role, person, _client in house.clients():
        for words, readers in MAY_SEE.items():
            hits = [
                hit for _, found in find_everywhere(person, words.split()[0], 20) for hit in found
            ]
            assert not [h for h in hits if words in h.title] or role in readers
        lines = [line for many in evidence_for("2026", person).values() for line in many]
        named = any(SECRET in line.title for line in lines)
        assert named is (role in MAY_SEE[SECRET])
    leaving = [line for many in evidence_for("2026").values() for line in many]
    assert not any(SECRET in line.title for line in leaving)
    number = house.hidden[SECRET][0].number
    assert any(line.record_number == number for line in leaving)


@pytest.mark.slow
def test_a_record_names_its_origin_to_those_who_may_see_it(house: House) -> None:
    secret = house.hidden[SECRET][0]
    cast = house.cast
    raised: list[Any] = [
        plan_action(by=cast.author, title="Check", owner=cast.owner, due=today(), origin=secret),
        scenes.a_nonconformity(cast, origin=secret),
    ]
    for role, _person, client in house.clients():
        for record in raised:
            page = client.get(record.get_absolute_url())
            assert page.status_code == 200
            assert (SECRET in page.content.decode()) is (role in MAY_SEE[SECRET]), role
            assert (secret.get_absolute_url() in page.content.decode()) is (role in MAY_SEE[SECRET])
