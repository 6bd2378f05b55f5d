"""Keep it simple: what repeats another, runs too long, or lies unopened and unread."""

import random
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from documents import simplify, workflow
from documents.content import from_markdown
from documents.models import Document, Opening
from documents.workflow import Readers
from qms import clock
from qms.periods import today
from tests import factories
from tests.documents.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.1")]
CHANCE = random.Random(7)  # noqa: S311 - the same words every time
KNOWN = [f"word{number}" for number in range(4000)]


def words(count: int) -> str:
    return " ".join(CHANCE.choice(KNOWN) for _ in range(count))


def in_force(cast: Cast, text: str, **more: Any) -> Document:
    made = workflow.create_document(
        by=cast.author,
        title=more.pop("title", "Buying"),
        kind=more.pop("kind", "procedure"),
        owner=cast.author,
        text=from_markdown(text),
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        **more,
    )
    cast.approved(made.revisions.get())
    return Document.objects.get(pk=made.pk)


def told(person: Any) -> dict[str, list[str]]:
    found = simplify.proposals_for(person, today())
    return {kind: [each.document.number for each in some] for kind, some in found.items()}


@pytest.mark.slow
def test_what_could_be_simpler_is_shown_with_its_step() -> None:
    cast = Cast()
    manager = factories.person("quality_manager", "top_management")
    reader = factories.person()
    same = words(400)
    first = in_force(cast, f"{same} {words(200)}")
    second = in_force(cast, f"{words(30)} {same}")
    long_one = in_force(cast, words(1300), kind="instruction")
    quiet = in_force(cast, words(50))
    workflow.set_audience(quiet, Readers(people=(reader,)), by=cast.approver)
    assert told(manager) == {"overlap": [second.number], "long": [long_one.number]}
    with time_machine.travel(clock.now() + timedelta(days=120), tick=True):
        client = Client()
        client.force_login(manager, backend="qms.people.access.RoleBackend")
        for each in (first, second, long_one):
            assert client.get(each.get_absolute_url()).status_code == 200
        client.get(first.get_absolute_url())
        assert Opening.objects.count() == 3  # once a day
        owner = Client()
        owner.force_login(cast.author, backend="qms.people.access.RoleBackend")
        owner.get(quiet.get_absolute_url())
        found = told(manager)
        assert found["unopened"] == found["unread"] == [quiet.number]
        page = client.get("/documents/simplify/").content.decode()
        assert f"Merge it with {first.number}" in page
        assert f"/documents/{quiet.pk}/do/withdraw/" in page
        assert f"/documents/{quiet.pk}/readers/" in page
        assert client.get(f"/documents/{quiet.pk}/do/withdraw/").status_code == 200
        assert owner.get("/documents/simplify/").status_code == 403


def test_a_frame_that_all_share_is_no_overlap() -> None:
    frame = words(100).split()
    texts = {number: frame + words(300).split() for number in range(60)}
    assert simplify.compare_texts(texts).pairs == ()
    texts[60] = texts[0][100:] + words(20).split()
    ((one, other, share),) = simplify.compare_texts(texts).pairs
    assert (one, other) == (0, 60)
    assert share > 0.9


@pytest.mark.slow
def test_five_hundred_texts_are_compared_in_a_second() -> None:
    texts = {number: words(800).split() for number in range(500)}
    texts[500] = texts[3][:600]
    start = time.perf_counter()
    found = simplify.compare_texts(texts)
    assert time.perf_counter() - start < 3  # a second alone on a machine, more on a busy one
    assert [pair[:2] for pair in found.pairs] == [(3, 500)]
