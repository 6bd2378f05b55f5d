"""Forms of management reviews: the plan, a comment on an input, a decision."""

from typing import Any

from django import forms

from qms.forms import PlainForm, RecordForm, name_the_empty_choice
from qms.people.models import Person
from reviews.models import Decision, Review, ReviewedObjective, ReviewInput


def leaders() -> Any:
    """Those who may chair: top management."""
    return Person.objects.holding("top_management")


class NewReviewForm(RecordForm):
    """Which period is reviewed, when, and who chairs."""

    title = forms.CharField(max_length=200, required=False, help_text="Empty: by its month.")
    period_start = forms.DateField(
        label="Looks back from", required=False, help_text="Empty: twelve months before its end."
    )
    period_end = forms.DateField(
        label="To", required=False, help_text="Empty: the day before the meeting."
    )

    class Meta:
        model = Review
        fields = ("title", "planned_on", "chair", "period_start", "period_end", "place", "edition")


class ReviewForm(RecordForm):
    """The plan and, once it is held, the text of the minutes until they are signed."""

    class Meta:
        model = Review
        fields = (
            "title",
            "planned_on",
            "chair",
            "period_start",
            "period_end",
            "place",
            "edition",
            "guests",
            "conclusions",
        )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.status in ("planned", "compiled"):
            del self.fields["guests"], self.fields["conclusions"]
        if self.instance.status != "planned":
            # What the inputs were compiled from stays.
            for name in ("edition", "period_start", "period_end"):
                del self.fields[name]


class InputForm(RecordForm):
    """What people add to an input."""

    class Meta:
        model = ReviewInput
        fields = ("comment", "comment_opportunities", "no_change_because")
        widgets = {
            "comment": forms.Textarea(attrs={"rows": 3}),
            "comment_opportunities": forms.Textarea(attrs={"rows": 3}),
            "no_change_because": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.asks_twice:
            self.fields["comment"].label = "Did the actions on risks work?"
            self.fields["comment_opportunities"].label = "Did the actions on opportunities work?"
        else:
            del self.fields["comment_opportunities"]


class ObjectiveAnswerForm(RecordForm):
    """What a review says of one objective."""

    class Meta:
        model = ReviewedObjective
        fields = ("answer", "because")
        widgets = {"because": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        name_the_empty_choice(self.fields["answer"], "Not answered yet")

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("answer") and not (said.get("because") or "").strip():
            self.add_error("because", "Say why; the reason is kept with the minutes.")
        elif not said.get("answer") and (said.get("because") or "").strip():
            self.add_error("answer", "Say whether it is confirmed, revised or closed.")
        return said


class DecisionForm(PlainForm):
    """An action with owner and date, or why none is needed."""

    kind = forms.ChoiceField(label="About", choices=Decision.Kind.choices)
    text = forms.CharField(
        label="Decision",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    owner = forms.ModelChoiceField(Person.objects.all(), label="Who does it", required=False)
    due = forms.DateField(label="By when", required=False)
    none_because = forms.CharField(
        label="Or no action is needed, because",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class NewDecisionForm(DecisionForm):
    """The same for programs, which also name the review."""

    review = forms.ModelChoiceField(Review.objects.all())
