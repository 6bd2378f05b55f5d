"""Migrations on an empty database, without rendering all models for every table and constraint.

Django renders a model and everything it is related to after each operation, and here everything
is related to people. A constraint or an index is added to its own model only, a trigger to none,
and tables and fields that follow each other are rendered together; the schema comes out the same
(docs/decisions/0018-migrations-without-reloads.md).
"""

from collections.abc import Sequence
from copy import copy
from itertools import groupby
from typing import Any

from django.db.migrations.migration import Migration
from django.db.migrations.operations import AddConstraint, AddField, AddIndex, CreateModel
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

apply_one_by_one = Migration.apply


def note_option(self: ProjectState, app_label: str, name: str, option: str, added: Any) -> None:
    """A new constraint or index is added to the model as it was rendered; no other reads it."""
    options = self.models[app_label, name].options
    options[option] = [*options[option], added]
    if "apps" in self.__dict__:  # asking for it would render everything
        rendered = self.apps.get_model(app_label, name)._meta
        setattr(rendered, option, [*getattr(rendered, option), added])


def forget_trigger(self: RemoveTrigger, app_label: str, state: ProjectState) -> None:
    """A trigger is taken from the state; no operation reads a rendered model's triggers."""
    options = state.models[app_label, self.model_name_lower].options
    kept = [each for each in options.get("triggers", []) if each.name != self.name]
    options["triggers"] = kept


def remember_trigger(self: AddTrigger, app_label: str, state: ProjectState) -> None:
    """A trigger is noted in the state."""
    options = state.models[app_label, self.model_name_lower].options
    options["triggers"] = [*options.get("triggers", []), self.trigger]


def apply(
    self: Migration, project_state: Any, schema_editor: Any, collect_sql: bool = False
) -> Any:
    """What only adds to each other is rendered once for all of it; the rest as ever."""
    if collect_sql or not schema_editor.atomic_migration:
        return apply_one_by_one(self, project_state, schema_editor, collect_sql)
    for _, alike in groupby(self.operations, _kind):
        operations = list(alike)
        if any(isinstance(each, (CreateModel, AddField)) for each in operations[1:]):
            _at_once(self.app_label, operations, project_state, schema_editor)
        else:
            part: Any = copy(self)
            part.operations = operations
            project_state = apply_one_by_one(part, project_state, schema_editor)
    return project_state


def _kind(operation: Any) -> str:
    """Tables come with all that stands in their state, so what is added to them is apart."""
    if isinstance(operation, CreateModel):
        return "table"
    adds = isinstance(operation, (AddField, AddConstraint, AddIndex, AddTrigger, RemoveTrigger))
    return "added" if adds else "other"


def _at_once(
    app_label: str, operations: Sequence[Any], project_state: Any, schema_editor: Any
) -> None:
    """Operations of which none reads, from the models, what is otherwise after a later one."""
    before = project_state.clone()
    rendered = project_state.__dict__.pop("apps")  # without it nothing is rendered anew
    for each in operations:
        each.state_forwards(app_label, project_state)
    project_state.apps = rendered
    changed = {
        (app_label, each.name_lower if isinstance(each, CreateModel) else each.model_name_lower)
        for each in operations
    }
    project_state.reload_models(changed, delay=False)
    for each in operations:
        each.database_forwards(app_label, schema_editor, before, project_state)


ProjectState._append_option = note_option  # type: ignore[attr-defined]
AddTrigger.state_forwards = remember_trigger  # type: ignore[method-assign]
RemoveTrigger.state_forwards = forget_trigger  # type: ignore[method-assign]
Migration.apply = apply  # type: ignore[method-assign]
