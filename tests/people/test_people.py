"""People: who somebody is and what they may do are kept apart; who left is gone at once."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client

from qms import clock
from qms.outbox.models import Effect
from qms.outbox.workflow import drain
from qms.people import workflow
from qms.people.models import ApiToken, Person, RoleAssignment
from qms.refusals import Refused, Stale
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("5.3")]
BACKEND = "qms.people.access.RoleBackend"
NEW = "another long password"


@pytest.fixture
def admin() -> Person:
    return factories.person("administrator", name="Ada Admin")


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Quinn Manager")


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


# Identity is not authority


@pytest.mark.parametrize("field", ["is_active", "is_system", "password", "role", "assignments"])
def test_an_edit_of_a_person_touches_identity_only(admin: Person, field: str) -> None:
    target = factories.person()
    with pytest.raises(Refused, match="cannot be edited"):
        workflow.change_identity(target, by=admin, changes={"name": "X", field: "x"})


def test_a_posted_role_or_account_changes_nothing(manager: Person) -> None:
    target = factories.person()
    email = target.email
    page = as_(manager).post(
        f"/people/{target.pk}/edit/",
        {
            "name": "New Name",
            "seen": target.version,
            "email": "thief@example.com",
            "role": "administrator",
            "roles": ["administrator"],
            "is_active": "",
            "password": "x",
            "is_staff": "1",
        },
    )
    assert page.status_code == 303
    fresh = Person.objects.get(pk=target.pk)
    assert (fresh.name, fresh.email, fresh.is_active) == ("New Name", email, True)
    assert fresh.role_names == {"employee"}
    assert fresh.check_password(factories.PASSWORD)


def test_who_may_edit_people_cannot_take_over_their_account(manager: Person, admin: Person) -> None:
    with pytest.raises(PermissionDenied):
        workflow.change_identity(admin, by=manager, changes={"email": "mine@example.com"})
    moved = workflow.change_identity(manager, by=admin, changes={"email": "Q@Example.com"})
    assert moved.email == "q@example.com"


def test_a_changed_address_ends_the_sessions_of_the_old_one(admin: Person) -> None:
    target = factories.person()
    theirs = as_(target)
    assert theirs.get("/people/me/").status_code == 200
    workflow.change_identity(target, by=admin, changes={"email": "new@example.com"})
    assert theirs.get("/people/me/").status_code == 302


def test_who_adds_people_gives_no_roles(manager: Person, admin: Person) -> None:
    with pytest.raises(PermissionDenied):
        workflow.add_person(by=manager, name="X", email="x@example.com", roles=("administrator",))
    page = as_(manager).post(
        "/people/new/", {"name": "X", "email": "x@example.com", "roles": ["administrator"]}
    )
    assert page.status_code == 303
    assert Person.objects.get(email="x@example.com").role_names == {"employee"}
    made = workflow.add_person(by=admin, name="Y", email="y@example.com", roles=("auditor",))
    assert made.holds("auditor")


def test_one_edits_oneself_but_not_ones_address() -> None:
    person = factories.person()
    workflow.change_identity(person, by=person, changes={"phone": "+1 555 0100"})
    with pytest.raises(PermissionDenied):
        workflow.change_identity(person, by=person, changes={"email": "other@example.com"})
    with pytest.raises(PermissionDenied):
        workflow.change_identity(factories.person(), by=person, changes={"phone": "1"})


def test_a_stale_edit_is_refused(admin: Person) -> None:
    person = factories.person()
    workflow.change_identity(person, by=admin, changes={"name": "First"}, version=person.version)
    with pytest.raises(Stale):
        workflow.change_identity(
            person, by=admin, changes={"name": "Second"}, version=person.version
        )


# Roles


def test_only_an_administrator_gives_and_ends_roles(admin: Person, manager: Person) -> None:
    person = factories.person()
    for other in (manager, person, factories.person("top_management")):
        with pytest.raises(PermissionDenied):
            workflow.give_role(person, "auditor", by=other, reason="x")
        assert as_(other).post(f"/people/{person.pk}/roles/new/", {}).status_code == 403
    given = workflow.give_role(person, "auditor", by=admin, reason="Trained in March.")
    assert Person.objects.get(pk=person.pk).holds("auditor")
    with pytest.raises(PermissionDenied):
        workflow.end_role(given, by=manager, reason="x")
    workflow.end_role(given, by=admin, reason="Moved to sales.")
    assert not Person.objects.get(pk=person.pk).holds("auditor")


def test_the_last_administrator_stays(admin: Person, manager: Person) -> None:
    held = RoleAssignment.objects.get(person=admin, role="administrator")
    with pytest.raises(Refused, match="stay administrator"):
        workflow.end_role(held, by=admin, reason="x")
    with pytest.raises(Refused, match="stay administrator"):
        workflow.deactivate(admin, by=manager, reason="x")
    factories.person("administrator")
    assert workflow.end_role(held, by=admin, reason="x").status == "ended"


@pytest.mark.django_db(transaction=True)
def test_two_administrators_never_end_each_other() -> None:
    pair = [factories.person("administrator") for _ in range(2)]
    roles = [RoleAssignment.objects.get(person=each, role="administrator") for each in pair]

    def end(by: Person, role: RoleAssignment) -> None:
        workflow.end_role(role, by=Person.objects.get(pk=by.pk), reason="x")

    at_once(lambda: end(pair[0], roles[1]), lambda: end(pair[1], roles[0]))
    assert Person.objects.holding("administrator").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_clock_is_one_person_however_many_ask_for_it_first() -> None:
    assert at_once(*[Person.objects.system] * 8) == ["ok"] * 8
    assert Person.objects.filter(is_system=True).count() == 1


# Leaving


def test_who_left_is_out_at_once(admin: Person) -> None:
    person = factories.person()
    theirs = as_(person)
    _token, secret = workflow.make_token(by=person, label="Script", days=30)
    workflow.deactivate(person, by=admin, reason="Left.")
    assert theirs.get("/").status_code == 302
    bearer = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/me/", headers=bearer).status_code == 401


def test_who_comes_back_signs_in_again(admin: Person, manager: Person) -> None:
    person = factories.person()
    workflow.deactivate(person, by=admin, reason="Left.")
    with pytest.raises(PermissionDenied):
        workflow.reactivate(person, by=manager, reason="Back.")
    assert workflow.reactivate(person, by=admin, reason="Back.").is_active


def test_erasing_forgets_who_it_was_and_keeps_the_key(admin: Person) -> None:
    person = factories.person(name="Gone Girl")
    with pytest.raises(Refused, match="Deactivate"):
        workflow.erase(person, by=admin, reason="Asked.")
    workflow.deactivate(person, by=admin, reason="Left.")
    workflow.erase(Person.objects.get(pk=person.pk), by=admin, reason="Asked.")
    page = as_(admin).get(f"/people/{person.pk}/").content.decode()
    assert "Gone Girl" not in page
    assert f"Former person {person.pk}" in page
    with pytest.raises(Refused):
        workflow.reactivate(person, by=admin, reason="Back.")


# Accounts: invitation, recovery, the first one


def set_password_at(text: str) -> None:
    """Follow the link in a mail and set a password, as a browser does."""
    [path] = re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", text)
    client = Client()
    page = client.get(path, follow=True)
    answer = client.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert answer.status_code == 302, answer.content
    assert b"has ended" in Client().get(path, follow=True).content, "the link works once"


def sign_in(email: str, password: str) -> bool:
    client = Client()
    answer = client.post("/accounts/login/", {"login": email, "password": password})
    return answer.status_code == 302 and client.get("/people/me/").status_code == 200


def test_a_new_person_is_invited_and_signs_in(
    admin: Person, django_capture_on_commit_callbacks: Any
) -> None:
    page = as_(admin).post("/people/new/", {"name": "Nia New", "email": "nia@example.com"})
    assert page.status_code == 303
    drain("default")
    [message] = [each for each in mail.outbox if "nia@example.com" in each.to[0]]
    assert "Ada Admin" in message.body
    assert not sign_in("nia@example.com", NEW)
    set_password_at(message.body)
    assert sign_in("nia@example.com", NEW)


def test_no_invitation_holds_its_link_in_the_database(admin: Person) -> None:
    workflow.add_person(by=admin, name="Nia", email="nia@example.com", invite=True)
    effect = Effect.objects.get(kind="people.invite")
    assert "/accounts/" not in str(effect.payload)


def test_who_left_meanwhile_is_not_invited(admin: Person) -> None:
    person = workflow.add_person(by=admin, name="Nia", email="nia@example.com", invite=True)
    workflow.deactivate(person, by=admin, reason="A mistake.")
    drain("default")
    assert not mail.outbox


def test_a_forgotten_password_is_recovered_by_mail(admin: Person) -> None:
    person = workflow.add_person(by=admin, name="Rob", email="rob@example.com")
    assert Client().post("/accounts/password/reset/", {"email": person.email}).status_code == 302
    [message] = mail.outbox
    assert message.to == [person.email]
    assert "Hello Rob," in message.body
    assert "example.com" not in message.subject
    set_password_at(message.body)
    assert sign_in("rob@example.com", NEW)


def test_recovery_does_not_tell_who_has_an_account() -> None:
    answer = Client().post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert answer.status_code == 302


def test_nobody_signs_up_alone() -> None:
    answer = Client().post(
        "/accounts/signup/", {"email": "me@example.com", "password1": NEW, "password2": NEW}
    )
    assert not Person.objects.filter(email="me@example.com").exists()
    assert answer.status_code in (200, 302, 404)


def test_the_first_administrator_is_made_on_the_server_and_only_once() -> None:
    told = StringIO()
    hint = Client().get("/accounts/login/").content.decode()
    assert "create_administrator" in hint
    call_command(
        "create_administrator",
        email="first@example.com",
        name="Fay First",
        role=["quality_manager"],
        stdout=told,
    )
    person = Person.objects.get(email="first@example.com")
    assert person.role_names == {"employee", "administrator", "quality_manager"}
    set_password_at(told.getvalue())
    assert sign_in("first@example.com", NEW)
    assert "create_administrator" not in Client().get("/accounts/login/").content.decode()
    with pytest.raises(CommandError, match="already"):
        call_command("create_administrator", email="second@example.com", name="Sly")
    call_command(
        "create_administrator", email="second@example.com", name="Sal", another=True, stdout=told
    )
    assert Person.objects.get(email="second@example.com").holds("administrator")


# Tokens and sessions


def test_a_token_acts_as_its_person_until_it_is_revoked() -> None:
    person = factories.person("quality_manager")
    token, secret = workflow.make_token(by=person, label="Export", days=30)
    assert secret not in str(list(ApiToken.objects.values()))
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = Client().get("/api/v1/me/", headers=bearer)
    assert answer.json()["id"] == person.pk
    assert Client().get("/api/v1/people/", headers=bearer).status_code == 200
    with pytest.raises(PermissionDenied):
        workflow.revoke_token(token, by=factories.person())
    workflow.revoke_token(token, by=person)
    assert Client().get("/api/v1/me/", headers=bearer).status_code == 401


def test_an_expired_token_is_none() -> None:
    person = factories.person()
    _token, secret = ApiToken.issue(person, "Old", clock.now() - timedelta(seconds=1))
    bearer = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/me/", headers=bearer).status_code == 401


def test_people_are_read_and_never_written_by_the_api(admin: Person) -> None:
    _token, secret = workflow.make_token(by=admin, label="Script", days=1)
    bearer = {"Authorization": f"Bearer {secret}"}
    for method in ("post", "put", "patch", "delete"):
        for address in ("/api/v1/people/", f"/api/v1/people/{admin.pk}/"):
            call = getattr(Client(), method)
            answer = call(address, "{}", content_type="application/json", headers=bearer)
            assert answer.status_code == 405, (method, address)


def test_a_token_is_made_with_the_password_and_shown_once() -> None:
    person = factories.person()
    client = as_(person)
    body = {"label": "Export", "days": "30"}
    wrong = client.post("/people/me/tokens/new/", {**body, "password": "wrong"})
    assert wrong.status_code == 422
    assert not ApiToken.objects.filter(person=person).exists()
    made = client.post("/people/me/tokens/new/", {**body, "password": factories.PASSWORD})
    [secret] = re.findall(rb"qms_[\w-]{20,}", made.content)
    assert "no-store" in made["Cache-Control"]
    assert ApiToken.person_with(secret.decode()) == person
    assert secret not in client.get("/people/me/").content


def test_nobody_revokes_anothers_token_on_the_page() -> None:
    token, _secret = workflow.make_token(by=factories.person(), label="Theirs", days=1)
    answer = as_(factories.person()).post(f"/people/me/tokens/{token.pk}/revoke/")
    assert answer.status_code == 404


@pytest.mark.parametrize(("label", "days"), [("", 1), ("x", 0), ("x", 366)])
def test_a_token_says_what_it_is_for_and_ends(label: str, days: int) -> None:
    with pytest.raises(Refused):
        workflow.make_token(by=factories.person(), label=label, days=days)


def test_signing_out_everywhere_ends_every_session_of_mine_only() -> None:
    person, other = factories.person(), factories.person()
    here, there, theirs = as_(person), as_(person), as_(other)
    assert here.post("/people/me/sign-out/").status_code == 302
    assert there.get("/people/me/").status_code == 302
    assert theirs.get("/people/me/").status_code == 200


# Pages


def test_the_pages_open_for_an_administrator(admin: Person) -> None:
    person = factories.person("auditor")
    client = as_(admin)
    for address in (
        "/people/",
        "/people/?text=aud&role=auditor",
        "/people/new/",
        "/people/me/",
        "/people/me/edit/",
        "/people/me/tokens/new/",
        f"/people/{person.pk}/",
        f"/people/{person.pk}/edit/",
        f"/people/{person.pk}/deactivate/",
        f"/people/{person.pk}/roles/new/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert b"<h1" in answer.content


def test_an_employee_reads_people_and_changes_nobody() -> None:
    person, employee = factories.person(), factories.person()
    client = as_(employee)
    assert client.get(f"/people/{person.pk}/").status_code == 200
    for what in ("edit", "deactivate", "reactivate", "erase", "roles/new"):
        assert client.post(f"/people/{person.pk}/{what}/", {"reason": "x"}).status_code == 403
    assert client.post(f"/people/{person.pk}/invite/").status_code == 403
    assert client.post("/people/new/", {"name": "X", "email": "x@example.com"}).status_code == 403
    assert Person.objects.get(pk=person.pk).is_active


def test_the_system_is_nobody_on_the_pages(admin: Person) -> None:
    system = Person.objects.system()
    assert system.name not in as_(admin).get("/people/").content.decode()
    assert as_(admin).get(f"/people/{system.pk}/").status_code == 404
    with pytest.raises(Refused):
        workflow.deactivate(system, by=admin, reason="x")
