"""What a demo company holds back, hears from customers and from its people, and what comes of it.

The words stand in the company's file; how far each has come says what it has there.
"""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from capa import workflow
from capa.demo_cases import TOLD
from capa.models import Complaint, NonconformingOutput, Nonconformity, Report
from qms.customers.models import Customer
from qms.customers.workflow import take_feedback
from qms.demo.life import Life, stage
from qms.workflow import amend


@stage(62)
def outputs_are_held(life: Life) -> None:
    """Each on its day before today, where the company has lived so long."""
    for told in life.told["outputs"]:
        day = life.today - timedelta(days=told["days"])
        if day >= life.month(1):
            life.on(day, partial(_hold, life, told))


def _hold(life: Life, told: dict[str, Any]) -> None:
    output = workflow.hold_output(
        by=life.who(told["by"]),
        what=told["what"],
        product=told["product"],
        lot=told["lot"],
        quantity=Decimal(told["quantity"]),
        unit=told.get("unit", "pieces"),
        found_at=told["found_at"],
        requirement=told["requirement"],
        process=life.processes[told["process"]],
        customer=Customer.objects.filter(name=told.get("customer", "")).first(),
        made_by=life.who(told["maker"]) if "maker" in told else None,
    )
    if "disposition" in told:
        life.after(1, partial(_decide, life, told, output))


def _decide(life: Life, told: dict[str, Any], output: NonconformingOutput) -> None:
    workflow.decide_output(
        output,
        by=life.who("quality"),
        disposition=told["disposition"],
        because=told["because"],
        agreement_needed=told.get("agree", False),
    )
    if "rework" in told:
        life.after(2, partial(_rework, life, told, output))
    elif "settled" in told:
        life.after(4, partial(_settle, life, told, output))


def _rework(life: Life, told: dict[str, Any], output: NonconformingOutput) -> None:
    workflow.rework_output(output, by=life.who(told["maker"]), rework=told["rework"])
    life.after(1, partial(_verify, life, told, output))


def _verify(life: Life, told: dict[str, Any], output: NonconformingOutput) -> None:
    workflow.pass_output(output, by=life.who("quality"), result=told["result"])
    _cost(life, told, output)


def _settle(life: Life, told: dict[str, Any], output: NonconformingOutput) -> None:
    quality = life.who("quality")
    if told["disposition"] == "use_as_is":
        workflow.release_output(
            output, by=quality, agreement=told["agreement"], settled_how=told["settled"]
        )
    else:
        workflow.remove_output(output, by=quality, settled_how=told["settled"])
    _cost(life, told, output)


COST_OF = {"rework": "rework", "scrap": "scrap", "return": "freight"}


def _cost(life: Life, told: dict[str, Any], output: NonconformingOutput) -> None:
    if "cost" not in told:
        return
    workflow.enter_cost(
        by=life.who("quality"),
        output=output,
        kind=COST_OF.get(told["disposition"], "inspection"),
        amount=Decimal(told["cost"]),
    )


@stage(63)
def customers_complain(life: Life) -> None:
    """Each on its day before today, where the company has lived so long."""
    for told in life.told["complaints"]:
        day = life.today - timedelta(days=told["days"])
        if day >= life.month(1):
            life.on(day, partial(_complain, life, told))


def _complain(life: Life, told: dict[str, Any]) -> None:
    heard = take_feedback(
        by=life.who(told["by"]),
        customer=Customer.objects.filter(name=told["who"]).first(),
        said_by=told["who"],
        heard_on=life.day(),
        kind="complaint",
        came_by=told["came_by"],
        about=told["about"],
        words=told["words"],
    )
    complaint = workflow.take_up_complaint(
        by=life.who(told["by"]), feedback=heard, owner=life.who(told["by"])
    )
    if "outcome" in told:
        life.after(1, partial(_acknowledge, life, told, complaint))


def _acknowledge(life: Life, told: dict[str, Any], complaint: Complaint) -> None:
    workflow.acknowledge(complaint, by=complaint.owner, acknowledged_how=told["came_by"])
    life.after(6, partial(_answer, life, told, complaint))


def _answer(life: Life, told: dict[str, Any], complaint: Complaint) -> None:
    workflow.answer_complaint(
        complaint,
        by=complaint.owner,
        justified=told["justified"],
        justified_because=told["because"],
        outcome=told["outcome"],
        letter=f"{complaint.letter}\n\n{told['because']}\n\n{told['outcome']}",
    )
    if "verdict" in told:
        life.after(9, partial(_close, life, told, complaint))


def _close(life: Life, told: dict[str, Any], complaint: Complaint) -> None:
    workflow.close_complaint(
        complaint, by=complaint.owner, verdict=told["verdict"], what_then=told.get("then", "")
    )


@stage(64)
def people_tell(life: Life) -> None:
    """Each on its day before today, where the company has lived so long."""
    for told in life.told["reports"]:
        day = life.today - timedelta(days=told["days"])
        if day >= life.month(1):
            life.on(day, partial(_tell, life, told))


def _tell(life: Life, told: dict[str, Any]) -> None:
    report = workflow.tell(
        by=life.who(told["by"]),
        title=told["title"],
        place=told["place"],
        process=life.processes[told["process"]],
    )
    if "sort" in told or "answer" in told:
        life.after(1, partial(_sort, life, told, report))


def _sort(life: Life, told: dict[str, Any], report: Report) -> None:
    quality = life.who("quality")
    if "answer" in told:
        workflow.answer_report(report, by=quality, answer=told["answer"])
        return
    life.kept.setdefault(TOLD, set()).add(told["title"])
    getattr(workflow, f"sort_as_{told['sort']}")(report, by=quality)
    if "at_once" in told:
        case: Any = report.became
        life.after(1, partial(_put_right, life, told, case))


def _put_right(life: Life, told: dict[str, Any], nc: Nonconformity) -> None:
    changes = {"statement": told["title"], "requirement": told["requirement"]}
    amend(nc, by=life.who("quality"), changes=changes, reason="Looked at on site.")
    workflow.contain(nc, by=nc.owner, containment=told["at_once"], correction=told["at_once"])
    life.after(3, partial(_leave_it_there, life, told, nc))


def _leave_it_there(life: Life, told: dict[str, Any], nc: Nonconformity) -> None:
    closer = life.who("ceo" if nc.owner == life.who("quality") else "quality")
    again = workflow.closed_without_action(nc, life.day())
    workflow.correct_only(
        nc,
        by=closer,
        correction=told["at_once"],
        similar="Asked at the other sites: nothing like it.",
        because="Put right at once and without effect on a customer.",
        despite="It is looked at together with the one before." if again else "",
    )
