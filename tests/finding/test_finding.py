"""The search: best first, by the beginnings of words, forgiving, and blind to what is hidden."""

import pytest

from documents import workflow
from documents.content import from_markdown
from documents.models import Document
from qms.finding.models import Entry
from qms.finding.workflow import find, rebuild
from tests import factories
from tests.documents.test_workflow import Cast

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


def test_the_words_around_the_match_are_shown() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Lorem ipsum dolor. " * 40 + "Ask three suppliers for an offer.")
    (hit,) = find(factories.person(), "suppliers", of=[Document], limit=10).hits
    assert "Ask three suppliers for an offer." in hit.snippet
    assert len(hit.snippet) <= 180


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


def test_the_index_is_written_anew_from_the_records() -> None:
    cast = Cast()
    in_force(cast, "Buying", "Well.")
    before = list(Entry.objects.values("number", "title", "words"))
    Entry.objects.all().delete()
    assert rebuild() >= 1
    assert list(Entry.objects.values("number", "title", "words")) == before
