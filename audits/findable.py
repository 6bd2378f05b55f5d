"""What is found of audits and their findings."""

from audits.models import (
    Addendum,
    Audit,
    AuditNote,
    AuditProgramme,
    BodyFinding,
    Certificate,
    ChecklistTemplate,
    Finding,
    MarkUse,
    VisitRequest,
)
from qms.finding.workflow import Text, findable


@findable(Audit, "Audits", order=20, edition=2)
def describe_audit(audit: Audit) -> Text:
    """An audit by number, what it is of, why it is made and the words of its conclusions."""
    return Text(
        title=audit.title,
        number=audit.number,
        words="\n".join(each for each in (audit.why_now, audit.conclusions) if each),
        note=audit.get_status_display(),
    )


@findable(Finding, "Findings", order=25, edition=2)
def describe_finding(finding: Finding) -> Text:
    """A finding by its words; a draft is found by the team alone."""
    return Text(
        title=finding.title,
        number=finding.number,
        keywords=finding.reference,
        words=f"{finding.statement}\n{finding.evidence}".strip(),
        note=finding.get_grade_display(),
    )


@findable(AuditNote, "Audit notes", order=26)
def describe_note(note: AuditNote) -> Text | None:
    """A note by its words, until it became a finding or an answer, which are found themselves."""
    if note.status != AuditNote.Status.OPEN:
        return None
    return Text(title=note.title, number=note.audit.number, words=note.words)


@findable(ChecklistTemplate, "Checklist templates", order=27)
def describe_template(template: ChecklistTemplate) -> Text:
    """A template by its name and its questions."""
    return Text(title=template.name, words=template.questions, note=template.get_status_display())


@findable(Addendum, "Addenda to audit reports", order=26)
def describe_addendum(addendum: Addendum) -> Text:
    """An addendum by what it corrects; a draft is found by the team alone."""
    return Text(
        title=addendum.title,
        number=addendum.audit.number,
        words=f"{addendum.text}\n{addendum.reason}",
        note=str(addendum),
    )


@findable(AuditProgramme, "Audit programmes", order=21)
def describe_programme(programme: AuditProgramme) -> Text:
    """A programme by its title and what it is for."""
    words = (programme.objectives, programme.risks, programme.methods, programme.resources)
    return Text(
        title=programme.title,
        number=programme.number,
        words="\n".join(each for each in words if each),
        note=programme.get_status_display(),
    )


@findable(BodyFinding, "Findings of the certification body", order=23)
def describe_body_finding(finding: BodyFinding) -> Text:
    """A finding of the body by its number and words."""
    return Text(
        title=finding.title,
        number=finding.reference,
        words=f"{finding.statement}\n{finding.evidence}".strip(),
        note=finding.get_grade_display(),
    )


@findable(VisitRequest, "Requests of the certification body", order=24)
def describe_request(request: VisitRequest) -> Text:
    """A request by what was asked for and what was shown."""
    return Text(title=request.title, words=request.shown, note=request.get_status_display())


@findable(MarkUse, "Uses of the mark", order=28)
def describe_mark_use(use: MarkUse) -> Text:
    """A use of the mark by where it is and what it says."""
    return Text(
        title=use.place,
        keywords=use.get_medium_display(),
        words=f"{use.wording}\n{use.note}".strip(),
        note=use.get_status_display(),
    )


@findable(Certificate, "Certificates", order=22)
def describe_certificate(certificate: Certificate) -> Text:
    """A certificate by its number, its body and its scope."""
    return Text(
        title=certificate.title,
        keywords=f"{certificate.body.name} {certificate.accreditation}".strip(),
        words=certificate.scope_text,
        note=certificate.get_status_display(),
    )
