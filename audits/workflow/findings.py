"""Findings: recorded as drafts, released by the lead, answered and followed to closure (9.2.2)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Max

from audits.models import (
    Audit,
    ChecklistItem,
    Finding,
    FindingGrade,
    FindingResponse,
)
from audits.workflow.teams import answerers_of, only_the_auditee, only_the_lead, only_the_team
from capa.models import Nonconformity
from capa.workflow import raise_nonconformity
from qms import clauses, contributions
from qms.clauses import ClauseRef
from qms.contributions import Step
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status
ANSWER_DAYS = 30  # an observation is accepted or declined within them


def lacks(finding: Finding, grade: str = "") -> bool:
    """Whether it lacks what its grade must have before it is released.

    A nonconformity says requirement, evidence and statement, an observation evidence and
    statement; the others say something.
    """
    grade = grade or finding.standing_grade
    said = [bool(text.strip()) for text in (finding.evidence, finding.statement)]
    if grade in Finding.NONCONFORMITIES:
        return not (finding.requirement.strip() and all(said))
    return not (all(said) if grade in Finding.ANSWERED else any(said))


def findings_are_complete(audit: Audit, by: Any) -> str | None:
    """What lacks requirement, evidence or statement is not released."""
    drafts = audit.findings.filter(status=Finding.Status.DRAFT)
    missing = [str(f.position) for f in drafts.order_by("position") if lacks(f)]
    if missing:
        return f"Finding {', '.join(missing)} lacks requirement, evidence or statement."
    return None


def nonconforming_answers_have_findings(audit: Audit, by: Any) -> str | None:
    kept = audit.findings.exclude(status="void") | audit.findings.exclude(merged_into=None)
    bare = audit.items.filter(answer=ChecklistItem.Answer.NONCONFORMING).exclude(
        pk__in=kept.exclude(item=None).values("item_id")
    )
    numbers = [str(n) for n in bare.order_by("position").values_list("position", flat=True)]
    if numbers:
        return f"Question {', '.join(numbers)} is nonconforming but has no finding."
    return None


def everything_is_settled(audit: Audit, by: Any) -> str | None:
    """Its nonconformities are closed and its observations answered."""
    said = []
    if left := nonconformities_of(audit).open().count():
        said.append(f"{left} of its nonconformities {'is' if left == 1 else 'are'} still open.")
    if left := audit.findings.to_answer().count():
        shown = "observation is" if left == 1 else "observations are"
        said.append(f"{left} {shown} not answered yet.")
    return " ".join(said) or None


def nonconformities_of(audit: Audit) -> Any:
    """The nonconformities its findings raised."""
    return Nonconformity.objects.raised_from(*audit.findings.all())


def audit_is_running(finding: Finding, by: Any) -> str | None:
    if finding.audit.status != Status.IN_PROGRESS:
        return "The audit is not in progress."
    return None


def only_its_team(finding: Finding, by: Any) -> str | None:
    return only_the_team(finding.audit, by)


def only_its_lead(finding: Finding, by: Any) -> str | None:
    return only_the_lead(finding.audit, by)


def only_its_auditee(finding: Finding, by: Any) -> str | None:
    """Whoever accepts or declines what we found ourselves."""
    if finding.audit.is_theirs:
        return "It is the customer's finding. Answer it to them."
    return only_the_auditee(finding.audit, by)


def only_who_answers_the_customer(finding: Finding, by: Any) -> str | None:
    if not finding.audit.is_theirs:
        return "It is our own finding; it is accepted or declined, or answered in its own case."
    return only_the_auditee(finding.audit, by)


def lock_its_audit(finding: Finding) -> None:
    """Whoever releases the findings of an audit waits for who changes one, and the other way."""
    Audit._base_manager.select_for_update(of=("self",)).get(pk=finding.audit_id)


@guards_attaching(Finding)
def while_it_is_a_draft(finding: Finding, by: Any) -> str | None:
    """Photos belong to the finding as it was released; only the team adds them."""
    if finding.status != Finding.Status.DRAFT:
        return "The finding is released; attach it to its nonconformity."
    return only_the_team(finding.audit, by)


# Factories


def other_edition(audit: Audit, clause: str) -> str | None:
    """Why a clause does not fit the edition audited against, and which one does."""
    if not clause or (ref := ClauseRef.parse(clause)).edition == audit.edition:
        return None
    here = ", ".join(each.number for each in clauses.mapping_of(ref).refs)
    way = f"What it says is found in {here} there." if here else "That edition has none like it."
    return (
        f"{audit.number} audits against edition {audit.edition}; clause {ref.number} is of "
        f"edition {ref.edition}. {way}"
    )


def clause_of(item: ChecklistItem, audit: Audit) -> str:
    """The clause of a question, where it is one of the edition audited against."""
    return "" if other_edition(audit, item.clause) else item.clause


@creates(Finding, permission="audits.conduct_audit")
def record_finding(
    audit: Audit,
    *,
    by: Person,
    grade: str,
    evidence: str = "",
    statement: str = "",
    requirement: str = "",
    clause: str = "",
    item: ChecklistItem | None = None,
    reference: str = "",
    answer_due: date | None = None,
) -> Finding:
    """Record a finding as a draft; it may be incomplete until the lead releases it."""
    locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if why := only_the_team(locked, by):
        raise PermissionDenied(why)
    if locked.status != Status.IN_PROGRESS:
        raise Refused("Start the audit first; findings are recorded while it is in progress.")
    if grade not in Finding.Grade.values:
        raise Refused("Choose a grade.", field="grade")
    if item is not None and item.audit_id != locked.pk:
        raise Refused("That question belongs to another audit.", field="item")
    if why := other_edition(locked, clause):
        raise Refused(why, field="clause")
    if why := customers_alone(locked, reference, answer_due):
        raise Refused(why, field="answer_due" if answer_due else "reference")
    last = locked.findings.aggregate(last=Max("position"))["last"] or 0
    finding = Finding(
        audit=locked,
        item=item,
        position=last + 1,
        grade=grade,
        clause=clause or (clause_of(item, locked) if item else ""),
        requirement=requirement,
        evidence=evidence,
        statement=statement,
        reference=reference,
        answer_due=answer_due,
        created_by=by,
    )
    finding.save()
    return finding


def customers_alone(audit: Audit, reference: str, answer_due: date | None) -> str | None:
    """Only a customer's findings come with their number and their deadline, after the audit."""
    if audit.is_theirs and answer_due and audit.conducted_on and answer_due < audit.conducted_on:
        return "They cannot want the answer before it was found. Compare the day with theirs."
    if audit.is_theirs or not (reference or answer_due):
        return None
    return "Only a customer's finding has a number and a deadline of theirs."


