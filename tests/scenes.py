"""Scenes: how a fresh record of each procedure comes into each of its states, by the right people.

A table: for every stateful model a beginning and, for each of its transitions, who makes it, what
they enter and what must have happened before. `Stage` plays it; the clock is the test's own.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.core.files.base import ContentFile

from audits import workflow as audits
from audits.models import (
    Addendum,
    Audit,
    AuditNote,
    AuditProgramme,
    AuditSlot,
    BodyFinding,
    CalendarFeed,
    Certificate,
    CertificationAudit,
    CertificationBody,
    ChecklistTemplate,
    Finding,
    FindingGrade,
    MarkUse,
    VisitRequest,
    VisitSlot,
)
from capa import workflow as capa
from capa.models import (
    CaseAction,
    CauseAnalysis,
    Complaint,
    CorrectiveAction,
    CostEntry,
    EightD,
    NonconformingOutput,
    Nonconformity,
    Proposal,
    Repeat,
    Report,
)
from documents import workflow as documents
from documents.content import from_markdown
from documents.models import (
    Comment,
    ControlledCopy,
    Disposition,
    Document,
    Entry,
    EvidencePointer,
    FollowUp,
    KindRule,
    LegalHold,
    ReadingTask,
    ReviewFlag,
    Revision,
)
from objectives import schedule
from objectives import workflow as objectives
from objectives.models import (
    Analysis,
    ControlLimits,
    Indicator,
    Measurement,
    Objective,
    ReadingSheet,
    readings_of,
)
from objectives.workflow import sheets as reading_sheets
from qms import clock
from qms.actions import workflow as actions
from qms.actions.models import Action, Extension
from qms.changes import workflow as changes
from qms.changes.models import Change
from qms.competence import workflow as competence
from qms.competence.models import Competence, CompetenceRecord, CompetenceRequirement, Training
from qms.customers import workflow as customers
from qms.customers.models import (
    Customer,
    Feedback,
    SatisfactionReview,
    Survey,
    SurveyAnswer,
    SurveyInvitation,
)
from qms.equipment import workflow as equipment
from qms.equipment.models import Calibration, Equipment, ImpactAssessment
from qms.files import workflow as files
from qms.files.models import Attachment
from qms.gap import workflow as gap
from qms.gap.models import Assessment
from qms.journey import workflow as journey
from qms.journey.models import Briefing, Project
from qms.pack import workflow as packs
from qms.pack.models import Pack
from qms.people import workflow as people
from qms.people.models import Person, RoleAssignment
from qms.people.roles import ROLES
from qms.periods import Period, today
from qms.providers import workflow as providers
from qms.providers.models import Provider, ProviderEvaluation
from qms.risks import workflow as risks
from qms.risks.models import Opportunity, Risk
from qms.scope import workflow as scope
from qms.scope.models import (
    ClimateDecision,
    InterestedParty,
    Issue,
    Organisation,
    PartyRequirement,
    PlannedExtension,
    Process,
    Requirement,
    ScopeStatement,
    Site,
)
from qms.suggestions import workflow as suggestions
from qms.suggestions.models import Suggestion
from qms.workflow import Transition, amend, transition_named, transitions_of
from reviews import workflow as reviews
from reviews.models import Decision, Review
from tests import factories

# Everybody a procedure names, and the roles they hold. Strangers bear the name of their role.
PEOPLE: dict[str, tuple[str, ...]] = {
    "manager": ("quality_manager",),
    "boss": ("top_management",),
    "keeper": ("administrator",),
    "owner": ("process_owner",),  # of the process, the nonconformity, the action, the objective
    "author": ("process_owner",),
    "coauthor": ("quality_manager",),
    "reviewer": ("process_owner",),
    "approver": ("quality_manager",),
    "writer": ("quality_manager", "top_management"),  # of a scope statement
    "lead": ("lead_auditor",),
    "member": ("auditor",),
    "newcomer": (),
    "everything": tuple(ROLES),  # every role, and a stranger all the same
    **{role: (role,) for role in ROLES},
}


class Cast:
    """The people of a scene, each made when first called for."""

    def __init__(self) -> None:
        self._known: dict[str, Person] = {}
        self.things: dict[str, Any] = {}

    def assemble(self) -> "Cast":
        """Make everybody now, before anything that will be taken back."""
        for name in (*PEOPLE, "system", "gone"):
            getattr(self, name)
        return self

    def __getattr__(self, name: str) -> Any:
        if name not in (*PEOPLE, "system", "gone"):
            raise AttributeError(name)
        if name not in self._known:
            self._known[name] = self._make(name)
        return self._known[name]

    def _make(self, name: str) -> Person:
        if name == "system":
            return Person.objects.system()
        if name == "gone":
            left = factories.person(*ROLES, name="Gone")
            left.is_active = False
            left.save_because("Left.", by=None)
            return Person.objects.get(pk=left.pk)
        return factories.person(*PEOPLE[name], name=name.replace("_", " ").title())

    def process(self) -> Process:
        """A process that runs at a site, owned by `owner`."""
        if "process" not in self.things:
            site = scope.add_site(by=self.manager, name="Works")
            made = scope.create_process(
                by=self.manager,
                code="BUY",
                name="Buying",
                owner=self.owner,
                clauses=["2026:8.4.1"],
                sites=[site],
            )
            self.things |= {"site": site, "process": scope.activate(made, by=self.manager)}
        found: Process = self.things["process"]
        return found


Prepare = Callable[[Cast, Any], Any]


@dataclass(frozen=True)
class Step:
    """One transition: who makes it, what they enter, and what happens first.

    `before` happens, `days` pass, then `prepare` happens; both may return another record to go
    on with. `never` are people whom their part in the
    record forbids the move. `through` is what causes the move where nobody makes it by hand.
    """

    who: str
    details: Callable[[Cast], dict[str, Any]] = lambda cast: {}
    before: Prepare | None = None
    days: int = 0
    prepare: Prepare | None = None
    never: tuple[str, ...] = ()
    through: Prepare | None = None
    detour: bool = False


@dataclass(frozen=True)
class Scene:
    """A procedure as it is played. `page` names the address of its steps, `api` its resource."""

    model: type[Any]
    begin: Callable[[Cast], Any]
    steps: dict[str, Step]
    page: str = ""
    api: str = ""
    no_api: str = ""
    people: tuple[str, ...] = ()


class Stage:
    """A record brought into a state; `clock` is a travelling clock of time_machine."""

    def __init__(self, scene: Scene, cast: Cast, travel: time_machine.Traveller) -> None:
        self.scene, self.cast, self.travel = scene, cast, travel
        self.record = scene.begin(cast)

    def bring_to(self, state: str) -> None:
        for step in path_to(self.scene, state):
            self.ready(step)
            self.move(step)

    def ready(self, transition: Transition) -> None:
        """Everything that must have happened before the move."""
        step = self.scene.steps[transition.name]
        if step.before:
            self.record = step.before(self.cast, self.record) or self.record
        self.travel.shift(timedelta(days=step.days))
        if step.prepare:
            self.record = step.prepare(self.cast, self.record) or self.record

    def move(self, transition: Transition) -> None:
        step = self.scene.steps[transition.name]
        if step.through:
            step.through(self.cast, self.record)
        else:
            make(transition, self.record, getattr(self.cast, step.who), step.details(self.cast))
        self.record.refresh_from_db()
        assert self.record.state == transition.target, f"{transition.name}: {self.record.state}"


def make(transition: Transition, record: Any, by: Any, details: dict[str, Any]) -> Any:
    """Make the move with a good reason and one's own signature, where they are asked for."""
    return transition(
        record,
        by=by,
        reason="It has to be." if transition.needs_reason else "",
        proof=factories.proof(by) if transition.signs else None,
        **details,
    )


def path_to(scene: Scene, state: str) -> list[Transition]:
    """The shortest way from the first state, by the main road where there is one."""
    for roads in (False, True):
        way = _search(scene, state, with_detours=roads)
        if way is not None:
            return way
    raise LookupError(f"No step of {scene.model.__name__} leads to {state}.")


def _search(scene: Scene, state: str, *, with_detours: bool) -> list[Transition] | None:
    first = scene.model.first_state()
    ways: dict[str, list[Transition]] = {first: []}
    waiting = deque([first])
    while waiting:
        at = waiting.popleft()
        for each in transitions_of(scene.model):
            open_road = with_detours or not scene.steps[each.name].detour
            if at in each.source and each.target not in ways and open_road:
                ways[each.target] = [*ways[at], each]
                waiting.append(each.target)
    return ways.get(state)


def in_days(days: int) -> Any:
    return today() + timedelta(days=days)


# Who neither answers a complaint nor keeps or leads the system.
NOT_THEIRS = (
    *("employee", "newcomer", "process_owner", "administrator"),
    *("auditor", "lead_auditor"),
)

# --- beginnings and preparations ----------------------------------------------------------------


def an_action(cast: Cast) -> Action:
    return actions.plan_action(
        by=cast.manager, title="Fit a guard", owner=cast.owner, due=in_days(5)
    )


def an_action_to_train(cast: Cast, action: Action) -> Action:
    return actions.plan_action(
        by=cast.manager,
        title="Train the auditors",
        owner=cast.owner,
        due=in_days(5),
        kind="train",
        about=a_training(cast),
    )


def hold_its_training(cast: Cast, action: Action) -> None:
    competence.hold(action.about, by=cast.owner, done_on=today())


def a_later_day(cast: Cast) -> Extension:
    return actions.ask_extension(
        an_action(cast), by=cast.owner, until=in_days(20), reason="The guard comes late."
    )


def do_it_meanwhile(cast: Cast, extension: Extension) -> None:
    actions.complete(extension.action, by=cast.owner, result="Fitted.")


def a_competence(cast: Cast) -> Competence:
    return competence.define_competence(
        by=cast.manager,
        name="Internal auditing",
        meaning="Plans and carries out an audit alone.",
        method="observed",
        validity_months=24,
    )


