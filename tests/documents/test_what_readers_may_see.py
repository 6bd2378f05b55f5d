"""Saved views, evidence packs and outside auditors show nobody more than they may see."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, reverse
from PIL import Image
from zeal import zeal_ignore

from audits import workflow as audits
from audits.models import Audit
from capa import workflow as capa
from capa.models import Nonconformity, Proposal
from documents import workflow
from documents.content import from_markdown
from documents.models import Document, Revision
from qms import clock, contributions
from qms.contributions import restricted_sections
from qms.files.workflow import attach
from qms.gap import workflow as gap
from qms.gap.linking import links_of
from qms.home import workflow as views_workflow
from qms.home.models import SavedView
from qms.pack import gathering
from qms.pack import workflow as packs
from qms.people.models import ApiToken, RoleAssignment
from qms.people.workflow import end_role, set_outside_access
from qms.periods import Period, today
from qms.picking import shown
from qms.refusals import Refused
from qms.scope.workflow import activate, create_process
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast
from tests.pack.test_views import ready
from tests.sampling import played

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("7.5.3")]
SECRET = "Dismissal of Zebulon"


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture(autouse=True)
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a test's transaction nothing is ever committed; what waits for that is done at once."""
    monkeypatch.setattr(views_workflow.transaction, "on_commit", lambda call: call())


def client(person: Any) -> Client:
    made = Client()
    factories.sign_in(made, person)
    return made


def keep(person: Any, **more: str) -> Any:
    given = {"list": "/documents/?sort=title", "name": "Ours"}
    return client(person).post("/views/keep/", given | more)


def secret(cast: Cast, **more: Any) -> Document:
    """A restricted document in force."""
    made = workflow.create_document(
        by=cast.author,
        title=SECRET,
        owner=cast.author,
        confidentiality="restricted",
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        **({"kind": "procedure", "text": from_markdown("Nobody else reads it.")} | more),
    )
    cast.approved(made.revisions.get())
    made.refresh_from_db()
    return made


# --- saved views ----------------------------------------------------------------------------------

LISTS = {
    "/documents/": "title=Dismissal",
    "/documents/entries/": "form={pk}",
    "/documents/reading/tasks/": "document={pk}",
    "/documents/copies/": "document={pk}",
    "/documents/reviews/": "document={pk}",
}


@pytest.mark.parametrize("address", LISTS)
def test_a_shared_view_shows_nothing_that_its_reader_may_not_see(cast: Cast, address: str) -> None:
    form = secret(cast, kind="form", fields=[{"key": "x", "kind": "text", "label": "Remark"}])
    workflow.issue_copy(form, by=cast.approver, place="Gate")
    query = LISTS[address].format(pk=form.pk)
    assert keep(cast.approver, list=f"{address}?{query}", shared="on").status_code == 303
    reader = client(factories.person())
    answer = reader.get(f"{address}?{query}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Ours" in page
    assert SECRET not in page
    assert form.number not in page
    if address in ("/documents/", "/documents/copies/"):
        assert form.number in client(cast.approver).get(f"{address}?{query}").content.decode()


def test_a_view_of_filters_and_columns_that_are_gone_opens_the_list(cast: Cast) -> None:
    gone = "kind=nonsense&process=999999&owner=x&sort=-nothing&flagged=maybe&gone=1&q=%00"
    assert keep(cast.approver, list=f"/documents/?{gone}", shared="on").status_code == 303
    reader = client(factories.person())
    for view in SavedView.objects.all():
        answer = reader.get(f"{view.page}?{view.query}")
        assert (answer.status_code, "Ours" in answer.content.decode()) == (200, True)


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "{{ request.user.password }}", '"><script>']
)
def test_the_name_of_a_view_is_words_and_nothing_else(name: str) -> None:
    manager = factories.person("quality_manager")
    assert keep(manager, name=name, shared="on").status_code == 303
    page = client(factories.person()).get("/documents/").content.decode()
    assert name not in page or "{{" in name
    assert "onerror=alert(1)>" not in page


