"""Promises the code makes about itself, read from the code."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from qms import contributions
from qms.api import api, operations
from qms.people.models import Person
from qms.people.roles import GRANTS
from qms.records import Record, StatefulRecord
from qms.workflow import all_amendments, all_creations, all_transitions, transitions_of

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ["documents", "capa", "audits", "objectives", "reviews"]
GROUND = [
    "people",
    "files",
    "signing",
    "outbox",
    "work",
    "competence",
    "actions",
    "suggestions",
    "scope",
    "risks",
    "changes",
    "providers",
    "equipment",
    "customers",
    "gap",
    "journey",
    "pack",
    "home",
]
# Tables that are no records, each with the reason why it may change without history.
NO_RECORDS = {
    "people.Person": "keeps its own history; identity stays outside it so that it can be erased",
    "people.ApiToken": "a secret's hash; its use is logged, its revocation keeps the row",
    "signing.Signature": "append-only by trigger; there is nothing to keep a history of",
    "outbox.Effect": "a queue; what it causes is recorded where it happens",
    "pack.PackProgress": "how far a worker is; worth nothing once the pack is built",
    "pack.RenderedPart": "a cache; drawn again at any time",
    "pack.PackDownload": "append-only by trigger; a log",
    "work.WorkItem": "derived from records at every save, rebuilt at any time",
    "work.Reminder": "written once, never changed",
    "files.Blob": "named by its own content; it cannot change",
    "capa.CaseWords": "derived from cases with every save of them, written anew at any time",
    "documents.Presence": "who has a draft open now; worth nothing a minute later",
    "documents.Opening": "a log of who looked at what; written once, never changed",
    "files.Rendition": "derived from a stored content, made again at any time",
    "finding.Entry": "derived from records at every save, rebuilt at any time",
    "finding.Word": "derived from records, rebuilt at any time",
    "objectives.SheetProgress": "how far a worker is and what it found; the sheet itself is kept",
    "home.SavedView": "how a person likes to see a list; it says nothing about the system",
}
# Pages of other packages, which cannot bear our mark; each with who may open it.
FOREIGN = {
    "accounts/": "sign-in, recovery and second factor: allauth's own rules",
    "admin/": "read-only, for administrators: qms/admin.py",
    "api/v1/": "the API's operations declare themselves; see below",
}


def addresses(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback
        else:
            yield from addresses(pattern, prefix + str(pattern.pattern))


OWN = [(path, view) for path, view in addresses() if not path.startswith(tuple(FOREIGN))]


def test_every_page_says_who_may_open_it() -> None:
    assert OWN
    silent = [
        f"{path}: {view.__module__}.{view.__name__} lacks @needs(...)"
        for path, view in OWN
        if not hasattr(view, "needs")
    ]
    assert not silent


@pytest.mark.slow
def test_every_operation_of_the_api_says_who_may_call_it() -> None:
    declared = {(each.method.lower(), each.path) for each in operations}
    schema = api.get_openapi_schema()
    called = {
        (method, path.replace("{pk}", "{int:pk}"))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert called == declared


def everything_declared() -> dict[str, str]:
    """Every permission that anything asks for, with where."""
    asked = {view.needs: path for path, view in OWN if hasattr(view, "needs")}
    asked |= {each.needs: each.path for each in operations}
    asked |= {t.permission: t.name for ts in all_transitions().values() for t in ts.values()}
    asked |= {a.permission: str(model) for model, a in all_amendments().items()}
    asked |= {c.permission: str(m) for m, cs in all_creations().items() for c in cs}
    return {name: where for name, where in asked.items() if "." in name}


def test_every_permission_asked_for_is_held_by_a_role() -> None:
    missing = {name: where for name, where in everything_declared().items() if name not in GRANTS}
    assert not missing


def test_every_granted_permission_is_named_somewhere_in_the_code() -> None:
    source = "\n".join(
        path.read_text()
        for folder in ("qms", *CHAPTERS)
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "roles.py"
    )
    asked = everything_declared()
    generic = {
        f"{m._meta.app_label}.view_{m._meta.model_name}"
        for m in apps.get_models()
        if issubclass(m, Record)
    }
    stale = [n for n in GRANTS if n not in asked and n not in generic and f'"{n}"' not in source]
    assert not stale


def our_models() -> list[type[models.Model]]:
    return [
        model
        for label in (*GROUND, *CHAPTERS)
        for model in apps.get_app_config(label).get_models()
        if not model.__name__.startswith("Historical")
    ]


def test_every_table_is_a_record_or_says_why_not() -> None:
    others = {model._meta.label for model in our_models() if not issubclass(model, Record)}
    assert others - set(NO_RECORDS) == set()


RECORDS = [model for model in our_models() if issubclass(model, Record)]


def of_all(models_: list[Any], broken: Callable[[Any], Iterator[str]]) -> list[str]:
    """What is broken, of each model by its name."""
    assert models_
    return [f"{model._meta.label}: {why}" for model in models_ for why in broken(model)]


def lacks_of_history(model: Any) -> Iterator[str]:
    if not hasattr(model, "history"):
        yield "it has no history"
        return
    names = {trigger.name for trigger in model._meta.triggers}
    if missing := {"kept", "never_truncated", "needs_history"} - names:
        yield f"it lacks the triggers {missing}"
    kept = {trigger.name for trigger in model.history.model._meta.triggers}
    if kept != {"append_only", "never_truncated", "stamped"}:
        yield f"its history has the triggers {kept}"
    if getattr(model, "PATHS", None):
        if not issubclass(model, StatefulRecord):
            yield "it has paths and is no StatefulRecord"
        if "keeps_its_path" not in names:
            yield "nothing keeps it on its path"


def test_every_record_has_history_with_triggers() -> None:
    assert of_all(RECORDS, lacks_of_history) == []


def wrong_fields(model: Any) -> Iterator[str]:
    for field in model._meta.get_fields():
        cascades = getattr(field.remote_field, "on_delete", None) is not models.PROTECT
        if isinstance(field, models.ForeignKey) and cascades:
            yield f"{field} does not protect what it points to"
        if type(field).__name__ == "GenericRelation":
            yield f"{field}: deletes cascade through it"
        if isinstance(field, models.ManyToManyField):
            yield f"{field}: use a Link model"
        if isinstance(field, models.FloatField):
            yield f"{field}: use Decimal"
    if model._meta.ordering:
        yield "lists say their order; no Meta.ordering"


def test_records_point_to_records_without_cascades() -> None:
    assert of_all(RECORDS, wrong_fields) == []


STATEFUL = [model for model in RECORDS if issubclass(model, StatefulRecord)]


def wrong_paths(model: Any) -> Iterator[str]:
    moves = transitions_of(model)
    if not moves:
        yield "a state without transitions is a label"
    made = {(source, move.target) for move in moves for source in move.source}
    if made != (paths := {(str(a), str(b)) for a, b in model.PATHS}):
        yield f"moves and paths differ in {made ^ paths}"
    states = {str(value) for value, _label in model._meta.get_field(model.STATE_FIELD).choices}
    if unknown := {state for path in made for state in path} - states:
        yield f"moves lead to {unknown}"
    if unknown := set(model.FROZEN_IN) - states:
        yield f"it freezes in {unknown}"


def test_a_stateful_record_moves_by_transitions_only_along_its_paths() -> None:
    assert of_all(STATEFUL, wrong_paths) == []


def assigned_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Attribute):
                        yield each.attr, node.lineno


def sources() -> Iterator[Path]:
    for folder in ("qms", *CHAPTERS):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def test_only_transitions_set_a_status() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        for name, line in assigned_names(ast.parse(path.read_text()))
        if name == "status" and "status_code" not in name
    ]
    assert not found


def test_nothing_goes_around_the_promises() -> None:
    banned = ("pgtrigger.ignore", "DISABLE TRIGGER", "session_replication_role", "_raw_delete(")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sources()
        for word in banned
        if word in path.read_text()
    ]
    assert not found


def test_every_entry_of_the_navigation_leads_somewhere() -> None:
    for item in [*contributions._navigation, *contributions._creating]:
        try:
            reverse(item.url_name)
        except NoReverseMatch:
            pytest.fail(f"{item.label} leads to {item.url_name}, which does not exist.")
        assert item.permission in GRANTS, item


def test_no_file_is_called_utils() -> None:
    named = ("utils.py", "helpers.py", "common.py", "misc.py")
    assert not [path for path in sources() if path.name in named]


def test_the_system_may_only_what_the_clock_does() -> None:
    system = Person(is_system=True)
    assert not system.has_perm("documents.approve_revision")
    assert system.has_perm("documents.make_effective")
