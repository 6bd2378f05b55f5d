"""Every page of the plan, the people and the journey asks the same, however much there is.

One organisation of ten of each is looked at on every page, grows to two hundred of each in a moment
(to a thousand by `make prove`), and is looked at again. Lists of records are held in
`tests/architecture/test_lists.py`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from capa.workflow import raise_nonconformity
from documents.workflow import create_document
from qms.actions.models import Action
from qms.actions.workflow import plan_action
from qms.changes.models import ChangeLink
from qms.changes.workflow import plan_change
from qms.competence import workflow as competence
from qms.competence.models import Trainee
from qms.gap import workflow as gap
from qms.journey import workflow as journey
from qms.journey.models import BriefingAttendee
from qms.people.models import Person, RoleAssignment
from qms.people.workflow import place_person
from qms.periods import today
from qms.risks import workflow as risks
from qms.risks.models import RiskLink
from qms.scope import workflow as scope
from qms.scope.models import (
    Process,
    ProcessDeputy,
    ProcessMember,
    ProcessSite,
    RequirementProcess,
    StatementProcess,
)
from qms.suggestions.workflow import suggest
from tests import factories, scenes
from tests.many import grow, questions
from tests.sampling import PROVING
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.proof]
FEW, MANY = 10, 1000 if PROVING else 200
MORE = MANY - FEW


class Company:
    """Ten of each, all bound to one process and to one person."""

    def __init__(self) -> None:
        self.boss = factories.person("quality_manager", "top_management", "lead_auditor")
        self.keeper = factories.person("administrator", "quality_manager")
        self.cast = Cast()
        self.made: dict[str, list[Any]] = {}
        self._the_ground()
        self._the_plan()
        self._the_people()
        self._the_assessment()

    def keep(self, name: str, *rows: Any) -> None:
        self.made.setdefault(name, []).extend(rows)

    def _the_ground(self) -> None:
        by = self.boss
        scope.set_up_organisation(
            by=by, name="Valves", country="CA", time_zone="America/Toronto", edition="2026"
        )
        self.site = scope.add_site(by=by, name="Works")
        for at in range(FEW):
            made = scope.create_process(
                by=by,
                code=f"P{at}",
                name=f"Process {at}",
                owner=by,
                clauses=["2026:8.5.1"],
                members=[self.keeper],
                deputies=[self.keeper],
                sites=[self.site],
            )
            self.keep("process", scope.activate(made, by=by))
        self.process: Process = self.made["process"][0]
        other: Process = self.made["process"][1]
        for at in range(FEW):
            self.keep(
                "into", scope.add_flow(by=by, what=f"In {at}", source=other, target=self.process)
            )
            self.keep(
                "out", scope.add_flow(by=by, what=f"Out {at}", source=self.process, target=other)
            )

    def _the_plan(self) -> None:
        by, process = self.boss, self.process
        self.statement = scope.draft_statement(
            by=by,
            edition="2026",
            statement="Valves.",
            products_and_services="Valves.",
            processes=self.made["process"],
            sites=[self.site],
        )
        party = scope.add_party(by=by, name="Customers", why="They buy.", owner=by)
        self.party = party
        self.requirement = scope.register_requirement(
            by=by, what="Test it", source="Code 7", owner=by, processes=self.made["process"]
        )
        self.keep("requirement", self.requirement)
        touches = {"touches": [process]}
        for at in range(FEW):
            self.keep("need", scope.add_need(by=by, party=party, what=f"No leak {at}"))
            self.keep(
                "issue",
                scope.raise_issue(by=by, what="Steel", category="supply", why="Used.", owner=by),
            )
            risk = risks.identify_risk(
                by=by, title=f"One forge {at}", owner=by, process=process, **touches
            )
            self.keep("risk", risks.evaluate_risk(risk, by=by, first=4, second=4, why="It burned."))
            chance = risks.identify_opportunity(
                by=by, title=f"Kits {at}", owner=by, process=process
            )
            self.keep(
                "opportunity",
                risks.evaluate_opportunity(chance, by=by, first=4, second=4, why="They ask."),
            )
            self.keep(
                "change",
                plan_change(
                    by=by,
                    title="A bench",
                    purpose="Less waiting.",
                    owner=by,
                    starts_on=today(),
                    due=today(),
                    **touches,
                ),
            )
            self.keep(
                "risk_action",
                plan_action(
                    by=by, title="A second", owner=by, due=today(), origin=self.made["risk"][0]
                ),
                plan_action(
                    by=by, title="A bench", owner=by, due=today(), origin=self.made["change"][0]
                ),
            )
            self.keep(
                "nonconformity", raise_nonconformity(by=by, title="Late", process=process, owner=by)
            )
            self.keep("suggestion", suggest(by=by, title="Label the shelves"))
            self.keep(
                "document",
                create_document(by=by, title="How", kind="procedure", owner=by, process=process),
            )
        self.revision = scenes.approve(self.cast, scenes.a_draft(self.cast))

    def _the_people(self) -> None:
        by = self.boss
        self.skill = competence.define_competence(
            by=by, name="Welding", meaning="Welds steel.", method="tested"
        )
        competence.require(by=by, competence=self.skill, role="auditor")
        self.briefing = journey.record_briefing(
            by=by, held_on=today(), topics="All.", hours=9, budget=Decimal(0), attendees=[by]
        )
        self.training = competence.plan_training(
            by=by, title="Welding", owner=by, planned_on=today(), participants=[self.keeper]
        )
        for _ in range(FEW):
            person = place_person(
                factories.person("auditor"), by=by, department="Works", manager=by
            )
            self.keep("person", person)
            self.keep(
                "finding",
                competence.record_competence(
                    by=by, person=person, competence=self.skill, level=3, evidence="A test piece."
                ),
            )
            self.keep(
                "training",
                competence.plan_training(by=by, title="Safety", owner=by, planned_on=today()),
            )

    def _the_assessment(self) -> None:
        by = self.boss
        self.assessment = gap.start_assessment(by=by, edition="2026")
        self.answer = self.assessment.answers.get(clause="2026:8.5.1")
        gap.answer(
            self.answer,
            by=by,
            rating="partly",
            note="Half is missing.",
            evidence=str(self.process),
        )
        self.answer.refresh_from_db()
        for at in range(FEW):
            self.keep(
                "gap_action",
                plan_action(
                    by=by,
                    title=f"Write {at}",
                    owner=by,
                    due=today() + timedelta(days=30 + at),
                    effort=Decimal(1),
                    kind=Action.Kind.OTHER,
                    origin=self.answer,
                ),
            )

    def addresses(self) -> list[str]:
        own = [
            self.process,
            self.site,
            self.statement,
            self.party,
            self.requirement,
            self.skill,
            self.training,
            self.briefing,
            self.assessment,
            self.answer,
            self.boss,
            self.made["finding"][0],
            *(self.made[name][0] for name in ("into", "need", "issue", "risk", "opportunity")),
            *(self.made[name][0] for name in ("change", "suggestion", "gap_action")),
        ]
        records = [each.get_absolute_url() for each in own]
        statement, assessment = (
            self.statement.get_absolute_url(),
            self.assessment.get_absolute_url(),
        )
        return [
            *records,
            *("/scope/", "/scope/processes/map/", "/scope/processes/checks/"),
            *("/scope/processes/responsibilities/", "/scope/processes/ownership/"),
            *(f"{statement}advice/", f"{statement}compare/", f"{statement}covers/"),
            *("/risks/matrix/", "/opportunities/matrix/", "/scope/context/"),
            *(f"{assessment}roadmap/", f"{assessment}signals/"),
            *("/readiness/", "/readiness/?edition=2015", "/clauses/2026/8.5.1/"),
            *("/journey/", "/journey/compact/", "/journey/momentum/", "/journey/principles/"),
            *("/start/", "/start/summary/"),
            *("/people/", "/people/chart/", "/competence/", "/my-role/", "/"),
            f"/people/{self.boss.pk}/hand-over/",
        ]

    def grow(self) -> None:
        """Many of each, with their history."""
        grow(self.made["process"][2], MORE, code="'C' || n", name="'Copy ' || n")
        copy = "(select id from scope_process where code = 'C' || n)"
        mail = "(select id from people_person where email = 'many' || n || '@example.com')"
        grow(self.made["person"][0], MORE, email="'many' || n || '@example.com'")
        held = RoleAssignment.objects.get(person=self.made["person"][0])
        grow(held, MORE, person_id=mail)
        for link in (ProcessDeputy, ProcessMember, ProcessSite):
            grow(link.objects.get(process=self.made["process"][2]), MORE, process_id=copy)
        for link in (ProcessDeputy, ProcessMember):
            grow(link.objects.get(process=self.process), MORE, person_id=mail)
        grow(self.made["into"][0], MORE, what="'In ' || n", source_id=copy)
        grow(self.made["out"][0], MORE, what="'Out ' || n", target_id=copy)
        for link, owner in (
            (StatementProcess, {"statement": self.statement}),
            (RequirementProcess, {"requirement": self.requirement}),
        ):
            grow(link.objects.filter(**owner)[0], MORE, process_id=copy)
        grow(Trainee.objects.get(training=self.training), MORE, person_id=mail)
        grow(BriefingAttendee.objects.get(briefing=self.briefing), MORE, person_id=mail)
        grow(self.made["finding"][0], MORE, person_id=mail)
        for name in ("need", "issue", "risk", "opportunity", "change", "nonconformity", "training"):
            grow(self.made[name][0], MORE)
        for name in ("requirement", "suggestion", "gap_action", "document"):
            grow(self.made[name][0], MORE)
        for record, link, name in (
            (self.made["risk"][0], RiskLink, "risk"),
            (self.made["change"][0], ChangeLink, "change"),
        ):
            table = record._meta.db_table
            number = f"(select id from {table} where number = '{record.number}-' || n)"  # noqa: S608 - our own number
            grow(link.objects.get(**{name: record}), MORE, **{f"{name}_id": number})
        grow(self.made["risk_action"][0], MORE)
        grow(self.made["risk_action"][1], MORE)
        document = self.revision.document
        grow(document, MORE, number="'D-' || n")
        number = "(select id from documents_document where number = 'D-' || n)"
        grow(self.revision, MORE, document_id=number)


def test_every_page_asks_the_same_however_much_there_is(client: Client) -> None:
    company = Company()
    client.force_login(company.boss, backend="qms.people.access.RoleBackend")
    addresses = company.addresses()

    def look(address: str) -> int:
        def ask() -> None:
            assert client.get(address).status_code == 200, address

        return questions(ask)

    for address in addresses:
        look(address)  # what is read once in the life of a process is read now
    few = {address: look(address) for address in addresses}
    company.grow()
    assert Process.objects.count() >= MANY
    assert Person.objects.people().count() >= MANY
    many = {address: look(address) for address in addresses}
    assert many == few
