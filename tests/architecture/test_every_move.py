"""Every state, every transition, every actor, on every route: one guard, the same answer.

Generated from the declared transitions and played on the scenes of `tests/scenes.py`. Whoever may
not, and whatever state does not allow, is refused in words and leaves no trace.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from qms import clock
from qms.api import operations
from qms.people.models import ApiToken
from qms.people.roles import ROLES
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.workflow import Transition, all_transitions, available, transitions_of
from reviews.models import Decision
from tests import factories
from tests.sampling import played, spread
from tests.scenes import ALL, SCENES, Cast, Scene, Stage, make

pytestmark = pytest.mark.proof
REASON, WRONG = "It has to be.", "somebody else's long password"
STRANGERS_TRIED = 16  # one in so many; all of them by call where the state allows the move
ROUTES_TRIED = 6  # one in so many refusals of the right person comes by page and by program too
ROLES_REFUSED = 6  # one in so many
ADMIN_PARTS = 8
WRITE_TWO = ("merge",)  # two records of one kind, each with a history row of its own
STRANGERS = (*ROLES, "everything", "gone", "system")
DONE, DENIED, REFUSED, HIDDEN, UNKNOWN = "done", "denied", "refused", "hidden", "unknown"


# --- the table is whole -------------------------------------------------------------------------


def test_every_procedure_has_a_scene_for_every_step() -> None:
    assert set(SCENES) == set(all_transitions())
    for scene in ALL:
        assert set(scene.steps) == {each.name for each in transitions_of(scene.model)}


def states_of(model: Any) -> list[str]:
    return [str(value) for value, _label in model._meta.get_field(model.STATE_FIELD).choices]


@pytest.mark.parametrize("scene", ALL, ids=lambda scene: scene.model.__name__)
def test_every_step_has_its_operation(scene: Scene) -> None:
    declared = {each.path for each in operations if each.method == "POST"}
    for each in transitions_of(scene.model):
        path = f"/api/v1/{scene.api}/{{int:pk}}/{each.name}/"
        assert (path in declared) is not bool(scene.no_api), path


# --- trying -------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def as_at_commit() -> None:
    """Let the database look at what was done as it would at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def trace(record: Any) -> tuple[Any, ...]:
    """Everything a refused move must leave as it was: the row, its history, all signatures."""
    table = record._meta.db_table
    history, signatures = record.history.model._meta.db_table, Signature._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"select row_to_json(r)::text, (select count(*) from {history} where id = r.id),"  # noqa: S608
            f" (select count(*) from {signatures}) from {table} r where id = %s",
            [record.pk],
        )
        found: tuple[Any, ...] = cursor.fetchone()
    return found


@dataclass
class Try:
    """What one attempt came to."""

    outcome: str
    words: str


