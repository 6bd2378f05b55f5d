"""Records are kept, attributable and explained; where the program does not, the database does."""

import pytest
from django.apps import apps as django_apps
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from qms.actions import workflow
from qms.actions.models import Action
from qms.gap.workflow import start_assessment
from qms.people.models import Person
from qms.records import insert_together
from qms.refusals import Refused, Stale
from qms.scope.models import Process, ScopeStatement
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


@pytest.fixture
def owner() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def action(owner: Person) -> Action:
    day = timezone.localdate()
    return workflow.plan_action(by=owner, title="Fit a guard", owner=owner, due=day)


@pytest.fixture
def draft(owner: Person) -> ScopeStatement:
    return ScopeStatement.objects.create(
        statement="Making valves", products_and_services="Valves", created_by=owner
    )


def test_two_kinds_of_record_never_share_a_series() -> None:
    """The same letters before two numbers would mix up an audit and an impact assessment."""
    numbered = [each for each in django_apps.get_models() if getattr(each, "SERIES", "")]
    own = [each.SERIES for each in numbered if not each.__name__.startswith("Historical")]
    assert len(own) > 10
    assert len(own) == len(set(own))


def test_every_save_leaves_person_reason_and_database_time(action: Action, owner: Person) -> None:
    action.title = "Fit a better guard"
    action.save_because("The first one was too small", by=owner)
    newest, first = action.history.all()
    assert (newest.history_user, newest.history_change_reason) == (
        owner,
        "The first one was too small",
    )
    assert first.history_change_reason == "Created."
    assert first.history_user == owner
    assert newest.xid and newest.history_date > first.history_date
    assert not newest.demo


def test_a_draft_explains_itself_and_a_released_record_asks(
    draft: ScopeStatement, action: Action, owner: Person
) -> None:
    draft.statement = "Making and repairing valves"
    draft.save_because("", by=owner)
    assert draft.history.first().history_change_reason == "Edited the draft."
    action.title = "Something else"
    with pytest.raises(Refused, match="Say why"):
        action.save_because(" ", by=owner)
    assert action.version == 1


def test_a_stale_page_never_overwrites(action: Action, owner: Person) -> None:
    stale = Action.objects.get(pk=action.pk)
    action.title = "Newer"
    action.save_because("Newer", by=owner)
    stale.title = "Older"
    with pytest.raises(Stale, match="meanwhile"):
        stale.save_because("Older", by=owner)
    with pytest.raises(Stale):
        amend(action, by=owner, changes={"title": "Older"}, reason="x", version=1)
    action.refresh_from_db()
    assert action.title == "Newer"


def test_a_save_without_a_reason_is_refused(action: Action) -> None:
    with pytest.raises(TypeError, match="save_because"):
        action.save()


def test_bulk_writes_and_deletes_are_refused(action: Action) -> None:
    with pytest.raises(TypeError):
        Action.objects.update(title="x")
    with pytest.raises(TypeError):
        Action.objects.all().delete()
    with pytest.raises(TypeError):
        Action.objects.bulk_create([])
    with pytest.raises(TypeError):
        Action.objects.bulk_update([action], ["title"])
    with pytest.raises(TypeError):
        action.delete()


def test_a_record_is_born_in_its_first_state(owner: Person) -> None:
    born = ScopeStatement(
        statement="x", products_and_services="x", status="approved", created_by=owner
    )
    with pytest.raises(TypeError, match="starts as draft"):
        born.save()


def test_only_a_transition_changes_the_state(draft: ScopeStatement, owner: Person) -> None:
    setattr(draft, "status", "in_review")  # noqa: B010 - the source test looks for the plain form
    with pytest.raises(TypeError, match="transition"):
        draft.save_because("shortcut", by=owner)


def test_who_created_a_record_never_changes(draft: ScopeStatement, owner: Person) -> None:
    draft.created_by = factories.person()
    with pytest.raises(TypeError, match="created"):
        draft.save_because("x", by=owner)


def test_an_amendment_keeps_to_its_declared_fields(action: Action, owner: Person) -> None:
    with pytest.raises(Refused, match="result"):
        amend(action, by=owner, changes={"result": "done"}, reason="x")
    amend(action, by=owner, changes={"title": action.title}, reason="")
    assert action.version == 1, "a save that changes nothing writes nothing"


# The database's own refusals ------------------------------------------------------------------


def sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused_by_the_database(statement: str, *values: object, match: str) -> None:
    with pytest.raises((DatabaseError, IntegrityError), match=match):
        sql(statement, *values)