@pytest.mark.parametrize("name", ["a\0b", "\u202eevil", "a\u2066b", "\u200b"])
def test_a_name_that_shows_as_another_or_as_none_is_refused(name: str) -> None:
    answer = keep(factories.person(), name=name)
    assert (answer.status_code, "can be seen" in answer.content.decode()) == (422, True)
    assert not SavedView.objects.exists()


def test_a_view_leads_to_its_own_list_and_nowhere_else() -> None:
    manager = factories.person("quality_manager")
    outside = ["//evil.example/", "/\\evil.example/", "https://evil.example/", "/documents/../x/"]
    for address in [*outside, "javascript:alert(1)", "", "documents/", "/gone/"]:
        assert keep(manager, list=f"{address}?a=b", shared="on").status_code == 422, address
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("number", ["A" * 300, "a\0b", "\u202ea"], ids=["long", "nul", "turned"])
def test_the_address_of_a_view_is_one_that_can_be_kept(number: str) -> None:
    manager = factories.person("quality_manager")
    answer = keep(manager, list=f"/documents/f/{number}/?a=b", shared="on")
    assert (answer.status_code, "no such list" in answer.content.decode()) == (422, True)


def test_who_lost_the_role_shares_no_view_and_it_is_taken_away_by_who_has_it() -> None:
    manager, keeper = factories.person("quality_manager"), factories.person("administrator")
    keep(manager, shared="on")
    end_role(RoleAssignment.objects.get(person=manager), by=keeper, reason="Moved.")
    assert keep(manager, list="/documents/?sort=-title", shared="on").status_code == 422
    view = SavedView.objects.get()
    assert (view.query, view.shared) == ("sort=title", True)
    new = factories.person("quality_manager")
    assert client(new).post(f"/views/{view.pk}/forget/").status_code == 303


def test_a_view_of_somebody_else_is_neither_changed_nor_taken_away() -> None:
    manager, other = factories.person("quality_manager"), factories.person("quality_manager")
    reader = factories.person()
    keep(manager, shared="on")
    view = SavedView.objects.get()
    assert client(reader).post(f"/views/{view.pk}/forget/").status_code == 422
    assert keep(reader, list="/documents/?sort=-title").status_code == 303  # one's own, same name
    view.refresh_from_db()
    assert (view.query, view.shared) == ("sort=title", True)
    mine = SavedView.objects.get(person=reader)
    assert client(manager).post(f"/views/{mine.pk}/forget/").status_code == 404
    assert client(other).post(f"/views/{view.pk}/forget/").status_code == 303


def test_a_view_is_written_anew_also_when_no_more_fit() -> None:
    person = factories.person()
    for at in range(views_workflow.MOST):
        keep(person, name=f"View {at}")
    assert keep(person, name="One more").status_code == 422
    assert keep(person, name="View 3", list="/documents/?sort=-title").status_code == 303
    assert SavedView.objects.get(name="View 3").query == "sort=-title"


# --- evidence packs -------------------------------------------------------------------------------


def everything_in_a_pack() -> str:
    """All words that a pack of today would hold, as its sections, registers and notes tell them."""
    period, now = Period(today() - timedelta(days=30), today()), clock.now()
    told: list[Any] = []
    for section in contributions.sections():
        told.append(render_to_string(section.template, section.gather(period, now)))
    told += [list(each.rows(period, now)) for each in contributions.registers()]
    told += [
        kind.context(record, now) | {"name": name}
        for kind in contributions.prints()
        for record, name in kind.select(period, now)
    ]
    told += list(contributions.withheld_in(period, now))
    told += list(gathering.clause_index("2026"))
    told += list(gathering.signature_rows(period, now))
    told += list(contributions.concerns_in(period))
    return "\n".join(map(str, told))