class Theatre:
    """A cast with their browsers and tokens, who play one scene after the other."""

    def __init__(self, travel: time_machine.Traveller) -> None:
        self.travel, self.cast = travel, Cast().assemble()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, str] = {}
        self.before: tuple[Any, ...] = ()
        self.wrong: list[str] = []

    def _enter(self, name: str) -> None:
        person = getattr(self.cast, name)
        self.clients[name] = Client()
        if name != "system":
            self.clients[name].force_login(person, backend="qms.people.access.RoleBackend")
            until = clock.now() + timedelta(days=300)
            self.tokens[name] = ApiToken.issue(person, "test", until)[1]

    def play(self, scene: Scene) -> None:
        self.scene = scene
        self.actors = dict.fromkeys(
            (*scene.people, *(s.who for s in scene.steps.values()), *STRANGERS)
        )
        for name in self.actors:  # outside of everything that is undone
            if name not in self.clients:
                self._enter(name)
        found, self.wrong = self.wrong, []
        self._play()
        self.wrong = [*found, *(f"{scene.model.__name__}: {each}" for each in self.wrong)]

    def _play(self) -> None:
        for state in states_of(self.scene.model):
            with undone():
                start = clock.now()
                stage = Stage(self.scene, self.cast, self.travel)
                stage.bring_to(state)
                for each in transitions_of(self.scene.model):
                    with undone():
                        self._try_step(stage, each, state)
                self.travel.move_to(start)
            self.cast.things.clear()

    def _try_step(self, stage: Stage, each: Transition, state: str) -> None:
        at, record = clock.now(), stage.record
        step = self.scene.steps[each.name]
        due = state in each.source
        if due:
            stage.ready(each)
        as_at_commit()
        stage.record.refresh_from_db()
        self.before = trace(stage.record)
        for name in dict.fromkeys((*self.actors, *step.never)):
            here = f"{name} {each.name} {state}"
            # What the state does not allow is refused to a sample of the strangers.
            if not due and name != step.who and not played(here, one_in=STRANGERS_TRIED):
                continue
            if name not in self.clients:
                self._enter(name)
            self._try_actor(stage, each, name, due)
        if due and not step.through and step.who != "system":
            self._without_words(stage, each, step.who)
        stage.record = record
        self.travel.move_to(at)

    def _try_actor(self, stage: Stage, each: Transition, name: str, due: bool) -> None:
        step, by = self.scene.steps[each.name], getattr(self.cast, name)
        here = f"{name} {each.name} {stage.record.state}"
        details = step.details(self.cast)
        by_call = self.attempt(stage, lambda: self.call(each, stage.record, by, details), here)
        self._judge(each, stage, name, by_call, due)
        if name == "system":
            return
        if not self._tried_elsewhere(step.who == name, by_call, here, due):
            return
        routes = {"page": self.page(each, stage.record, name, details)}
        if self.scene.api:
            routes["api"] = self.program(each, stage.record, name, details)
        for route, send in routes.items():
            got = self.attempt(stage, send, f"{route}: {here}")
            if (got.outcome == DONE) is not (by_call.outcome == DONE):
                self.wrong.append(f"{route}: {here}: {got}, but by call {by_call}")
            if name == "gone" and got.outcome != UNKNOWN:
                self.wrong.append(f"{route}: {here}: {got}")
            if got.outcome in (DENIED, REFUSED) and not got.words.rstrip("”)").endswith("."):
                self.wrong.append(f"{route}: {here}: no sentence: {got.words!r}")

    @staticmethod
    def _tried_elsewhere(is_right: bool, by_call: Try, here: str, due: bool) -> bool:
        """Whether the other routes are asked the same: whoever is right does it there too.

        A wrong state is asked about of the right person; whoever may not is refused on each. Tests
        play samples of the refusals.
        """
        if is_right:
            return due or played(f"route {here}", one_in=ROUTES_TRIED)
        refused = due and by_call.outcome != DONE
        return refused and played(here, one_in=STRANGERS_TRIED)

    def _judge(self, each: Transition, stage: Stage, name: str, got: Try, due: bool) -> None:
        """What the tables say must come of a call."""
        step, by = self.scene.steps[each.name], getattr(self.cast, name)
        if not by.has_perm(each.permission):
            fits = got.outcome == DENIED
        elif not due or step.through or name in step.never:
            fits = got.outcome in (DENIED, REFUSED)
        elif name == step.who:
            fits = got.outcome == DONE
        else:
            free = any(
                offer.transition is each and offer.possible for offer in available(stage.record, by)
            )
            fits = free or got.outcome != DONE
        if not fits:
            self.wrong.append(f"{name} {each.name} in {stage.record.state}: {got}")

    def attempt(self, stage: Stage, send: Any, here: str) -> Try:
        """Try it, look whether anything changed, and take it back."""
        record = stage.record
        with undone():
            got: Try = send()
            changed = trace(record) != self.before
            if changed is not (got.outcome == DONE):
                self.wrong.append(f"{here}: {got}, changed: {changed}")
            if changed:
                as_at_commit()
        if got.outcome == DONE:
            record.refresh_from_db()
        return got

    # the routes

    def call(self, each: Transition, record: Any, by: Any, details: Any, **more: Any) -> Try:
        try:
            if more:
                each(record, by=by, **details, **more)
            else:
                make(each, record, by, details)
        except PermissionDenied as why:
            return Try(DENIED, str(why))
        except Refused as why:
            return Try(REFUSED, str(why))
        row = record.history.filter(status=each.target).order_by("-history_id").first()
        assert row is not None, each.name
        assert row.history_user_id == by.pk, each.name
        kept = REASON if each.needs_reason else each.sentence
        if row.history_change_reason != kept:
            self.wrong.append(f"{each.name}: kept “{row.history_change_reason}” as the reason")
        return Try(DONE, "")

    def page(self, each: Transition, record: Any, name: str, details: Any, **more: Any) -> Any:
        url = f"{record.get_absolute_url()}do/{each.name}/"
        if self.scene.page:
            url = reverse(self.scene.page, args=[record.pk, each.name])
        data = self._asked(each, record, details, more)

        def send() -> Try:
            with zeal_ignore() if each.name in WRITE_TWO else nullcontext():
                answer = self.clients[name].post(url, data)
            return _page_answer(answer)

        return send

    def program(self, each: Transition, record: Any, name: str, details: Any, **more: Any) -> Any:
        url = f"/api/v1/{self.scene.api}/{record.pk}/{each.name}/"
        data = self._asked(each, record, details, more)

        def send() -> Try:
            with zeal_ignore() if each.name in WRITE_TWO else nullcontext():
                answer = Client().post(
                    url,
                    json.dumps(data, default=str),
                    content_type="application/json",
                    headers={"authorization": f"Bearer {self.tokens[name]}"},
                )
            return _api_answer(answer)

        return send

    def _asked(self, each: Transition, record: Any, details: Any, more: Any) -> dict[str, Any]:
        known = {key: _plain(value) for key, value in details.items() if key in each.details}
        asked = {**known, "version": record.version}
        if each.needs_reason:
            asked["reason"] = REASON
        if each.signs:
            asked["password"] = factories.PASSWORD
        asked |= more
        return {key: value for key, value in asked.items() if value is not None}

    def _without_words(self, stage: Stage, each: Transition, who: str) -> None:
        """The right person without a reason, without or with a wrong password, or too late."""
        details = self.scene.steps[each.name].details(self.cast)
        self._without_words_by_call(stage, each, getattr(self.cast, who), details)
        left_out: list[dict[str, Any]] = []
        if each.needs_reason:
            left_out += [{"reason": None}, {"reason": "  "}]
        if each.signs:
            left_out += [{"password": None}, {"password": ""}, {"password": WRONG}]
        left_out.append({"version": stage.record.version - 1})
        for more in left_out:
            sends = {"page": self.page(each, stage.record, who, details, **more)}
            if self.scene.api:
                sends["api"] = self.program(each, stage.record, who, details, **more)
            for route, send in sends.items():
                here = f"{route}: {who} {each.name} with {more}"
                if not played(here, one_in=ROUTES_TRIED):
                    continue
                got = self.attempt(stage, send, here)
                if got.outcome != REFUSED or not got.words.endswith("."):
                    self.wrong.append(f"{here}: {got}")
        cache.clear()  # the wrong passwords

    def _without_words_by_call(
        self, stage: Stage, each: Transition, by: Any, details: dict[str, Any]
    ) -> None:
        """The same in code: a caller inside the program is asked no less."""
        right = {
            "reason": REASON if each.needs_reason else "",
            "proof": factories.proof(by),
            "version": stage.record.version,
        }
        left_out: list[dict[str, Any]] = [{"version": stage.record.version - 1}]
        if each.needs_reason:
            left_out += [{"reason": ""}, {"reason": " "}]
        if each.signs:
            left_out += [{"proof": None}, {"proof": factories.proof(self.cast.newcomer)}]
        for more in left_out:
            here = f"call: {by} {each.name} with {more}"
            send = partial(self.call, each, stage.record, by, details, **{**right, **more})
            got = self.attempt(stage, send, here)
            if got.outcome != REFUSED or not got.words.endswith("."):
                self.wrong.append(f"{here}: {got}")