def answer_of(finding: Finding) -> str:
    """What a finding says about its question, where nobody has answered it otherwise."""
    answers = ChecklistItem.Answer
    if finding.is_nonconformity:
        return answers.NONCONFORMING
    good = finding.grade in (Finding.Grade.GOOD, Finding.Grade.CONFORMITY)
    return answers.CONFORMS if good else answers.OPPORTUNITY


@creates(FindingResponse, permission="audits.answer_audit")
def respond(finding: Finding, *, by: Person, text: str, disagrees: bool = False) -> FindingResponse:
    """Say something to a released finding; it is kept as said and stands in the report."""
    if why := only_the_auditee(finding.audit, by):
        raise PermissionDenied(why)
    if finding.status != Finding.Status.RELEASED:
        raise Refused("The finding is not released yet.")
    if finding.audit.status == Status.CLOSED:
        raise Refused("The audit is closed; nothing is added to its findings.")
    if not text.strip():
        raise Refused("Say what you think of the finding.", field="text")
    response = FindingResponse(
        finding=finding, text=text.strip(), disagrees=disagrees, created_by=by
    )
    response.save()
    return response


# Moves of a draft


@transition(
    Finding,
    source=Finding.Status.DRAFT,
    target=Finding.Status.DRAFT,
    permission="audits.report_audit",
    only=only_its_lead,
    guards=[audit_is_running],
    locks=lock_its_audit,
    details={
        "grade": forms.ChoiceField(label="Softer grade", choices=Finding.Grade.choices),
        "softened_because": forms.CharField(
            label="Why is it not as grave as it was recorded?",
            initial="",
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="The reason stands in the report. Evidence alone is never a reason to.",
        ),
    },
    label="Soften the grade",
    primary=False,
)
def soften(finding: Finding, *, by: Any, grade: str, softened_because: str) -> None:
    """Give it a softer grade, for a reason that is kept; before it is released only."""
    if Finding.GRAVITY[grade] >= Finding.GRAVITY[finding.grade]:
        raise Refused(
            "That is no softer grade. Edit the finding to grade it graver.", field="grade"
        )
    before = f"{finding.softened_because}\n" if finding.softened_because else ""
    finding.softened_from = finding.softened_from or finding.grade
    finding.softened_because = before + softened_because.strip()
    finding.grade = grade


