"""The procedure of a report: anybody tells, the quality manager says what it is, it goes on there.

Sorting makes the case in the same moment; the report stays as it was told, and its page tells
whoever reported it how far the case is.
"""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from capa.models import Nonconformity, Report
from capa.workflow.complaints import take_up_complaint
from capa.workflow.details import days, text
from capa.workflow.nonconformities import report_problem
from capa.workflow.outputs import hold_output
from qms import contributions
from qms.contributions import Step
from qms.customers.models import Customer, Feedback
from qms.customers.workflow import take_feedback
from qms.files.workflow import attach_all, guards_attaching
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.scope.models import Process, Site
from qms.suggestions.workflow import suggest
from qms.workflow import Transition, creates, transition

State = Report.Status
Kind = Report.Kind
LINE = 200  # characters of a line


def in_a_line(title: str, evidence: str) -> str:
    """What happened, in a line: the title, or the first line of the text."""
    first = next((each for each in evidence.splitlines() if each.strip()), "")
    return (title.strip() or first.strip())[:LINE]


@creates(Report, permission="capa.add_report")
def tell(
    *,
    by: Person,
    title: str = "",
    evidence: str = "",
    place: str = "",
    process: Process | None = None,
    site: Site | None = None,
    detected_on: date | None = None,
    papers: Iterable[Any] = (),
) -> Report:
    """Tell what happened; one line is enough, and where there is only a text, its first line."""
    return keep_report(
        by=by,
        title=title,
        evidence=evidence,
        place=place,
        process=process,
        site=site,
        detected_on=detected_on,
        papers=papers,
    )


def keep_report(
    *,
    by: Person,
    title: str,
    evidence: str,
    place: str = "",
    detected_on: date | None = None,
    papers: Iterable[Any] = (),
    **more: Any,
) -> Report:
    """The same, however it came; whoever calls it has checked that `by` may."""
    line = in_a_line(title, evidence)
    if not line:
        raise Refused("Say in a line what happened.", field="title")
    if detected_on and detected_on > today():
        raise Refused("It cannot have happened in the future.", field="detected_on")
    made = Report(
        title=line,
        evidence=evidence.strip(),
        place=place.strip(),
        detected_on=detected_on or today(),
        due=due_in(days("containment_days"), today()),
        created_by=by,
        **more,
    )
    made.save()
    if files := list(papers):
        if not by.has_perm("files.add_attachment"):
            raise Refused("Your access takes no files. Tell it in words, and show them on site.")
        attach_all(made, files, by=by)
    return made


@guards_attaching(Report)
def while_somebody_works_on_it(report: Report, by: Any) -> str | None:
    if report.status == State.ANSWERED:
        return "It was answered; tell it anew."
    # Its files are evidence of what it became: of what is settled they stay as they were.
    if getattr(report.became, "is_settled", False):
        return f"{report.became} is settled; tell it anew."
    return None


def said_in(report: Report) -> str:
    """Everything that was told, for the record it becomes."""
    where = f"Where: {report.place}" if report.place else ""
    return "\n".join(each for each in (report.evidence or report.title, where) if each)


def _become(report: Report, by: Any, kind: str, record: Any) -> None:
    report.kind, report.became = kind, record
    report.sorted_by, report.sorted_on, report.due = by, today(), None


def _sorts_into(kind: str, source: str, name: str, sentence: str) -> Transition:
    """A click that makes a nonconformity of it, from that source."""

    def sort(report: Report, *, by: Any) -> None:
        made = report_problem(
            by=by,
            title=report.title,
            evidence=said_in(report),
            process=report.process,
            site=report.site,
            detected_on=report.detected_on,
            detected_by=None if report.created_by.is_system else report.created_by,
            source=source,
            origin=report,
        )
        _become(report, by, kind, made)

    sort.__name__, sort.__doc__ = name, sentence
    declare: Callable[[Callable[..., None]], Transition] = transition(
        Report,
        source=State.OPEN,
        target=State.SORTED,
        permission="capa.sort_report",
        label=str(Kind(kind).label),
    )
    return declare(sort)


