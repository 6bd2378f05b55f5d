"""Pages and API of management reviews: one page to work on, and the same refusals everywhere."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from qms import contributions
from qms.people.models import Person
from qms.periods import Period, today
from reviews import evidence, workflow
from reviews.models import Review
from reviews.prints import minutes_pdf
from tests import factories
from tests.many import multiply
from tests.reviews.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.3.1")]


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def api(client: Client, method: str, path: str, values: dict[str, Any]) -> Any:
    return client.generic(
        method, f"/api/v1/{path}", json.dumps(values), content_type="application/json"
    )


@pytest.fixture
def cast() -> Cast:
    return Cast()


def test_the_empty_list_teaches(cast: Cast) -> None:
    page = signed_in(cast.manager).get("/reviews/").content.decode()
    assert "No management review is planned yet" in page


def test_a_long_list_takes_as_many_queries_as_a_short_one(cast: Cast) -> None:
    client = signed_in(cast.manager)

    def queries() -> int:
        client.get("/reviews/")
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/reviews/").status_code == 200
        return len(caught)

    made = [cast.planned() for _ in range(10)]
    few = queries()
    multiply(made[0], 990)
    assert queries() == few
    assert "1,000" in client.get("/reviews/").content.decode()


def test_an_employee_sees_no_review(cast: Cast) -> None:
    review = cast.planned()
    client = signed_in(factories.person())
    assert client.get("/reviews/").status_code == 403
    assert client.get(review.get_absolute_url()).status_code == 403
    assert api(client, "GET", "reviews/", {}).status_code == 403


@pytest.mark.slow
def test_a_review_goes_its_whole_way_on_its_page(cast: Cast) -> None:
    manager, boss = signed_in(cast.manager), signed_in(cast.boss)
    made = manager.post(
        "/reviews/new/",
        {"planned_on": today().isoformat(), "chair": cast.boss.pk, "edition": "2026"},
    )
    assert made.status_code == 303
    review = Review.objects.get()
    address = review.get_absolute_url()
    step(manager, review, "compile_inputs")
    page = manager.get(address).content.decode()
    assert "0 of 13 answered" in page or "of 13 answered" in page
    assert page.count("<details") >= 14
    for given in workflow.inputs_of(review):
        if given.required and not given.is_answered:
            answer = manager.post(
                f"/reviews/inputs/{given.pk}/",
                {"comment": "", "no_change_because": "Nothing new.", "version": given.version},
            )
            assert answer.headers["Location"].endswith(f"#input-{given.key}")
    assert "13 of 13 answered" in manager.get(address).content.decode()
    step(
        manager,
        review,
        "hold",
        held_on=today().isoformat(),
        attendees=[cast.boss.pk, cast.manager.pk],
        conclusions="It works.",
    )
    for kind in ("improvement", "change"):
        values = {"kind": kind, "none_because": "Enough is going on."}
        assert manager.post(f"{address}decision/", values).status_code == 303
    half = manager.post(f"{address}decision/", {"kind": "resources", "text": "A press"})
    assert (half.status_code, "Say who does it" in half.content.decode()) == (422, True)
    whole = {"kind": "resources", "text": "A press", "owner": cast.boss.pk}
    due = (today() + timedelta(days=30)).isoformat()
    assert manager.post(f"{address}decision/", whole | {"due": due}).status_code == 303
    assert manager.post(f"{address}do/close/", {}).status_code == 403
    wrong = boss.post(f"{address}do/close/", {"password": "no", "version": review.version})
    assert wrong.status_code == 422
    step(boss, review, "close", password=factories.PASSWORD)
    assert review.status == "closed"
    page = boss.get(address).content.decode()
    assert "Approved the minutes" in page
    assert "ACT-" in page
    assert "<form" not in page.partition("<aside")[0].partition("<h1")[2]


def step(client: Client, review: Review, name: str, **values: Any) -> None:
    review.refresh_from_db()
    answer = client.post(
        f"{review.get_absolute_url()}do/{name}/", values | {"version": review.version}
    )
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    review.refresh_from_db()


def test_the_api_refuses_with_the_same_words(cast: Cast) -> None:
    client = signed_in(cast.manager)
    review = cast.compiled()
    values = {
        "version": review.version,
        "held_on": today().isoformat(),
        "attendees": [cast.boss.pk],
        "conclusions": "It works.",
    }
    empty = api(client, "POST", f"reviews/{review.pk}/hold/", values)
    assert (empty.status_code, "inputs are empty" in empty.json()["detail"]) == (422, True)
    stale = api(
        client, "POST", f"reviews/{review.pk}/reopen_inputs/", {"version": 1, "reason": "x"}
    )
    assert stale.status_code == 409
    half = {"review": review.pk, "kind": "change", "text": "New form"}
    refused = api(client, "POST", "decisions/", half)
    assert (refused.status_code, refused.json()["field"]) == (422, "owner")
    stranger = signed_in(factories.person("process_owner"))
    assert api(stranger, "POST", "decisions/", half).status_code == 403
    given = workflow.inputs_of(review)[0]
    told = api(
        client,
        "PATCH",
        f"review-inputs/{given.pk}/",
        {"comment": "All done.", "version": given.version},
    )
    assert (told.status_code, told.json()["comment"]) == (200, "All done.")


def test_a_stale_comment_is_shown_beside_what_is_stored(cast: Cast) -> None:
    review = cast.compiled()
    given = workflow.inputs_of(review)[0]
    cast.comment(given, comment="First.")
    answer = signed_in(cast.boss).post(
        f"/reviews/inputs/{given.pk}/", {"comment": "Second.", "version": 1}
    )
    assert answer.status_code == 409
    assert "First." in answer.content.decode()


@pytest.mark.slow
def test_the_minutes_print(cast: Cast) -> None:
    review = cast.closed()
    assert minutes_pdf(review).startswith(b"%PDF")
    answer = signed_in(cast.boss).get(f"{review.get_absolute_url()}pdf/")
    assert answer["Content-Type"] == "application/pdf"


def test_the_pack_gets_reviews_decisions_and_minutes(cast: Cast) -> None:
    review = cast.closed()
    period = Period(today() - timedelta(days=30), today())
    assert [row[0] for row in evidence.review_register(period, None)] == [review.number]  # type: ignore[arg-type]
    assert len(list(evidence.decision_register(period, None))) == 3  # type: ignore[arg-type]
    assert list(evidence.printed_minutes(period, None)) == [(review, review.number)]  # type: ignore[arg-type]
    earlier = period.previous()
    assert list(evidence.printed_minutes(earlier, None)) == []  # type: ignore[arg-type]


def test_it_is_found_and_stands_in_the_calendar_and_on_the_dashboard(cast: Cast) -> None:
    review = cast.planned(planned_on=today() + timedelta(days=3), title="Spring review")
    found = dict(contributions.find_everywhere(cast.boss, "spring", 5))
    assert found["Management reviews"][0].number == review.number
    nobody = factories.person()
    assert "Management reviews" not in dict(contributions.find_everywhere(nobody, "spring", 5))
    [entry] = contributions.calendar_for(cast.boss, today(), today() + timedelta(days=7))
    assert entry.title == "Spring review"
    tiles = contributions.tiles_for(cast.boss, today())
    [tile] = [each for each in tiles if each.title == "Management review"]
    assert tile.note.startswith("Next: ")