def a_requirement_of_competence(cast: Cast) -> CompetenceRequirement:
    return competence.require(by=cast.manager, competence=a_competence(cast), role="auditor")


def a_finding_of_competence(cast: Cast) -> CompetenceRecord:
    return competence.record_competence(
        by=cast.manager,
        person=cast.member,
        competence=a_competence(cast),
        level=3,
        evidence="Led the audit of buying alone.",
    )


def a_training(cast: Cast) -> Training:
    return competence.plan_training(
        by=cast.manager,
        title="Auditing in two days",
        owner=cast.owner,
        planned_on=today(),
        participants=[cast.member],
    )


def a_suggestion(cast: Cast) -> Suggestion:
    return suggestions.suggest(by=cast.newcomer, title="Label the shelves")


def do_its_action(cast: Cast, suggestion: Suggestion) -> None:
    actions.complete(suggestion.action, by=cast.owner, result="Labelled.")


def void_its_action(cast: Cast, suggestion: Suggestion) -> None:
    actions.void(suggestion.action, by=cast.manager, reason="There is no room for it.")


def a_statement(cast: Cast) -> ScopeStatement:
    process = cast.process()
    return scope.draft_statement(
        by=cast.writer,
        statement="Making and repairing valves for water works in Ontario.",
        products_and_services="Valves",
        edition="2026",
        processes=[process],
        sites=[cast.things["site"]],
    )


def a_project(cast: Cast) -> Project:
    scope.set_up_organisation(
        by=cast.manager, name="Novak Valves", country="CA", time_zone="America/Toronto"
    )
    return journey.start_project(by=cast.manager)


def work_off_the_plan(cast: Cast, project: Project) -> None:
    for action in journey.actions_of(project).open():
        actions.complete(action, by=action.owner, result="Done.")


def a_briefing(cast: Cast) -> Briefing:
    return journey.record_briefing(
        by=cast.manager,
        held_on=today(),
        topics="What it brings and what it costs.",
        hours=400,
        budget=Decimal(12_000),
        attendees=[cast.boss, cast.top_management, cast.everything],
    )


def an_extension(cast: Cast) -> PlannedExtension:
    return scope.plan_extension(
        by=cast.manager,
        what="Repairs at the customer's site",
        why_later="Two people do it now; nothing is written yet.",
        process=cast.process(),
        target_on=in_days(300),
    )


def an_issue(cast: Cast) -> Issue:
    return scope.raise_issue(
        by=cast.manager,
        what="Brass may no longer contain lead",
        category="law",
        why="Half of our valves are of brass.",
        owner=cast.owner,
    )


def a_party(cast: Cast) -> InterestedParty:
    return scope.add_party(
        by=cast.manager, name="Water works", why="They buy our valves.", owner=cast.owner
    )


def a_need(cast: Cast) -> PartyRequirement:
    return scope.add_need(by=cast.manager, party=a_party(cast), what="No leak, ever")


def a_climate_decision(cast: Cast) -> ClimateDecision:
    return scope.decide_climate(by=cast.boss, relevant=False, reason="We looked at both sites.")


def a_requirement(cast: Cast) -> Requirement:
    return scope.register_requirement(
        by=cast.manager,
        what="Pressure test of every valve",
        source="Pressure equipment code, part 7",
        owner=cast.owner,
        how_met="The test bench keeps each curve.",
        processes=[cast.process()],
    )


def a_risk(cast: Cast) -> Risk:
    return risks.identify_risk(by=cast.manager, title="One forge only", owner=cast.owner)


def an_opportunity(cast: Cast) -> Opportunity:
    return risks.identify_opportunity(by=cast.manager, title="Repair kits", owner=cast.owner)


def carry_out_and_look_again(cast: Cast, record: Any) -> None:
    for action in Action.objects.raised_from(record).open():
        actions.complete(action, by=cast.owner, result="Done.")
    said = {"first": 2, "second": 2, "why": "It is in place."}
    if isinstance(record, Risk):
        risks.evaluate_risk_again(by=cast.owner, risk=record, **said)
    else:
        risks.evaluate_opportunity_again(by=cast.owner, opportunity=record, **said)


def outlook_steps(evaluate: str, treat: str, judge: str, anew: str, end: str) -> dict[str, Step]:
    """The steps of a risk, or of an opportunity, under their own names."""
    decision = "reduce" if evaluate == "evaluate_risk" else "pursue"
    name = evaluate.removeprefix("evaluate_")
    return {
        evaluate: Step(
            "owner",
            lambda cast: {"first": 3, "second": 3, "why": "It happened twice."},
            never=("process_owner",),
        ),
        treat: Step(
            "owner",
            lambda cast: {
                "decision": decision,
                "because": "",
                "action": "Find a second forge",
                "action_owner": cast.owner,
                "action_due": in_days(3),
            },
            never=("process_owner",),
        ),
        judge: Step(
            "manager",
            lambda cast: {"verdict": "Two forges deliver."},
            prepare=carry_out_and_look_again,
            never=("owner",),
        ),
        anew: Step("manager"),
        end: Step("owner", prepare=finish_its_actions, never=("process_owner",), detour=True),
        f"reopen_{name}": Step("owner", never=("process_owner",), detour=True),
    }


def finish_its_actions(cast: Cast, record: Any) -> None:
    for action in Action.objects.raised_from(record).open():
        actions.complete(action, by=cast.owner, result="Done.")


def a_change(cast: Cast) -> Change:
    return changes.plan_change(
        by=cast.author,
        title="A second test bench",
        purpose="Shorter waiting for tests.",
        what="A bench is added in hall 2.",
        consequences="Calibration needs one more day a month.",
        integrity="The old bench stays until the new one is released.",
        resources="40,000 dollars; two days of training.",
        communication="Shift meetings of both shifts.",
        criterion="No order waits longer than a day.",
        owner=cast.owner,
        starts_on=in_days(1),
        due=in_days(20),
    )


def a_provider(cast: Cast) -> Provider:
    return providers.propose_provider(
        by=cast.manager,
        name=f"Forge {Provider.objects.count() + 1}",
        provides="Bodies up to DN 200",
        owner=cast.owner,
        contact_email=cast.everything.email,
        processes=[cast.process()],
    )


def evaluate(cast: Cast, provider: Provider, verdict: str = "suitable") -> ProviderEvaluation:
    return providers.record_evaluation(
        provider,
        by=cast.owner,
        evaluated_on=today(),
        results={"Delivery": "3", "Certificate": "met"},
        verdict=verdict,
        conclusion="Late once, told in time.",
    )


def evaluated(cast: Cast, provider: Provider) -> None:
    evaluate(cast, provider)


def an_instrument(cast: Cast) -> Equipment:
    return equipment.enter_equipment(
        by=cast.manager,
        name="Micrometer",
        measures="Diameters of stems",
        owner=cast.owner,
        unit="mm",
        tolerance=Decimal("0.02"),
        every_months=1,
    )


def calibrate(cast: Cast, instrument: Equipment, **more: Any) -> Calibration:
    said = {"result": "pass", "as_found": Decimal("0.01"), "laboratory": "Metrolab", **more}
    return equipment.record_calibration(
        instrument, by=cast.owner, calibrated_on=today(), reference="Gauge blocks 12", **said
    )


def calibrated(cast: Cast, instrument: Equipment) -> None:
    calibrate(cast, instrument)


def an_impact(cast: Cast) -> ImpactAssessment:
    instrument = an_instrument(cast)
    calibrate(cast, instrument)
    failed = calibrate(cast, instrument, result="fail", as_found=Decimal("0.05"))
    return ImpactAssessment.objects.get(calibration=failed)


def say_what_was_measured(cast: Cast, impact: ImpactAssessment) -> None:
    amend(impact, by=cast.owner, changes={"measured": "Stems of lot 12."})


def a_customer(cast: Cast) -> Customer:
    return customers.enter_customer(
        by=cast.manager, name="Water works", buys="Gate valves", owner=cast.owner
    )


def a_satisfaction_review(cast: Cast) -> SatisfactionReview:
    return customers.record_review(
        a_customer(cast),
        by=cast.owner,
        reviewed_on=today(),
        source="talk",
        verdict="partly",
        heard="Answers take days.",
    )


def a_survey(cast: Cast, many: int = 1) -> Survey:
    asked = [
        customers.enter_customer(
            by=cast.manager,
            name=f"Works {place}",
            buys="Gate valves",
            owner=cast.owner,
            email=f"quality{place}@works.example",
            another=True,
        )
        for place in range(1, many + 1)
    ]
    return customers.draft_survey(
        by=cast.manager,
        title="How do we do?",
        about="Gate valves",
        closes_on=in_days(20),
        owner=cast.owner,
        questions="What should we change?",
        customers=asked,
    )


def an_invitation(cast: Cast, many: int = 1) -> SurveyInvitation:
    survey = customers.open_survey(a_survey(cast, many), by=cast.manager)
    return survey.invitations.order_by("pk").first()


def an_answer(cast: Cast, many: int = 1) -> SurveyAnswer:
    return customers.answer_survey(
        an_invitation(cast, many),
        by=cast.system,
        satisfaction=4,
        recommendation=9,
        comment="Go on.",
    )


def a_complaint(cast: Cast) -> Feedback:
    return customers.take_feedback(
        by=cast.owner,
        customer=a_customer(cast),
        heard_on=today(),
        kind="complaint",
        came_by="phone",
        words="Two valves leaked at the stem.",
    )


def approve_the_scope(cast: Cast, extension: PlannedExtension) -> None:
    sent = scope.submit(a_statement(cast), by=cast.writer)
    scope.approve(sent, by=cast.boss, proof=factories.proof(cast.boss))


def answer_every_clause(cast: Cast, assessment: Assessment) -> None:
    for each in assessment.answers.all():
        gap.answer(each, by=cast.manager, rating="in_place", evidence="QP-1")


