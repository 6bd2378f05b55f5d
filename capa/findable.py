"""What is found of nonconformities."""

from capa.models import Complaint, CorrectiveAction, NonconformingOutput, Nonconformity, Report
from qms.finding.workflow import Text, findable


@findable(Nonconformity, "Nonconformities", order=30, edition=2)
def describe(nonconformity: Nonconformity) -> Text:
    """A nonconformity by number, title, statement, root cause, product and lot."""
    return Text(
        title=nonconformity.title,
        number=nonconformity.number,
        words="\n".join(
            (
                nonconformity.statement,
                nonconformity.root_cause,
                nonconformity.product,
                nonconformity.lot,
            )
        ).strip(),
        note=nonconformity.get_status_display(),
    )


@findable(CorrectiveAction, "Corrective actions", order=31)
def describe_action(action: CorrectiveAction) -> Text:
    """A corrective action by number, title, cause and criterion."""
    return Text(
        title=action.title,
        number=action.number,
        words=f"{action.cause}\n{action.criterion}".strip(),
        note=action.get_status_display(),
    )


@findable(NonconformingOutput, "Nonconforming outputs", order=32)
def describe_output(output: NonconformingOutput) -> Text:
    """A nonconforming output by number, what is wrong, product and lot."""
    return Text(
        title=output.what,
        number=output.number,
        words="\n".join((output.product, output.lot, output.requirement, output.because)).strip(),
        note=output.get_status_display(),
    )


@findable(Complaint, "Complaints", order=33)
def describe_complaint(complaint: Complaint) -> Text:
    """A complaint by number, what the customer said, and what they get."""
    return Text(
        title=complaint.title,
        number=complaint.number,
        words=f"{complaint.feedback.words}\n{complaint.outcome}".strip(),
        note=complaint.get_status_display(),
    )


@findable(Report, "Reports", order=34)
def describe_report(report: Report) -> Text:
    """A report by number and everything that was told."""
    return Text(
        title=report.title,
        number=report.number,
        words=f"{report.evidence}\n{report.place}".strip(),
        note=report.get_status_display(),
    )
