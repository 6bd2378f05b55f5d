"""Migrations are applied in fewer steps than Django's, and come to the same schema."""

import pytest
from django.apps import apps
from django.db import connection, models

pytestmark = pytest.mark.django_db


def asked(query: str) -> set[tuple[str, str]]:
    """Pairs of a table and the name of something that it has."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return set(cursor.fetchall())


def declared() -> list[type[models.Model]]:
    return [each for each in apps.get_models() if each._meta.managed and not each._meta.proxy]


def test_every_column_constraint_and_index_of_the_models_is_in_the_database() -> None:
    columns = asked(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = current_schema()"
    )
    names = asked(
        "select conrelid::regclass::text, conname from pg_constraint"
        " where connamespace = current_schema()::regnamespace union"
        " select tablename, indexname from pg_indexes where schemaname = current_schema()"
    )
    triggers = asked("select tgrelid::regclass::text, tgname from pg_trigger")
    for model in declared():
        table, meta = model._meta.db_table, model._meta
        assert {(table, field.column) for field in meta.local_concrete_fields} == {
            each for each in columns if each[0] == table
        }
        ours = {(table, str(each.name)) for each in [*meta.constraints, *meta.indexes]}
        assert ours <= names, ours - names
        kept = {(table, each.get_pgid(model)) for each in getattr(meta, "triggers", [])}
        assert kept <= triggers, kept - triggers


def test_every_unique_field_is_unique_in_the_database() -> None:
    unique = asked(
        "select i.indrelid::regclass::text, a.attname from pg_index i join pg_attribute a"
        " on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        " where i.indisunique and i.indnkeyatts = 1 and i.indpred is null"
    )
    for model in declared():
        for field in model._meta.local_concrete_fields:
            if field.unique:
                assert (model._meta.db_table, field.column) in unique, field