def a_draft(cast: Cast, **more: Any) -> Revision:
    document = documents.create_document(
        by=cast.author,
        title="Purchasing",
        kind="procedure",
        owner=cast.owner,
        text=from_markdown("Buy well."),
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        **more,
    )
    return document.revisions.get()


def approve(cast: Cast, revision: Revision, **details: Any) -> Revision:
    documents.submit(revision, by=cast.author)
    documents.review(revision, by=cast.reviewer, proof=factories.proof(cast.reviewer))
    return documents.approve(
        revision, by=cast.approver, proof=factories.proof(cast.approver), **details
    )


def a_document(cast: Cast) -> Document:
    document = approve(cast, a_draft(cast)).document
    document.refresh_from_db()
    return document


QUESTIONS = [{"question": "Who buys?", "choices": ["The buyer", "Anybody"], "right": [0]}]


def a_reading_task(cast: Cast) -> ReadingTask:
    """The newcomer is asked to read a document that asks a question."""
    draft = a_draft(cast)
    amend(draft, by=cast.author, changes={"questions": QUESTIONS})
    approve(cast, draft)
    readers = documents.Readers(people=(cast.newcomer,))
    documents.set_audience(draft.document, readers, by=cast.manager)
    found: ReadingTask = draft.document.reading_tasks.get()
    return found


def a_controlled_copy(cast: Cast) -> ControlledCopy:
    return documents.issue_copy(a_document(cast), by=cast.manager, holder=cast.newcomer)


def a_follow_up(cast: Cast) -> FollowUp:
    """Of a document whose number stands in a training."""
    revision = approve(cast, a_draft(cast))
    competence.plan_training(
        by=cast.manager,
        title=f"How to use {revision.document.number}",
        owner=cast.lead,
        planned_on=today(),
    )
    revise_what_is_read(cast, revision)
    found: FollowUp = revision.document.follow_ups.get()
    return found


def a_review_flag(cast: Cast) -> ReviewFlag:
    """Of a document whose process got another purpose."""
    process = cast.process()
    document = approve(cast, a_draft(cast, process=process)).document
    amend(process, by=cast.manager, changes={"purpose": "Buy with care."}, reason="Asked for.")
    found: ReviewFlag = document.flags.get()
    return found


def reaffirm_it(cast: Cast, flag: ReviewFlag) -> None:
    document = Document.objects.get(pk=flag.document_id)
    documents.reaffirm(document, by=cast.owner, proof=factories.proof(cast.owner))


def answer_rightly(cast: Cast, task: ReadingTask) -> None:
    documents.answer(task, by=cast.newcomer, read=what_is_read(cast), answers=[[0]])


def what_is_read(cast: Cast) -> Revision:
    """The only revision in force of the scenes of reading."""
    found: Revision = Revision.objects.effective().get()
    return found


def revise_what_is_read(cast: Cast, task: Any) -> None:
    following = documents.start_revision(task.document, by=cast.author, change_summary="Clearer.")
    approve(cast, following)


def take_out_of_the_audience(cast: Cast, task: ReadingTask) -> None:
    documents.set_audience(task.document, documents.Readers(), by=cast.manager)


def put_back_into_the_audience(cast: Cast, task: ReadingTask) -> None:
    readers = documents.Readers(people=(cast.newcomer,))
    documents.set_audience(task.document, readers, by=cast.manager)


FIELDS: list[dict[str, Any]] = [
    {
        "key": "bore",
        "kind": "number",
        "label": "Bore",
        "unit": "mm",
        "decimals": 2,
        "low": "9.9",
        "high": "10.1",
        "required": True,
    },
    {"key": "remark", "kind": "text", "label": "Remark"},
    {"key": "released", "kind": "signature", "label": "Released", "signer": "another"},
]


def a_form(cast: Cast, fields: Any = None, **more: Any) -> Document:
    """A form in force."""
    made = documents.create_document(
        by=cast.author,
        title="Inspection",
        kind="form",
        owner=cast.owner,
        fields=FIELDS if fields is None else fields,
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
        **more,
    )
    form: Document = approve(cast, made.revisions.get()).document
    form.refresh_from_db()
    return form


def an_entry(cast: Cast, bore: str = "10.0", **more: Any) -> Entry:
    return documents.start_entry(by=cast.author, form=a_form(cast, **more), values={"bore": bore})


def with_a_newer_form(cast: Cast, entry: Entry) -> None:
    following = documents.start_revision(entry.form, by=cast.author, change_summary="Shorter.")
    amend(following, by=cast.author, changes={"fields": following.fields[:1]})
    approve(cast, following)


def submit_a_correction(cast: Cast, entry: Entry) -> None:
    correction = documents.correct_entry(entry, by=cast.author, why="Read wrongly.")
    documents.submit_entry(correction, by=cast.author)


def a_proposal(cast: Cast) -> Proposal:
    entry = documents.submit_entry(an_entry(cast, "12"), by=cast.author)
    return Proposal.objects.get(entry=entry)


def correct_its_entry(cast: Cast, proposal: Proposal) -> None:
    entry = Entry.objects.get(pk=proposal.entry_id)
    correction = documents.correct_entry(entry, by=cast.author, why="A typing error.")
    amend(correction, by=cast.author, changes={"values": {"bore": "10.0"}})
    documents.submit_entry(correction, by=cast.author)


def sign_the_review(cast: Cast, revision: Revision) -> None:
    documents.review(revision, by=cast.reviewer, proof=factories.proof(cast.reviewer))


def approve_for_tomorrow(cast: Cast, revision: Revision) -> None:
    documents.approve(
        revision,
        by=cast.approver,
        proof=factories.proof(cast.approver),
        effective_from=in_days(1),
    )


def a_successor(cast: Cast, revision: Revision) -> None:
    following = documents.start_revision(
        revision.document, by=cast.author, change_summary="Clearer."
    )
    approve(cast, following, effective_from=in_days(1))


def a_minor_one(cast: Cast, revision: Revision) -> Revision:
    """The next draft, begun as a minor change."""
    approve(cast, revision)
    return documents.start_revision(
        revision.document, by=cast.author, change_summary="A typing error.", is_minor=True
    )


def withdraw_its_document(cast: Cast, revision: Revision) -> None:
    document = Document.objects.get(pk=revision.document_id)
    documents.withdraw(document, by=cast.approver, reason="Merged into another.")


def a_pointer(cast: Cast) -> EvidencePointer:
    return documents.point_at_evidence(
        by=cast.manager,
        title="Every change is reviewed",
        system="Repository",
        query="https://code.example.com/changes?state=merged",
        owner=cast.owner,
        retention="Ten years",
    )


def with_a_sample(cast: Cast, pointer: EvidencePointer) -> None:
    files.attach(pointer, a_file(), by=cast.owner)


def a_disposition(cast: Cast) -> Disposition:
    """Of a procedure that was withdrawn two years ago and is kept for one."""
    if not KindRule.objects.filter(kind="procedure").exists():
        documents.change_rule(by=cast.manager, kind="procedure", prefix="QP", retention_years=1)
    with time_machine.travel(clock.now() - timedelta(days=800), tick=True):
        document = a_document(cast)
        documents.withdraw(document, by=cast.approver, reason="Merged.")
    return documents.propose_disposition(by=cast.manager, document=document, why="Kept enough.")


def an_objective(cast: Cast) -> Objective:
    return objectives.set_objective(
        by=cast.manager,
        title="Answer inquiries within a day",
        metric="Inquiries answered within 24 hours",
        unit="%",
        baseline=Decimal(80),
        target=Decimal(90),
        starts_on=in_days(-40),
        deadline=in_days(1),
        owner=cast.owner,
        evaluation="Counted from the mailbox at each month's end.",
    )


def an_analysis(cast: Cast) -> Analysis:
    return objectives.begin_analysis(
        by=cast.manager,
        process=cast.process(),
        period_start=in_days(-60),
        period_end=in_days(-1),
        conclusions="Answers come sooner, but not on Fridays.",
        decisions="Somebody looks on Fridays, too.",
    )


def read_every_period(cast: Cast, objective: Objective) -> None:
    while True:
        days = [day for day, _ in readings_of(objective)]
        period = schedule.next_reading(
            objective.frequency, objective.starts_on, objective.deadline, days
        )
        if period is None or period.start > today():
            return
        day = min(max(period.start, objective.starts_on), today())
        enter(cast, objective.indicator, day)


def an_indicator(cast: Cast) -> Indicator:
    return objectives.add_indicator(
        by=cast.manager,
        title="Inquiries answered within 24 hours",
        unit="%",
        starts_on=in_days(-40),
        responsible=cast.owner,
    )


def a_charted_indicator(cast: Cast) -> Indicator:
    """Measured every day on a control chart, with a signal on the last day."""
    indicator = objectives.add_indicator(
        by=cast.manager,
        title="Turnaround",
        unit="h",
        starts_on=in_days(-40),
        responsible=cast.owner,
        frequency="daily",
        chart="i-mr",
    )
    for day in range(-12, 0):
        value = Decimal(50 + day % 3)
        objectives.record_reading(
            by=cast.owner, indicator=indicator, measured_for=in_days(day), value=value
        )
    return indicator


def some_limits(cast: Cast) -> ControlLimits:
    return objectives.freeze_limits(
        by=cast.manager,
        indicator=a_charted_indicator(cast),
        first_on=in_days(-12),
        last_on=in_days(-1),
        because="The first twelve days.",
    )


def a_computed_reading(cast: Cast) -> Measurement:
    """Nothing was open last month when it was computed; then something of that month turned up."""
    indicator = objectives.add_indicator(
        by=cast.manager,
        title="Nonconformities",
        unit="nonconformities",
        starts_on=in_days(-400),
        responsible=cast.owner,
        chart="c",
        computed_by="capa.raised",
    )
    period = Period.month(today().year - 1, 1)
    made = objectives.compute_reading(by=cast.system, indicator=indicator, period=period)
    capa.raise_nonconformity(
        by=cast.manager,
        title="Found late",
        statement="Found late.",
        requirement="Drawing 12.",
        evidence="Report.",
        owner=cast.owner,
        detected_on=period.end,
    )
    return made