def test_a_pack_names_a_restricted_document_by_its_number_only(cast: Cast) -> None:
    """Lead auditors open packs, and they leave the building: more people than its readers."""
    process = create_process(by=cast.approver, code="PAY", name="Pay", owner=cast.author)
    made = secret(cast, clauses=["2026:8.4"], process=activate(process, by=cast.approver))
    reader = factories.person()
    workflow.set_audience(made, workflow.Readers(people=(reader,)), by=cast.approver, reason="x")
    workflow.issue_copy(made, by=cast.approver, place="Gate")
    pointing = cast.draft()
    amend(
        pointing,
        by=cast.author,
        changes={"text": from_markdown(f"See [it](document:{made.pk}).")},
    )
    cast.approved(pointing)
    told = everything_in_a_pack()
    assert made.number in told
    assert SECRET not in told
    assert "Nobody else reads it" not in told


def test_a_pack_holds_no_answer_of_a_restricted_form(cast: Cast) -> None:
    form = secret(
        cast,
        kind="form",
        clauses=["2026:8.4"],
        fields=[
            {"key": "x", "kind": "number", "label": "Pay", "high": "10"},
            {"key": "s", "kind": "signature", "label": "Agreed", "signer": "another"},
        ],
    )
    entry = workflow.start_entry(by=cast.author, form=form, values={"x": "4711"})
    attach(entry, ContentFile(b"a,b\n", name="payslip.csv"), by=cast.author)
    workflow.submit_entry(entry, by=cast.author)
    workflow.sign_entry(entry, by=cast.approver, proof=factories.proof(cast.approver))
    workflow.reaffirm(form, by=cast.author, proof=factories.proof(cast.author))
    told = everything_in_a_pack()
    assert entry.number in told
    for words in ("4711", "payslip", SECRET):
        assert words not in told


def test_what_comes_of_an_entry_of_a_restricted_form_calls_it_by_its_number(cast: Cast) -> None:
    fields = [{"key": "x", "kind": "number", "label": "Gauge", "high": "10"}]
    form = secret(cast, kind="form", clauses=["2026:8.4"], fields=fields)
    entry = workflow.start_entry(by=cast.author, form=form, values={"x": "11"})
    workflow.submit_entry(entry, by=cast.author)
    proposal = Proposal.objects.get(entry=entry)
    page = client(cast.author).get(f"{proposal.get_absolute_url()}do/take_up/")
    assert f"{form.number} is restricted. What was measured" in page.content.decode()
    page = client(cast.author).get(f"{proposal.get_absolute_url()}do/decline/")
    assert "is restricted" not in page.content.decode()
    capa.take_up(proposal, by=cast.author)
    nc, manager = Nonconformity.objects.get(), factories.person("quality_manager")
    assert (nc.origin, nc.evidence) == (entry, f"{entry.number}.")
    assert nc.requirement.startswith(f"The limits of {form.number}, revision")
    page = client(factories.person("lead_auditor")).get(nc.get_absolute_url()).content.decode()
    assert entry.number in page
    assert SECRET not in page
    assessment = gap.start_assessment(by=manager, edition="2026")
    answer = assessment.answers.get(clause="2026:8.4.1")
    revision = form.revisions.get()
    answer = gap.answer(answer, by=manager, rating="in_place", links=[entry, form, revision])
    links = links_of([answer])[answer.pk]
    on_paper = {each.title for each in shown(links).values()}
    assert on_paper == {entry.number, form.number, str(revision)}
    assert all(SECRET in each.title for each in shown(links, manager).values())
    told = everything_in_a_pack()
    assert nc.number in told
    assert SECRET not in told


