"""Pages: what a person types is never lost, and a page adds no way around the procedure."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qms.actions.models import Action
from qms.actions.workflow import complete, plan_action
from qms.people.models import Person
from qms.workflow import amend
from tests.factories import person

DUE = date(2031, 3, 3)


@pytest.fixture
def manager(db: None) -> Person:
    return person("quality_manager", name="Ana Ruiz")


@pytest.fixture
def page(client: Client, manager: Person) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def action(manager: Person) -> Action:
    return plan_action(by=manager, title="Label the gauges", owner=manager, due=DUE)


def typed(action: Action, **changes: Any) -> dict[str, Any]:
    data = {
        "title": action.title,
        "description": action.description,
        "kind": action.kind,
        "owner": action.owner_id,
        "due": action.due.isoformat(),
        "version": action.version,
        "reason": "The supplier needs longer.",
    }
    return data | changes


def url(action: Action, end: str = "") -> str:
    return f"{action.get_absolute_url()}{end}"


def test_a_new_record_is_made_and_the_page_moves_on(page: Client, manager: Person) -> None:
    data = {"title": "Calibrate", "kind": "other", "owner": manager.pk, "due": "2031-01-01"}
    response = page.post(reverse("actions:action_create"), data)
    made = Action.objects.get(title="Calibrate")
    assert (response.status_code, response["Location"]) == (303, made.get_absolute_url())


def test_an_empty_field_answers_422_with_everything_else_as_typed(
    page: Client, manager: Person
) -> None:
    data = {"title": "", "description": "Typed for ten minutes.", "kind": "other", "due": ""}
    response = page.post(reverse("actions:action_create"), data)
    assert response.status_code == 422
    assert b"Typed for ten minutes." in response.content
    assert b"Fill this in." in response.content
    assert not Action.objects.exists()


def test_an_edit_of_a_released_record_without_a_reason_is_refused(
    page: Client, action: Action
) -> None:
    response = page.post(url(action, "edit/"), typed(action, title="Other", reason=""))
    assert response.status_code == 422
    assert b"Say why" in response.content
    assert Action.objects.get().title == "Label the gauges"


def test_an_edit_keeps_its_reason_in_the_history(page: Client, action: Action) -> None:
    response = page.post(url(action, "edit/"), typed(action, title="Label every gauge"))
    assert response.status_code == 303
    shown = page.get(url(action)).content.decode()
    assert "The supplier needs longer." in shown
    assert "Label every gauge" in shown


def test_a_stale_form_shows_both_versions_and_keeps_what_was_typed(
    page: Client, manager: Person, action: Action
) -> None:
    before = typed(action, title="What I typed")
    amend(action, by=manager, changes={"title": "What they stored"}, reason="Faster.")
    response = page.post(url(action, "edit/"), before)
    text = response.content.decode()
    assert response.status_code == 409
    assert "What they stored" in text
    assert 'value="What I typed"' in text
    assert f'name="version" value="{action.version}"' in text
    assert Action.objects.get().title == "What they stored"


def test_a_chosen_file_is_named_when_the_form_comes_back(page: Client, action: Action) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    data = typed(action, title="", photo=SimpleUploadedFile("wrench.jpg", b"x"))
    response = page.post(url(action, "edit/"), data)
    assert response.status_code == 422
    assert b"Choose this file again: wrench.jpg." in response.content


def test_a_step_asks_what_it_needs_on_a_page_of_its_own(page: Client, action: Action) -> None:
    text = page.get(url(action, "do/complete/")).content.decode()
    assert "What was done" in text
    assert "Say what was done." in text
    assert ">Done</button>" in " ".join(text.split()).replace(" </", "</")


def test_a_step_with_nothing_said_is_422_and_changes_nothing(page: Client, action: Action) -> None:
    response = page.post(url(action, "do/complete/"), {"result": "", "version": action.version})
    assert response.status_code == 422
    assert Action.objects.get().status == "open"


def test_a_step_is_made_and_said(page: Client, action: Action) -> None:
    data = {"result": "All 40 have labels.", "version": action.version}
    response = page.post(url(action, "do/complete/"), data, follow=True)
    assert response.redirect_chain[0][1] == 303
    assert Action.objects.get().status == "done"
    assert "is now “Done”." in response.content.decode()


def test_a_stale_step_is_409_and_keeps_what_was_typed(
    page: Client, manager: Person, action: Action
) -> None:
    seen = action.version
    amend(action, by=manager, changes={"title": "Changed"}, reason="Faster.")
    response = page.post(url(action, "do/complete/"), {"result": "My words.", "version": seen})
    assert response.status_code == 409
    assert b"My words." in response.content
    assert Action.objects.get().status == "open"


def test_a_step_that_a_guard_forbids_says_why(
    page: Client, manager: Person, action: Action
) -> None:
    complete(action, by=manager, result="Done.")
    text = page.get(url(action)).content.decode()
    assert "Who did an action does not verify it; ask somebody else." in text
    response = page.post(url(action, "do/verify/"), {"version": action.version})
    assert response.status_code == 422
    assert b"ask somebody else" in response.content


def test_a_step_of_a_role_one_has_not_is_403(client: Client, action: Action) -> None:
    client.force_login(person())
    assert client.post(url(action, "do/complete/"), {"result": "x"}).status_code in (403, 404)
    assert Action.objects.get().status == "open"


def test_an_unknown_step_is_404(page: Client, action: Action) -> None:
    assert page.get(url(action, "do/delete/")).status_code == 404


def test_htmx_gets_the_part_and_an_address_to_go_to(page: Client, action: Action) -> None:
    part = page.get(url(action, "do/complete/"), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
    data = {"result": "All of them.", "version": action.version}
    done = page.post(url(action, "do/complete/"), data, headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Redirect"]) == (204, action.get_absolute_url())


def test_next_leads_only_inside_the_house(page: Client, action: Action) -> None:
    data = {"result": "x", "version": action.version, "next": "https://evil.example/"}
    response = page.post(url(action, "do/complete/"), data)
    assert response["Location"] == action.get_absolute_url()


def test_a_list_serves_its_rows_alone_to_htmx(page: Client, action: Action) -> None:
    rows = page.get(reverse("actions:action_list"), headers={"HX-Request": "true"})
    assert b"Label the gauges" in rows.content
    assert b"<html" not in rows.content


def test_no_select_offers_a_row_of_dashes(page: Client, action: Action) -> None:
    for address in (reverse("actions:action_list"), reverse("actions:action_create")):
        assert b"-----" not in page.get(address).content
    assert b">All<" in page.get(reverse("actions:action_list")).content


def test_an_empty_list_teaches_and_a_filtered_one_offers_to_clear(page: Client) -> None:
    assert b"Plan an action" in page.get(reverse("actions:action_list")).content
    filtered = page.get(reverse("actions:action_list"), {"title": "nothing like it"})
    assert b"Nothing matches these filters." in filtered.content


@pytest.mark.slow
def test_history_costs_the_same_however_long_it_is(
    page: Client, manager: Person, action: Action, django_assert_max_num_queries: Any
) -> None:
    another = person("quality_manager")
    other, third = person(name="Li Wei"), person(name="Ada Park")
    for n in range(60):
        amend(
            action,
            by=another,
            changes={"owner": other if n % 2 else third, "due": DUE + timedelta(days=n)},
            reason=f"Moved for the {n}th time.",
        )
    with django_assert_max_num_queries(40):
        first = page.get(url(action)).content.decode()
    assert "Moved for the 59th time." in first
    assert "Li Wei" in first
    assert "Moved for the 3th time." not in first
    assert "Moved for the 3th time." in page.get(url(action), {"history": 2}).content.decode()


def test_print_leaves_out_navigation_and_steps(page: Client, action: Action) -> None:
    text = page.get(url(action), {"print": "1"}).content.decode()
    assert '<nav class="side"' not in text
    assert "do/complete/" not in text
    assert "Label the gauges" in text


def test_people_who_left_are_not_offered(page: Client, manager: Person) -> None:
    gone = person(name="Gone Long Ago")
    gone.is_active = False
    gone.save_because("Left the company.", by=manager)
    assert b"Gone Long Ago" not in page.get(reverse("actions:action_create")).content
