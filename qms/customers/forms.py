"""Forms of customers and satisfaction reviews."""

from typing import Any

from django import forms

from qms.customers.models import Customer
from qms.customers.workflow import CUSTOMER_FIELDS, REVIEW
from qms.forms import ManyFilesField, PlainForm, RecordForm

LEFT = "That person no longer works here. Choose somebody who does."


class CustomerForm(RecordForm):
    """Who buys what, what they ask for in particular, and how often they are asked."""

    class Meta:
        model = Customer
        fields = CUSTOMER_FIELDS
        labels = {"every_months": "Asked how satisfied every (months)"}
        widgets = {"buys": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))


class NewCustomerForm(CustomerForm):
    """A new customer; one of a name that is there is asked about."""

    another = forms.BooleanField(
        label="It is another one of the same name", required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["name", "another"])

    def refuse(self, refusal: Any) -> None:
        if refusal.field == "another":
            self.fields["another"].widget = forms.CheckboxInput()
        super().refuse(refusal)


class ReviewForm(PlainForm):
    """How satisfied a customer is."""

    reviewed_on = REVIEW["reviewed_on"]
    source = REVIEW["source"]
    verdict = REVIEW["verdict"]
    heard = REVIEW["heard"]
    follows = REVIEW["follows"]
    sooner_on = REVIEW["sooner_on"]
    papers = ManyFilesField(label="Files", required=False)


class ReviewEntryForm(ReviewForm):
    """The same for programs, which also name the customer."""

    customer = forms.ModelChoiceField(Customer.objects.all())