def test_who_lost_the_role_neither_builds_nor_takes_the_pack_along() -> None:
    keeper = factories.person("administrator")
    manager = factories.person("quality_manager")
    built = ready(manager)
    planned = packs.plan_pack(by=manager)
    asked = client(manager)
    assert asked.get(f"/packs/{built.pk}/download/").status_code == 200
    end_role(RoleAssignment.objects.get(person=manager), by=keeper, reason="Moved.")
    for address in ("", "download/", "progress/", "do/build/", "edit/"):
        assert asked.get(f"/packs/{built.pk}/{address}").status_code in (403, 404), address
    assert asked.get("/packs/").status_code == 403
    assert asked.get(f"/api/v1/packs/{built.pk}/").status_code in (403, 404)
    body = {"password": factories.PASSWORD, "version": planned.version}
    assert asked.post(f"/packs/{planned.pk}/do/build/", body).status_code in (403, 404)


def test_a_section_not_everybody_sees_does_not_leave_by_who_may_not_see_it() -> None:
    """Also where whoever planned the pack lost the role before it was built."""
    for section in restricted_sections():
        assert section.permission
    manager = factories.person("quality_manager")
    seen = [each.title for each in restricted_sections() if manager.has_perm(each.permission)]
    pack = packs.plan_pack(by=manager, extras=seen)
    assert list(pack.extras) == sorted(seen)
    auditor = factories.person("lead_auditor")
    hidden = [t.title for t in restricted_sections() if not auditor.has_perm(t.permission)]
    expected = 404 if set(hidden) & set(seen) else 200
    assert client(auditor).get(f"/packs/{pack.pk}/").status_code == expected


# --- files and short addresses --------------------------------------------------------------------


def test_no_file_entry_or_short_address_of_a_restricted_form_opens_for_others(cast: Cast) -> None:
    form = secret(cast, kind="form", fields=[{"key": "x", "kind": "text", "label": "X"}])
    entry = workflow.start_entry(by=cast.author, form=form, values={"x": "Pssst."})
    file = attach(entry, ContentFile(b"a,b\n", name="a.csv"), by=cast.author)
    workflow.submit_entry(entry, by=cast.author)
    revision = form.revisions.get()
    addresses = [
        *(reverse("files:download", args=[file.pk]), entry.get_absolute_url()),
        *(f"{entry.get_absolute_url()}{tail}" for tail in ("pdf/", "correct/", "do/sign_entry/")),
        *(f"/documents/forms/{form.pk}/{tail}" for tail in ("", "fill/", "trend/", "card.pdf")),
        *(f"{revision.get_absolute_url()}{tail}" for tail in ("", "pdf/", "compare/")),
        *(form.get_absolute_url(), f"/api/v1/entries/{entry.pk}/"),
    ]
    asked, author = client(factories.person("lead_auditor")), client(cast.author)
    assert author.get(addresses[0]).status_code == 200
    for address in addresses:
        assert asked.get(address).status_code == 404, address
    none, short = (asked.get(f"/documents/f/{number}/") for number in ("F-999", form.number))
    assert none.status_code == short.status_code == 404
    body = {"form": form.pk, "values": {"x": "1"}}
    answer = asked.post("/api/v1/entries/", json.dumps(body), content_type="application/json")
    assert answer.status_code in (403, 404, 422)
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    ["/documents/f/{}/", "/copies/{}/", "/survey/{}/", "/calendar-feed/{}.ics", "/verify/{}/"],
)
def test_an_address_that_no_database_can_hold_is_none_of_ours(address: str) -> None:
    asked = client(factories.person())
    for name in ("a%00b", "%00"):
        assert asked.get(address.format(name)).status_code == 404
        assert Client().get(address.format(name)).status_code in (302, 404)


# --- outside auditors -----------------------------------------------------------------------------


