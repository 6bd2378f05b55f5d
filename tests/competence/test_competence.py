"""Competence: assessed by somebody else, for a time, and asked for by roles and jobs (7.2)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audits import workflow as audits
from qms.competence import workflow
from qms.competence.matrix import _standing, matrix
from qms.competence.models import Competence, CompetenceRecord
from qms.people.models import Person
from qms.people.workflow import place_person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.workflow import activate, create_process
from qms.work.models import WorkItem
from tests import factories
from tests.many import multiply

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.2")]


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def auditing(manager: Person) -> Competence:
    return workflow.define_competence(
        by=manager,
        name="Internal auditing",
        meaning="Audits alone.",
        method="observed",
        validity_months=12,
    )


def found(by: Person, person: Person, competence: Competence, **more: Any) -> CompetenceRecord:
    return workflow.record_competence(
        by=by, person=person, competence=competence, evidence="Seen.", **{"level": 3, **more}
    )


def test_nobody_assesses_themselves(manager: Person, auditing: Competence) -> None:
    with pytest.raises(Refused, match="Nobody assesses themselves"):
        found(manager, manager, auditing)
    with pytest.raises(IntegrityError), transaction.atomic():
        CompetenceRecord(
            person=manager,
            competence=auditing,
            assessed_by=manager,
            assessed_on=today(),
            evidence="x",
            created_by=manager,
        ).save()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"valid_until": date(2020, 1, 1)}, "end before it begins"),
        ({"assessed_on": date(2999, 1, 1)}, "still ahead"),
        ({"level": 9}, "level from 1 to 4"),
    ],
)
def test_a_finding_makes_sense_or_is_refused_in_words(
    manager: Person, auditing: Competence, more: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        found(manager, factories.person("auditor"), auditing, **more)
    assert not CompetenceRecord.objects.exists()


def test_a_finding_holds_as_long_as_the_competence_says(
    manager: Person, auditing: Competence
) -> None:
    person = factories.person("auditor")
    record = found(manager, person, auditing, assessed_on=date(2025, 3, 31))
    assert record.valid_until == date(2026, 3, 31)
    assert workflow.competent_on(person, auditing, date(2026, 3, 31))
    assert not workflow.competent_on(person, auditing, date(2026, 4, 1))
    assert not workflow.competent_on(person, auditing, date(2025, 3, 30))
    assert not workflow.competent_on(person, auditing, date(2025, 6, 1), level=4)


def test_the_newest_finding_counts_and_a_void_one_does_not(
    manager: Person, auditing: Competence
) -> None:
    person = factories.person("auditor")
    found(manager, person, auditing, assessed_on=today() - timedelta(days=90), level=4)
    lower = found(manager, person, auditing, level=1)
    assert not workflow.competent_on(person, auditing, today(), level=3)
    workflow.void_record(lower, by=manager, reason="Another person was meant.")
    assert workflow.competent_on(person, auditing, today(), level=4)


@pytest.mark.slow
def test_an_audit_is_not_confirmed_with_an_auditor_whose_competence_ends_before_its_day(
    manager: Person, auditing: Competence, client: Client
) -> None:
    owner, lead = factories.person("process_owner"), factories.person("lead_auditor")
    process = create_process(by=manager, code="BUY", name="Buying", owner=owner)
    activate(process, by=manager)
    audit = audits.plan_audit(
        by=lead, process=process, planned_on=today(), lead=lead, clauses=["2026:8.4.1"]
    )
    assert audits.team_is_competent(audit, lead) is None, "nothing is asked for yet"
    workflow.require(by=manager, competence=auditing, role="lead_auditor")
    long_ago = today() - timedelta(days=400)
    found(manager, lead, auditing, assessed_on=long_ago)
    with pytest.raises(Refused, match=r"lacks “Internal auditing”.*ended on"):
        audits.confirm(audit, by=lead)
    client.force_login(manager)
    page = client.get(audit.get_absolute_url()).content.decode()
    [lacking] = audits.what_the_team_lacks(audit)
    assert lacking.unmet.record is not None
    assert f'<a href="{lacking.unmet.record.get_absolute_url()}">See the finding</a>' in page
    assert f"/competence/findings/new/?person={lead.pk}&amp;competence={auditing.pk}" in page
    found(manager, lead, auditing)
    assert audits.confirm(audit, by=lead).status == "confirmed"


def test_the_manager_is_asked_to_assess_again_before_it_ends(
    manager: Person, auditing: Competence
) -> None:
    boss, person = factories.person("process_owner"), factories.person("auditor")
    record = found(manager, person, auditing)
    item = WorkItem.objects.get(step="assess_again")
    assert (item.role, item.due) == ("quality_manager", record.valid_until)
    place_person(person, by=manager, department="Sales", manager=boss)
    assert WorkItem.objects.get(step="assess_again").person == boss
    found(manager, person, auditing, assessed_on=today())
    assert WorkItem.objects.filter(step="assess_again").count() == 1, "only the newest asks"


def test_who_took_part_does_not_judge_the_training(manager: Person, auditing: Competence) -> None:
    training = workflow.plan_training(
        by=manager, title="Auditing", owner=manager, planned_on=today(), participants=[manager]
    )
    workflow.hold(training, by=manager, done_on=today())
    with pytest.raises(Refused, match="Who took part does not judge"):
        workflow.judge_effective(training, by=manager, result="Fine.")
    other = factories.person("process_owner")
    workflow.judge_not_effective(training, by=other, result="No report improved.")
    assert (training.judged_by, training.status) == (other, "not_effective")


def test_a_training_without_participants_was_not_held(manager: Person) -> None:
    training = workflow.plan_training(
        by=manager, title="Auditing", owner=manager, planned_on=today()
    )
    with pytest.raises(Refused, match="Nobody takes part yet"):
        workflow.hold(training, by=manager, done_on=today())


def test_the_matrix_asks_the_same_for_two_people_as_for_forty(
    manager: Person, auditing: Competence, client: Client
) -> None:
    workflow.require(by=manager, competence=auditing, role="auditor")
    workflow.require(by=manager, competence=auditing, job_title="Fitter", level=2)
    person = factories.person("auditor")
    found(manager, person, auditing)
    client.force_login(manager)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page = client.get("/competence/")
        assert page.status_code == 200
        return len(seen)

    before = queries()
    multiply(person, 40, email="'many' || n || '@example.com'")
    multiply(auditing, 20, name="'Skill ' || n")
    assert queries() == before
    drawn = matrix(today())
    assert len(drawn.lines) >= 42
    assert len(drawn.competences) == 21
    assert b"".join(client.get("/competence/?format=csv").streaming_content).count(b"\n") >= 43


@given(
    asked=st.integers(0, 4),
    level=st.integers(1, 4),
    ends=st.one_of(st.none(), st.integers(-400, 400)),
)
def test_a_cell_is_a_gap_exactly_where_what_is_asked_for_does_not_hold(
    asked: int, level: int, ends: int | None
) -> None:
    day = date(2026, 6, 1)
    until = None if ends is None else day + timedelta(days=ends)
    start = day - timedelta(days=500)
    record = CompetenceRecord(level=level, assessed_on=start, valid_until=until)
    tone, words = _standing(asked, record, day)
    assert (tone == "late") == (asked > 0 and not record.holds_on(day, asked))
    assert words
