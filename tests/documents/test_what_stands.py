"""Of every entry something stands or somebody said that nothing does; two who sign are two."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from documents import workflow
from documents.models import Document, Entry
from documents.views import entries as entry_pages
from documents.workflow import fulfilling
from qms.actions.forms import NewActionForm
from qms.actions.models import Action
from qms.periods import today
from qms.refusals import Refused
from qms.work.models import WorkItem
from tests import factories
from tests.documents.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("7.5.3")]
TEXT = {"key": "x", "kind": "text", "label": "Remark"}
BY_OTHERS = [
    {"key": key, "kind": "signature", "label": label, "signer": "another"}
    for key, label in (("a", "Checked by"), ("b", "Released by"))
]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def client(person: Any) -> Client:
    made = Client()
    factories.sign_in(made, person)
    return made


def form_of(cast: Cast, *fields: dict[str, Any], title: str = "Log") -> Document:
    """A form in force."""
    form = workflow.create_document(
        by=cast.author,
        title=title,
        kind="form",
        owner=cast.author,
        fields=list(fields),
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
    )
    cast.approved(form.revisions.get())
    form.refresh_from_db()
    return form


# --- corrections ----------------------------------------------------------------------------------


class Corrected:
    """An entry, and the one that stands in its place."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.manager = cast, factories.person("quality_manager")
        self.who = factories.person()
        draft = workflow.start_entry(by=self.who, form=form_of(cast, TEXT), values={"x": "5.1"})
        self.wrong = workflow.submit_entry(draft, by=self.who)
        self.right = self.once_more(self.wrong)

    def once_more(self, entry: Entry) -> Entry:
        made = workflow.correct_entry(entry, by=self.who, why="Read wrongly.")
        workflow.submit_entry(made, by=self.who)
        entry.refresh_from_db()
        return made

    def void(self, entry: Entry) -> Entry:
        entry.refresh_from_db()
        return workflow.void_entry(entry, by=self.manager, reason="A mistake.")


def test_a_correction_is_not_voided_while_nothing_else_stands_in_its_place(cast: Cast) -> None:
    """On every route: the wrong one does not come back by itself, and nothing gets lost."""
    both = Corrected(cast)
    said = f"It stands in the place of {both.wrong.number}"
    with pytest.raises(Refused, match=said):
        both.void(both.right)
    asked, version = client(both.manager), both.right.version
    body = {"reason": "A mistake.", "version": version}
    page = asked.post(f"{both.right.get_absolute_url()}do/void/", body)
    assert (page.status_code, said in page.content.decode()) == (422, True)
    answer = asked.post(
        f"/api/v1/entries/{both.right.pk}/void/", json.dumps(body), content_type="application/json"
    )
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True)
    both.right.refresh_from_db()
    both.wrong.refresh_from_db()
    assert (both.right.status, both.wrong.status) == ("submitted", "corrected")


def test_a_correction_that_is_wrong_is_corrected_and_the_middle_one_may_be_voided(
    cast: Cast,
) -> None:
    both = Corrected(cast)
    last = both.once_more(both.right)
    assert both.void(both.right).status == "void"
    with pytest.raises(Refused, match=both.wrong.number):
        both.void(last)
    assert list(Entry.objects.standing()) == [last]


