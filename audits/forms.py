"""Forms of audits, findings and certificates."""

from typing import Any

from django import forms

from audits import grades, workflow
from audits.models import (
    Addendum,
    Audit,
    AuditNote,
    AuditProgramme,
    AuditReport,
    AuditSlot,
    BodyFinding,
    Certificate,
    CertificationAudit,
    CertificationBody,
    ChecklistItem,
    ChecklistTemplate,
    DeadlineExtension,
    Finding,
    FindingGrade,
    FindingResponse,
    MarkUse,
    VisitRequest,
    VisitSlot,
)
from audits.workflow.certification import PRINTED, TERMS
from qms.clauses import ClauseFormField, begin_with
from qms.forms import LinksForm, ManyFilesField, PlainForm, RecordForm, name_the_empty_choice
from qms.people.models import Person
from qms.scope.models import Organisation, Process, Site


class ProgrammeForm(RecordForm):
    """What a programme is for, what could keep it from working, and with what means."""

    class Meta:
        model = AuditProgramme
        fields = ("title", "edition", "objectives", "risks", "methods", "resources")


class NewProgrammeForm(RecordForm):
    """The same for a new one, with its years."""

    class Meta:
        model = AuditProgramme
        fields = ("title", "starts_on", "years", *ProgrammeForm.Meta.fields[1:])


BY_KIND = {
    Audit.Kind.INTERNAL: ("process", "programme"),
    Audit.Kind.SPECIAL: ("process", "why_now"),
    Audit.Kind.SUPPLIER: ("provider",),
    Audit.Kind.CUSTOMER: ("customer", "process", "outside_auditors"),
}
NEEDED = {
    Audit.Kind.INTERNAL: ("process",),
    Audit.Kind.SPECIAL: ("process", "why_now"),
    Audit.Kind.SUPPLIER: ("provider",),
    Audit.Kind.CUSTOMER: ("customer",),
}


def fit_to_kind(form: forms.BaseForm, kind: str) -> None:
    """Leave the fields an audit of this kind has, and ask for those it needs."""
    asked = BY_KIND[Audit.Kind(kind)]
    for name in {name for names in BY_KIND.values() for name in names} - set(asked):
        del form.fields[name]
    for name in NEEDED[Audit.Kind(kind)]:
        form.fields[name].required = True
        name_the_empty_choice(form.fields[name], "Choose")
    if kind == Audit.Kind.CUSTOMER:
        form.fields["lead"].label = "Who is responsible here"
        form.fields["process"].label = "Process, if they look at one alone"
        form.fields["auditee"].help_text = "Left empty, whoever looks after the customer does."
        del form.fields["auditees"]
        form.order_fields(asked)
    elif kind == Audit.Kind.SUPPLIER:
        by_them = "Left empty: the contract, and what the provider is evaluated by."
        form.fields["criteria"].help_text = by_them
        form.fields["auditee"].help_text = "Left empty, whoever looks after the provider does."