def a_sheet(cast: Cast) -> ReadingSheet:
    return objectives.bring_sheet(
        by=cast.manager,
        indicator=an_indicator(cast),
        sheet=ContentFile(b"date,value\n2026-01-31,90\n2026-02-28,91\n", name="readings.csv"),
    )


def with_good_rows(cast: Cast, sheet: ReadingSheet) -> None:
    reading_sheets.tell(sheet, good=2, total=2)


def enter(cast: Cast, indicator: Indicator, day: Any) -> Measurement:
    return objectives.record_reading(
        by=cast.owner, indicator=indicator, measured_for=day, value=Decimal(95)
    )


def a_nonconformity(cast: Cast, **more: Any) -> Nonconformity:
    return capa.raise_nonconformity(
        by=cast.manager,
        title="Gasket leaks",
        statement="The gasket leaks at 10 bar.",
        requirement="Drawing 12 asks for 16 bar.",
        evidence="Test report 7.",
        owner=cast.owner,
        **more,
    )


FOUND = {"root_cause": "The gasket is of the wrong material.", "category": "material"}


def a_repeat(cast: Cast) -> Repeat:
    """Two cases of one cause, answered one after the other."""
    for _ in range(2):
        nc = capa.contain(a_nonconformity(cast), by=cast.owner, containment="Stock is blocked.")
        capa.find_cause(nc, by=cast.owner, similar="None found in stock.", **FOUND)
    return Repeat.objects.latest("pk")


def a_report(cast: Cast) -> Report:
    return capa.tell(by=cast.newcomer, title="Oil on the floor", place="Hall 2")


def a_handled_complaint(cast: Cast) -> Complaint:
    return capa.take_up_complaint(by=cast.owner, feedback=a_complaint(cast))


def a_cost(cast: Cast) -> CostEntry:
    return capa.enter_cost(
        by=cast.manager, nonconformity=a_nonconformity(cast), kind="scrap", amount=Decimal("120.50")
    )


def an_output(cast: Cast) -> NonconformingOutput:
    return capa.hold_output(
        by=cast.manager,
        what="Bore 0.2 mm too wide",
        product="Gate valve DN 50",
        quantity=Decimal(12),
        made_by=cast.author,
    )


def decided_to(disposition: str) -> Prepare:
    """Another one, about which was decided so."""

    def decide(cast: Cast, output: NonconformingOutput) -> NonconformingOutput:
        made = an_output(cast)
        return capa.decide_output(
            made, by=cast.manager, disposition=disposition, because="Fit for the purpose."
        )

    return decide


def from_a_register(cast: Cast, nc: Nonconformity) -> Nonconformity:
    return a_nonconformity(cast, number="NCR-77", taken_over="Taken over as NCR-77.")


def do_its_actions(cast: Cast, nc: Nonconformity) -> None:
    for action in capa.actions_of(nc).open():
        actions.complete(action, by=cast.owner, result="Fitted.")


# Who may look at uses of the mark, and sees to none here.
SEES_TO_NONE = (
    "newcomer",
    "employee",
    "administrator",
    "auditor",
    "lead_auditor",
    "process_owner",
    "top_management",
)

# Who may answer audits, and answers for nobody here.
NOT_THE_AUDITEE = (
    "auditor",
    "lead_auditor",
    "process_owner",
    "quality_manager",
    "top_management",
    "everything",
)


def put_in_place(cast: Cast, nc: Nonconformity) -> None:
    """Its tasks are done, and its corrective action is in place."""
    do_its_actions(cast, nc)
    for each in CorrectiveAction.objects.serving(nc).filter(status="planned"):
        capa.implement_action(each, by=cast.owner)


def find_it_effective(cast: Cast, nc: Nonconformity) -> None:
    for each in CorrectiveAction.objects.serving(nc).filter(status="implemented"):
        proof = factories.proof(cast.manager)
        capa.judge_effective(each, by=cast.manager, proof=proof, verdict="50 tests, no leak.")


def find_it_not_effective(aftermath: str) -> Prepare:
    def judge(cast: Cast, nc: Nonconformity) -> None:
        for each in CorrectiveAction.objects.serving(nc).filter(status="implemented"):
            capa.judge_not_effective(
                each,
                by=cast.manager,
                proof=factories.proof(cast.manager),
                verdict="It leaked again.",
                aftermath=aftermath,
            )

    return judge


def plan_from_the_other_side(cast: Cast, nc: Nonconformity) -> None:
    """A corrective action that serves it is planned on its own page."""
    action = capa.raise_corrective_action(
        by=cast.owner,
        title="Order the right gasket",
        owner=cast.owner,
        cause="Wrong material.",
        criterion="No leak in 50 tests.",
        nonconformities=[nc],
    )
    capa.add_task(action, by=cast.owner, title="Order it", owner=cast.owner, due=today())
    capa.start_plan(action, by=cast.owner, check_on=today())


def void_its_corrective_action(cast: Cast, nc: Nonconformity) -> None:
    for each in CorrectiveAction.objects.serving(nc).open():
        capa.void_action(each, by=cast.manager, reason="Planned by mistake.")


def another_plan(cast: Cast) -> dict[str, Any]:
    """A corrective action that is in action for another case."""
    action = a_corrective_action(cast)
    capa.start_plan(action, by=cast.owner, check_on=today())
    return {"corrective_action": action}


def a_corrective_action(cast: Cast) -> CorrectiveAction:
    action = capa.raise_corrective_action(
        by=cast.owner,
        title="Gaskets by their material",
        owner=cast.owner,
        cause="The order names no material.",
        criterion="No wrong gasket in 50 orders.",
    )
    capa.add_task(action, by=cast.owner, title="Change the order", owner=cast.owner, due=today())
    return action


def a_cause_analysis(cast: Cast) -> CauseAnalysis:
    return capa.begin_analysis(a_nonconformity(cast), by=cast.owner, fishbone={"People": ["New."]})


def an_8d(cast: Cast) -> EightD:
    return capa.begin_8d(
        a_nonconformity(cast), by=cast.owner, leader=cast.owner, members=[cast.member]
    )


def a_served_case(cast: Cast) -> CaseAction:
    nc = a_nonconformity(cast)
    capa.contain(nc, by=cast.owner, containment="Blocked.")
    said = {"root_cause": "Soft.", "category": "material", "similar": "None."}
    capa.find_cause(nc, by=cast.owner, **said)
    capa.serve(a_corrective_action(cast), nc, by=cast.owner)
    return CaseAction.objects.get(nonconformity=nc)


def ask_for_approval(cast: Cast, action: CorrectiveAction) -> None:
    """From now on the organisation asks for somebody else's approval of plans."""
    _settle_approval(cast, asked=True)


def ask_for_no_approval(cast: Cast, action: CorrectiveAction) -> None:
    _settle_approval(cast, asked=False)


def _settle_approval(cast: Cast, *, asked: bool) -> None:
    organisation = Organisation.objects.current() or scope.set_up_organisation(
        by=cast.keeper, name="Nova Valve Works", country="CA", time_zone="UTC"
    )
    changes = {"approves_plans": asked}
    amend(organisation, by=cast.manager, changes=changes, reason="Our way.")


def do_its_tasks(cast: Cast, action: CorrectiveAction) -> None:
    for task in capa.tasks_of(action).open():
        actions.complete(task, by=cast.owner, result="Changed.")


def an_audit(cast: Cast) -> Audit:
    return audits.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today(),
        lead=cast.lead,
        team=[cast.member],
    )


def a_customers_audit(cast: Cast) -> Audit:
    """A customer audits us; the lead is responsible for it here."""
    audit = audits.plan_audit(
        by=cast.lead,
        kind="customer",
        customer=customers.enter_customer(
            by=cast.manager, name="Northern Rail", buys="Valves", owner=cast.owner
        ),
        planned_on=today(),
        lead=cast.lead,
        team=[cast.member],
        outside_auditors="R. Novak",
    )
    return audits.start(audits.confirm(audit, by=cast.lead), by=cast.lead)


def their_audit_is_over(cast: Cast, audit: Audit) -> Audit:
    return audits.release(a_customers_audit(cast), by=cast.lead)


def a_customers_finding(cast: Cast, finding: Finding) -> Finding:
    """One they handed over, with their number and their day."""
    audit = a_customers_audit(cast)
    theirs = audits.record_finding(
        audit,
        by=cast.member,
        grade="observation",
        statement="The label is too small to read.",
        evidence="Crate 12.",
        reference="F-1",
        answer_due=in_days(20),
    )
    audits.release(audit, by=cast.lead)
    theirs.refresh_from_db()
    return theirs


def a_programme(cast: Cast) -> AuditProgramme:
    return audits.create_programme(
        by=cast.manager,
        title="Internal audits",
        starts_on=today(),
        objectives="Find out.",
        risks="Illness.",
        methods="On site.",
        resources="Two auditors.",
    )


def plan_in_it(cast: Cast, programme: AuditProgramme) -> None:
    audits.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today(),
        lead=cast.lead,
        programme=programme,
    )


def call_off_its_audits(cast: Cast, programme: AuditProgramme) -> None:
    for audit in programme.audits.exclude(status="void"):
        audits.void(audit, by=cast.manager, reason="Called off.")


def answer_its_questions(cast: Cast, audit: Audit) -> None:
    for item in audit.items.all():
        audits.answer(item, by=cast.member, answer="conforms")


def sign_its_report(cast: Cast, audit: Audit) -> None:
    """Answered in full and signed; who answers for the auditees has it now."""
    audit.refresh_from_db()
    if audit.signed_on is None:
        if audit.status == "in_progress":
            answer_its_questions(cast, audit)
        proof = factories.proof(cast.lead)
        audits.sign_report(audit, by=cast.lead, proof=proof, conclusions="All criteria are met.")


