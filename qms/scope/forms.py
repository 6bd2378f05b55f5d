"""Forms of the organisation, sites, processes and scope statements."""

from typing import Any

from django import forms

from qms.clauses import ClauseFormField
from qms.forms import PlainForm, RecordForm
from qms.people.models import Person
from qms.scope import workflow
from qms.scope.models import Organisation, Process, ScopeStatement, Site


class OrganisationForm(RecordForm):
    """Who the organisation is, which edition it works to, and how many days each step takes."""

    class Meta:
        model = Organisation
        fields = workflow.ORGANISATION_FIELDS
        help_texts = {
            "time_zone": "Like America/Toronto, America/Chicago or Europe/London.",
            "preparing": "While you move from one edition to the other.",
        }


class SiteForm(RecordForm):
    """A place where the organisation works."""

    class Meta:
        model = Site
        fields = ("name", "address", "headcount", "shifts")


def _people() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Person.objects.people(),
        label="Who works in it",
        required=False,
        help_text="Whoever works in a process does not audit it.",
    )


def _sites() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Site.objects.filter(status=Site.Status.ACTIVE).order_by("name"),
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ProcessForm(RecordForm):
    """What a process is for, what goes in and comes out, and who answers for it."""

    class Meta:
        model = Process
        fields = workflow.PROCESS_FIELDS


class NewProcessForm(ProcessForm):
    """The same for a new one, with who works in it and where."""

    members = _people()
    sites = _sites()


class StaffForm(PlainForm):
    """Who works in a process, and where it runs."""

    members = _people()
    sites = _sites()


class StatementForm(RecordForm):
    """The words of a scope statement."""

    class Meta:
        model = ScopeStatement
        fields = ("edition", "statement", "products_and_services", "boundaries")
        widgets = {"statement": forms.Textarea(attrs={"rows": 5})}


class CoverageForm(PlainForm):
    """Which processes and sites a statement covers."""

    processes = forms.ModelMultipleChoiceField(
        Process.objects.exclude(status=Process.Status.RETIRED).order_by("code"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sites = _sites()


class NewStatementForm(StatementForm):
    """The same for a new one, with what it covers."""

    processes = CoverageForm.base_fields["processes"]
    sites = _sites()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organisation = Organisation.objects.current()
        if organisation:
            self.initial.setdefault("edition", organisation.edition)


class LeaveOutForm(PlainForm):
    """A requirement that does not apply, and why."""

    justification = forms.CharField(
        label="Why it cannot apply to what you do",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text="Who does the work is no reason: what others do for you stays yours.",
    )

    def __init__(self, *args: Any, edition: str = "2026", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clause = ClauseFormField(
            edition=edition, assessable=True, required=False, label="Requirement"
        )
        # Nothing is left out because it stood first in a list.
        offered: Any = clause.choices
        clause.choices = [("", "Choose"), *(each for each in offered if each[0] != "")]
        clause.required = True
        self.fields = {"clause": clause, **self.fields}
        self._prepare(self.by)


class JustifyForm(PlainForm):
    """A better justification."""

    justification = LeaveOutForm.base_fields["justification"]