def test_the_page_of_a_wrong_entry_leads_to_what_stands_or_says_that_nothing_does(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Corrected(cast)
    last = both.once_more(both.right)
    both.void(both.right)
    asked, nothing = client(both.who), "nothing stands in its place"
    page = asked.get(both.wrong.get_absolute_url()).content.decode()
    assert f"{last.number}</a> takes its place" in page
    monkeypatch.setattr(workflow.void_entry, "guards", ())  # as it was before corrections stayed
    both.void(last)
    page = asked.get(both.wrong.get_absolute_url()).content.decode()
    assert ("takes its place" in page, nothing in page) == (False, True)
    assert both.void(both.wrong).status == "void"
    assert nothing not in asked.get(both.wrong.get_absolute_url()).content.decode()


def test_what_never_happened_is_voided_from_the_first_entry_on(cast: Cast) -> None:
    both = Corrected(cast)
    assert both.void(both.wrong).status == "void"
    assert both.void(both.right).status == "void"
    reasons = both.wrong.history.order_by("history_id").values_list(
        "status", "history_change_reason"
    )
    assert [each for each, _why in reasons][-2:] == ["corrected", "void"]
    assert reasons.last()[1] == "A mistake."


def test_a_first_entry_is_voided_as_ever(cast: Cast) -> None:
    both = Corrected(cast)
    other = workflow.start_entry(by=both.who, form=both.wrong.form, values={"x": "1"})
    assert both.void(workflow.submit_entry(other, by=both.who)).status == "void"


# --- signatures -----------------------------------------------------------------------------------


def test_two_signatures_of_others_are_given_by_two_different_people(cast: Cast) -> None:
    """A form that asks "checked by" and "released by" asks two people, not one who clicks twice."""
    who, first, second = (factories.person() for _ in range(3))
    draft = workflow.start_entry(by=who, form=form_of(cast, TEXT, *BY_OTHERS), values={"x": "1"})
    entry = workflow.submit_entry(draft, by=who)
    workflow.sign_entry(entry, by=first, proof=factories.proof(first))
    with pytest.raises(PermissionDenied, match="two different people"):
        workflow.sign_entry(entry, by=first, proof=factories.proof(first))
    body = {"password": factories.PASSWORD, "version": entry.version}
    asked = client(first)
    assert asked.post(f"{entry.get_absolute_url()}do/sign_entry/", body).status_code == 403
    answer = asked.post(
        f"/api/v1/entries/{entry.pk}/sign_entry/", json.dumps(body), content_type="application/json"
    )
    assert (answer.status_code, "two different people" in answer.json()["detail"]) == (403, True)
    entry.refresh_from_db()
    assert list(entry.signed) == ["a"]
    workflow.sign_entry(entry, by=second, proof=factories.proof(second))
    assert [given["person"] for given in entry.signed.values()] == [first.pk, second.pk]
    assert not entry.unsigned


def test_the_second_signature_does_not_wait_for_who_gave_the_first(cast: Cast) -> None:
    form = form_of(cast, TEXT, *BY_OTHERS)
    who = factories.person()
    draft = workflow.start_entry(by=who, form=form, values={"x": "1"})
    entry = workflow.submit_entry(draft, by=who)
    waits = WorkItem.objects.filter(number=entry.number, label="Sign")
    assert [each.person for each in waits] == [form.owner]
    workflow.sign_entry(entry, by=form.owner, proof=factories.proof(form.owner))
    assert [(each.person, each.role) for each in waits.all()] == [(None, "quality_manager")]


# --- long lists -----------------------------------------------------------------------------------


def test_a_form_beyond_those_shown_is_found_by_its_words(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_pages, "FORMS_SHOWN", 1)
    first, last = (form_of(cast, TEXT, title=title) for title in ("Arrival", "Zinc bath check"))
    asked, address = client(factories.person()), reverse("documents:form_list")
    page = asked.get(address).content.decode()
    assert (first.title in page, last.title in page) == (True, False)
    assert "The first 1 by title" in page
    for words in ("bath zinc", last.number.lower(), "  Zinc\0 "):
        page = asked.get(address, {"q": words}).content.decode()
        assert (first.title in page, last.title in page) == (False, True), words
    page = asked.get(address, {"q": '"><b>nothing'}).content.decode()
    assert "No form in force has these words" in page
    assert "<b>nothing" not in page


def test_a_document_beyond_those_offered_is_revised_by_an_action_all_the_same(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulfilling, "OFFERED", 1)
    cast.document()
    last = cast.document()
    hidden = cast.document(confidentiality="restricted")
    boss = factories.person("process_owner")
    asked, body = client(boss), _action(boss)
    offered = NewActionForm(by=boss).fields["about"].choices
    assert f"revise:{last.pk}" not in str(offered)
    refused = asked.post("/actions/new/", body | {"other_about": hidden.number})
    assert (refused.status_code, "There is no" in refused.content.decode()) == (422, True)
    asked.post("/actions/new/", body | {"other_about": f" {last.number.lower()} "})
    assert Action.objects.get().about == last
    answer = asked.post(
        "/api/v1/actions/",
        json.dumps(body | {"other_about": last.number}),
        content_type="application/json",
    )
    assert answer.status_code == 201
    assert {each.about for each in Action.objects.all()} == {last}


def test_a_title_that_several_documents_have_is_not_guessed_at(cast: Cast) -> None:
    boss = factories.person("process_owner")
    twins = [cast.document() for _ in range(2)]
    assert twins[0].title == twins[1].title
    form = NewActionForm(_action(boss) | {"other_about": twins[0].title}, by=boss)
    assert "Several are called so" in str(form.errors["other_about"])
    one = {"about": f"revise:{twins[1].pk}", "other_about": twins[0].number}
    assert "not both" in str(NewActionForm(_action(boss) | one, by=boss).errors["other_about"])


def _action(owner: Any) -> dict[str, Any]:
    due = (today() + timedelta(days=5)).isoformat()
    return {"title": "Say the torque", "kind": "revise", "owner": owner.pk, "due": due}
