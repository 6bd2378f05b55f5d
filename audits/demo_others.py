"""Audits of other kinds in a demo company: of a provider, by a customer, for a reason of its own.

Nothing here draws by chance, so that everything else in the company stays as it was.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from audits import workflow
from audits.models import Audit, Finding
from qms.customers.models import Customer
from qms.demo.life import Life, stage
from qms.periods import add_months
from qms.providers.models import Provider

AHEAD = 45  # days in which the next one is planned


@stage(72)
def other_audits_come_on_top(life: Life) -> None:
    """Each is planned a month before; those beyond the next weeks are not there yet."""
    for told in life.told.get("audits_on_top", []):
        day = life.month(told["month"])
        if day <= life.today + timedelta(days=AHEAD):
            life.at(life.moment(day - timedelta(days=30), 10.25), partial(_plan, life, told, day))


def _plan(life: Life, told: dict[str, Any], day: Any) -> None:
    of: dict[str, Any] = {"why_now": told["why"]} if told["kind"] == "special" else {}
    if told["kind"] == "supplier":
        of["provider"] = Provider.objects.get(name=told["of"])
    elif told["kind"] == "customer":
        of |= {"customer": Customer.objects.get(name=told["of"]), "outside_auditors": told["who"]}
    else:
        of["process"] = life.processes[told["of"]]
    audit = workflow.plan_audit(
        by=life.who("lead"),
        kind=told["kind"],
        planned_on=life.moment(day).astimezone(life.zone).date(),
        lead=life.who(told["lead"]),
        edition=life.told["organisation"]["edition"],
        objectives=told["objectives"],
        scope=told["scope"],
        **of,
    )
    for question in told.get("asks", []):
        workflow.add_question(audit, by=audit.lead, question=question)
    confirmed = life.moment(day - timedelta(days=12), 10.5)
    life.at(confirmed, partial(_confirm, life, audit, told))


def _confirm(life: Life, audit: Audit, told: dict[str, Any]) -> None:
    if workflow.team_is_independent(audit, audit.lead):
        return  # the plan waits for somebody else to lead it
    while workflow.team_is_free(audit, audit.lead):
        later = life.moment(audit.planned_on + timedelta(days=1)).astimezone(life.zone).date()
        why = "The lead auditor is in another audit on that day."
        workflow.postpone(audit, by=life.who("lead"), planned_on=later, reason=why)
    workflow.confirm(audit, by=life.who("lead"))
    life.at(life.moment(audit.planned_on, 8.5), partial(_conduct, life, audit, told))


def _conduct(life: Life, audit: Audit, told: dict[str, Any]) -> None:
    if workflow.team_is_independent(audit, audit.lead):
        return
    workflow.start(audit, by=audit.lead)
    for item in audit.items.order_by("position"):
        workflow.answer(item, by=audit.lead, answer="conforms", note="Seen on the day.")
    for found in told.get("finds", []):
        grade, requirement, evidence, statement, *theirs = found
        more: dict[str, Any] = {}
        if theirs:
            more = {"reference": theirs[0], "answer_due": life.day() + timedelta(days=theirs[1])}
        workflow.record_finding(
            audit,
            by=audit.lead,
            grade=grade,
            requirement=requirement,
            evidence=evidence,
            statement=statement,
            **more,
        )
    workflow.release(audit, by=audit.lead)
    follow = _their_report if audit.is_theirs else _sign
    life.at(life.moment(life.day() + timedelta(days=5), 11), partial(follow, life, audit, told))


def _sign(life: Life, audit: Audit, told: dict[str, Any]) -> None:
    workflow.sign_report(
        audit,
        by=audit.lead,
        conclusions=told["concludes"],
        issues_itself=True,
        proof=life.sign(audit.lead),
    )
    life.at(life.moment(life.day() + timedelta(days=2), 14), partial(_acknowledge, life, audit))


def _acknowledge(life: Life, audit: Audit) -> None:
    workflow.acknowledge(audit, by=workflow.answerers_of(audit)[0])
    for each in audit.findings.to_answer().order_by("position"):
        workflow.accept(each, by=workflow.answerers_of(audit)[0], decision_text="It is agreed.")
    life.at(life.moment(add_months(life.day(), 3), 15), partial(_close, life, audit))


def _their_report(life: Life, audit: Audit, told: dict[str, Any]) -> None:
    workflow.receive_report(
        audit, by=audit.lead, received_on=life.day(), conclusions=told["concludes"]
    )
    answers = told.get("answers", [])
    for finding, words in zip(
        audit.findings.to_answer().order_by("position"), answers, strict=False
    ):
        sent = life.moment(life.day() + timedelta(days=9), 15)
        life.at(sent, partial(_answer, life, finding, words))
    life.at(life.moment(add_months(life.day(), 3), 15), partial(_close, life, audit))


def _answer(life: Life, finding: Finding, words: str) -> None:
    workflow.answer_customer(
        finding, by=finding.audit.lead, decision_text=words, sent_on=life.day()
    )


def _close(life: Life, audit: Audit) -> None:
    """As soon as all it found is settled; asked again each month until then."""
    audit.refresh_from_db()
    if audit.status == Audit.Status.CLOSED:
        return
    if workflow.everything_is_settled(audit, None):
        again = life.moment(add_months(life.day(), 1), 15)
        life.at(again, partial(_close, life, audit))
    else:
        workflow.close(audit, by=audit.lead)
