"""Migrations on an empty database, without rendering all models for every table and constraint.

Django renders a model and everything it is related to after each operation, and here everything
is related to people. A constraint or an index is added to its own model only, and the tables a
migration begins with are rendered together; the schema comes out the same
(docs/decisions/0018-migrations-without-reloads.md).
"""

from copy import copy
from itertools import takewhile
from typing import Any

from django.db.migrations.migration import Migration
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState

apply_one_by_one = Migration.apply


def note_option(self: ProjectState, app_label: str, name: str, option: str, added: Any) -> None:
    """A new constraint or index is added to the model as it was rendered; no other reads it."""
    options = self.models[app_label, name].options
    options[option] = [*options[option], added]
    if "apps" in self.__dict__:  # asking for it would render everything
        rendered = self.apps.get_model(app_label, name)._meta
        setattr(rendered, option, [*getattr(rendered, option), added])


def apply(
    self: Migration, project_state: Any, schema_editor: Any, collect_sql: bool = False
) -> Any:
    """Make the tables at the beginning of a migration from one rendering, then go on as ever."""
    found = takewhile(lambda each: isinstance(each, CreateModel), self.operations)
    tables: list[Any] = list(found)
    if collect_sql or len(tables) < 2:
        return apply_one_by_one(self, project_state, schema_editor, collect_sql)
    before = project_state.clone()
    rendered = project_state.__dict__.pop("apps")  # without it nothing is rendered anew
    for table in tables:
        table.state_forwards(self.app_label, project_state)
    project_state.apps = rendered
    made = {(self.app_label, table.name_lower) for table in tables}
    project_state.reload_models(made, delay=False)
    for table in tables:
        table.database_forwards(self.app_label, schema_editor, before, project_state)
    rest: Any = copy(self)
    rest.operations = self.operations[len(tables) :]
    return apply_one_by_one(rest, project_state, schema_editor, collect_sql)


ProjectState._append_option = note_option  # type: ignore[attr-defined]
Migration.apply = apply  # type: ignore[method-assign]