class Outside:
    """An outside auditor of one process, and documents, entries and copies beside it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.keeper = factories.person("administrator")
        self.lead = factories.person("lead_auditor")
        self.process, self.other = (
            activate(
                create_process(by=cast.approver, code=code, name=code, owner=cast.author),
                by=cast.approver,
            )
            for code in ("PUR", "PAY")
        )
        self.auditor = set_outside_access(
            factories.person(), by=self.keeper, until=today() + timedelta(days=7), reason="Hired."
        )
        audits.plan_audit(
            by=self.lead,
            process=self.process,
            planned_on=today(),
            lead=self.lead,
            team=[self.auditor],
        )
        self.theirs = self.document("Buying", self.process)
        self.foreign = self.document("Paying", self.other)
        self.hidden = secret(cast, process=self.process)
        self.form = self.document(
            "Log", self.process, kind="form", fields=[{"key": "x", "kind": "text", "label": "X"}]
        )
        self.entry = workflow.start_entry(by=cast.author, form=self.form, values={"x": "Pssst."})
        self.file = attach(self.entry, ContentFile(b"a,b\n", name="a.csv"), by=cast.author)
        workflow.submit_entry(self.entry, by=cast.author)
        self.copy = workflow.issue_copy(self.theirs, by=cast.approver, place="Gate")

    def document(self, title: str, process: Any, **more: Any) -> Document:
        made = workflow.create_document(
            by=self.cast.author,
            title=title,
            owner=self.cast.author,
            process=process,
            reviewers=[self.cast.reviewer],
            approvers=[self.cast.approver],
            **({"kind": "procedure", "text": from_markdown("Read this.")} | more),
        )
        self.cast.approved(made.revisions.get())
        made.refresh_from_db()
        return made

    def pictured(self, document: Document, shown: Any = None) -> Any:
        """A new revision of a document in force with a picture, its own or another's."""
        author = self.cast.author
        draft = workflow.start_revision(document, by=author, change_summary="Pictures.")
        image = Image.new("RGB", (8, 8), (len(document.title), 9, 9))
        image.save(drawn := io.BytesIO(), "PNG")
        own = attach(draft, ContentFile(drawn.getvalue(), name="gauge.png"), by=author)
        text = from_markdown(f"![The gauge](picture:{shown.pk if shown else own.pk})")
        amend(draft, by=author, changes={"text": text})
        return own, draft


@pytest.fixture
def outside(cast: Cast) -> Outside:
    return Outside(cast)


def test_an_outside_auditor_sees_the_pictures_of_what_they_read_and_no_others(
    outside: Outside,
) -> None:
    asked, author = client(outside.auditor), outside.cast.author

    def status(picture: Any) -> int:
        return asked.get(reverse("files:thumbnail", args=[picture.pk, "large"])).status_code

    shown, draft = outside.pictured(outside.theirs)
    assert status(shown) == 404, "nobody outside reads a draft"
    outside.cast.approved(draft)
    assert status(shown) == 200
    assert f"/files/{shown.pk}/picture/" in asked.get(draft.get_absolute_url()).content.decode()
    assert asked.get(reverse("files:download", args=[shown.pk])).status_code == 403
    following = workflow.start_revision(outside.theirs, by=author, change_summary="Kept.")
    outside.cast.approved(following)
    assert asked.get(draft.get_absolute_url()).status_code == 404
    assert status(shown) == 200, "it came with a revision they no longer see"
    for document in (outside.foreign, outside.hidden):
        hidden, revision = outside.pictured(document)
        outside.cast.approved(revision)
        assert status(hidden) == 404, "of another process, or restricted"
    _own, quoting = outside.pictured(outside.theirs, shown=hidden)
    assert status(hidden) == 404
    with pytest.raises(Refused, match="not attached to this document"):
        outside.cast.approved(quoting)
    workflow.void(quoting, by=author, reason="A mistake.")
    plain = workflow.start_revision(outside.theirs, by=author, change_summary="No pictures.")
    amend(plain, by=author, changes={"text": from_markdown("Read this.")})
    outside.cast.approved(plain)
    assert status(shown) == 404, "what they read shows it no more"