def _plain(value: Any) -> Any:
    """A value as a browser or a program sends it."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, models.Model):
        return value.pk
    return str(value) if isinstance(value, date | Decimal) else value


def _page_answer(answer: Any) -> Try:
    if answer.status_code == 303:
        return Try(DONE, "")
    if answer.status_code == 302:
        assert "/accounts/login/" in answer["Location"]
        return Try(UNKNOWN, "")
    if answer.status_code in (409, 422):
        words = answer.context.get("sentence") or " ".join(
            str(why) for errors in answer.context["form"].errors.values() for why in errors
        )
        return Try(REFUSED, str(words))
    kinds = {403: DENIED, 404: HIDDEN}
    return Try(kinds[answer.status_code], "Said on a page of its own.")


def _api_answer(answer: Any) -> Try:
    kinds = {200: DONE, 401: UNKNOWN, 403: DENIED, 404: HIDDEN, 409: REFUSED, 422: REFUSED}
    kind = kinds[answer.status_code]
    detail = answer.json().get("detail", "")
    return Try(kind, str(detail) if isinstance(detail, str) else f"no sentence {detail}")


SHORT = [scene for scene in ALL if len(scene.steps) <= 3]
AT_ONCE = 4  # short scenes share a cast; long ones are for the whole run
PLAYED = [
    *spread((SHORT[at : at + AT_ONCE] for at in range(0, len(SHORT), AT_ONCE)), quick=2),
    *spread(([scene] for scene in ALL if scene not in SHORT), quick=0),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "scenes", PLAYED, ids=lambda scenes: "-".join(scene.model.__name__ for scene in scenes)
)
def test_every_move_by_everybody_on_every_route(scenes: list[Scene], settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 60 * 60 * 24 * 60  # some scenes take days
    with time_machine.travel(clock.now(), tick=True) as travel:
        theatre = Theatre(travel)
        for scene in scenes:
            theatre.play(scene)
    assert theatre.wrong == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "check", spread(["_check_person", "_check_state", "_check_words"], quick=1)
)
@pytest.mark.slow
def test_the_play_notices_a_check_that_is_gone(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of the three checks of every transition, a step is seen to be too easy."""
    monkeypatch.setattr(Transition, check, lambda *args: None)
    with time_machine.travel(clock.now(), tick=True) as travel:
        theatre = Theatre(travel)
        theatre.play(SCENES[Decision])
    assert theatre.wrong


