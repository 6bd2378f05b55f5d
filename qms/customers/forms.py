"""Forms of customers, satisfaction reviews, surveys and feedback; the public form of a survey."""

from typing import Any

from django import forms

from qms.customers.models import Customer, Feedback, Survey
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


def asked_field() -> forms.ModelMultipleChoiceField:
    """Whom a survey asks: customers we deliver to, by name."""
    return forms.ModelMultipleChoiceField(
        Customer.objects.open().order_by("name", "pk"),
        label="Customers asked",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each gets a link of their own at the mail address of the register.",
    )


class SurveyForm(RecordForm):
    """What is asked, about what, until when."""

    class Meta:
        model = Survey
        fields = (
            "title",
            "about",
            "closes_on",
            "owner",
            "greeting",
            "asks_satisfaction",
            "asks_recommendation",
            "questions",
        )
        widgets = {
            "greeting": forms.Textarea(attrs={"rows": 2}),
            "questions": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))
        elif self.instance.status != Survey.Status.DRAFT:
            for name in set(self.fields) - {"owner", "closes_on", "version", "reason"}:
                del self.fields[name]


class NewSurveyForm(SurveyForm):
    """A new survey, with whom it asks."""

    customers = asked_field()


class AskedForm(PlainForm):
    """Whom a survey asks."""

    customers = asked_field()


class FeedbackForm(RecordForm):
    """What a customer said."""

    papers = ManyFilesField(label="Files", required=False)

    class Meta:
        model = Feedback
        fields = ("customer", "said_by", "heard_on", "kind", "came_by", "about", "words")
        widgets = {"words": forms.Textarea(attrs={"rows": 4})}

    def changes(self) -> dict[str, Any]:
        return super().changes() | {"papers": self.cleaned_data["papers"]}


SATISFACTION = [
    (5, "5 – very satisfied"),
    (4, "4 – satisfied"),
    (3, "3 – neither"),
    (2, "2 – dissatisfied"),
    (1, "1 – very dissatisfied"),
]


class AnswerForm(forms.Form):
    """What a customer is asked, on the public page of a survey; nothing is compulsory alone."""

    def __init__(self, *args: Any, survey: Survey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asks = "How satisfied are you with us?"
        if survey.about:
            asks = f"{survey.about}: how satisfied are you?"
        if survey.asks_satisfaction:
            self.fields["satisfaction"] = _scale(asks, SATISFACTION)
        if survey.asks_recommendation:
            self.fields["recommendation"] = _scale(
                "How likely is it that you would recommend us? 0 is not at all, 10 is certain.",
                [(value, str(value)) for value in range(11)],
            )
        self.free = survey.asked_freely
        for place, question in enumerate(self.free):
            self.fields[f"words_{place}"] = _words(question)
        self.fields["comment"] = _words("Is there anything else we should know?")

    def said(self) -> dict[str, Any]:
        """What `answer_survey` takes."""
        told = self.cleaned_data
        return {
            "satisfaction": told.get("satisfaction"),
            "recommendation": told.get("recommendation"),
            "words": [(asked, told[f"words_{i}"]) for i, asked in enumerate(self.free)],
            "comment": told["comment"],
        }


def _scale(label: str, choices: list[tuple[int, str]]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=choices,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )


def _words(label: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, max_length=2000, required=False, widget=area)
