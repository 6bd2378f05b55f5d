"""A list asks the same number of questions of the database at 10 rows and at 1,000."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from audits import workflow as audits
from audits.models import Audit, CertificationBody
from capa.workflow import hold_output, raise_nonconformity, take_up_complaint, tell
from documents import workflow as documents
from documents.models import Document
from documents.workflow import create_document
from objectives import workflow as objectives
from objectives.models import Analysis
from qms.actions.workflow import plan_action
from qms.changes.workflow import plan_change
from qms.competence.models import Competence
from qms.competence.workflow import define_competence, plan_training, record_competence
from qms.customers.workflow import (
    draft_survey,
    enter_customer,
    open_survey,
    record_review,
    take_feedback,
)
from qms.equipment.models import ImpactAssessment
from qms.equipment.workflow import enter_equipment, record_calibration
from qms.gap import workflow as gap
from qms.gap.models import Assessment
from qms.journey.workflow import record_briefing
from qms.listing import ListPage
from qms.local.permissions import pages
from qms.outbox import workflow as outbox
from qms.outbox.models import Effect
from qms.pack.workflow import plan_pack
from qms.people.models import Person
from qms.periods import today
from qms.providers.workflow import propose_provider, record_evaluation
from qms.risks.workflow import (
    evaluate_opportunity,
    evaluate_risk,
    identify_opportunity,
    identify_risk,
)
from qms.scope.models import Flow, InterestedParty, Process, Site
from qms.scope.workflow import (
    activate,
    add_flow,
    add_need,
    add_party,
    add_site,
    close_for,
    create_process,
    plan_extension,
    raise_issue,
    register_requirement,
)
from qms.suggestions.workflow import suggest
from qms.work.models import WorkItem
from tests import factories, scenes
from tests.many import multiply
from tests.sampling import spread
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.proof]
MOST_QUERIES = 12
# The home page draws the month beside the list; the context compares four registers over a year.
MORE = {"/": 15, "/scope/context/": 20}


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", "lead_auditor")


@pytest.fixture
def process(manager: Person) -> Process:
    owner = factories.person("process_owner")
    made = create_process(
        by=manager, code="PR", name="Production", owner=owner, clauses=["2026:8.5.1"]
    )
    return activate(made, by=manager)


def a_document(manager: Person, process: Process) -> Any:
    return create_document(
        by=manager, title="Purchasing", kind="procedure", owner=manager, process=process
    )


def a_reading_task(manager: Person, process: Process) -> Any:
    cast = scenes.Cast()
    return scenes.a_reading_task(cast)


def a_reviewed_document(manager: Person, process: Process) -> Any:
    """Due for review soon, because its interval is short."""
    cast = scenes.Cast()
    revision = scenes.approve(cast, scenes.a_draft(cast, review_months=1))
    return Document.objects.get(pk=revision.document_id)


def a_controlled_copy(manager: Person, process: Process) -> Any:
    return scenes.a_controlled_copy(scenes.Cast())


def an_entry(manager: Person, process: Process) -> Any:
    form = Document.objects.filter(kind="form").first() or scenes.a_form(Cast())
    return documents.start_entry(by=manager, form=form, values={"bore": "12"})


def a_proposal(manager: Person, process: Process) -> Any:
    entry = documents.submit_entry(an_entry(manager, process), by=manager)
    return entry.proposals.get()


def an_action(manager: Person, process: Process) -> Any:
    return plan_action(by=manager, title="Fit a guard", owner=manager, due=today())


def a_problem(manager: Person, process: Process) -> Any:
    return raise_nonconformity(by=manager, title="Torque not recorded", process=process)


def a_report(manager: Person, process: Process) -> Any:
    return tell(by=manager, title="Oil on the floor", process=process)


def a_heard_complaint(manager: Person, process: Process) -> Any:
    return take_feedback(
        by=manager,
        customer=a_customer(manager, process),
        heard_on=today(),
        kind="complaint",
        came_by="mail",
        words="Too late.",
    )


def a_handled_complaint(manager: Person, process: Process) -> Any:
    return take_up_complaint(by=manager, feedback=a_heard_complaint(manager, process))


def an_output(manager: Person, process: Process) -> Any:
    return hold_output(
        by=manager, what="Too wide", product="Valve", quantity=Decimal(2), process=process
    )


def an_audit(manager: Person, process: Process) -> Any:
    lead = Person.objects.holding("lead_auditor").first()
    return audits.plan_audit(
        by=manager, process=process, planned_on=today(), lead=lead, clauses=["2026:4.1"]
    )


def a_finding(manager: Person, process: Process) -> Any:
    running = Audit.objects.filter(status="in_progress").first()
    if running is None:
        return scenes.a_finding(Cast())
    return audits.record_finding(running, by=running.lead, grade="good", statement="Tidy.")


def a_certification_body(manager: Person, process: Process) -> Any:
    return audits.enter_body(by=manager, name=f"Register {CertificationBody.objects.count()}")


def a_body_finding(manager: Person, process: Process) -> Any:
    return audits.record_body_finding(
        by=manager,
        visit=scenes.a_visit(Cast()),
        reference="OBS-1",
        grade="observation",
        statement="The board in hall 2 is hard to read.",
        found_on=today(),
    )


def an_objective(manager: Person, process: Process) -> Any:
    return scenes.an_objective(Cast())


def a_pursued_objective(manager: Person, process: Process) -> Any:
    return objectives.activate(an_objective(manager, process), by=manager)


def an_indicator(manager: Person, process: Process) -> Any:
    return scenes.an_indicator(Cast())


def a_sheet_of_readings(manager: Person, process: Process) -> Any:
    return scenes.a_sheet(Cast())


def some_work(manager: Person, process: Process) -> Any:
    return WorkItem.objects.get(record_id=a_problem(manager, process).pk)


def a_process(manager: Person, process: Process) -> Any:
    code = f"X{Process.objects.count()}"
    return create_process(by=manager, code=code, name="Making", owner=process.owner)


def a_flow(manager: Person, process: Process) -> Any:
    what = f"Orders {Flow.objects.count()}"
    return add_flow(by=manager, what=what, target=process, source_party="Customers")


def an_extension(manager: Person, process: Process) -> Any:
    return plan_extension(
        by=manager, what="Repairs", why_later="Later.", target_on=today(), process=process
    )


def an_issue(manager: Person, process: Process) -> Any:
    return raise_issue(
        by=manager, what="Steel gets scarce", category="supply", why="We use it.", owner=manager
    )


def a_party(manager: Person, process: Process) -> Any:
    name = f"Party {InterestedParty.objects.count()}"
    return add_party(by=manager, name=name, why="They buy.", owner=manager)


def a_need(manager: Person, process: Process) -> Any:
    return add_need(by=manager, party=a_party(manager, process), what="No leak")


def a_requirement(manager: Person, process: Process) -> Any:
    return register_requirement(
        by=manager, what="Test it", source="Code 7", owner=manager, processes=[process]
    )


def a_risk(manager: Person, process: Process) -> Any:
    made = identify_risk(by=manager, title="One forge", owner=manager, process=process)
    return evaluate_risk(made, by=manager, first=4, second=4, why="It burned.")


def an_opportunity(manager: Person, process: Process) -> Any:
    made = identify_opportunity(by=manager, title="Kits", owner=manager, process=process)
    return evaluate_opportunity(made, by=manager, first=4, second=4, why="They ask.")


def a_change(manager: Person, process: Process) -> Any:
    return plan_change(
        by=manager,
        title="A second bench",
        purpose="Less waiting.",
        owner=manager,
        starts_on=today(),
        due=today(),
        touches=[process],
    )


def an_assessment(manager: Person, process: Process) -> Any:
    made = gap.start_assessment(by=manager, edition="2026")
    return gap.void(made, by=manager, reason="Begun twice.")


def a_briefing(manager: Person, process: Process) -> Any:
    return record_briefing(
        by=manager, held_on=today(), topics="All.", hours=9, budget=Decimal(0), attendees=[manager]
    )


Make = Callable[[Person, Process], Any]


# A list, what makes one of its rows, and what must differ between its copies.
def a_competence(manager: Person, process: Process) -> Any:
    name = f"Welding {Competence.objects.count()}"
    return define_competence(by=manager, name=name, meaning="Welds steel.", method="tested")


def a_finding_of_competence(manager: Person, process: Process) -> Any:
    return record_competence(
        by=manager,
        person=process.owner,
        competence=a_competence(manager, process),
        level=3,
        evidence="A test piece.",
    )


def a_training(manager: Person, process: Process) -> Any:
    return plan_training(by=manager, title="Welding", owner=manager, planned_on=today())


def a_suggestion(manager: Person, process: Process) -> Any:
    return suggest(by=manager, title="Label the shelves")


def a_provider(manager: Person, process: Process) -> Any:
    return propose_provider(
        by=manager, name="Forge", provides="Bodies", owner=manager, another=True
    )


def an_evaluation(manager: Person, process: Process) -> Any:
    return record_evaluation(
        a_provider(manager, process),
        by=manager,
        evaluated_on=today(),
        results={"Delivery": "3"},
        verdict="suitable",
        conclusion="Good.",
    )


def an_instrument(manager: Person, process: Process) -> Any:
    return enter_equipment(by=manager, name="Scale", measures="Mass", owner=manager, unit="g")


def a_calibration(manager: Person, process: Process) -> Any:
    return record_calibration(
        an_instrument(manager, process),
        by=manager,
        calibrated_on=today(),
        result="fail",
        reference="Weights",
        laboratory="Metrolab",
    )


def an_impact(manager: Person, process: Process) -> Any:
    return ImpactAssessment.objects.get(calibration=a_calibration(manager, process))


def a_customer(manager: Person, process: Process) -> Any:
    return enter_customer(by=manager, name="Works", buys="Valves", owner=manager, another=True)


def a_satisfaction_review(manager: Person, process: Process) -> Any:
    return record_review(
        a_customer(manager, process),
        by=manager,
        reviewed_on=today(),
        source="talk",
        verdict="satisfied",
        heard="All is well.",
    )


def a_survey(manager: Person, process: Process) -> Any:
    asked = enter_customer(
        by=manager,
        name="Works",
        buys="Valves",
        owner=manager,
        email="desk@works.example",
        another=True,
    )
    drafted = draft_survey(by=manager, title="Valves", closes_on=today(), customers=[asked])
    return open_survey(drafted, by=manager)


def a_remark(manager: Person, process: Process) -> Any:
    return take_feedback(
        by=manager,
        customer=a_customer(manager, process),
        heard_on=today(),
        kind="praise",
        came_by="visit",
        words="On time.",
    )


def a_scene(begin: Callable[[Cast], Any]) -> Make:
    """A record as `tests/scenes.py` makes it."""

    def make(manager: Person, process: Process) -> Any:
        cast = Cast()
        cast.things |= {
            "process": process,
            "site": Site.objects.first() or a_site(manager, process),
        }
        return begin(cast)

    return make


def a_site(manager: Person, process: Process) -> Any:
    return add_site(by=manager, name=f"Works {Site.objects.count()}")


def a_person(manager: Person, process: Process) -> Any:
    return factories.person("employee")


def an_effect(manager: Person, process: Process) -> Any:
    effect = outbox.add("mail", f"of a list {Effect.objects.count()}", to=manager.pk)
    Effect.objects.filter(pk=effect.pk).update(state=Effect.State.DEAD)  # who waits is not listed
    return effect


def a_closed_time(manager: Person, process: Process) -> Any:
    return close_for(by=manager, starts_on=today(), ends_on=today(), why="Stocktaking.")


def a_step_of_a_roadmap(manager: Person, process: Process) -> Any:
    assessment = Assessment.objects.first() or gap.start_assessment(by=manager, edition="2026")
    return plan_action(
        by=manager, title="Do", owner=manager, due=today(), origin=assessment.answers.first()
    )


def a_pack(manager: Person, process: Process) -> Any:
    return plan_pack(by=manager)


def a_document_out_of_use(manager: Person, process: Process) -> Any:
    cast = Cast()
    revision = scenes.approve(cast, scenes.a_draft(cast))
    scenes.withdraw_its_document(cast, revision)
    return revision.document


def a_hold(manager: Person, process: Process) -> Any:
    return documents.place_hold(by=manager, title="A claim", why="A customer.", process=process)


def an_analysis(manager: Person, process: Process) -> Any:
    day = today() - timedelta(days=analyses_so_far())
    return objectives.begin_analysis(
        by=manager, process=process, period_start=day, period_end=today()
    )


def analyses_so_far() -> int:
    """No period of a process is analysed twice."""
    return int(Analysis.objects.count()) + 1


# Lists of one record: their address from a row.
WHERE: dict[str, Callable[[Any], str]] = {
    "/gap/<int:pk>/roadmap/": lambda row: f"/gap/{row.origin.assessment_id}/roadmap/",
    "/documents/forms/<int:pk>/": lambda row: f"/documents/forms/{row.form_id}/",
}


def its_own(table: str) -> str:
    """The key of one of the copies that were just made in a table."""
    return f'(select max(id) from "{table}") + 1 - n'  # noqa: S608 - a name of ours


# A row of these has something that no other row has: that is copied first, with its keys in a row.
ALONE: dict[str, Callable[[Any], list[tuple[Any, dict[str, str]]]]] = {
    "/documents/dispositions/": lambda row: [(row.document, {})],
    "/documents/reading/tasks/": lambda row: [
        (row.document, {}),
        (row.revision, {"document_id": its_own("documents_document")}),
    ],
    "/nonconformities/proposals/": lambda row: [(row.entry, {"once": "gen_random_uuid()"})],
    "/nonconformities/complaints/": lambda row: [(row.feedback, {})],
    "/equipment/impacts/": lambda row: [(row.calibration, {})],
    "/nonconformities/repeats/": lambda row: [(row.nonconformity, {})],
}
LISTS: list[tuple[str, Make, dict[str, str]]] = [
    ("/people/", a_person, {}),
    ("/outbox/", an_effect, {}),
    ("/scope/closed/", a_closed_time, {}),
    ("/scope/sites/", a_site, {}),
    ("/scope/climate/", a_scene(scenes.a_climate_decision), {}),
    ("/scope/statements/", a_scene(scenes.a_statement), {}),
    ("/gap/<int:pk>/roadmap/", a_step_of_a_roadmap, {}),
    ("/packs/", a_pack, {}),
    ("/documents/evidence/", a_scene(scenes.a_pointer), {}),
    ("/documents/retention/", a_document_out_of_use, {}),
    ("/documents/holds/", a_hold, {}),
    (
        "/documents/dispositions/",
        a_scene(scenes.a_disposition),
        {"document_id": its_own("documents_document")},
    ),
    ("/documents/forms/<int:pk>/", an_entry, {"once": "gen_random_uuid()"}),
    ("/audits/programmes/", a_scene(scenes.a_programme), {}),
    ("/audits/marks/", a_scene(scenes.a_mark_use), {}),
    (
        "/nonconformities/repeats/",
        a_scene(scenes.a_repeat),
        {"nonconformity_id": its_own("capa_nonconformity")},
    ),
    ("/nonconformities/costs/entries/", a_scene(scenes.a_cost), {}),
    ("/nonconformities/corrective-actions/", a_scene(scenes.a_corrective_action), {}),
    ("/reviews/", a_scene(scenes.a_review), {}),
    ("/documents/", a_document, {}),
    (
        "/documents/reading/tasks/",
        a_reading_task,
        {
            "revision_id": its_own("documents_revision"),
            "document_id": its_own("documents_document"),
        },
    ),
    ("/documents/reviews/", a_reviewed_document, {}),
    ("/documents/copies/", a_controlled_copy, {"digest": "md5(r.digest || n)"}),
    ("/documents/entries/", an_entry, {"once": "gen_random_uuid()"}),
    ("/documents/forms/", an_entry, {"once": "gen_random_uuid()"}),
    ("/nonconformities/proposals/", a_proposal, {"entry_id": its_own("documents_entry")}),
    ("/nonconformities/reports/", a_report, {}),
    ("/nonconformities/reports/sort/", a_report, {}),
    (
        "/nonconformities/complaints/",
        a_handled_complaint,
        {"feedback_id": its_own("customers_feedback")},
    ),
    ("/nonconformities/complaints/trend/", a_heard_complaint, {}),
    ("/nonconformities/outputs/", an_output, {}),
    ("/actions/", an_action, {}),
    ("/nonconformities/", a_problem, {}),
    ("/audits/", an_audit, {}),
    ("/audits/figures/", an_audit, {}),
    (
        "/audits/templates/",
        lambda manager, process: scenes.a_template(Cast()),
        {"name": "r.name || n"},
    ),
    ("/audits/findings/", a_finding, {"position": "r.position + 100 + n"}),
    ("/audits/certificates/", lambda manager, process: scenes.an_application(Cast()), {}),
    ("/audits/bodies/", a_certification_body, {"name": "r.name || n"}),
    (
        "/audits/body-findings/",
        a_body_finding,
        {"reference": "r.reference || n"},
    ),
    ("/objectives/", an_objective, {}),
    ("/objectives/standing/", a_pursued_objective, {}),
    ("/objectives/tree/", an_objective, {}),
    ("/objectives/indicators/", an_indicator, {}),
    ("/objectives/analyses/", an_analysis, {}),
    ("/objectives/imports/", a_sheet_of_readings, {}),
    ("/competence/competences/", a_competence, {"name": "r.name || '-' || n"}),
    ("/competence/findings/", a_finding_of_competence, {}),
    ("/competence/trainings/", a_training, {}),
    ("/suggestions/", a_suggestion, {}),
    ("/scope/processes/", a_process, {}),
    ("/scope/processes/map/", a_process, {}),
    ("/scope/processes/checks/", a_flow, {"what": "r.what || n"}),
    ("/scope/processes/flows/", a_flow, {"what": "r.what || n"}),
    ("/scope/extensions/", an_extension, {}),
    ("/scope/context/", an_issue, {}),
    ("/scope/issues/", an_issue, {}),
    ("/scope/parties/", a_party, {"name": "r.name || '-' || n"}),
    ("/scope/needs/", a_need, {}),
    ("/scope/requirements/", a_requirement, {}),
    ("/risks/", a_risk, {}),
    ("/risks/matrix/", a_risk, {}),
    ("/opportunities/", an_opportunity, {}),
    ("/opportunities/matrix/", an_opportunity, {}),
    ("/changes/", a_change, {}),
    ("/providers/", a_provider, {}),
    ("/providers/evaluations/", an_evaluation, {}),
    ("/equipment/", an_instrument, {}),
    ("/equipment/calibrations/", a_calibration, {}),
    ("/equipment/impacts/", an_impact, {"calibration_id": its_own("equipment_calibration")}),
    ("/customers/", a_customer, {}),
    ("/customers/reviews/", a_satisfaction_review, {}),
    ("/customers/surveys/", a_survey, {}),
    ("/customers/surveys/results/", a_survey, {}),
    ("/customers/feedback/", a_remark, {}),
    ("/gap/", an_assessment, {}),
    ("/journey/briefings/", a_briefing, {}),
    ("/", some_work, {"record_id": "r.record_id + 1000 * n"}),
]


def shows_a_list(view: Any) -> bool:
    """By itself, or by a function beside it."""
    source = inspect.getsource(view)
    beside = [
        inspect.getsource(each)
        for name, each in vars(inspect.getmodule(view)).items()
        if inspect.isfunction(each) and re.search(rf"\b{name}\(", source)
        if each.__module__ == view.__module__
    ]
    return any("show_list(" in each for each in (source, *beside))


def test_every_list_is_counted() -> None:
    """What `pages.show_list` shows stands above."""
    found = set()
    for route in pages():
        address = re.sub(r"<\w+:?\w*>", "1", route.path)
        if shows_a_list(inspect.unwrap(resolve(address).func)):
            found.add(route.path)
    assert "/risks/" in found, "which shows its list by way of another function"
    assert len(found) > 50
    assert found <= {address for address, _make, _differing in LISTS}


@pytest.mark.parametrize("listed", spread(LISTS, quick=8), ids=lambda listed: listed[0])
def test_a_list_asks_the_same_at_10_and_at_1000_rows(
    listed: tuple[str, Make, dict[str, str]],
    manager: Person,
    process: Process,
    client: Client,
) -> None:
    name, make, differing = listed
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    made = [make(manager, process)]
    address = WHERE[name](made[0]) if name in WHERE else name
    client.get(address)  # what is read once in the life of a process is read now

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        assert answer.status_code == 200
        said = [query["sql"] for query in asked.captured_queries]
        return sum(not each.startswith(("SAVEPOINT", "RELEASE")) for each in said)

    made += [make(manager, process) for _ in range(9)]
    few = count()
    for record, own in ALONE[name](made[0]) if name in ALONE else ():
        multiply(record, 990, **own)
    multiply(made[0], 990, **differing)
    assert type(made[0])._base_manager.count() >= 1000
    many = count()
    page = client.get(address).context.get("page")
    if isinstance(page, ListPage):
        assert (page.count >= 1000, len(page.rows)) == (True, page.size), "the copies are listed"
    # Savepoints are the test's own.
    assert many == few <= MORE.get(name, MOST_QUERIES)