def sign_to_be_issued(cast: Cast, audit: Audit) -> None:
    """Signed so that it issues itself once it is acknowledged."""
    audit.refresh_from_db()
    if audit.status == "in_progress":
        answer_its_questions(cast, audit)
    proof = factories.proof(cast.lead)
    said = {"conclusions": "All criteria are met.", "issues_itself": True}
    audits.sign_report(audit, by=cast.lead, proof=proof, **said)


def have_it_acknowledged(cast: Cast, audit: Audit) -> None:
    sign_its_report(cast, audit)
    audits.acknowledge(audit, by=cast.owner)


def issue(cast: Cast, audit: Audit) -> None:
    have_it_acknowledged(cast, audit)
    audits.issue(audit, by=cast.lead)


def a_finding(cast: Cast) -> Finding:
    audit = audits.start(audits.confirm(an_audit(cast), by=cast.lead), by=cast.lead)
    return audits.record_finding(
        audit,
        by=cast.member,
        grade="observation",
        statement="A shelf bears no label.",
        evidence="Shelf 4 on the day.",
    )


def a_slot(cast: Cast) -> AuditSlot:
    return audits.add_slot(
        an_audit(cast), by=cast.lead, starts_at=time(9), ends_at=time(10), auditor=cast.member
    )


def a_feed(cast: Cast) -> CalendarFeed:
    return audits.open_feed(by=cast.member)


def a_note(cast: Cast) -> AuditNote:
    audit = audits.start(audits.confirm(an_audit(cast), by=cast.lead), by=cast.lead)
    return audits.take_note(audit, by=cast.member, words="Two drums without a label.")


def a_template(cast: Cast) -> ChecklistTemplate:
    return audits.keep_template(
        by=cast.manager,
        name=f"Workshop {ChecklistTemplate.objects.count()}",
        edition="2026",
        questions="8.5.1 Show the last three job cards.\nWho may stop the line?",
    )


def another_finding(cast: Cast, finding: Finding) -> None:
    """A second draft of the same audit, into which the first may be merged."""
    audits.record_finding(
        finding.audit, by=cast.member, grade="observation", evidence="Shelf 5 bears none either."
    )


def release_its_findings(cast: Cast, finding: Finding) -> None:
    audit = Audit.objects.get(pk=finding.audit_id)
    answer_its_questions(cast, audit)
    audits.release(audit, by=cast.lead)


def issue_its_report(cast: Cast, finding: Finding) -> None:
    issue(cast, Audit.objects.get(pk=finding.audit_id))


def an_addendum(cast: Cast) -> Addendum:
    finding = a_finding(cast)
    issue_its_report(cast, finding)
    return audits.draft_addendum(
        Audit.objects.get(pk=finding.audit_id),
        by=cast.lead,
        text="The shelf is number 14, not 4.",
        reason="The photo shows it.",
    )


def a_worded_grade(cast: Cast) -> FindingGrade:
    return audits.word_grade(by=cast.manager, grade="good", label="Strength")


def a_body(cast: Cast) -> CertificationBody:
    return CertificationBody.objects.first() or audits.enter_body(by=cast.manager, name="BSI")


def an_application(cast: Cast) -> Certificate:
    return audits.apply_for_certificate(by=cast.manager, body=a_body(cast), scope_text="Valves")


def cast_iron() -> str:
    """A scope that no certificate of a scene bears yet, so that it can be reduced again."""
    return f"Valves of cast iron, {Certificate.history.count()}"


def a_mark_use(cast: Cast) -> MarkUse:
    """The mark on the website, of a certificate that holds."""
    certificate = an_application(cast)
    stage_two(cast, certificate)
    audits.grant(
        certificate,
        by=cast.manager,
        number="FM 2",
        decided_on=today(),
        issued_on=today(),
        expires_on=in_days(900),
    )
    return audits.enter_mark_use(
        by=cast.manager,
        certificate=certificate,
        medium="website",
        place="The page about us",
        wording="Quality management system certified by BSI.",
        owner=cast.member,
    )


def a_visit(cast: Cast, certificate: Certificate | None = None) -> CertificationAudit:
    return audits.plan_visit(
        by=cast.manager,
        certificate=certificate or an_application(cast),
        kind="stage2",
        planned_on=today(),
    )


def stage_two(cast: Cast, certificate: Certificate) -> None:
    audits.record_visit(
        a_visit(cast, certificate), by=cast.manager, done_on=today(), result="Recommended."
    )


def a_body_finding(cast: Cast) -> BodyFinding:
    return audits.record_body_finding(
        by=cast.manager,
        visit=a_visit(cast),
        reference="NC-1",
        grade="minor",
        requirement="Records are kept.",
        statement="Two records were not kept.",
        evidence="Orders 4 and 9.",
        found_on=today(),
        process=cast.process(),
    )


def an_hour(cast: Cast) -> VisitSlot:
    return audits.plan_hour(
        a_visit(cast),
        by=cast.manager,
        starts_at=time(9),
        ends_at=time(10),
        body_auditor="J. Lavoie",
        escort=cast.member,
    )


def a_request(cast: Cast) -> VisitRequest:
    return audits.note_request(
        by=cast.manager,
        visit=a_visit(cast),
        what="The last three calibrations of bench 4",
        fetcher=cast.member,
    )


def a_remark(cast: Cast, finding: BodyFinding) -> BodyFinding:
    """An observation of the same visit, which asks for no answer."""
    return audits.record_body_finding(
        by=cast.manager,
        visit=finding.visit,
        reference=f"OBS-{BodyFinding.objects.count()}",
        grade="observation",
        statement="The board in hall 2 is hard to read.",
        found_on=today(),
    )


def prepare_its_answer(cast: Cast, finding: BodyFinding) -> None:
    """Contain it, find the cause and plan the action; a second answer needs no more."""
    nc = audits.nonconformity_of(finding)
    for name in ("contain", "find_cause", "plan"):
        if nc.status in transition_named(Nonconformity, name).source:
            step = SCENES[Nonconformity].steps[name]
            make(transition_named(Nonconformity, name), nc, nc.owner, step.details(cast))


def judge_its_answer(cast: Cast, finding: BodyFinding) -> None:
    """Go on with its nonconformity to the end."""
    prepare_its_answer(cast, finding)
    nc = audits.nonconformity_of(finding)
    put_in_place(cast, nc)
    find_it_effective(cast, nc)
    nc.refresh_from_db()
    if not nc.is_settled:
        capa.close(nc, by=cast.manager)


def a_review(cast: Cast) -> Review:
    return reviews.plan_review(by=cast.manager, chair=cast.boss, planned_on=today())


def answer_every_input(cast: Cast, review: Review) -> None:
    for each in reviews.inputs_of(review):
        if each.required and not each.is_answered:
            changes = {"no_change_because": "Nothing happened."}
            amend(each, by=cast.manager, changes=changes, reason="Prepared.")


def decide_everything(cast: Cast, review: Review) -> None:
    said = [
        reviews.Answered(row, "confirmed", "It still fits the policy.")
        for row in reviews.objectives_of(review)
    ]
    reviews.answer_objectives(said, by=cast.manager)
    for kind in Decision.Kind.values:
        reviews.decide(by=cast.manager, review=review, kind=kind, none_because="It is enough.")


def a_decision(cast: Cast) -> Decision:
    review = reviews.compile_inputs(a_review(cast), by=cast.manager)
    return reviews.decide(
        by=cast.manager, review=review, kind="resources", none_because="It is enough."
    )


def a_file(name: str = "note.txt") -> "ContentFile[bytes]":
    return ContentFile(b"measured 5.02 mm", name=name)


MADE = {
    "path": "packs/x.zip",
    "size": 10,
    "sha256": "a" * 64,
    "manifest_sha256": "b" * 64,
    "key_fingerprint": "c" * 64,
    "left_out": [],
}


# --- the table ----------------------------------------------------------------------------------