@transition(
    Finding,
    source=Finding.Status.DRAFT,
    target=Finding.Status.VOID,
    permission="audits.conduct_audit",
    only=only_its_team,
    guards=[audit_is_running],
    locks=lock_its_audit,
    details={
        "into": forms.IntegerField(
            label="Number of the finding it belongs to",
            min_value=1,
            max_value=9999,
            help_text="Its words are added there; this one stays visible as merged.",
        )
    },
    label="Merge into another",
    primary=False,
)
def merge(finding: Finding, *, by: Any, into: int) -> None:
    """Merge it into another draft of the audit, which takes over its words."""
    drafts = Finding._base_manager.filter(audit=finding.audit_id, status=Finding.Status.DRAFT)
    other = drafts.select_for_update(of=("self",)).exclude(pk=finding.pk)
    kept = other.filter(position=into).first()
    if kept is None:
        raise Refused(f"This audit has no other draft with the number {into}.", field="into")
    if Finding.GRAVITY[kept.grade] < Finding.GRAVITY[finding.grade]:
        raise Refused(
            f"Finding {into} is graded softer. Merge it into this one instead.", field="into"
        )
    for name in ("requirement", "evidence", "statement"):
        setattr(kept, name, _joined(getattr(kept, name), getattr(finding, name)))
    kept.clause = kept.clause or finding.clause
    if finding.softened_from:
        first = (kept.softened_from or kept.grade, finding.softened_from)
        kept.softened_from = max(first, key=Finding.GRAVITY.__getitem__)
        kept.softened_because = _joined(kept.softened_because, finding.softened_because)
    kept.save_because(f"Finding {finding.position} was merged into it.", by=by)
    finding.merged_into = kept


def _joined(text: str, more: str) -> str:
    """Both texts, each said once."""
    if not more.strip() or more.strip() in text:
        return text
    return f"{text.rstrip()}\n{more.strip()}" if text.strip() else more


@transition(
    Finding,
    source=Finding.Status.DRAFT,
    target=Finding.Status.RELEASED,
    permission="audits.report_audit",
    guards=[
        lambda finding, by: released_with_its_audit(finding),
        lambda finding, by: it_says_what_its_grade_asks(finding),
    ],
    label="Release",
    primary=False,
)
def release_finding(finding: Finding, *, by: Any) -> None:
    """Release it with the others of its audit."""
    theirs = finding.audit.is_theirs
    asked = Finding.CUSTOMERS_ASK if theirs else Finding.ANSWERED
    if finding.standing_grade in asked and not (theirs and finding.answer_due):
        finding.answer_due = due_in(ANSWER_DAYS, today())


def only_the_lead_takes_back(finding: Finding, by: Any) -> str | None:
    """To void a nonconformity is to soften it as far as can be."""
    if finding.is_nonconformity or finding.softened_from in Finding.NONCONFORMITIES:
        return only_its_lead(finding, by)
    return only_its_team(finding, by)


void_finding = voids(
    Finding,
    source=Finding.Status.DRAFT,
    permission="audits.conduct_audit",
    guards=[audit_is_running, only_the_lead_takes_back],
)


def released_with_its_audit(finding: Finding) -> str | None:
    if Audit._base_manager.get(pk=finding.audit_id).status == Status.RELEASED:
        return None
    return "Findings are released together; release those of the audit."


def it_says_what_its_grade_asks(finding: Finding) -> str | None:
    """Asked once more with its row locked: somebody may have edited it at the same moment."""
    if not lacks(finding):
        return None
    return f"Finding {finding.position} lacks requirement, evidence or statement."