# --- the admin site -----------------------------------------------------------------------------


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.mark.parametrize("part", spread(range(ADMIN_PARTS), quick=1))
@pytest.mark.slow
def test_the_admin_site_shows_rows_to_administrators_and_changes_none(
    part: int, cast: Cast
) -> None:
    clients = {role: signed_in(getattr(cast.assemble(), role)) for role in ROLES}
    wrong = []
    for scene in ALL[part::ADMIN_PARTS]:
        with undone():
            wrong += list(wrong_in_admin(scene, scene.begin(cast), clients))
        cast.things.clear()
    assert wrong == []


def wrong_in_admin(scene: Scene, record: Any, clients: dict[str, Client]) -> Iterator[str]:
    """What the admin site shows or changes that it should not, by role and address."""
    before = trace(record)
    base = f"/admin/{scene.model._meta.app_label}/{scene.model._meta.model_name}/"
    rows = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}
    sent = [
        (f"{base}add/", {"status": "void"}),
        (f"{base}{record.pk}/change/", {"status": "void", "title": "Changed"}),
        (f"{base}{record.pk}/delete/", {"post": "yes"}),
        (base, rows),
    ]
    for role, client in clients.items():
        shown = role == "administrator"
        # Of the roles that are refused each record is shown to some.
        if not shown and not played(f"admin {role} {base}", one_in=ROLES_REFUSED):
            continue
        for url in (base, f"{base}{record.pk}/change/"):
            if (client.get(url).status_code == 200) is not shown:
                yield f"{role} sees {url}: {not shown}"
        for url, data in sent:
            answer = client.post(url, data)
            if answer.status_code not in (302, 403) and url != base:
                yield f"{role} posts to {url}: {answer.status_code}"
            if trace(record) != before:
                yield f"{role} changed something at {url}"
