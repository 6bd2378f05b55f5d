"""Forms of risks and opportunities."""

from typing import Any

from django import forms

from qms.forms import PlainForm, RecordForm
from qms.people.models import Person
from qms.picking import TouchingForm, touches_field
from qms.risks import workflow
from qms.risks.models import Opportunity, Risk

LEFT = "That person no longer works here. Choose somebody who does."


FIND = "risks:record_find"


class OutlookForm(RecordForm):
    """What may happen, where, and who looks after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))
            self.fields["review_on"].required = False
            self.fields["review_on"].help_text = "Left empty, in a year."


class RiskForm(OutlookForm):
    """A risk."""

    class Meta:
        model = Risk
        fields = workflow.FIELDS


class NewRiskForm(TouchingForm, RiskForm):
    """A new risk, with what it bears on."""

    touches = touches_field(FIND)


class OpportunityForm(OutlookForm):
    """An opportunity."""

    class Meta:
        model = Opportunity
        fields = workflow.FIELDS


class NewOpportunityForm(TouchingForm, OpportunityForm):
    """A new opportunity, with what it bears on."""

    touches = touches_field(FIND)


class TouchForm(TouchingForm, PlainForm):
    """What a risk or an opportunity bears on."""

    touches = touches_field(FIND)


class RiskAgainForm(PlainForm):
    """A risk evaluated again."""

    first = workflow.scale_fields(Risk)["first"]
    second = workflow.scale_fields(Risk)["second"]
    why = workflow.scale_fields(Risk)["why"]


class OpportunityAgainForm(PlainForm):
    """An opportunity evaluated again."""

    first = workflow.scale_fields(Opportunity)["first"]
    second = workflow.scale_fields(Opportunity)["second"]
    why = workflow.scale_fields(Opportunity)["why"]


class RiskEvaluationForm(RiskAgainForm):
    """The same where the risk is named, for the API."""

    risk = forms.ModelChoiceField(Risk.objects.all())


class OpportunityEvaluationForm(OpportunityAgainForm):
    """The same where the opportunity is named, for the API."""

    opportunity = forms.ModelChoiceField(Opportunity.objects.all())


class TreatmentForm(PlainForm):
    """One more action of a treatment."""

    title = forms.CharField(label="What will be done", max_length=200)
    owner = forms.ModelChoiceField(Person.objects.people(), label="Done by")
    due = forms.DateField(label="Due")