def release_findings(audit: Audit, by: Any) -> None:
    """Release every draft, and raise a nonconformity for each major and minor, once."""
    for finding in audit.findings.filter(status=Finding.Status.DRAFT).order_by("position"):
        release_finding(finding, by=by)
        if finding.is_nonconformity:
            raise_for(finding, by=by)
    refresh(audit)


def raise_for(finding: Finding, *, by: Any) -> Nonconformity:
    """The nonconformity of a finding: raised now, or the one it raised before.

    Whoever calls it holds the lock of the finding's row, so that there is never a second one.
    """
    known: Nonconformity | None = Nonconformity.objects.raised_from(finding).first()
    if known is not None:
        return known
    audit = finding.audit
    here: dict[str, Any] = {"provider": audit.provider, "customer": audit.customer}
    return raise_nonconformity(
        by=by,
        title=finding.title.rstrip("."),
        statement=finding.statement,
        requirement=finding.requirement,
        clause=finding.clause,
        evidence=finding.evidence,
        source=RAISED_AS[Audit.Kind(audit.kind)],
        grade=finding.standing_grade,
        process=audit.process,
        owner=_who_answers(audit),
        detected_on=audit.conducted_on,
        origin=finding,
        **{name: value for name, value in here.items() if value is not None},
    )


def _who_answers(audit: Audit) -> Person | None:
    """Who answers a nonconformity of an audit that is of no process: somebody whose role allows it.

    None leaves it to the process owner, or to the quality manager who gives it one.
    """
    if audit.process is not None:
        return None
    asked = [audit.auditee, audit.subject.owner]
    return next((p for p in asked if p and p.has_perm("capa.answer_nonconformity")), None)


RAISED_AS = {
    Audit.Kind.INTERNAL: Nonconformity.Source.AUDIT,
    Audit.Kind.SPECIAL: Nonconformity.Source.AUDIT,
    Audit.Kind.SUPPLIER: Nonconformity.Source.SUPPLIER,
    Audit.Kind.CUSTOMER: Nonconformity.Source.CUSTOMER_AUDIT,
}


# Moves of a released one


def it_waits_for_an_answer(finding: Finding, by: Any) -> str | None:
    if finding.wants_answer:
        return None
    if finding.decision:
        return f"It is already {finding.get_decision_display().lower()}."
    return "Only an observation is accepted or declined. A nonconformity is answered in its own."


def _decide(finding: Finding, by: Any, decision: str, text: str) -> None:
    finding.decision, finding.decision_text = decision, text.strip()
    finding.decided_by, finding.decided_on = by, today()


def _answered(finding: Finding, by: Any) -> None:
    """The lead learns when it was the last."""
    refresh(Audit._base_manager.get(pk=finding.audit_id))


@transition(
    Finding,
    source=Finding.Status.RELEASED,
    target=Finding.Status.RELEASED,
    permission="audits.answer_audit",
    only=only_its_auditee,
    guards=[it_waits_for_an_answer],
    details={
        "decision_text": forms.CharField(
            label="What will be done", required=False, widget=forms.Textarea(attrs={"rows": 2})
        )
    },
    label="Accept the observation",
    then=_answered,
)
def accept(finding: Finding, *, by: Any, decision_text: str = "") -> None:
    """Accept the observation; something is done about it."""
    _decide(finding, by, Finding.Decision.ACCEPTED, decision_text)


@transition(
    Finding,
    source=Finding.Status.RELEASED,
    target=Finding.Status.RELEASED,
    permission="audits.answer_audit",
    only=only_its_auditee,
    guards=[it_waits_for_an_answer],
    details={
        "decision_text": forms.CharField(
            label="Why nothing is done", widget=forms.Textarea(attrs={"rows": 2})
        )
    },
    label="Decline the observation",
    primary=False,
    then=_answered,
)
def decline(finding: Finding, *, by: Any, decision_text: str) -> None:
    """Decline the observation, with the reason."""
    if not decision_text.strip():
        raise Refused("Say why nothing is done.", field="decision_text")
    _decide(finding, by, Finding.Decision.DECLINED, decision_text)