class AuditForm(RecordForm):
    """What is audited, by whom, when, against what."""

    class Meta:
        model = Audit
        fields = (
            "process",
            "provider",
            "customer",
            "outside_auditors",
            "why_now",
            "planned_on",
            "days",
            "lead",
            "programme",
            "site",
            "edition",
            "clauses",
            "objectives",
            "criteria",
            "scope",
            "method",
            "auditees",
            "auditee",
        )
        widgets = {"why_now": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            fit_to_kind(self, self.instance.kind)
            begin_with(self.instance.edition, self.fields["clauses"])


class NewAuditForm(AuditForm):
    """The same for a new audit, with its kind and its team."""

    class Meta:
        model = Audit
        fields = ("kind", *AuditForm.Meta.fields)
        widgets = AuditForm.Meta.widgets

    team = forms.ModelMultipleChoiceField(
        Person.objects.people(), label="Team", required=False, help_text="Beside the lead auditor."
    )


def new_audit_form(kind: str) -> type[NewAuditForm]:
    """The form of a new audit of one kind."""

    class OfThisKind(NewAuditForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            del self.fields["kind"]
            given = kwargs.get("initial") or {}
            self.initial["edition"] = given.get("edition") or Organisation.objects.edition()
            fit_to_kind(self, kind)
            begin_with(str(self.initial["edition"]), self.fields["clauses"])
            if kind == Audit.Kind.CUSTOMER:
                self.fields["team"].label = "Who else is there"
                self.fields["team"].help_text = "Who walks along and writes down what they say."

    return OfThisKind


class AnswerForm(PlainForm):
    """The answer to one question, on the phone."""

    answer = forms.ChoiceField(choices=ChecklistItem.Answer.choices, required=False)
    note = forms.CharField(
        label="Note", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class FindingForm(RecordForm):
    """Grade, requirement, evidence, statement; a customer's with their number and deadline."""

    THEIRS = ("reference", "answer_due")
    audited: Audit | None = None

    class Meta:
        model = Finding
        fields = (
            "reference",
            "grade",
            "clause",
            "requirement",
            "evidence",
            "statement",
            "answer_due",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["grade"]
        field.choices = grades.choices(self.instance.grade)
        audit = self.instance.audit if self.instance.pk else self.audited
        if audit is not None and not audit.is_theirs:
            for name in self.THEIRS:
                del self.fields[name]
        else:
            self.fields["answer_due"].help_text = f"As the customer sets it. {LEFT_EMPTY}"


class NewFindingForm(FindingForm):
    """The same for a new finding, with photos."""

    photos = ManyFilesField(label="Photos", required=False)

    def changes(self) -> dict[str, Any]:
        """The fields of the finding; the photos are attached by the view."""
        return {name: value for name, value in super().changes().items() if name != "photos"}


class ResponseForm(RecordForm):
    """What an auditee says to a finding."""

    class Meta:
        model = FindingResponse
        fields = ("text", "disagrees")


class NewResponseForm(ResponseForm):
    """The same where the finding is named with it."""

    finding = forms.ModelChoiceField(Finding.objects.released())


LEFT_EMPTY = f"Left empty, {workflow.OBSERVATION_DAYS} days from when you release it."


def _several_people(label: str, help_text: str = "") -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Person.objects.people(), label=label, required=False, help_text=help_text
    )


class ReportForm(RecordForm):
    """What the report says beside its findings; each empty part says what will stand there."""

    BESIDE = ("opening", "closing", "recipients")
    opening = _several_people("At the opening meeting")
    closing = _several_people("At the closing meeting")
    recipients = _several_people("Who receives it")

    class Meta:
        model = AuditReport
        fields = (
            "opened_at",
            "opening_outsiders",
            "closed_at",
            "closing_outsiders",
            *AuditReport.TEXTS,
        )

    field_order = (
        "opened_at",
        "opening",
        "opening_outsiders",
        "closed_at",
        "closing",
        "closing_outsiders",
        *AuditReport.TEXTS,
        "recipients",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            return
        audit = self.instance.audit
        for name, text in workflow.usual_texts(audit).items():
            self.fields[name].help_text = f"Left empty: {text}"
        met = workflow.attendance_of(audit)
        here = {**met, "recipients": workflow.recipients_of(audit)}
        for name, people in here.items():
            self.fields[name].initial = [each.pk for each in people]

    def beside(self, record: AuditReport, *, by: Any) -> dict[str, Any]:
        """Who met and who receives it."""
        chosen = {name: self.cleaned_data[name] for name in self.BESIDE}
        workflow.set_people(record.audit, by=by, **chosen)
        return {}


class AddendumForm(RecordForm):
    """What an issued report says wrongly, what holds instead, and why."""

    class Meta:
        model = Addendum
        fields = ("text", "reason", "finding", "grade_after")

    def __init__(self, *args: Any, audit: Audit | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grade: Any = self.fields["grade_after"]
        grade.choices = [("", "As it is"), *grades.choices()]
        field: Any = self.fields["finding"]
        rows = field.queryset.released().select_related("audit").order_by("position")
        audit = audit or (self.instance.audit if self.instance.pk else None)
        field.queryset = rows.filter(audit=audit) if audit else rows


class NewAddendumForm(AddendumForm):
    """The same where the audit is named with it."""

    audit = forms.ModelChoiceField(Audit.objects.filter(status__in=Audit.REPORTED))


class GradeForm(RecordForm):
    """What a grade is called here and when it is given."""

    class Meta:
        model = FindingGrade
        fields = ("label", "definition", "is_used")


class NewGradeForm(GradeForm):
    """The same where a grade gets words for the first time."""

    grade = forms.ChoiceField(choices=Finding.Grade.choices)
    field_order = ("grade", "label", "definition", "is_used")


class QuestionForm(PlainForm):
    """A question of one's own for the checklist."""

    question = forms.CharField(
        label="Question", max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    clause = ClauseFormField(label="Clause", required=False)


class SlotForm(RecordForm):
    """A part of an agenda."""

    class Meta:
        model = AuditSlot
        fields = (
            "day",
            "starts_at",
            "ends_at",
            "kind",
            "what",
            "process",
            "auditor",
            "place",
            "remote_link",
        )


class NewSlotForm(SlotForm):
    """A part of an agenda as a program sends it, with its audit."""

    audit = forms.ModelChoiceField(Audit.objects.all(), label="Audit")


class TemplateForm(RecordForm):
    """Questions to ask again and again, one a line."""

    class Meta:
        model = ChecklistTemplate
        fields = ("name", "edition", "process_kind", "questions")
        widgets = {"questions": forms.Textarea(attrs={"rows": 16})}


class TemplateNameForm(RecordForm):
    """What the questions of an audit are kept as."""

    class Meta:
        model = ChecklistTemplate
        fields = ("name", "process_kind")


class NoteForm(RecordForm):
    """A note; what it is about may be said later."""

    class Meta:
        model = AuditNote
        fields = ("words",)
        widgets = {"words": forms.Textarea(attrs={"rows": 3})}


class NewNoteForm(NoteForm):
    """A note as a program sends it, with its audit."""

    audit = forms.ModelChoiceField(Audit.objects.all(), label="Audit")

    class Meta:
        model = AuditNote
        fields = ("words", "clause", "process")


class NoteTagsForm(RecordForm):
    """What a note is about."""

    class Meta:
        model = AuditNote
        fields = ("words", "clause", "process")


class ExceptionForm(PlainForm):
    """Why an auditor who is not independent may audit all the same."""

    person = forms.ModelChoiceField(Person.objects.people(), label="Auditor")
    reason = forms.CharField(
        label="Why nobody else can do it", widget=forms.Textarea(attrs={"rows": 2})
    )
    mitigation = forms.CharField(
        label="What balances it",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For instance a second auditor, or a review of the report by another person.",
    )


class BodyForm(RecordForm):
    """A certification body and the terms of its contract."""

    class Meta:
        model = CertificationBody
        fields = ("name", *TERMS)


class MarkUseForm(RecordForm):
    """A place where the mark or the certificate is shown."""

    class Meta:
        model = MarkUse
        fields = ("certificate", "medium", "place", "shows", "wording", "owner", "every_months")
        widgets = {"wording": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_their_bodies(self, "certificate")


class MarkUseEditForm(MarkUseForm):
    """The same later, with a day on which it is looked at sooner."""

    class Meta:
        model = MarkUse
        fields = (*MarkUseForm.Meta.fields, "sooner_on")
        widgets = MarkUseForm.Meta.widgets


def _sites() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Site.objects.filter(status=Site.Status.ACTIVE).order_by("name"),
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class CertificateForm(RecordForm):
    """The application at a certification body, the first or for the next cycle."""

    sites = _sites()

    class Meta:
        model = Certificate
        fields = ("body", "edition", "scope_text", "accreditation", "predecessor", "cycle")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_their_bodies(self, "predecessor")


def with_their_bodies(form: forms.BaseForm, name: str) -> None:
    """Certificates are named by their body: read both at once."""
    field: Any = form.fields[name]
    field.queryset = field.queryset.select_related("body")


class CertificateEditForm(RecordForm):
    """What an application says; of a certificate also what is printed on it."""

    class Meta:
        model = Certificate
        fields = ("edition", "scope_text", "accreditation", *PRINTED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PRINTED:
            if self.instance.status == Certificate.Status.APPLIED:
                del self.fields[name]
            else:
                self.fields[name].required = True


class SitesForm(LinksForm):
    """Which sites are on a certificate."""

    sites = _sites()


class VisitForm(RecordForm):
    """A planned visit of the certification body."""

    class Meta:
        model = CertificationAudit
        fields = ("certificate", "kind", "planned_on", "auditors", "audit_days", "cost")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_their_bodies(self, "certificate")


class BodyFindingEditForm(RecordForm):
    """What the body wrote, corrected before it is answered."""

    class Meta:
        model = BodyFinding
        fields = ("reference", "clause", "requirement", "statement", "evidence")


BY_ITS_TERMS = "Left empty, it follows from the terms of the body."


class BodyFindingForm(RecordForm):
    """What the body found, with its own deadlines where it names them."""

    process = forms.ModelChoiceField(
        Process.objects.active().order_by("code"),
        required=False,
        help_text="Its owner owns the nonconformity.",
    )
    plan_due = forms.DateField(label="Plan due", required=False, help_text=BY_ITS_TERMS)
    evidence_due = forms.DateField(label="Evidence due", required=False, help_text=BY_ITS_TERMS)

    class Meta:
        model = BodyFinding
        fields = (
            "visit",
            "reference",
            "grade",
            "clause",
            "requirement",
            "statement",
            "evidence",
            "found_on",
        )


AS_IT_WAS = "Left empty it stays, or follows from the terms of the body."


class ExtensionForm(PlainForm):
    """A later day for an answer, as the body agreed to."""

    deadline = forms.ChoiceField(choices=DeadlineExtension.Deadline.choices)
    until = forms.DateField(label="Until")
    reason = forms.CharField(label="Why", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    consent = ManyFilesField(
        label="Consent of the body", help_text="Its mail or letter. It is kept with the finding."
    )


class GradeChangeForm(PlainForm):
    """The grade as the body changed it."""

    becomes = forms.ChoiceField(label="Grade now", choices=BodyFinding.Grade.choices)
    decided_on = forms.DateField(label="Decided on")
    by_whom = forms.CharField(label="By whom at the body", max_length=120)
    reason = forms.CharField(label="Why", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    plan_due = forms.DateField(label="Plan due", required=False, help_text=AS_IT_WAS)
    evidence_due = forms.DateField(label="Evidence due", required=False, help_text=AS_IT_WAS)
    letter = ManyFilesField(
        label="Letter of the body", help_text="Its mail or letter. It is kept with the finding."
    )


class VisitSlotForm(RecordForm):
    """An hour of the plan of a visit."""

    class Meta:
        model = VisitSlot
        fields = (
            "day",
            "starts_at",
            "ends_at",
            "process",
            "what",
            "body_auditor",
            "auditee",
            "escort",
            "place",
        )


class NewVisitSlotForm(VisitSlotForm):
    """An hour as a program sends it, with its visit."""

    visit = forms.ModelChoiceField(
        CertificationAudit.objects.select_related("certificate"), label="Visit"
    )


class RequestForm(RecordForm):
    """What an auditor of the body asks to see."""

    class Meta:
        model = VisitRequest
        fields = ("what", "asked_by_whom", "fetcher")


class NewRequestForm(RequestForm):
    """The same as a program sends it, with its visit."""

    class Meta:
        model = VisitRequest
        fields = ("visit", "what", "asked_by_whom", "fetcher")


class VisitEditForm(RecordForm):
    """The same while the visit is planned."""

    class Meta:
        model = CertificationAudit
        fields = VisitForm.Meta.fields[1:]