ALL = (
    Scene(
        RoleAssignment,
        lambda cast: people.give_role(cast.newcomer, "auditor", by=cast.keeper),
        {"end_role": Step("keeper")},
        page="people:role_transition",
        no_api="roles are given and ended by administrators on the pages only",
    ),
    Scene(
        Attachment,
        lambda cast: files.attach(an_action(cast), a_file(), by=cast.owner),
        {"void": Step("manager")},
        page="files:attachment_transition",
        no_api="files come and go with the record's page",
    ),
    Scene(
        Action,
        an_action,
        {
            "complete": Step("owner", lambda cast: {"result": "Fitted."}),
            "fulfil": Step("system", before=an_action_to_train, through=hold_its_training),
            "verify": Step("manager", never=("owner",)),
            "send_back": Step("manager"),
            "void": Step("manager"),
        },
        api="actions",
        people=("owner", "manager"),
    ),
    Scene(
        Extension,
        a_later_day,
        {
            "grant_extension": Step("manager", never=("owner",)),
            "refuse_extension": Step("manager", never=("owner",)),
            "lapse_extension": Step("system", through=do_it_meanwhile),
        },
        page="actions:extension_transition",
        api="action-extensions",
        people=("owner", "manager"),
    ),
    Scene(
        Site,
        lambda cast: scope.add_site(by=cast.manager, name="Depot"),
        {"close_site": Step("manager"), "reopen_site": Step("manager")},
        api="sites",
    ),
    Scene(
        Process,
        lambda cast: scope.create_process(
            by=cast.manager, code="SELL", name="Selling", owner=cast.owner
        ),
        {
            "activate": Step("owner", never=("process_owner",)),
            "retire": Step("manager", never=("owner", "process_owner")),
            "reactivate": Step("manager", never=("owner", "process_owner")),
        },
        api="processes",
        people=("owner",),
    ),
    Scene(
        ScopeStatement,
        a_statement,
        {
            "submit": Step("writer"),
            "approve": Step("boss", never=("writer",)),
            "supersede": Step("system"),
            "send_back": Step("boss"),
            "void": Step("writer"),
        },
        api="scope-statements",
        people=("writer", "boss"),
    ),
    Scene(
        Competence,
        a_competence,
        {"retire": Step("manager"), "bring_back": Step("manager")},
        page="competence:competence_transition",
        api="competences",
    ),
    Scene(
        CompetenceRequirement,
        a_requirement_of_competence,
        {"end_requirement": Step("manager")},
        page="competence:requirement_transition",
        api="competence-requirements",
    ),
    Scene(
        CompetenceRecord,
        a_finding_of_competence,
        {"void": Step("manager")},
        page="competence:record_transition",
        api="competence-records",
    ),
    Scene(
        Training,
        a_training,
        {
            "hold": Step("owner", details=lambda cast: {"done_on": today()}),
            "judge_effective": Step(
                "manager",
                details=lambda cast: {"result": "Two good reports since."},
                never=("member",),
            ),
            "judge_not_effective": Step(
                "manager",
                details=lambda cast: {"result": "The next report was no better."},
                never=("member",),
            ),
            "cancel": Step("manager"),
        },
        api="trainings",
    ),
    Scene(
        Suggestion,
        a_suggestion,
        {
            "take_up": Step(
                "manager",
                details=lambda cast: {
                    "answer": "A good idea, thank you.",
                    "owner": cast.owner,
                    "due": in_days(20),
                },
                never=("newcomer",),
            ),
            "decline": Step(
                "manager",
                details=lambda cast: {"answer": "The shelves go next month."},
                never=("newcomer",),
            ),
            "finish": Step("manager", prepare=do_its_action),
            "give_up": Step("manager", prepare=void_its_action, never=("newcomer",)),
        },
        api="suggestions",
    ),
    Scene(
        PlannedExtension,
        an_extension,
        {
            "take_in": Step("boss", prepare=approve_the_scope),
            "drop": Step("manager"),
            "plan_again": Step("manager"),
        },
        page="scope:extension_transition",
        api="planned-extensions",
    ),
    Scene(
        Assessment,
        lambda cast: gap.start_assessment(by=cast.manager, edition="2026"),
        {"complete": Step("manager", prepare=answer_every_clause), "void": Step("manager")},
        api="assessments",
    ),
    Scene(
        Project,
        a_project,
        {
            "begin": Step("manager", lambda cast: {"starts_on": today(), "months": 9}),
            "complete": Step("manager", prepare=work_off_the_plan),
            "resume": Step("manager"),
        },
        api="projects",
    ),
    Scene(
        Briefing,
        a_briefing,
        {"sign": Step("boss"), "void": Step("manager")},
        api="briefings",
        people=("boss", "manager"),
    ),
    Scene(
        Pack,
        lambda cast: packs.plan_pack(by=cast.manager),
        {
            "build": Step("manager"),
            "try_again": Step("manager"),
            "begin": Step("system", lambda cast: {"as_of": clock.now(), "plan": "x"}),
            "finish": Step("system", lambda cast: {"made": MADE}),
            "fail": Step("system", lambda cast: {"why": "The disk is full."}),
            "cancel": Step("manager"),
        },
        api="packs",
        people=("manager",),
    ),
    Scene(
        Revision,
        a_draft,
        {
            "make_major": Step("author", before=a_minor_one, detour=True),
            "submit": Step("author"),
            "review": Step("reviewer", never=("author", "approver", "everything"), detour=True),
            "pass_review": Step("system", through=sign_the_review),
            "approve": Step(
                "approver",
                lambda cast: {"effective_from": in_days(1)},
                never=("author", "reviewer", "everything"),
                detour=True,
            ),
            "approve_for_good": Step("system", through=approve_for_tomorrow),
            "make_effective": Step("approver", days=2),
            "supersede": Step("approver", before=a_successor, days=3),
            "send_back": Step("approver", never=("process_owner",)),
            "withdraw_revision": Step("approver", through=withdraw_its_document),
            "void": Step("author"),
        },
        api="revisions",
        people=("author", "reviewer", "approver"),
    ),
    Scene(
        EvidencePointer,
        a_pointer,
        {
            "take_sample": Step(
                "owner", lambda cast: {"seen": "All of May."}, prepare=with_a_sample, detour=True
            ),
            "end_pointer": Step("manager"),
        },
        api="evidence-pointers",
        people=("owner", "manager"),
    ),
    Scene(
        LegalHold,
        lambda cast: documents.place_hold(by=cast.manager, title="Claim", why="A customer sues."),
        {"lift": Step("manager")},
        api="legal-holds",
    ),
    Scene(
        Disposition,
        a_disposition,
        {
            "dispose": Step("boss", never=("manager",)),
            "decline_disposition": Step("boss"),
        },
        api="dispositions",
        people=("manager", "boss"),
    ),
    Scene(
        Comment,
        lambda cast: documents.add_comment(
            by=cast.manager, revision=a_draft(cast), words="Who signs?", block=0, quote="Buy well."
        ),
        {
            "settle": Step("author", lambda cast: {"answer": "The driver."}),
            "reopen": Step("author"),
        },
        api="comments",
        people=("author", "manager"),
    ),
    Scene(
        ReadingTask,
        a_reading_task,
        {
            "answer": Step(
                "newcomer",
                lambda cast: {"read": what_is_read(cast), "answers": [[1]]},
                never=("author", "manager", "everything"),
            ),
            "acknowledge": Step(
                "newcomer",
                lambda cast: {"read": what_is_read(cast)},
                prepare=answer_rightly,
                never=("author", "manager", "everything"),
            ),
            "lapse": Step("system", through=revise_what_is_read),
            "end_asking": Step("system", through=take_out_of_the_audience),
            "ask_again": Step("system", through=put_back_into_the_audience),
        },
        api="reading",
        people=("newcomer", "manager", "author"),
    ),
    Scene(
        ControlledCopy,
        a_controlled_copy,
        {
            "recall": Step("manager", never=("process_owner", "newcomer")),
            "return_copy": Step("newcomer", never=("process_owner",)),
            "destroy_copy": Step("newcomer", never=("process_owner",)),
            "lose_copy": Step("newcomer", never=("process_owner",)),
        },
        api="copies",
        people=("newcomer", "owner"),
    ),
    Scene(
        FollowUp,
        a_follow_up,
        {"bring_into_line": Step("lead", lambda cast: {"note": "Rewritten."}, never=("author",))},
        api="follow-ups",
        people=("lead", "author"),
    ),
    Scene(
        ReviewFlag,
        a_review_flag,
        {"settle_flag": Step("system", through=reaffirm_it)},
        api="review-flags",
        people=("owner", "manager"),
    ),
    Scene(
        Document,
        a_document,
        {"withdraw": Step("manager"), "reaffirm": Step("owner", never=("author", "newcomer"))},
        api="documents",
        people=("author", "manager"),
    ),
    Scene(
        Entry,
        an_entry,
        {
            "move_over": Step("author", prepare=with_a_newer_form, detour=True),
            "submit_entry": Step("author"),
            "sign_entry": Step("manager", never=("author",), detour=True),
            "mark_corrected": Step("system", through=submit_a_correction),
            "discard": Step("author", detour=True),
            "void": Step("manager"),
        },
        page="documents:entry_transition",
        api="entries",
        people=("author",),
    ),
    Scene(
        Proposal,
        a_proposal,
        {
            "take_up": Step("owner", lambda cast: {"grade": "minor"}, never=("employee",)),
            "decline": Step("owner", never=("employee",)),
            "lapse": Step("system", through=correct_its_entry),
        },
        page="capa:proposal_transition",
        api="proposed-nonconformities",
        people=("owner",),
    ),
    Scene(
        Repeat,
        a_repeat,
        {
            "confirm_repeat": Step("manager"),
            "dismiss_repeat": Step("manager"),
            "note_repeat": Step("boss", lambda cast: {"follows": "Stores are sorted by material."}),
        },
        page="capa:repeat_transition",
        api="repeats",
        people=("owner",),
    ),
    Scene(
        Objective,
        an_objective,
        {
            "activate": Step("manager"),
            "achieve": Step(
                "manager", lambda cast: {"verdict": "Reached."}, prepare=read_every_period, days=1
            ),
            "miss": Step("manager", lambda cast: {"verdict": "Missed."}, days=1),
            "withdraw": Step("manager"),
            "void": Step("manager"),
        },
        api="objectives",
        people=("owner",),
    ),
    Scene(
        Analysis,
        an_analysis,
        {
            "conclude_analysis": Step("owner", never=("process_owner",)),
            "void": Step("manager"),
        },
        api="analyses",
        people=("owner",),
    ),
    Scene(
        Indicator,
        an_indicator,
        {
            "retire": Step("owner", never=("process_owner",)),
            "resume": Step("owner", never=("process_owner",)),
            "void": Step("manager"),
        },
        page="objectives:indicator_transition",
        api="indicators",
        people=("owner",),
    ),
    Scene(
        Measurement,
        lambda cast: enter(cast, an_indicator(cast), today()),
        {
            "correct": Step(
                "owner",
                lambda cast: {
                    "figure": "94",
                    "measured_for": today(),
                    "because": "A typing error.",
                },
                never=("employee", "process_owner", "newcomer"),
            ),
            "take_back": Step("owner", never=("employee", "process_owner", "newcomer")),
            "recompute": Step(
                "owner",
                lambda cast: {"because": "One was found late."},
                prepare=lambda cast, reading: a_computed_reading(cast),
                never=("employee", "process_owner", "newcomer"),
                detour=True,
            ),
        },
        api="measurements",
        people=("owner", "newcomer"),
    ),
    Scene(
        ControlLimits,
        some_limits,
        {"take_back_limits": Step("manager", never=("process_owner",))},
        page="objectives:limits_transition",
        api="control-limits",
        people=("owner",),
    ),
    Scene(
        ReadingSheet,
        a_sheet,
        {
            "has_been_read": Step("system"),
            "accept": Step("manager", prepare=with_good_rows),
            "finish": Step("system", lambda cast: {"written": 2, "left_out": 0}),
            "fail": Step("system", lambda cast: {"why": "The sheet is gone."}),
            "cancel": Step("manager", never=("process_owner",)),
        },
        page="objectives:sheet_transition",
        api="reading-imports",
        people=("manager",),
    ),
    Scene(
        Issue,
        an_issue,
        {
            "confirm_issue": Step("owner", lambda cast: {"review_on": in_days(300)}, detour=True),
            "close_issue": Step("manager"),
            "reopen_issue": Step("manager"),
        },
        page="scope:issue_transition",
        api="issues",
    ),
    Scene(
        InterestedParty,
        a_party,
        {
            "confirm_party": Step("owner", lambda cast: {"review_on": in_days(300)}, detour=True),
            "close_party": Step("manager"),
            "reopen_party": Step("manager"),
        },
        page="scope:party_transition",
        api="interested-parties",
    ),
    Scene(
        PartyRequirement,
        a_need,
        {"withdraw_need": Step("manager"), "reopen_need": Step("manager")},
        page="scope:need_transition",
        api="party-requirements",
    ),
    Scene(
        ClimateDecision,
        a_climate_decision,
        {"give_way": Step("system")},
        page="scope:climate_transition",
        api="climate-decisions",
    ),
    Scene(
        Requirement,
        a_requirement,
        {
            "confirm_requirement": Step(
                "owner", lambda cast: {"review_on": in_days(300)}, detour=True
            ),
            "withdraw_requirement": Step("manager"),
            "reinstate_requirement": Step("manager"),
        },
        page="scope:requirement_transition",
        api="requirements",
    ),
    Scene(
        Risk,
        a_risk,
        outlook_steps(
            "evaluate_risk", "treat_risk", "risk_is_treated", "risk_not_treated", "close_risk"
        ),
        page="risks:risk_transition",
        api="risks",
        people=("owner",),
    ),
    Scene(
        Opportunity,
        an_opportunity,
        outlook_steps(
            "evaluate_opportunity",
            "treat_opportunity",
            "opportunity_paid",
            "opportunity_not_paid",
            "close_opportunity",
        ),
        page="risks:opportunity_transition",
        api="opportunities",
        people=("owner",),
    ),
    Scene(
        Change,
        a_change,
        {
            "approve": Step("boss"),
            "plan_anew": Step("owner", never=("process_owner", "lead_auditor")),
            "begin": Step("owner", never=("process_owner", "lead_auditor")),
            "finish": Step(
                "owner",
                lambda cast: {"result": "It stands and runs."},
                never=("process_owner", "lead_auditor"),
            ),
            "confirm_effective": Step(
                "manager", lambda cast: {"verdict": "Nobody waits."}, never=("owner",)
            ),
            "take_up_again": Step("manager"),
            "close_without_effect": Step(
                "manager", lambda cast: {"verdict": "They wait as before."}, never=("owner",)
            ),
            "cancel": Step("manager"),
        },
        api="changes",
        people=("owner", "author"),
    ),
    Scene(
        Provider,
        a_provider,
        {
            "approve": Step("manager", prepare=evaluated, never=("everything",)),
            "approve_with_conditions": Step(
                "manager",
                lambda cast: {"conditions": "Every lot is checked."},
                prepare=evaluated,
                never=("everything",),
            ),
            "suspend": Step("manager"),
            "end": Step("manager"),
            "take_up_again": Step("manager"),
        },
        api="providers",
        people=("owner",),
    ),
    Scene(
        ProviderEvaluation,
        lambda cast: evaluate(cast, a_provider(cast)),
        {"void": Step("manager")},
        page="providers:evaluation_transition",
        api="provider-evaluations",
    ),
    Scene(
        Equipment,
        an_instrument,
        {
            "put_into_use": Step("owner", prepare=calibrated, never=("employee", "newcomer")),
            "take_out_of_use": Step("owner", never=("employee", "newcomer")),
            "lock": Step("system", days=40),
            "retire": Step("manager"),
            "bring_back": Step("manager"),
        },
        api="equipment",
        people=("owner",),
    ),
    Scene(
        Calibration,
        lambda cast: calibrate(cast, an_instrument(cast)),
        {"void": Step("manager")},
        page="equipment:calibration_transition",
        api="calibrations",
    ),
    Scene(
        ImpactAssessment,
        an_impact,
        {
            "find_valid": Step(
                "manager",
                lambda cast: {"conclusion": "Stems were checked again; all fit."},
                prepare=say_what_was_measured,
                never=("owner",),
            ),
            "find_not_valid": Step(
                "manager",
                lambda cast: {
                    "conclusion": "Two stems are too thin.",
                    "consequences": "Lot 12 is called back.",
                },
                prepare=say_what_was_measured,
                never=("owner",),
            ),
            "call_off": Step("manager"),
        },
        page="equipment:impact_transition",
        api="impact-assessments",
        people=("owner", "manager"),
    ),
    Scene(
        Customer,
        a_customer,
        {"end": Step("owner"), "take_up_again": Step("owner")},
        api="customers",
        people=("owner",),
    ),
    Scene(
        SatisfactionReview,
        a_satisfaction_review,
        {"void": Step("manager")},
        page="customers:review_transition",
        api="satisfaction-reviews",
    ),
    Scene(
        Survey,
        a_survey,
        {
            "open_survey": Step("manager", never=("process_owner",)),
            "remind": Step("manager", never=("process_owner",), detour=True),
            "close_survey": Step("manager", never=("process_owner",)),
            "void": Step("manager"),
        },
        api="surveys",
        people=("owner",),
    ),
    Scene(
        Feedback,
        a_complaint,
        {
            "answer_feedback": Step(
                "owner",
                lambda cast: {"follows": "They get two new ones."},
                never=(
                    *("employee", "newcomer", "process_owner", "administrator"),
                    *("auditor", "lead_auditor"),
                ),
            ),
            "void": Step("manager"),
        },
        api="feedback",
        people=("owner",),
    ),
    Scene(
        CorrectiveAction,
        a_corrective_action,
        {
            "submit_plan": Step(
                "owner",
                lambda cast: {"check_on": today()},
                before=ask_for_approval,
                never=("process_owner",),
                detour=True,
            ),
            "start_plan": Step(
                "owner",
                lambda cast: {"check_on": today()},
                before=ask_for_no_approval,
                never=("process_owner",),
            ),
            "approve_plan": Step(
                "manager", lambda cast: {"check_on": today()}, never=("owner",), detour=True
            ),
            "send_plan_back": Step("manager", detour=True),
            "implement_action": Step("owner", prepare=do_its_tasks, never=("process_owner",)),
            "judge_effective": Step(
                "manager", lambda cast: {"verdict": "50 orders, none wrong."}, never=("owner",)
            ),
            "judge_not_effective": Step(
                "manager",
                lambda cast: {"verdict": "Two were wrong.", "aftermath": "successor"},
                never=("owner",),
            ),
            "plan_anew": Step("owner", never=("process_owner",), detour=True),
            "void_action": Step("manager", never=("owner",)),
        },
        page="capa:corrective_action_transition",
        api="corrective-actions",
        people=("owner", "manager"),
    ),
    Scene(
        Report,
        a_report,
        {
            "sort_as_nonconformity": Step("manager"),
            "sort_as_supplier_issue": Step("manager"),
            "sort_as_incident": Step("manager"),
            "sort_as_idea": Step("manager"),
            "sort_as_complaint": Step("manager", lambda cast: {"came_by": "mail"}),
            "sort_as_output": Step(
                "manager", lambda cast: {"product": "Valve", "quantity": Decimal(3)}
            ),
            "answer_report": Step("manager", lambda cast: {"answer": "It is swept at noon."}),
        },
        page="capa:report_transition",
        api="reports",
        people=("newcomer",),
    ),
    Scene(
        Complaint,
        a_handled_complaint,
        {
            "acknowledge": Step(
                "owner", lambda cast: {"acknowledged_how": "phone"}, never=NOT_THEIRS
            ),
            "answer_complaint": Step(
                "owner",
                lambda cast: {
                    "justified": "yes",
                    "justified_because": "They leaked.",
                    "outcome": "Two new valves.",
                    "letter": "You get two new valves.",
                },
                never=NOT_THEIRS,
            ),
            "close_complaint": Step(
                "owner", lambda cast: {"verdict": "satisfied"}, never=NOT_THEIRS
            ),
            "answer_again": Step(
                "owner", lambda cast: {"verdict_words": "Two are not enough."}, never=NOT_THEIRS
            ),
            "void": Step("manager"),
        },
        page="capa:complaint_transition",
        api="complaints",
        people=("owner",),
    ),
    Scene(
        CostEntry,
        a_cost,
        {"void": Step("manager")},
        page="capa:cost_transition",
        api="cost-entries",
    ),
    Scene(
        NonconformingOutput,
        an_output,
        {
            "decide_output": Step(
                "manager",
                lambda cast: {"disposition": "rework", "because": "Sleeves fit."},
                never=("author",),
            ),
            "rework_output": Step("coauthor", lambda cast: {"rework": "Sleeves pressed in."}),
            "pass_output": Step(
                "manager",
                lambda cast: {"result": "12 of 12 within drawing 7."},
                never=("coauthor",),
            ),
            "fail_output": Step(
                "manager", lambda cast: {"result": "Two are still wide."}, never=("coauthor",)
            ),
            "release_output": Step(
                "manager", prepare=decided_to("use_as_is"), never=("author",), detour=True
            ),
            "remove_output": Step(
                "manager",
                lambda cast: {"settled_how": "Cut up, note 12."},
                prepare=decided_to("scrap"),
            ),
            "decide_anew": Step("manager", never=("author",), detour=True),
            "void": Step("manager"),
        },
        page="capa:output_transition",
        api="nonconforming-outputs",
        people=("author", "coauthor"),
    ),
    Scene(
        Nonconformity,
        a_nonconformity,
        {
            "contain": Step(
                "owner",
                lambda cast: {"containment": "Stock is blocked.", "correction": "Replaced."},
                never=("process_owner",),
            ),
            "find_cause": Step(
                "owner",
                lambda cast: {
                    "root_cause": "Wrong material.",
                    "category": "material",
                    "similar": "None found in stock.",
                    "method": "whys",
                    "why_chain": "It was soft.",
                },
                never=("process_owner",),
            ),
            "plan": Step(
                "owner",
                lambda cast: {
                    "action": "Order the right gasket",
                    "action_owner": cast.owner,
                    "action_due": today(),
                    "effectiveness_criterion": "No leak in 50 tests.",
                    "check_on": today(),
                },
                never=("process_owner",),
            ),
            "join": Step("owner", another_plan, never=("process_owner",), detour=True),
            "take_up_plan": Step("system", through=plan_from_the_other_side, detour=True),
            "lose_plan": Step("system", through=void_its_corrective_action, detour=True),
            "follow_implemented": Step("system", through=put_in_place),
            "follow_effective": Step("system", through=find_it_effective),
            "follow_ineffective": Step(
                "system", before=put_in_place, through=find_it_not_effective("cause"), detour=True
            ),
            "wait_for_successor": Step(
                "system", through=find_it_not_effective("successor"), detour=True
            ),
            "close": Step("manager"),
            "correct_only": Step(
                "manager",
                lambda cast: {
                    "correction": "Replaced.",
                    "similar": "None in stock.",
                    "because": "A single slip.",
                },
                detour=True,
            ),
            "reopen": Step("manager", detour=True),
            "close_without_action": Step(
                "manager", lambda cast: {"because": "It cannot come again."}, detour=True
            ),
            "take_over_closed": Step(
                "manager",
                lambda cast: {"closed_on": today(), "root_cause": "Wear", "action": "Replaced"},
                prepare=from_a_register,
                detour=True,
            ),
            "void": Step("manager"),
        },
        api="nonconformities",
        people=("owner",),
    ),
    Scene(
        Audit,
        an_audit,
        {
            "confirm": Step("lead"),
            "postpone": Step("lead", lambda cast: {"planned_on": in_days(9)}),
            "start": Step("member", never=("lead_auditor", "auditor", "everything")),
            "release": Step(
                "lead", prepare=answer_its_questions, never=("lead_auditor", "everything")
            ),
            "sign_report": Step(
                "lead",
                lambda cast: {"conclusions": "All criteria are met.", "issues_itself": False},
                prepare=lambda cast, audit: (
                    answer_its_questions(cast, audit) if audit.status == "in_progress" else None
                ),
                never=("lead_auditor", "everything"),
            ),
            "acknowledge": Step("owner", prepare=sign_its_report, never=NOT_THE_AUDITEE),
            "disagree": Step(
                "owner",
                lambda cast: {"answer_reason": "The sample was too small."},
                prepare=sign_its_report,
                never=NOT_THE_AUDITEE,
            ),
            "issue": Step(
                "lead", prepare=have_it_acknowledged, never=("lead_auditor", "everything")
            ),
            "issue_acknowledged": Step(
                "system", prepare=sign_to_be_issued, through=have_it_acknowledged
            ),
            "receive_report": Step(
                "lead",
                lambda cast: {"received_on": today(), "conclusions": "We may deliver."},
                prepare=their_audit_is_over,
                never=("lead_auditor", "everything"),
                detour=True,
            ),
            "begin_follow_up": Step("lead", never=("lead_auditor", "everything")),
            "close": Step("lead", never=("lead_auditor", "everything")),
            "void": Step("manager"),
        },
        api="audits",
        people=("lead", "member", "owner"),
    ),
    Scene(
        AuditProgramme,
        a_programme,
        {
            "approve": Step("boss", prepare=plan_in_it),
            "revise": Step("manager"),
            "close_programme": Step("manager", prepare=call_off_its_audits),
            "void": Step("manager"),
        },
        page="audits:programme_transition",
        api="audit-programmes",
    ),
    Scene(
        Finding,
        a_finding,
        {
            "soften": Step(
                "lead",
                lambda cast: {"grade": "opportunity", "softened_because": "It was tidied since."},
                never=("lead_auditor", "everything"),
            ),
            "merge": Step(
                "member",
                lambda cast: {"into": 2},
                prepare=another_finding,
                never=("auditor", "lead_auditor", "everything"),
                detour=True,
            ),
            "release_finding": Step("lead", through=release_its_findings),
            "void": Step("member"),
            "accept": Step("owner", never=NOT_THE_AUDITEE),
            "decline": Step(
                "owner", lambda cast: {"decision_text": "It is moved."}, never=NOT_THE_AUDITEE
            ),
            "answer_customer": Step(
                "lead",
                lambda cast: {"decision_text": "Larger labels from now on.", "sent_on": today()},
                prepare=a_customers_finding,
                never=NOT_THE_AUDITEE,
                detour=True,
            ),
        },
        api="findings",
        people=("lead", "member", "owner"),
    ),
    Scene(
        AuditSlot,
        a_slot,
        {"void": Step("lead")},
        page="audits:slot_transition",
        api="audit-agenda",
        people=("lead", "member", "owner"),
    ),
    Scene(
        CalendarFeed,
        a_feed,
        {"revoke_feed": Step("member", never=("everything", "lead_auditor", "auditor"))},
        page="audits:feed_transition",
        api="calendar-links",
        people=("member",),
    ),
    Scene(
        AuditNote,
        a_note,
        {
            "make_finding": Step("member", lambda cast: {"grade": "observation"}),
            "make_answer": Step(
                "member", lambda cast: {"question": 1, "answer": "conforms"}, detour=True
            ),
            "void": Step("member"),
        },
        page="audits:note_transition",
        api="audit-notes",
        people=("lead", "member", "owner"),
    ),
    Scene(
        ChecklistTemplate,
        a_template,
        {"retire_template": Step("manager"), "use_template_again": Step("manager")},
        page="audits:template_transition",
        api="checklist-templates",
    ),
    Scene(
        Addendum,
        an_addendum,
        {
            "issue_addendum": Step("lead", never=("lead_auditor", "everything")),
            "void": Step("lead"),
        },
        page="audits:addendum_transition",
        api="audit-addenda",
        people=("lead", "member", "owner"),
    ),
    Scene(
        Certificate,
        an_application,
        {
            "grant": Step(
                "manager",
                lambda cast: {
                    "number": "FM 1",
                    "decided_on": today(),
                    "issued_on": today(),
                    "expires_on": in_days(2),
                },
                prepare=stage_two,
            ),
            "suspend": Step("manager", lambda cast: {"began_on": today()}),
            "lift": Step("manager", lambda cast: {"ended_on": today()}),
            "reduce_scope": Step("manager", lambda cast: {"scope_text": cast_iron()}),
            "transfer": Step(
                "manager", lambda cast: {"transferred_to": "DNV", "transferred_on": today()}
            ),
            "withdraw": Step("manager"),
            "expire": Step("manager", days=4),
        },
        api="certificates",
    ),
    Scene(
        MarkUse,
        a_mark_use,
        {
            "check_use": Step(
                "member",
                lambda cast: {"checked_on": today(), "found": "right", "note": ""},
                never=SEES_TO_NONE,
            ),
            "take_down": Step("member", lambda cast: {"down_on": today()}, never=SEES_TO_NONE),
            "show_again": Step("manager"),
        },
        page="audits:mark_transition",
        api="mark-uses",
        people=("member",),
    ),
    Scene(
        CertificationAudit,
        a_visit,
        {
            "record_visit": Step(
                "manager",
                lambda cast: {
                    "done_on": today(),
                    "result": "Recommended.",
                    "majors": 0,
                    "minors": 1,
                },
            ),
            "void": Step("manager"),
        },
        page="audits:visit_transition",
        api="certification-audits",
    ),
    Scene(
        VisitSlot,
        an_hour,
        {"void": Step("manager")},
        page="audits:visit_slot_transition",
        api="visit-plan",
    ),
    Scene(
        VisitRequest,
        a_request,
        {
            "give": Step(
                "member",
                lambda cast: {"shown": "EQ-0004", "link": "/equipment/"},
                never=("newcomer", "employee", "administrator"),
            ),
            "ask_again": Step("manager"),
            "drop_request": Step("manager"),
        },
        page="audits:request_transition",
        api="visit-requests",
        people=("member",),
    ),
    Scene(
        BodyFinding,
        a_body_finding,
        {
            "send_answer": Step(
                "manager", lambda cast: {"answered_on": today()}, prepare=prepare_its_answer
            ),
            "send_back": Step("manager"),
            "accept_answer": Step("manager", lambda cast: {"accepted_on": today()}),
            "refuse_evidence": Step("manager"),
            "verify_answer": Step(
                "manager",
                lambda cast: {"verified_on": today(), "verified_by_whom": "J. Lavoie"},
            ),
            "close_body_finding": Step("manager", prepare=judge_its_answer),
            "settle_remark": Step("manager", prepare=a_remark, detour=True),
        },
        page="audits:body_finding_transition",
        api="body-findings",
    ),
    Scene(
        Review,
        a_review,
        {
            "compile_inputs": Step("manager"),
            "reopen_inputs": Step("manager"),
            "hold": Step(
                "manager",
                lambda cast: {
                    "held_on": today(),
                    "attendees": [cast.boss, cast.manager],
                    "conclusions": "Suitable, adequate, effective.",
                    "place": "Works",
                    "guests": "",
                },
                prepare=answer_every_input,
            ),
            "close": Step(
                "boss", prepare=decide_everything, never=("top_management", "everything", "manager")
            ),
            "void": Step("manager"),
        },
        api="reviews",
        people=("boss", "manager"),
    ),
    Scene(Decision, a_decision, {"take_back": Step("manager")}, api="decisions", people=("boss",)),
)
SCENES: dict[type[Any], Scene] = {scene.model: scene for scene in ALL}