def test_an_outside_auditor_reads_what_is_in_force_of_the_processes_they_audit(
    outside: Outside,
) -> None:
    asked = client(outside.auditor)
    page = asked.get("/documents/").content.decode()
    assert outside.theirs.number in page
    for each in (outside.foreign, outside.hidden):
        assert each.number not in page
        assert asked.get(each.get_absolute_url()).status_code == 404
        effective = each.revisions.get()
        for tail in ("", "pdf/", "compare/", "rendition/"):
            address = f"{effective.get_absolute_url()}{tail}"
            assert asked.get(address).status_code == 404, address
        assert asked.get(f"/api/v1/documents/{each.pk}/").status_code == 404
    draft = workflow.start_revision(outside.theirs, by=outside.cast.author, change_summary="New.")
    assert asked.get(draft.get_absolute_url()).status_code == 404
    effective = outside.theirs.revisions.get(status="effective")
    page = asked.get(effective.get_absolute_url())
    assert page.status_code == 200
    assert asked.get(outside.theirs.get_absolute_url()).status_code == 200


def test_an_outside_auditor_sees_no_entry_copy_task_or_file(outside: Outside) -> None:
    asked = client(outside.auditor)
    entry, copy = outside.entry, outside.copy
    for address in (
        *(entry.get_absolute_url(), f"{entry.get_absolute_url()}pdf/", "/documents/entries/"),
        *(reverse("documents:form_detail", args=[outside.form.pk]), "/documents/forms/"),
        *(f"/documents/forms/{outside.form.pk}/trend/", f"/documents/f/{outside.form.number}/"),
        *(copy.get_absolute_url(), f"{copy.get_absolute_url()}pdf/", "/documents/copies/"),
        *("/documents/reading/", "/documents/reading/tasks/", "/documents/retention/"),
        *("/documents/holds/", "/documents/dispositions/"),
        *("/documents/evidence/", "/packs/", "/documents/simplify/", "/people/"),
        reverse("files:download", args=[outside.file.pk]),
        reverse("files:thumbnail", args=[outside.file.pk, "large"]),
    ):
        assert asked.get(address).status_code in (403, 404), address
    for path in (f"entries/{entry.pk}/", f"copies/{copy.pk}/"):
        assert asked.get(f"/api/v1/{path}").status_code == 403, path
    for path in ("entries", "copies", "reading", "packs"):
        answer = asked.get(f"/api/v1/{path}/")
        assert answer.status_code in (200, 403), path
        assert entry.number not in (told := answer.content.decode()), path
        assert copy.number not in told, path
    found = asked.get("/search/?q=Pssst").content.decode()
    assert entry.number not in found
    for words in ("Paying", "Dismissal"):
        page = asked.get(f"/search/?q={words}").content.decode()
        assert outside.foreign.number not in page
        assert outside.hidden.number not in page
        chosen = asked.get(f"/documents/choose/?q={words}").json()
        assert chosen == {"found": []}


def test_the_page_of_a_copys_code_says_current_or_obsolete_and_nothing_else(
    outside: Outside,
) -> None:
    answer = Client().get(reverse("copy_standing", args=[outside.copy.token]))
    page = answer.content.decode()
    assert answer.status_code == 200
    for words in (outside.theirs.title, "Gate", outside.cast.author.name):
        assert words not in page


def test_after_their_last_day_an_outside_auditor_comes_in_nowhere(
    outside: Outside, time_machine: Any
) -> None:
    asked = client(outside.auditor)
    _token, secret_words = ApiToken.issue(outside.auditor, "Mine", clock.now() + timedelta(days=90))
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret_words}"}
    address = f"/api/v1/documents/{outside.theirs.pk}/"
    assert Client().get(address, **bearer).status_code == 200
    assert asked.get(outside.theirs.get_absolute_url()).status_code == 200
    time_machine.move_to(clock.now() + timedelta(days=8))
    assert asked.get(outside.theirs.get_absolute_url()).status_code == 302
    assert asked.get("/views/keep/").status_code in (302, 405)
    assert Client().get(address, **bearer).status_code == 401
    assert not Document.objects.visible_to(outside.auditor).exists()
    assert not Revision.objects.visible_to(outside.auditor).exists()