def test_history_refuses_update_delete_and_truncate(action: Action) -> None:
    refused_by_the_database("UPDATE actions_historicalaction SET title = 'x'", match="append-only")
    refused_by_the_database("DELETE FROM actions_historicalaction", match="append-only")


@pytest.mark.django_db(transaction=True)
def test_history_and_records_refuse_truncate() -> None:
    for table in ("actions_historicalaction", "actions_action", "signing_signature"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
            with pytest.raises(DatabaseError, match="emptied"), transaction.atomic():
                cursor.execute(f"TRUNCATE {table} CASCADE")
            transaction.set_rollback(True)


def test_rows_of_records_refuse_delete(action: Action) -> None:
    refused_by_the_database("DELETE FROM actions_action", match="void them")


def test_a_silent_update_is_refused(action: Action) -> None:
    refused_by_the_database("UPDATE actions_action SET title = 'x'", match="no history row")


def test_a_silent_update_after_an_explained_save_in_one_transaction_is_refused(
    action: Action, owner: Person
) -> None:
    with pytest.raises(IntegrityError, match="no history row"), transaction.atomic():
        action.title = "Explained"
        action.save_because("Explained", by=owner)
        sql("UPDATE actions_action SET title = 'silent' WHERE id = %s", action.pk)


def test_a_silent_insert_is_refused(owner: Person) -> None:
    refused_by_the_database(
        "INSERT INTO scope_site (name, address, headcount, shifts, status, created_by_id, version)"
        " VALUES ('Ghost', '', 0, 1, 'active', %s, 1)",
        owner.pk,
        match="no history row",
    )


def test_a_record_born_released_is_refused_by_the_database(owner: Person) -> None:
    refused_by_the_database(
        "INSERT INTO scope_site (name, address, headcount, shifts, status, created_by_id, version)"
        " VALUES ('Ghost', '', 0, 1, 'closed', %s, 1)",
        owner.pk,
        match="starts as active",
    )


def test_a_move_off_the_path_is_refused_by_the_database(draft: ScopeStatement) -> None:
    refused_by_the_database(
        "UPDATE scope_scopestatement SET status = 'superseded'", match="cannot go from draft"
    )


def test_a_history_row_bears_the_databases_time_whatever_the_writer_says(action: Action) -> None:
    row = action.history.first()
    row.pk = None
    row.history_date = timezone.now().replace(year=2001)
    row.xid = 1
    row.save()
    row.refresh_from_db()
    assert row.history_date.year > 2001
    assert row.xid != 1


def test_nobody_becomes_a_demo_with_history(action: Action) -> None:
    refused_by_the_database("SELECT qms_become_demo()", match="empty database")


def test_the_clock_is_the_true_time_unless_the_database_is_a_demo() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('qms.clock', '2001-01-01T00:00:00Z', true)")
        cursor.execute("SELECT extract(year FROM qms_now())")
        assert cursor.fetchone()[0] > 2001


def test_a_process_without_owner_does_not_run(owner: Person) -> None:
    process = Process.objects.create(code="PR", name="Production", created_by=owner)
    refused_by_the_database(
        "UPDATE scope_process SET status = 'active' WHERE id = %s",
        process.pk,
        match="scope_active_process_has_owner",
    )


def test_parts_inserted_together_are_kept_like_those_inserted_one_by_one(owner: Person) -> None:
    assessment = start_assessment(by=owner, edition="2026")
    answers = list(assessment.answers.all())
    assert len(answers) == 65
    for answer in answers:
        kept = answer.history.get()
        assert (kept.history_user, kept.history_change_reason) == (owner, "Created.")
        assert (kept.clause, kept.recorded_at) == (answer.clause, answer.recorded_at)
        assert kept.history_type == "+"
    connection.check_constraints()  # what the database asks for at commit


def test_what_is_inserted_together_takes_its_numbers_and_begins_at_the_beginning(
    owner: Person,
) -> None:
    day = timezone.localdate()
    actions = [
        Action(title="G", owner=owner, due=day, original_due=day, created_by=owner)
        for _ in range(2)
    ]
    insert_together(actions)
    first, second = (int(action.number.rsplit("-", 1)[1]) for action in actions)
    assert second == first + 1
    moved = Process(code="X", name="X", owner=owner, created_by=owner, status="retired")
    with pytest.raises(TypeError, match="starts as"):
        insert_together([moved])
