"""Forms of external providers and their evaluation."""

from typing import Any

from django import forms

from qms.forms import ManyFilesField, PlainForm, RecordForm
from qms.providers.models import Provider, Result
from qms.providers.workflow import EVALUATION, PROVIDER_FIELDS
from qms.scope.models import Process

LEFT = "That person no longer works here. Choose somebody who does."
SCORES = [(each.value, each.label) for each in Result if each.value.isdigit()]
YES_OR_NO = [(each.value, each.label) for each in Result if not each.value.isdigit()]
RESULTS = [("", "Not looked at"), ("A score", SCORES), ("Yes or no", YES_OR_NO)]


def processes_field() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Process.objects.order_by("code"),
        label="Processes they serve",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ProviderForm(RecordForm):
    """Who provides what, how much depends on it, and how often it is evaluated."""

    class Meta:
        model = Provider
        fields = PROVIDER_FIELDS
        labels = {"every_months": "Evaluated every (months)"}
        widgets = {"provides": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))


class NewProviderForm(ProviderForm):
    """A new provider, with the processes; one of a name that is there is asked about."""

    processes = processes_field()
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


class ProcessesForm(PlainForm):
    """Which processes a provider serves."""

    processes = processes_field()


class EvaluationForm(PlainForm):
    """An evaluation: the criteria of the provider, one by one."""

    evaluated_on = EVALUATION["evaluated_on"]
    verdict = EVALUATION["verdict"]
    conclusion = EVALUATION["conclusion"]
    sooner_on = EVALUATION["sooner_on"]
    papers = ManyFilesField(label="Evidence", required=False)

    def __init__(self, *args: Any, provider: Provider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = {f"criterion_{n}": name for n, name in enumerate(provider.criteria_list)}
        for key, name in self.criteria.items():
            self.fields[key] = forms.ChoiceField(label=name, choices=RESULTS, required=False)
        self.order_fields(["evaluated_on", *self.criteria])
        self._prepare(self.by)

    def changes(self) -> dict[str, Any]:
        """The values for the procedure: what was looked at as one mapping."""
        given = super().changes()
        said = {name: given.pop(key) for key, name in self.criteria.items()}
        return {**given, "results": {name: result for name, result in said.items() if result}}


class EvaluationEntryForm(PlainForm):
    """The same for programs: the provider is named, the results are lines."""

    provider = forms.ModelChoiceField(Provider.objects.all())
    evaluated_on = EVALUATION["evaluated_on"]
    results = EVALUATION["results"]
    verdict = EVALUATION["verdict"]
    conclusion = EVALUATION["conclusion"]
    sooner_on = EVALUATION["sooner_on"]