@transition(
    Finding,
    source=Finding.Status.RELEASED,
    target=Finding.Status.RELEASED,
    permission="audits.answer_audit",
    only=only_who_answers_the_customer,
    guards=[it_waits_for_an_answer],
    details={
        "decision_text": forms.CharField(
            label="What we answered",
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text="Correction, cause and action, as they got it.",
        ),
        "sent_on": forms.DateField(label="Sent on", initial=today),
    },
    label="Answered to the customer",
    then=_answered,
)
def answer_customer(finding: Finding, *, by: Any, decision_text: str, sent_on: date) -> None:
    """Record what the customer was answered, and when."""
    if not decision_text.strip():
        raise Refused("Say what they were answered.", field="decision_text")
    if sent_on > today():
        raise Refused("Record it when it is sent.", field="sent_on")
    if finding.audit.conducted_on and sent_on < finding.audit.conducted_on:
        raise Refused("It cannot be answered before it was found.", field="sent_on")
    _decide(finding, by, Finding.Decision.ANSWERED, decision_text)
    finding.decided_on = sent_on


def theirs_alone(finding: Finding, changed: Mapping[str, Any]) -> str | None:
    return customers_alone(
        finding.audit, changed.get("reference") or "", changed.get("answer_due") or None
    )


def stays_as_grave(finding: Finding, changed: Mapping[str, Any]) -> str | None:
    """Softening is a step of its own, the lead's, with a reason; a customer's grade is theirs."""
    grade = changed.get("grade")
    if (
        finding.audit.is_theirs
        or grade is None
        or Finding.GRAVITY[grade] >= Finding.GRAVITY[finding.grade]
    ):
        return None
    return "A grade is not softened by an edit. The lead auditor softens it, with the reason."


def stays_in_its_edition(finding: Finding, changed: Mapping[str, Any]) -> str | None:
    return other_edition(finding.audit, changed.get("clause") or "")


editing_finding = amendment(
    Finding,
    permission="audits.conduct_audit",
    fields=(
        "grade",
        "clause",
        "requirement",
        "evidence",
        "statement",
        "reference",
        "answer_due",
    ),
    only=only_its_team,
    guards=[audit_is_running],
    states=(Finding.Status.DRAFT,),
    checks=[stays_as_grave, stays_in_its_edition, theirs_alone],
)


@contributions.work(Finding)
def answers_wanted(finding: Finding) -> list[Step]:
    """The owner accepts or declines an observation in time."""
    if not finding.wants_answer:
        return []
    words = "Answer the customer" if finding.audit.is_theirs else "Accept or decline"
    return [
        Step("answer", words, person=each, due=finding.answer_due)
        for each in answerers_of(finding.audit)
    ]


# What grades are called


def one_grade_raises(grade: str, is_used: bool) -> None:
    """Refuse to take the last grade away that raises a nonconformity."""
    if is_used or grade not in Finding.NONCONFORMITIES:
        return
    others = FindingGrade.objects.filter(grade__in=Finding.NONCONFORMITIES, is_used=False)
    if others.exclude(grade=grade).exists():
        raise Refused("One grade must be left for nonconformities.", field="is_used")


@creates(FindingGrade, permission="audits.change_findinggrade")
def word_grade(
    *, by: Person, grade: str, label: str, definition: str = "", is_used: bool = True
) -> FindingGrade:
    """Give a grade the organisation's own word and definition; its meaning stays."""
    if grade not in Finding.Grade.values:
        raise Refused("There is no such grade.", field="grade")
    if FindingGrade.objects.filter(grade=grade).exists():
        raise Refused("It has words already; edit them.", field="grade")
    one_grade_raises(grade, is_used)
    worded = FindingGrade(
        grade=grade,
        label=label.strip(),
        definition=definition,
        is_used=is_used,
        created_by=by,
    )
    worded.save()
    return worded


def keeps_one_that_raises(worded: FindingGrade, changed: Mapping[str, Any]) -> str | None:
    try:
        one_grade_raises(worded.grade, changed.get("is_used", worded.is_used))
    except Refused as refusal:
        return str(refusal)
    return None


editing_grade = amendment(
    FindingGrade,
    permission="audits.change_findinggrade",
    fields=("label", "definition", "is_used"),
    checks=[keeps_one_that_raises],
)
