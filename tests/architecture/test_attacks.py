"""Attacks on the promises: silent changes, borrowed names, smuggled fields, tokens that ended.

Every one is refused in words by the program or by the database, and leaves everything as it was.
The loops run over all record tables, so a new chapter is attacked without a word being written.
"""

# ruff: noqa: S608 - the statements name our own tables

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from audits.workflow import (
    change_grade,
    cover_sites,
    extend_deadline,
    grant,
    record_exception,
    respond,
    set_people,
    suspend,
)
from capa.models import Nonconformity
from capa.workflow import raise_nonconformity
from documents import workflow as documents
from documents.content import from_markdown
from documents.models import Document, Revision
from objectives import workflow as objectives
from qms import clock
from qms.actions.models import Action
from qms.actions.workflow import plan_action, wait_for
from qms.changes import workflow as changes
from qms.files.models import Blob
from qms.files.workflow import attach
from qms.gap.workflow import answer as rate
from qms.gap.workflow import give_time
from qms.journey import workflow as journey
from qms.people.models import ApiToken, Person
from qms.people.workflow import deactivate, hand_over, revoke_token
from qms.periods import today
from qms.records import Record, StatefulRecord
from qms.refusals import Refused
from qms.registers import importers
from qms.risks import workflow as risks
from qms.scope.workflow import leave_out, set_up_organisation
from qms.signing.models import Signature
from qms.suggestions import workflow as suggestions
from qms.workflow import all_amendments, amend, amendment_of, transitions_of
from reviews.workflow import compile_inputs, inputs_of, objectives_of
from tests import factories, scenes
from tests.architecture.test_promises import RECORDS
from tests.sampling import spread
from tests.scenes import SCENES, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.proof, pytest.mark.clause("7.5.3")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def signed_in(person: Any, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


class Program:
    """Somebody's program with a token."""

    def __init__(self, person: Any) -> None:
        self.token, self.secret = ApiToken.issue(person, "test", clock.now() + timedelta(days=1))

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        call = getattr(more.pop("client", None) or Client(), method)
        kind = {} if body is None else {"data": json.dumps(body, default=str)}
        kind |= {} if body is None else {"content_type": "application/json"}
        headers = {"authorization": f"Bearer {self.secret}"}
        return call(f"/api/v1/{path}", headers=headers, **kind, **more)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- around the program: SQL and the shortcuts of the ORM ----------------------------------------


def an_organisation(cast: Cast) -> Any:
    return set_up_organisation(
        by=cast.manager, name="Acme", country="CA", time_zone="America/Toronto"
    )


def a_line(cast: Cast) -> Any:
    return leave_out(
        scenes.a_statement(cast),
        by=cast.writer,
        clause="2026:8.3.1",
        justification="Every valve is built to drawings our customers own.",
    )


def an_exception(cast: Cast) -> Any:
    audit = scenes.an_audit(cast)
    audit = amend(audit, by=cast.lead, changes={"lead": cast.owner})
    return record_exception(
        audit, by=cast.manager, person=cast.owner, reason="Nobody else.", mitigation="A second one."
    )


def a_meeting(cast: Cast) -> Any:
    audit = scenes.a_finding(cast).audit
    set_people(
        audit, by=cast.lead, opening=[cast.owner], closing=[cast.owner], recipients=[cast.owner]
    )
    return audit


def a_response(cast: Cast) -> Any:
    finding = scenes.a_finding(cast)
    scenes.release_its_findings(cast, finding)
    finding.refresh_from_db()
    return respond(finding, by=cast.owner, text="That is so.")


def an_extended_deadline(cast: Cast) -> Any:
    return extend_deadline(
        scenes.a_body_finding(cast),
        by=cast.manager,
        deadline="evidence",
        until=scenes.in_days(200),
        reason="Holidays.",
        consent=[ContentFile(b"We agree.", name="consent.txt")],
    )


def a_changed_grade(cast: Cast) -> Any:
    return change_grade(
        scenes.a_body_finding(cast),
        by=cast.manager,
        becomes="major",
        decided_on=today(),
        by_whom="J. Lavoie",
        reason="It was found twice.",
        letter=[ContentFile(b"It is a major.", name="letter.txt")],
    )


def a_covered_site(cast: Cast) -> Any:
    cast.process()
    return cover_sites(
        scenes.an_application(cast), by=cast.manager, sites=[cast.things["site"]]
    ).site_links.get()


def a_suspension(cast: Cast) -> Any:
    certificate = scenes.an_application(cast)
    scenes.stage_two(cast, certificate)
    day = today()
    printed = {"decided_on": day, "issued_on": day, "expires_on": scenes.in_days(900)}
    grant(certificate, by=cast.manager, number="FM 1", **printed)
    suspend(certificate, by=cast.manager, reason="No visit was agreed.", began_on=day)
    return certificate.suspensions.get()


def an_input(cast: Cast) -> Any:
    return inputs_of(compile_inputs(scenes.a_review(cast), by=cast.manager))[0]


def a_reviewed_objective(cast: Cast) -> Any:
    objectives.activate(scenes.an_objective(cast), by=cast.manager)
    row = objectives_of(compile_inputs(scenes.a_review(cast), by=cast.manager))[0]
    said = {"answer": "confirmed", "because": "It still fits."}
    return amend(row, by=cast.manager, changes=said)


SCENES_BY: dict[str, scenes.Scene] = {s.model._meta.label: s for s in SCENES.values()}
MORE: dict[str, Callable[[Cast], Any]] = {
    "scope.Organisation": an_organisation,
    "scope.NotApplicable": a_line,
    "scope.ProcessMember": lambda cast: _member(cast),
    "scope.ProcessSite": lambda cast: cast.process().site_links.get(),
    "scope.ProcessDeputy": lambda cast: _deputy(cast),
    "scope.Flow": lambda cast: _flow(cast),
    "scope.StatementProcess": lambda cast: _of(scenes.a_statement(cast), "statementprocess"),
    "scope.StatementSite": lambda cast: _of(scenes.a_statement(cast), "statementsite"),
    "gap.GapAnswer": lambda cast: SCENES_BY["gap.Assessment"].begin(cast).answers.first(),
    "gap.EvidenceLink": lambda cast: _evidence(cast),
    "gap.Capacity": lambda cast: give_time(
        by=cast.manager, person=cast.owner, days_a_week=Decimal(2)
    ),
    "suggestions.Vote": lambda cast: _vote(cast),
    "actions.ActionDependency": lambda cast: _order(cast),
    "journey.PlanStep": lambda cast: _plan_step(cast),
    "journey.OpeningAnswer": lambda cast: journey.add_opening_answer(
        by=cast.manager, question="services", text="Valves"
    ),
    "journey.PrincipleAnswer": lambda cast: journey.add_principle_answer(
        by=cast.manager, question="leadership.1", answer="Every Friday."
    ),
    "journey.BriefingAttendee": lambda cast: scenes.a_briefing(cast).attendee_links.first(),
    "scope.RequirementProcess": lambda cast: scenes.a_requirement(cast).process_links.get(),
    "risks.RiskEvaluation": lambda cast: _evaluated(cast, scenes.a_risk(cast)),
    "risks.OpportunityEvaluation": lambda cast: _evaluated(cast, scenes.an_opportunity(cast)),
    "risks.RiskLink": lambda cast: _touching(cast, scenes.a_risk(cast)),
    "risks.OpportunityLink": lambda cast: _touching(cast, scenes.an_opportunity(cast)),
    "changes.ChangeLink": lambda cast: changes.touch(
        scenes.a_change(cast), by=cast.author, touches=[cast.process()]
    ).links.get(),
    "providers.ProviderProcess": lambda cast: scenes.a_provider(cast).process_links.get(),
    "competence.Trainee": lambda cast: scenes.a_training(cast).trainee_links.get(),
    "scope.ClosedTime": lambda cast: _closed_time(cast),
    "people.Absence": lambda cast: _absence(cast),
    "documents.DocumentSite": lambda cast: _document_site(cast),
    "documents.KindRule": lambda cast: documents.change_rule(
        by=cast.manager, kind="procedure", prefix="SOP"
    ),
    "documents.Audience": lambda cast: scenes.a_reading_task(cast).document.audience.get(),
    "documents.Signatory": lambda cast: scenes.a_draft(cast).signatories.first(),
    "audits.AuditTeamMember": lambda cast: scenes.an_audit(cast).team_links.get(),
    "audits.ChecklistItem": lambda cast: scenes.an_audit(cast).items.first(),
    "audits.IndependenceException": an_exception,
    "audits.GradeChange": lambda cast: a_changed_grade(cast),
    "audits.AuditReport": lambda cast: scenes.a_finding(cast).audit.report,
    "audits.MeetingAttendance": lambda cast: a_meeting(cast).attendance_links.first(),
    "audits.ReportRecipient": lambda cast: a_meeting(cast).recipient_links.get(),
    "audits.FindingResponse": lambda cast: a_response(cast),
    "audits.FindingGrade": scenes.a_worded_grade,
    "capa.CauseAnalysis": lambda cast: scenes.a_cause_analysis(cast),
    "capa.CaseAction": lambda cast: scenes.a_served_case(cast),
    "capa.EightD": lambda cast: scenes.an_8d(cast),
    "capa.EightDMember": lambda cast: scenes.an_8d(cast).member_links.get(),
    "audits.DeadlineExtension": lambda cast: an_extended_deadline(cast),
    "audits.CertificationBody": lambda cast: scenes.a_body(cast),
    "audits.CertificateSite": lambda cast: a_covered_site(cast),
    "audits.CertificateSuspension": lambda cast: a_suspension(cast),
    "objectives.SignalAnswer": lambda cast: _signal_answer(cast),
    "reviews.ReviewInput": an_input,
    "reviews.ReviewedObjective": a_reviewed_objective,
    "customers.SurveyInvitation": scenes.an_invitation,
    "customers.SurveyAnswer": scenes.an_answer,
    "reviews.ReviewAttendee": lambda cast: _attendee(cast),
}


def _signal_answer(cast: Cast) -> Any:
    limits = scenes.some_limits(cast)
    indicator = limits.indicator
    objectives.record_reading(
        by=cast.owner, indicator=indicator, measured_for=today(), value=Decimal(90)
    )
    return objectives.answer_signal(
        by=cast.owner, indicator=indicator, day=today(), found="cause", words="A storm."
    )


def _evaluated(cast: Cast, record: Any) -> Any:
    name = f"evaluate_{type(record).__name__.lower()}"
    getattr(risks, name)(record, by=cast.owner, first=3, second=4, why="It happened twice.")
    return record.evaluations.get()


def _touching(cast: Cast, record: Any) -> Any:
    return risks.touch(record, by=cast.manager, touches=[cast.process()]).links.get()


def _document_site(cast: Cast) -> Any:
    cast.process()
    return scenes.a_draft(cast, sites=[cast.things["site"]]).document.site_links.get()


def _absence(cast: Cast) -> Any:
    from qms.people.workflow import plan_absence

    return plan_absence(
        by=cast.owner, person=cast.owner, deputy=cast.member, starts_on=today(), ends_on=today()
    )


def _closed_time(cast: Cast) -> Any:
    from qms.scope.workflow import close_for

    return close_for(by=cast.manager, starts_on=today(), ends_on=today(), why="Stocktaking")


def _plan_step(cast: Cast) -> Any:
    project = scenes.a_project(cast)
    return journey.begin(project, by=cast.manager, starts_on=today(), months=9).steps.first()


def _flow(cast: Cast) -> Any:
    from qms.scope.workflow import add_flow

    return add_flow(by=cast.manager, what="Orders", target=cast.process(), source_party="Customers")


def _deputy(cast: Cast) -> Any:
    from qms.scope.workflow import staff_process

    process = cast.process()
    staff_process(process, by=cast.manager, members=[], deputies=[cast.member], sites=[])
    return process.deputy_links.get()


def _of(statement: Any, name: str) -> Any:
    from django.apps import apps

    return apps.get_model("scope", name).objects.get(statement=statement)


def _vote(cast: Cast) -> Any:
    idea = scenes.a_suggestion(cast)
    suggestions.vote(idea, by=cast.manager)
    return idea.vote_links.get()


def _evidence(cast: Cast) -> Any:
    answer = SCENES_BY["gap.Assessment"].begin(cast).answers.first()
    rate(answer, by=cast.manager, rating="in_place", links=[cast.process()])
    return answer.evidence_links.get()


def _order(cast: Cast) -> Any:
    first, then = scenes.an_action(cast), scenes.an_action(cast)
    wait_for(then, by=cast.manager, needs=[first])
    return then.needs_links.get()


def _member(cast: Cast) -> Any:
    from qms.scope.models import ProcessMember
    from qms.scope.workflow import staff_process

    process = cast.process()
    staff_process(process, by=cast.manager, members=[cast.newcomer], sites=[])
    return ProcessMember.objects.get()


def _attendee(cast: Cast) -> Any:
    from reviews.workflow import hold

    review = compile_inputs(scenes.a_review(cast), by=cast.manager)
    scenes.answer_every_input(cast, review)
    details = scenes.SCENES[type(review)].steps["hold"].details(cast)
    return hold(review, by=cast.manager, **details).attendee_links.first()


def a(model: Any, cast: Cast) -> Any:
    """A row of any record table."""
    label = model._meta.label
    return SCENES_BY[label].begin(cast) if label in SCENES_BY else MORE[label](cast)


def sql(statement: str, *values: Any) -> None:
    """Run it as somebody at the database would, and look as at commit."""
    with undone(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount, f"{statement} met no row"
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def other(field: Any, value: Any) -> str:
    """An SQL expression for another value of a column."""
    column = f'"{field.column}"'
    if isinstance(field, models.BooleanField):
        return f"coalesce(NOT {column}, true)"
    if isinstance(field, models.DateField | models.DateTimeField):
        return f"coalesce({column}, '2001-01-01') + interval '1 day'"
    if isinstance(field, models.CharField | models.TextField):
        return f"left({column}, {(field.max_length or 99) - 1}) || 'x'"
    if isinstance(field, models.JSONField):
        return """'["smuggled"]'"""
    return f"coalesce({column}, 0) + 1"


def no_column_changes_without_its_history(model: Any, record: Any, cast: Cast) -> None:
    table, key = model._meta.db_table, model._meta.pk.column
    kept = {field.name for field in model.history.model._meta.concrete_fields}
    tracked = [f for f in model._meta.concrete_fields if f.name in kept and not f.primary_key]
    assert len(tracked) > 2
    for field in tracked:
        change = f'UPDATE {table} SET "{field.column}" = {other(field, record)} WHERE {key} = %s'
        with pytest.raises(DatabaseError):  # after an explained save in the same transaction
            sql(change, record.pk)
    with pytest.raises(DatabaseError, match="no history row"):
        sql(f"UPDATE {table} SET version = version + 1 WHERE {key} = %s", record.pk)


def nothing_is_deleted_and_no_history_is_touched(model: Any, record: Any, cast: Cast) -> None:
    table, history = model._meta.db_table, model.history.model._meta.db_table
    for statement, words in (
        (f"DELETE FROM {table} WHERE id = %s", "void them"),
        (f"UPDATE {history} SET history_change_reason = 'x' WHERE id = %s", "append-only"),
        (f"UPDATE {history} SET history_user_id = NULL WHERE id = %s", "append-only"),
        (f"DELETE FROM {history} WHERE id = %s", "append-only"),
    ):
        with pytest.raises(DatabaseError, match=words):
            sql(statement, record.pk)
    rows = model.history.filter(id=record.pk)
    for attack in (
        lambda: rows.update(history_change_reason="x"),
        lambda: rows.delete(),
        lambda: rows.bulk_update(list(rows), ["history_change_reason"]),
    ):
        with pytest.raises((DatabaseError, TypeError)), transaction.atomic():
            attack()
    row = rows.first()
    row.history_change_reason = "other"
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save()


def the_shortcuts_of_the_orm_are_refused(model: Any, record: Any, cast: Cast) -> None:
    rows = model._base_manager.filter(pk=record.pk)  # not the manager that refuses by itself
    for attack in (
        lambda: model.objects.filter(pk=record.pk).update(version=9),
        lambda: model.objects.filter(pk=record.pk).delete(),
        lambda: model.objects.bulk_create([model()]),
        lambda: model.objects.bulk_update([record], ["version"]),
        lambda: record.save(),
        lambda: record.delete(),
    ):
        with pytest.raises(TypeError):
            attack()
    with pytest.raises(DatabaseError), undone():
        rows.update(version=9)
        connection.check_constraints()
    with pytest.raises((DatabaseError, TypeError)), undone():
        rows.delete()


STATEFUL = [model for model in RECORDS if issubclass(model, StatefulRecord)]


def no_record_is_born_or_moved_past_its_procedure(model: Any, record: Any, cast: Cast) -> None:
    if model not in STATEFUL:
        return
    states = [str(value) for value, _ in model._meta.get_field(model.STATE_FIELD).choices]
    column = model.column(model.STATE_FIELD).column
    for state in states:
        if state != model.first_state():
            born = model._base_manager.get(pk=record.pk)
            born.pk, born._state.adding = None, True
            setattr(born, model.STATE_FIELD, state)
            with pytest.raises(TypeError, match="starts as"):
                born.save()
            with pytest.raises(DatabaseError, match="starts as"), undone():
                models.QuerySet(model).bulk_create([born])
        moved = model._base_manager.get(pk=record.pk)
        if state != moved.state:
            setattr(moved, model.STATE_FIELD, state)
            with pytest.raises(TypeError, match="Only a transition"):
                moved.save_because("A shortcut.", by=cast.everything)
            with pytest.raises(DatabaseError):  # by no path, or by one without history
                sql(
                    f"UPDATE {model._meta.db_table} SET {column} = %s WHERE id = %s",
                    state,
                    record.pk,
                )


ATTACKS = (
    no_column_changes_without_its_history,
    nothing_is_deleted_and_no_history_is_touched,
    the_shortcuts_of_the_orm_are_refused,
    no_record_is_born_or_moved_past_its_procedure,
)


@pytest.mark.parametrize("model", spread(RECORDS, quick=4), ids=lambda model: model._meta.label)
def test_a_record_withstands_silent_changes_deletion_and_shortcuts(model: Any, cast: Cast) -> None:
    """Each attack on a row of its own making would cost four times as much; all are tried."""
    key = a(model, cast).pk
    assert cast.everything  # made now, outside of what is undone
    succeeded = []
    for attack in ATTACKS:
        try:
            with undone():
                attack(model, model._base_manager.get(pk=key), cast)
        except (AssertionError, pytest.fail.Exception, DatabaseError, TypeError) as why:
            succeeded.append(f"{attack.__name__}: {why}")
    assert succeeded == []


FROZEN = [model for model in STATEFUL if model.FROZEN]


@pytest.mark.parametrize("model", spread(FROZEN, quick=3), ids=lambda model: model._meta.label)
def test_what_froze_stays_even_with_a_history_row(model: Any, cast: Cast) -> None:
    import time_machine

    cast.assemble()
    with time_machine.travel(clock.now(), tick=True) as travel:
        for state in sorted(model.FROZEN_IN):
            with undone():
                stage = scenes.Stage(SCENES[model], cast, travel)
                stage.bring_to(state)
                for name in sorted(model.FROZEN):
                    field = model.column(name)
                    with pytest.raises(DatabaseError), undone(), connection.cursor() as cursor:
                        cursor.execute(  # the trigger that answers is not deferred
                            f'UPDATE {model._meta.db_table} SET "{field.column}" ='
                            f" {other(field, None)} WHERE id = %s",
                            [stage.record.pk],
                        )
                        assert not cursor.rowcount, f"{state}: {name} was changed"
            cast.things.clear()


def test_people_signatures_and_files_are_as_safe_as_records(cast: Cast) -> None:
    revision = scenes.approve(cast, scenes.a_draft(cast))
    attach(revision.document, scenes.a_file(), by=cast.author)
    signature, blob = Signature.objects.of(revision)[0], Blob.objects.get()
    for statement, key in (
        ("UPDATE people_person SET is_active = false WHERE id = %s", cast.author.pk),
        ("UPDATE people_person SET is_system = true WHERE id = %s", cast.newcomer.pk),
        ("DELETE FROM people_person WHERE id = %s", cast.newcomer.pk),
        ("UPDATE signing_signature SET printed_name = 'Somebody' WHERE id = %s", signature.pk),
        ("DELETE FROM signing_signature WHERE id = %s", signature.pk),
        ("UPDATE files_blob SET sha256 = repeat('0', 64) WHERE id = %s", blob.pk),
        ("DELETE FROM files_blob WHERE id = %s", blob.pk),
    ):
        with pytest.raises(DatabaseError):
            sql(statement, key)
    for attack in (
        lambda: Person.objects.filter(pk=cast.author.pk).update(is_active=False),
        lambda: Person.objects.bulk_update([cast.author], ["is_active"]),
        lambda: cast.author.delete(),
        lambda: Blob.objects.filter(pk=blob.pk).update(size=1),
    ):
        with pytest.raises(TypeError):
            attack()


# --- a stale page --------------------------------------------------------------------------------


def test_a_stale_save_is_refused_and_what_was_typed_is_kept(cast: Cast) -> None:
    nc = scenes.a_nonconformity(cast)
    url = f"{nc.get_absolute_url()}edit/"
    client = signed_in(cast.manager)
    data = typed(client.get(url).context["form"])
    amend(nc, by=cast.owner, changes={"title": "Gasket leaks at 10 bar"}, reason="Clearer.")
    data |= {"title": "Seal leaks", "extent": "Two orders", "reason": "More known."}
    answer = client.post(url, data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Seal leaks" in page
    assert "Two orders" in page
    assert "Gasket leaks at 10 bar" in page, "what the other person saved is shown beside it"
    nc.refresh_from_db()
    assert (nc.title, nc.extent, nc.version) == ("Gasket leaks at 10 bar", "", 2)
    program = Program(cast.manager)
    body = {"title": "Seal leaks", "version": 1, "reason": "More known."}
    answer = program.send("patch", f"nonconformities/{nc.pk}/", body)
    assert answer.status_code == 409
    assert answer.json()["detail"].endswith(".")
    nc.refresh_from_db()
    assert nc.version == 2
    assert program.send("patch", f"nonconformities/{nc.pk}/", {"title": "x"}).status_code == 422


def typed(form: Any) -> dict[str, Any]:
    """What a browser would send for a form as it is shown."""
    data = {}
    for bound in form:
        value = bound.value()
        if value is None or value is False:
            continue
        data[bound.html_name] = (
            [getattr(v, "pk", v) for v in value]
            if isinstance(value, list | tuple)
            else getattr(value, "pk", value)
        )
    return data


# --- who wrote it does not approve it ------------------------------------------------------------


def test_a_coauthor_does_not_approve_on_any_route(cast: Cast) -> None:
    revision = scenes.a_draft(cast)
    amend(revision, by=cast.coauthor, changes={"text": from_markdown("Buy better.")})
    # Named in the draft, it is not even sent to review.
    documents.name_signatories(revision, "approval", [cast.coauthor], by=cast.coauthor)
    with pytest.raises(Refused, match="wrote a part"):
        documents.submit(revision, by=cast.author)
    seen = {"version": revision.version}
    page = signed_in(cast.author).post(f"{revision.get_absolute_url()}do/submit/", seen)
    assert page.status_code == 422
    assert "wrote a part" in page.content.decode()
    answer = Program(cast.author).send("post", f"revisions/{revision.pk}/submit/", seen)
    assert answer.status_code == 422
    assert "wrote a part" in answer.json()["detail"]
    # Nor is the signature of another handed on to them, or given by who is not named.
    documents.name_signatories(revision, "approval", [cast.approver], by=cast.coauthor)
    documents.submit(revision, by=cast.author)
    documents.review(revision, by=cast.reviewer, proof=factories.proof(cast.reviewer))
    (seat,) = documents.signatories_of(revision, "approval").seats
    hand_on = {"person": cast.coauthor.pk, "version": seat.version, "reason": "Away."}
    with pytest.raises(Refused, match="wrote a part"):
        amend(seat, by=cast.approver, changes={"person": cast.coauthor}, reason="Away.")
    page = signed_in(cast.approver).post(f"/documents/signatories/{seat.pk}/edit/", hand_on)
    assert page.status_code == 422
    assert "wrote a part" in page.content.decode()
    answer = Program(cast.approver).send("patch", f"signatories/{seat.pk}/", hand_on)
    assert answer.status_code == 422
    assert "wrote a part" in answer.json()["detail"]
    with pytest.raises(PermissionDenied):
        documents.approve(revision, by=cast.coauthor, proof=factories.proof(cast.coauthor))
    revision.refresh_from_db()
    assert (revision.status, revision.approved_by) == ("reviewed", None)
    assert [each.meaning for each in Signature.objects.of(revision)] == ["Reviewed"]


# --- smuggled fields and borrowed names ----------------------------------------------------------

ACTORS = ("by", "user", "on_behalf_of", "actor", "history_user", "request_user", "owner_id")


def hostile(model: Any, keep: Any, attacker: Any) -> dict[str, Any]:
    """A value for every column the form does not ask for, and somebody else's name everywhere."""
    smuggled: dict[str, Any] = dict.fromkeys(ACTORS, attacker.pk)
    for field in model._meta.concrete_fields:
        if field.name in keep or field.primary_key or field.name in ("version", "owner_id"):
            continue
        if isinstance(field, models.ForeignKey):
            is_person = field.related_model is Person
            value: Any = attacker.pk if is_person else 1
            smuggled[field.attname] = value
        elif field.choices:
            value = str(field.choices[-1][0])
        elif isinstance(field, models.DateField):
            value = "2001-01-01"
        elif isinstance(field, models.IntegerField | models.BooleanField):
            value = 1
        else:
            value = "smuggled"
        smuggled[field.name] = value
    return smuggled


# What an edit changes besides what it asks: the look at a mark holds only for what it saw.
FOLLOWS = {"audits.MarkUse": {"found", "note", "next_due"}}
EDITED = {
    "scope.ClosedTime": ("manager", "scope:closed_edit", "closed-times"),
    "suggestions.Suggestion": ("newcomer", "", "suggestions"),
    "people.Absence": ("owner", "people:absence_edit", ""),
    "scope.Organisation": ("manager", "scope:organisation_edit", "organisation"),
    "scope.NotApplicable": ("writer", "scope:line_edit", ""),
    "scope.ScopeStatement": ("writer", "", "scope-statements"),
    "audits.Finding": ("member", "", "findings"),
    "audits.AuditNote": ("member", "audits:note_edit", "audit-notes"),
    "capa.EightD": ("owner", "capa:nc_8d", "8ds"),
    "audits.AuditReport": ("lead", "audits:report_edit", "audit-reports"),
    "audits.Addendum": ("lead", "", "audit-addenda"),
    "audits.FindingGrade": ("manager", "audits:grade_edit", "finding-grades"),
    "documents.Entry": ("author", "documents:entry_edit", ""),
    "documents.Signatory": ("author", "documents:signatory_edit", "signatories"),
    "reviews.ReviewInput": ("manager", "reviews:input_edit", "review-inputs"),
    "reviews.ReviewedObjective": (
        "manager",
        "reviews:reviewed_objective_edit",
        "reviewed-objectives",
    ),
}


def row_of(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = type(record)._base_manager.filter(pk=record.pk).values().get()
    return found


# Its form has rows for whys and bones and no field of the model: tests/capa tries what it takes.
ROWS_OF_ITS_OWN = {"capa.CauseAnalysis"}
BY_FORM = [each for each in all_amendments() if each._meta.label not in ROWS_OF_ITS_OWN]


@pytest.mark.parametrize(
    "model",
    spread(sorted(BY_FORM, key=str), quick=4),
    ids=lambda model: model._meta.label,
)
def test_an_edit_changes_what_its_form_asks_and_nothing_else(model: Any, cast: Cast) -> None:
    record = a(model, cast)
    scene = SCENES.get(model)
    who, name, path = EDITED.get(model._meta.label, ("manager", "", scene.api if scene else ""))
    url = f"{record.get_absolute_url()}edit/"
    if name:
        of_its_case = getattr(record, "nonconformity_id", None) if "nc_" in name else None
        key = of_its_case or record.pk
        url = reverse(name, args=[] if name.endswith("organisation_edit") else [key])
    person = getattr(cast, who)
    form = signed_in(person).get(url).context["form"]
    asked = set(form.fields)
    beside = {"version", "reason", *form.BESIDE}
    assert not asked - set(amendment_of(model).fields) - beside  # type: ignore[union-attr]
    smuggled = hostile(model, asked, cast.newcomer)
    before = row_of(record)
    still = {
        column: value
        for column, value in before.items()
        if column.removesuffix("_id") not in asked
        and column not in asked | {"version"}
        and column not in FOLLOWS.get(model._meta.label, ())
    }
    assert "created_by_id" in still
    follows = FOLLOWS.get(model._meta.label, set()) & set(smuggled)
    open_ones = (n for n, f in form.fields.items() if not f.widget.attrs.get("readonly"))
    words = (n for n in open_ones if isinstance(before.get(n), str) and _is_free(model, n))
    text = next(words, None)
    reason = {"reason": "It has to be."}
    with undone():
        data = {**smuggled, **typed(form), **reason}
        if text:
            data[text] = f"{before[text]} and more of it is needed here"
        with zeal_ignore():  # two fields of a form may each name a person
            answer = signed_in(person).post(url, data)
        assert answer.status_code == 303, answer.content.decode()[:3000]
        after = row_of(record)
        assert {column: after[column] for column in still} == still
        assert not {c for c in follows if str(after[c]) == str(smuggled[c])}
        assert (after["version"] > before["version"]) is bool(text)
        if text:
            assert record.history.first().history_user_id == person.pk
    if path and not path.startswith("organisation"):
        body = {**smuggled, **reason, "version": before["version"]}
        if text:
            body[text] = f"{before[text]} and more of it is needed here"
        with zeal_ignore():
            answer = Program(person).send("patch", f"{path}/{record.pk}/", body)
        after = row_of(record)
        assert {column: after[column] for column in still} == still
        assert not {c for c in follows if str(after[c]) == str(smuggled[c])}
        assert answer.status_code == 200, answer.content
        assert (after["version"] > before["version"]) is bool(text)
        if text:
            assert record.history.first().history_user_id == person.pk


def _is_free(model: Any, name: str) -> bool:
    field = model._meta.get_field(name)
    free = isinstance(field, models.TextField) or (
        isinstance(field, models.CharField) and (field.max_length or 0) > 100
    )
    an_address = isinstance(field, models.EmailField | models.URLField)
    return bool(free and not an_address and not field.choices and field.editable)


@pytest.mark.parametrize(
    "scene",
    spread((s for s in scenes.ALL if s.api), quick=4),
    ids=lambda scene: scene.model.__name__,
)
def test_a_move_does_what_it_says_whatever_else_is_sent(scene: Any, cast: Cast) -> None:
    """The same step, once plainly and once with every column and every name smuggled in."""
    record = scene.begin(cast)
    for name, step in scene.steps.items():
        move = next(t for t in transitions_of(scene.model) if t.name == name)
        if (
            record.state not in move.source
            or step.through
            or step.before
            or step.prepare
            or step.days
        ):
            continue
        if step.who == "system":
            continue
        given = {k: v for k, v in step.details(cast).items() if k in move.details}
        plain: dict[str, Any] = {
            key: value.pk if isinstance(value, models.Model) else str(value)
            for key, value in given.items()
        }
        plain |= {"version": record.version, "password": factories.PASSWORD, "reason": "It must."}
        person = getattr(cast, step.who)
        url = f"{record.get_absolute_url()}do/{name}/"
        if scene.page:
            url = reverse(scene.page, args=[record.pk, name])
        rows = []
        for extra in ({}, hostile(scene.model, set(move.details), cast.newcomer)):
            sent = {**extra, **plain}
            for route in ("page", "api"):
                with undone():
                    if route == "page":
                        assert signed_in(person).post(url, sent).status_code == 303, url
                    else:
                        answer = Program(person).send(
                            "post", f"{scene.api}/{record.pk}/{name}/", sent
                        )
                        assert answer.status_code == 200, answer.content
                    assert record.history.first().history_user_id == person.pk
                    rows.append(row_of(record))
        # The moment and the number of what the step makes differ each time; nobody chooses them.
        own = {column for column in rows[0] if rows[0][column] != rows[1][column]}
        assert own <= {"finding_id", "became_id", "given_at"}, own
        told = [{column: row[column] for column in row if column not in own} for row in rows]
        assert all(row == told[0] for row in told), f"{name}: {rows}"


def test_what_is_created_is_numbered_and_owned_by_the_program(cast: Cast) -> None:
    """Factories know more keywords than their forms; nobody reaches them from outside."""
    smuggled = dict.fromkeys(ACTORS, cast.newcomer.pk) | {
        "number": "NC-1999-0001",
        "taken_over": "Taken over.",
        "status": "closed",
        "created_by": cast.newcomer.pk,
        "recorded_at": "1999-01-01",
        "closed_on": "2001-01-01",
        "origin": 1,
        "origin_type": 1,
        "origin_id": 1,
    }
    said = {
        "title": "Gasket leaks",
        "source": "process",
        "grade": "minor",
        "detected_on": str(today()),
    }
    signed_in(cast.owner).post("/nonconformities/new/", smuggled | said)
    answer = Program(cast.owner).send("post", "nonconformities/", smuggled | said)
    assert answer.status_code == 201, answer.content
    made = list(Nonconformity.objects.order_by("pk"))
    assert len(made) == 2
    for nc in made:
        assert (nc.status, nc.taken_over, nc.origin_type_id) == ("open", "", None)
        assert (nc.closed_on, nc.created_by) == (None, cast.owner)
        assert nc.number != "NC-1999-0001"
        assert nc.history.get().history_user == cast.owner


# --- naming what one may not see -----------------------------------------------------------------


def test_nobody_attaches_to_or_raises_from_what_they_may_not_see(cast: Cast) -> None:
    secret = scenes.a_draft(cast, confidentiality="restricted").document
    outsider = cast.process_owner
    from django.contrib.contenttypes.models import ContentType

    kind = ContentType.objects.get_for_model(Document)
    url = reverse("files:attachment_create", args=[kind.pk, secret.pk])
    for answer in (
        signed_in(outsider).get(url),
        signed_in(outsider).post(url, {"file": scenes.a_file()}),
    ):
        assert answer.status_code == 404
    with pytest.raises(PermissionDenied):
        attach(secret, scenes.a_file(), by=outsider)
    with pytest.raises(Refused, match="not found"):
        raise_nonconformity(by=outsider, title="x", origin=secret)
    with pytest.raises(Refused, match="not found"):
        plan_action(by=outsider, title="x", owner=outsider, due=today(), origin=secret)


@pytest.mark.parametrize("who", ["gone", "system"])
def test_nobody_who_left_and_no_clock_is_given_work(who: str, cast: Cast) -> None:
    person = getattr(cast, who)
    said = {"title": "Fit a guard", "kind": "other", "due": str(today()), "owner": person.pk}
    assert signed_in(cast.manager).post("/actions/new/", said).status_code == 422
    answer = Program(cast.manager).send("post", "actions/", said)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")
    assert not Action.objects.exists()


# --- tokens and sessions -------------------------------------------------------------------------


def test_a_token_acts_as_its_owner_whoever_else_is_signed_in(cast: Cast) -> None:
    action = scenes.an_action(cast)
    boss = signed_in(cast.boss)
    body = {"result": "Fitted.", "version": action.version, "by": cast.boss.pk}
    path = f"actions/{action.pk}/complete/"
    answer = Program(cast.owner).send("post", path, body, client=boss)
    assert answer.status_code == 200
    assert action.history.first().history_user == cast.owner


@pytest.mark.parametrize("end", ["revoked", "expired", "deactivated", "unknown", "erased"])
def test_a_token_that_ended_opens_nothing(end: str, cast: Cast) -> None:
    action, program = scenes.an_action(cast), Program(cast.owner)
    path, body = f"actions/{action.pk}/complete/", {"result": "Fitted.", "version": 1}
    assert program.send("get", f"actions/{action.pk}/").status_code == 200
    if end == "revoked":
        revoke_token(program.token, by=cast.owner)
    elif end == "expired":
        earlier = clock.now() - timedelta(seconds=1)
        ApiToken.objects.filter(pk=program.token.pk).update(expires_at=earlier)
    elif end == "unknown":
        program.secret += "x"
    else:
        hand_over(cast.owner, by=cast.keeper, successor=cast.manager, reason="Leaves.")
        person = deactivate(cast.owner, by=cast.keeper, reason="Left.")
        if end == "erased":
            from qms.people.workflow import erase

            erase(person, by=cast.keeper, reason="On request.")
    for answer in (
        program.send("get", f"actions/{action.pk}/"),
        program.send("get", "me/"),
        program.send("post", path, body),
    ):
        assert answer.status_code == 401
    action.refresh_from_db()
    handed_over = end in ("deactivated", "erased")
    assert (action.status, action.history.count()) == ("open", 2 if handed_over else 1)


def test_a_foreign_site_cannot_use_somebodys_session(cast: Cast) -> None:
    action = scenes.an_action(cast)
    client = signed_in(cast.owner, enforce_csrf_checks=True)
    body = {"result": "Fitted.", "version": 1}
    assert client.post(f"{action.get_absolute_url()}do/complete/", body).status_code == 403
    answer = client.post(
        f"/api/v1/actions/{action.pk}/complete/", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 403
    action.refresh_from_db()
    assert action.status == "open"


# --- the import route ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["employee", "process_owner", "lead_auditor", "top_management"])
def test_registers_come_in_by_the_same_door(role: str, cast: Cast) -> None:
    person = getattr(cast, role)
    rows = {
        "documents": {"number": "QP-9", "title": "Buying", "kind": "procedure", "owner": person},
        "nonconformities": {"number": "N1", "title": "Leak", "detected_on": today()},
    }
    assert set(rows) == set(importers())
    for name, importer in importers().items():
        with pytest.raises((PermissionDenied, Refused), match="does not allow"):
            importer.create(by=person, **rows[name])
    assert not Document.objects.exists()
    assert not Nonconformity.objects.exists()


def test_what_is_imported_is_not_born_released(cast: Cast) -> None:
    importers()["documents"].create(
        by=cast.manager,
        number="QP-9",
        title="Buying",
        kind="procedure",
        owner=cast.owner,
        revision="C",
        effective=today(),
        approved_by="The former manager",
    )
    nc = importers()["nonconformities"].create(
        by=cast.manager, number="N1", title="Leak", detected_on=today(), state="closed"
    )
    revision = Revision.objects.get()
    assert (revision.status, revision.approved_by, revision.effective_from) == ("draft", None, None)
    assert (nc.verified_by, nc.verdict) == (None, "")
    assert "former register" in nc.taken_over
    fresh = scenes.a_nonconformity(cast)
    from capa.workflow import take_over_closed

    with pytest.raises(PermissionDenied, match="former register"):
        take_over_closed(fresh, by=cast.manager)


def test_every_record_table_is_attacked() -> None:
    assert {model._meta.label for model in RECORDS} == {*SCENES_BY, *MORE}
    assert all(issubclass(model, Record) for model in RECORDS)