sort_as_nonconformity = _sorts_into(
    Kind.NONCONFORMITY,
    Nonconformity.Source.PROCESS,
    "sort_as_nonconformity",
    "A requirement was not met: it becomes a nonconformity.",
)
sort_as_supplier_issue = _sorts_into(
    Kind.SUPPLIER,
    Nonconformity.Source.SUPPLIER,
    "sort_as_supplier_issue",
    "It came from an external provider: it becomes a nonconformity of theirs.",
)
sort_as_incident = _sorts_into(
    Kind.INCIDENT,
    Nonconformity.Source.INCIDENT,
    "sort_as_incident",
    "Something happened that must not: it becomes a nonconformity from an incident.",
)


@transition(
    Report,
    source=State.OPEN,
    target=State.SORTED,
    permission="capa.sort_report",
    label="Idea",
)
def sort_as_idea(report: Report, *, by: Any) -> None:
    """It is an idea: it becomes a suggestion of whoever reported it."""
    teller = report.created_by
    told = teller if teller.has_perm("suggestions.add_suggestion") else by
    more = said_in(report)[:5000] if report.evidence or report.place else ""
    _become(report, by, Kind.IDEA, suggest(by=told, title=report.title, details=more))


@transition(
    Report,
    source=State.OPEN,
    target=State.SORTED,
    permission="capa.sort_report",
    label="Complaint",
    details={
        "customer": forms.ModelChoiceField(
            Customer.objects.open().order_by("name"),
            label="Customer",
            required=False,
            help_text="Empty where it is nobody of the register.",
        ),
        "came_by": forms.ChoiceField(
            label="How it came", choices=Feedback.CameBy.choices, initial="mail"
        ),
    },
)
def sort_as_complaint(
    report: Report, *, by: Any, came_by: str, customer: Customer | None = None
) -> None:
    """A customer complains: it is written down as feedback and handled as a complaint."""
    heard = take_feedback(
        by=by,
        customer=customer,
        said_by=report.sender[:120] or f"Named in {report.number}",
        heard_on=report.detected_on,
        kind=Feedback.Kind.COMPLAINT,
        came_by=came_by,
        words=said_in(report)[:5000],
    )
    _become(report, by, Kind.COMPLAINT, take_up_complaint(by=by, feedback=heard))


@transition(
    Report,
    source=State.OPEN,
    target=State.SORTED,
    permission="capa.sort_report",
    label="Nonconforming output",
    details={
        "product": forms.CharField(label="Product or service", max_length=120),
        "quantity": forms.DecimalField(
            label="Quantity", max_digits=12, decimal_places=3, initial=Decimal(1)
        ),
        "lot": forms.CharField(label="Lot, batch or order", max_length=80, required=False),
    },
)
def sort_as_output(
    report: Report, *, by: Any, product: str, quantity: Decimal, lot: str = ""
) -> None:
    """Something is not as required and must not be used: it is held back."""
    made = hold_output(
        by=by,
        what=report.title,
        product=product,
        quantity=quantity,
        lot=lot,
        process=report.process,
        site=report.site,
        found_on=report.detected_on,
    )
    _become(report, by, Kind.OUTPUT, made)


@transition(
    Report,
    source=State.OPEN,
    target=State.ANSWERED,
    permission="capa.sort_report",
    label="Answer, no case",
    primary=False,
    details={"answer": text("Your answer to the person", rows=2)},
)
def answer_report(report: Report, *, by: Any, answer: str) -> None:
    """It needs no case; whoever reported it is told why."""
    if not answer.strip():
        raise Refused("Say why it needs no case; whoever reported it reads that.", field="answer")
    report.answer = answer.strip()
    report.sorted_by, report.sorted_on, report.due = by, today(), None


@contributions.work(Report)
def next_of_report(report: Report) -> list[Step]:
    """The quality manager says what it is."""
    if report.status != State.OPEN:
        return []
    return [Step("sort", "Sort", role="quality_manager", due=report.due)]