def test_of_a_removed_audit_nothing_stays_open_to_an_outside_auditor(outside: Outside) -> None:
    assert Document.objects.visible_to(outside.auditor).exists()
    audits.void(Audit.objects.get(), by=outside.lead, reason="Moved.")
    assert not Document.objects.visible_to(outside.auditor).exists()


# --- every page that needs no number --------------------------------------------------------------


def plain_addresses() -> list[str]:
    """Every page and every list of the API whose address holds no key of a record."""
    found: list[str] = []

    def walk(patterns: Any, before: str) -> None:
        for each in patterns:
            address = f"{before}{str(each.pattern).removeprefix('^').removesuffix('$')}"
            if "<" in address or "(" in address or "\\" in address:
                continue
            if hasattr(each, "url_patterns"):
                walk(each.url_patterns, address)
            else:
                found.append(f"/{address}")

    walk(get_resolver().url_patterns, "")
    left_out = ("/accounts/", "/admin/", "/static/", "/api/v1/openapi", "/api/v1/docs")
    return sorted({each for each in found if not each.startswith(left_out)})


MOST_TOLD = ["/documents/?title=Dismissal", "/clauses/2026/8.4/", "/search/?q=Dismissal"]


def telling(person: Any, *words: str, one_in: int = 1) -> Iterator[str]:
    """The plain pages that tell somebody one of these words."""
    asked, rest = client(person), plain_addresses()
    assert len(rest) > 100
    sample = [each for each in rest if played(f"told {person} {each}", one_in=one_in)]
    with zeal_ignore():
        for address in [*MOST_TOLD, *sample]:
            answer = asked.get(address)
            body = b"" if answer.streaming else answer.content
            if any(each.encode() in body for each in words):
                yield address


@pytest.mark.proof
def test_no_page_tells_the_title_of_a_restricted_document_to_who_may_not_read_it(
    cast: Cast,
) -> None:
    made = secret(cast, clauses=["2026:8.4"])
    form = secret(cast, kind="form", fields=[{"key": "x", "kind": "text", "label": "X"}])
    entry = workflow.start_entry(by=cast.author, form=form, values={"x": "Pssst."})
    workflow.submit_entry(entry, by=cast.author)
    workflow.issue_copy(made, by=cast.approver, place="Gate")
    workflow.set_audience(
        made, workflow.Readers(people=(factories.person(),)), by=cast.approver, reason="x"
    )
    workflow.start_revision(made, by=cast.author, change_summary="New.")
    assert any(telling(cast.approver, SECRET)), "somebody is told, so there is something to tell"
    for role in ([], ["process_owner"], ["lead_auditor"], ["administrator"]):
        reader = factories.person(*role, name=f"Reader {role}")
        assert list(telling(reader, SECRET, "Pssst", one_in=2)) == []


@pytest.mark.proof
def test_no_page_tells_an_outside_auditor_of_what_they_do_not_audit(outside: Outside) -> None:
    stranger = factories.person(name="Xaver Unseen")
    words = ("Paying", SECRET, "Pssst", outside.foreign.number, outside.entry.number)
    assert any(telling(outside.cast.approver, stranger.name))
    assert list(telling(outside.auditor, stranger.name, *words)) == []


def test_an_outside_auditor_does_not_read_what_is_no_longer_in_force(outside: Outside) -> None:
    first = outside.theirs.revisions.get()
    second = workflow.start_revision(outside.theirs, by=outside.cast.author, change_summary="Why.")
    amend(second, by=outside.cast.author, changes={"text": from_markdown("Read that.")})
    outside.cast.approved(second)
    asked = client(outside.auditor)
    assert asked.get(first.get_absolute_url()).status_code == 404
    for name in ("other", "with", "against", "from", "to"):
        page = asked.get(f"{second.get_absolute_url()}compare/?{name}={first.pk}")
        assert "Read <del>this" not in page.content.decode()
        assert b"this." not in page.content
    page = asked.get(second.get_absolute_url()).content.decode()
    assert "Read that." in page
    assert first.get_absolute_url() not in page
