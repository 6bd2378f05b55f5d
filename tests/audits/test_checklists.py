"""What an audit asks: from the records, from templates, from the last audit; and notes first."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from audits import workflow
from audits.models import Audit, AuditNote, ChecklistItem, ChecklistTemplate, Finding
from audits.questions import proposed_for
from capa.workflow import raise_nonconformity
from objectives import workflow as objectives
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.risks.workflow import evaluate_risk, identify_risk
from qms.scope.workflow import add_flow
from qms.workflow import amend
from tests import factories, scenes
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]
Source = ChecklistItem.Source


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def audit(cast: Cast) -> Audit:
    return scenes.an_audit(cast)


def started(cast: Cast, audit: Audit) -> Audit:
    return workflow.start(workflow.confirm(audit, by=cast.lead), by=cast.lead)


def words_by(audit: Audit, cast: Cast, source: str) -> list[str]:
    return [each.words for each in proposed_for(audit, cast.lead) if each.source == source]


def test_each_kind_of_record_brings_its_question_with_where_it_comes_from(
    cast: Cast, audit: Audit
) -> None:
    process = audit.process
    revision = scenes.approve(cast, scenes.a_draft(cast, process=process))
    add_flow(by=cast.manager, what="Castings", target=process, source_party="Foundry")
    add_flow(by=cast.manager, what="Valves", source=process, target_party="Customers")
    risk = identify_risk(by=cast.manager, title="One forge", owner=cast.owner, process=process)
    evaluate_risk(risk, by=cast.manager, first=5, second=5, why="It burned.")
    nc = raise_nonconformity(by=cast.manager, title="Torque not recorded", process=process)
    indicator = scenes.an_indicator(cast)
    amend(indicator, by=cast.owner, changes={"process": process}, reason="Its own.")
    found = {each.source: each for each in proposed_for(audit, cast.manager)}
    assert {Source.FINDING, Source.RISK, Source.SIGNAL, Source.DOCUMENT, Source.SHEET} <= set(found)
    assert nc.number in found[Source.FINDING].words
    assert found[Source.FINDING].url == nc.get_absolute_url()
    assert found[Source.RISK].is_pressing
    assert f"revision {revision.label}" in found[Source.DOCUMENT].words
    assert found[Source.DOCUMENT].url == revision.get_absolute_url()
    assert found[Source.SIGNAL].url == indicator.get_absolute_url()
    assert all(each.origin and each.words.endswith((".", "?")) for each in found.values())
    assert proposed_for(audit, cast.manager) == proposed_for(audit, cast.manager)


def test_an_input_that_nobody_gives_is_asked_about_first(cast: Cast, audit: Audit) -> None:
    add_flow(by=cast.manager, what="Castings", target=audit.process, source_party="Foundry")
    add_flow(by=cast.manager, what="Drawings", target=audit.process)
    assert "Drawings" in words_by(audit, cast, Source.SHEET)[0]


def test_a_restricted_document_is_named_by_its_number_only(cast: Cast, audit: Audit) -> None:
    revision = scenes.approve(
        cast, scenes.a_draft(cast, process=audit.process, confidentiality="restricted")
    )
    (asked,) = [e for e in proposed_for(audit, cast.manager) if e.source == Source.DOCUMENT]
    assert revision.document.number in asked.words
    assert revision.document.title not in asked.words


def test_the_chosen_questions_join_the_checklist_once(cast: Cast, audit: Audit) -> None:
    raise_nonconformity(by=cast.manager, title="Torque not recorded", process=audit.process)
    before = audit.items.count()
    (chosen,) = [e for e in proposed_for(audit, cast.lead) if e.source == Source.FINDING]
    (item,) = workflow.take_over_questions(audit, by=cast.lead, chosen=[chosen.key])
    assert (item.position, item.source, item.origin) == (before + 1, "finding", chosen.origin)
    assert chosen.key not in {each.key for each in proposed_for(audit, cast.lead)}
    with pytest.raises(Stale, match="in the checklist already"):
        workflow.take_over_questions(audit, by=cast.lead, chosen=[chosen.key])
    with pytest.raises(Refused, match="Choose the questions"):
        workflow.take_over_questions(audit, by=cast.lead, chosen=[])
    with pytest.raises(PermissionDenied):
        workflow.take_over_questions(audit, by=cast.owner, chosen=[chosen.key])


def test_last_years_audit_gives_its_questions_and_never_its_answers(
    cast: Cast, audit: Audit
) -> None:
    workflow.add_question(audit, by=cast.lead, question="Who may stop the line?")
    running = started(cast, audit)
    for item in running.items.all():
        workflow.answer(item, by=cast.member, answer="conforms", note="Seen at bench 4.")
    scenes.issue(cast, running)
    again = workflow.plan_audit(
        by=cast.lead,
        process=audit.process,
        planned_on=today() + timedelta(days=300),
        lead=cast.lead,
    )
    last = [each for each in proposed_for(again, cast.lead) if each.source == Source.LAST]
    assert [each.words for each in last] == ["Who may stop the line?"]
    made = workflow.take_over_questions(again, by=cast.lead, chosen=[each.key for each in last])
    assert [(item.answer, item.note, item.answered_by) for item in made] == [("", "", None)]


# --- templates ------------------------------------------------------------------------------------


def test_a_template_is_proposed_to_the_processes_of_its_kind_and_edition(
    cast: Cast, audit: Audit
) -> None:
    kinds = {"core": "Own kind?", "support": "Other kind?", "": "All kinds?"}
    for kind, question in kinds.items():
        workflow.keep_template(
            by=cast.lead,
            name=f"T {kind or 'all'}",
            edition="2026",
            process_kind=kind,
            questions=question,
        )
    workflow.keep_template(by=cast.lead, name="Old", edition="2015", questions="Old edition?")
    assert set(words_by(audit, cast, Source.TEMPLATE)) == {"Own kind?", "All kinds?"}
    workflow.retire_template(ChecklistTemplate.objects.get(name="T all"), by=cast.lead)
    assert words_by(audit, cast, Source.TEMPLATE) == ["Own kind?"]


def test_a_line_of_a_template_may_begin_with_its_clause(cast: Cast) -> None:
    kept = scenes.a_template(cast)
    assert list(kept.lines()) == [
        ("2026:8.5.1", "Show the last three job cards."),
        ("", "Who may stop the line?"),
    ]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("8.5.9 Which one?", "Question 1 begins with 8.5.9"),
        ("\n  \n", "at least one question"),
        ("Why?\n" * 301, "at most 300"),
    ],
)
def test_a_template_that_cannot_be_asked_is_refused_in_words(
    cast: Cast, told: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        workflow.keep_template(by=cast.lead, name="T", edition="2026", questions=told)
    kept = scenes.a_template(cast)
    with pytest.raises(Refused, match=why):
        amend(kept, by=cast.lead, changes={"questions": told})


def test_the_questions_of_an_audit_become_a_template_without_answers(
    cast: Cast, audit: Audit, client: Client
) -> None:
    client.force_login(cast.lead, backend="qms.people.access.RoleBackend")
    running = started(cast, audit)
    workflow.answer(running.items.first(), by=cast.member, answer="conforms", note="Secret note.")
    answer = client.post(
        reverse("audits:template_from_audit", args=[audit.pk]), {"name": "Shop", "process_kind": ""}
    )
    assert answer.status_code == 303
    kept = ChecklistTemplate.objects.get(name="Shop")
    told = [question for _clause, question in kept.lines()]
    assert told == [" ".join(i.question.split()) for i in audit.items.order_by("position")]
    assert "Secret note." not in kept.questions


# --- notes ----------------------------------------------------------------------------------------


def test_a_note_is_written_first_and_placed_afterwards(cast: Cast, audit: Audit) -> None:
    running = started(cast, audit)
    note = workflow.take_note(running, by=cast.member, words="Two drums without a label.")
    other = scenes.a_process(cast) if hasattr(scenes, "a_process") else None
    changes = {"clause": "2026:8.5.2"} | ({"process": other} if other else {})
    amend(note, by=cast.member, changes=changes)
    note = workflow.make_finding(note, by=cast.member, grade="minor")
    finding = Finding.objects.get()
    assert note.finding == finding
    assert (finding.grade, finding.clause, finding.status) == ("minor", "2026:8.5.2", "draft")
    assert finding.evidence.startswith("Two drums without a label.")
    with pytest.raises(Refused, match="already"):
        workflow.make_answer(note, by=cast.member, question=1, answer="conforms")


def test_a_note_becomes_an_answer_beside_what_was_noted_there(cast: Cast, audit: Audit) -> None:
    running = started(cast, audit)
    item = running.items.order_by("position").first()
    assert item is not None
    workflow.answer(item, by=cast.member, answer="conforms", note="Bench 4.")
    note = workflow.take_note(running, by=cast.member, words="Bench 5 too.")
    with pytest.raises(Refused, match="There is no question 999"):
        workflow.make_answer(note, by=cast.member, question=999, answer="conforms")
    workflow.make_answer(note, by=cast.member, question=item.position, answer="opportunity")
    item.refresh_from_db()
    assert (item.answer, item.note) == ("opportunity", "Bench 4.\nBench 5 too.")


def test_a_note_by_the_other_edition_is_refused(cast: Cast, audit: Audit) -> None:
    running = started(cast, audit)
    with pytest.raises(Refused, match=r"audits against edition 2026; clause .* is of edition 2015"):
        workflow.take_note(running, by=cast.member, words="A shelf.", clause="2015:8.5.2")


def test_notes_are_the_teams_own(cast: Cast, audit: Audit) -> None:
    with pytest.raises(Refused, match="Start the audit"):
        workflow.take_note(audit, by=cast.member, words="A shelf.")
    running = started(cast, audit)
    note = workflow.take_note(running, by=cast.member, words="A shelf.")
    with pytest.raises(PermissionDenied):
        workflow.take_note(running, by=factories.person("auditor"), words="Mine.")
    seen = {
        who: AuditNote.objects.visible_to(person).filter(pk=note.pk).exists()
        for who, person in {
            "member": cast.member,
            "manager": cast.manager,
            "stranger": factories.person("auditor"),
            "owner": cast.owner,
        }.items()
    }
    assert seen == {"member": True, "manager": True, "stranger": False, "owner": False}


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_page_offers_everything_and_takes_over_what_is_chosen(
    cast: Cast, audit: Audit, client: Client
) -> None:
    raise_nonconformity(by=cast.manager, title="Torque not recorded", process=audit.process)
    scenes.a_template(cast)
    client.force_login(cast.lead, backend="qms.people.access.RoleBackend")
    page = reverse("audits:checklist_proposal", args=[audit.pk])
    shown = client.get(page).content.decode()
    assert "Earlier findings" in shown
    assert "Templates" in shown
    keys = [each.key for each in proposed_for(audit, cast.lead)]
    assert client.post(page, {"chosen": keys}).status_code == 303
    assert client.post(page, {"chosen": keys}).status_code == 409
    assert client.post(page, {}).status_code == 422
    assert "asked already" in client.get(page).content.decode()
    detail = client.get(audit.get_absolute_url()).content.decode()
    assert "Template “Workshop 0”" in detail


def test_a_note_needs_one_field_and_stays_on_the_page(
    cast: Cast, audit: Audit, client: Client
) -> None:
    running = started(cast, audit)
    client.force_login(cast.member, backend="qms.people.access.RoleBackend")
    page = reverse("audits:note_create", args=[running.pk])
    answer = client.post(page, {"words": "Two drums without a label."})
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert "Two drums" in client.get(page).content.decode()
    note = AuditNote.objects.get()
    assert "Make it a finding" in client.get(note.get_absolute_url()).content.decode()


def test_signals_make_an_indicator_pressing(cast: Cast) -> None:
    limits = scenes.some_limits(cast)
    indicator = limits.indicator
    audit = scenes.an_audit(cast)
    amend(indicator, by=cast.owner, changes={"process": audit.process}, reason="Its own.")
    objectives.record_reading(
        by=cast.owner, indicator=indicator, measured_for=today(), value=Decimal(90)
    )
    objectives.answer_signal(
        by=cast.owner, indicator=indicator, day=today(), found="cause", words="A storm."
    )
    (asked,) = [e for e in proposed_for(audit, cast.manager) if e.source == Source.SIGNAL]
    assert asked.is_pressing
    assert "1 signal" in asked.words
