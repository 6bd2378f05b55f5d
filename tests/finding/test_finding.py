"""The search: best first, by the beginnings of words, forgiving, and blind to what is hidden."""

import pytest
from django.test import Client

from documents import workflow
from documents.content import from_markdown
from documents.models import Document
from qms import contributions
from qms.finding.models import Entry, Indexed, Word
from qms.finding.workflow import fill, find, rebuild
from qms.people.workflow import deactivate, erase
from qms.scope.workflow import create_process
from tests import factories
from tests.documents.test_workflow import Cast
from tests.many import questions

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.1")]


def in_force(cast: Cast, title: str, text: str, **more: object) -> Document:
    document = workflow.create_document(
        by=cast.author,
        title=title,
        kind="procedure",
        owner=cast.author,
        text=from_markdown(text),
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        **more,
    )
    cast.approved(document.revisions.get())
    return document


def titles(person: object, query: str) -> list[str]:
    return [hit.title for hit in find(person, query, of=[Document], limit=10).hits]


@pytest.mark.slow
def test_the_title_weighs_more_than_the_text_and_the_number_most() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Every gauge is bought with its calibration certificate.")
    by_title = in_force(cast, "Calibration of gauges", "Once a year.")
    reader = factories.person()
    assert titles(reader, "calibration") == ["Calibration of gauges", "Buying"]
    assert titles(reader, "calibrat gaug") == ["Calibration of gauges", "Buying"]
    assert titles(reader, by_title.number.lower()) == ["Calibration of gauges"]
    assert titles(reader, "gauges calibrated") == ["Calibration of gauges", "Buying"]
    assert titles(reader, "nothing like it") == []


def test_a_typing_error_finds_what_was_meant_and_says_so() -> None:
    cast = Cast()
    in_force(cast, "Calibration of gauges", "Once a year.")
    answer = find(factories.person(), "callibraton", of=[Document], limit=10)
    assert [hit.title for hit in answer.hits] == ["Calibration of gauges"]
    assert answer.taken_for == {"callibraton": "calibration"}


def test_what_no_database_takes_is_asked_as_a_space(client: Client) -> None:
    cast = Cast()
    in_force(cast, "Calibration of gauges", "Once a year.")
    assert titles(factories.person(), "calibration\0gauges") == ["Calibration of gauges"]
    assert contributions.find_everywhere(cast.author, "calibration\0gauges", 5)
    client.force_login(cast.author, backend="qms.people.access.RoleBackend")
    page = client.get("/documents/choose/?q=a%00b")
    assert page.status_code == 200


def test_the_words_around_the_match_are_shown() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Lorem ipsum dolor. " * 40 + "Ask three suppliers for an offer.")
    (hit,) = find(factories.person(), "suppliers", of=[Document], limit=10).hits
    assert "Ask three suppliers for an offer." in hit.snippet
    assert len(hit.snippet) <= 180
    assert hit.snippet.startswith("… ")
    assert hit.snippet.split()[1] in {"Lorem", "ipsum", "dolor."}  # no half of a word


@pytest.mark.slow
def test_what_a_person_may_not_see_is_not_found_and_a_draft_is_found_by_nobody() -> None:
    cast = Cast()
    in_force(cast, "Pay scales", "The salary of the chief.", confidentiality="restricted")
    workflow.start_revision(
        in_force(cast, "Leave", "Thirty days."),
        by=cast.author,
        text=from_markdown("Forty days, secretly."),
    )
    assert titles(factories.person(), "salary") == []
    assert titles(cast.author, "salary") == ["Pay scales"]
    assert titles(cast.author, "secretly") == []
    assert titles(factories.person(), "thirty") == ["Leave"]


@pytest.mark.parametrize("query", ["'", "a & b | !c:*", "x:*y", "\\", "%", "((", "<->", "''; drop"])
def test_what_nobody_searches_for_breaks_nothing(query: str) -> None:
    cast = Cast()
    in_force(cast, "Buying", "Well.")
    assert isinstance(titles(cast.author, query), list)


@pytest.mark.slow
def test_the_index_is_written_anew_from_the_records() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Well.")
    before = list(Entry.objects.values("number", "title", "words"))
    Entry.objects.all().delete()
    assert rebuild() >= 1
    assert list(Entry.objects.values("number", "title", "words")) == before


@pytest.mark.slow
def test_an_index_that_was_made_before_its_chapter_changed_is_filled_by_itself() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Well.")
    fill()
    assert fill() == 0
    Entry.objects.all().delete()
    Indexed.objects.filter(record_type__model="document").delete()
    assert fill() == 1
    assert titles(cast.author, "buying") == ["Buying"]
    Indexed.objects.filter(record_type__model="document").update(edition=0)
    assert fill() == 1


@pytest.mark.slow
def test_everything_is_searched_in_two_questions_whatever_there_is() -> None:
    cast = Cast()
    manager = factories.person("quality_manager", name="Ana Torque")
    in_force(cast, "Torque of screws", "Tighten well.")
    create_process(by=manager, code="TRQ", name="Torque testing", owner=manager)
    found = contributions.search_everywhere(manager, "torque", 20)
    told = {kind: [hit.title for hit in hits] for _order, kind, hits in found.groups}
    assert told == {
        "Documents": ["Torque of screws"],
        "Processes": ["Torque testing"],
        "People": ["Ana Torque"],
    }
    _order, _kind, (process,) = found.groups[1]
    assert (process.kind, process.number, process.note) == ("Process", "TRQ", "Draft")
    assert process.url.startswith("/scope/processes/")
    asked = questions(lambda: contributions.search_everywhere(manager, "torque", 20))
    assert asked == 2
    mistyped = contributions.search_everywhere(manager, "torqeu", 20)
    assert mistyped.taken_for == {"torqeu": "torque"}
    assert {kind for _order, kind, _hits in mistyped.groups} == {"Documents", "Processes"}
    assert questions(lambda: contributions.search_everywhere(manager, "torqeu", 20)) == 2


def test_a_word_that_stands_only_in_what_is_hidden_is_not_betrayed_by_a_correction() -> None:
    cast = Cast()
    in_force(cast, "Pay scales", "The remuneration of the chief.", confidentiality="restricted")
    hidden = contributions.search_everywhere(factories.person(), "remunerration", 20)
    assert (hidden.groups, hidden.taken_for) == ([], {})
    seen = contributions.search_everywhere(cast.author, "remunerration", 20)
    assert seen.taken_for == {"remunerration": "remuneration"}


@pytest.mark.slow
def test_who_somebody_was_stands_in_no_index_and_is_forgotten_with_them() -> None:
    cast = Cast()
    manager = factories.person("quality_manager", "administrator")
    in_force(cast, "Buying", "Well.")
    person = factories.person(name="Wilhelmina Quist")
    rebuild()

    def found() -> list[str]:
        return [kind for kind, _ in contributions.find_everywhere(manager, "wilhelmina", 5)]

    assert found() == ["People"]
    assert cast.author.name == "Ann Author"
    assert not Word.objects.filter(word__in=["wilhelmina", "author"]).exists()
    left = deactivate(person, by=manager, reason="Left.")
    assert found() == []
    erase(left, by=manager, reason="Asked for it.")
    assert found() == []
