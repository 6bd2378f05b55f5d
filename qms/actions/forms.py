"""Forms of actions."""

from typing import Any, ClassVar

from django import forms

from qms import contributions
from qms.actions.models import Action, ActionDependency
from qms.forms import LinksForm, PlainForm, RecordForm
from qms.links import seal

MOST_OFFERED = 100


class ActionForm(RecordForm):
    """What will be done, by whom, by when."""

    class Meta:
        model = Action
        fields = ("title", "description", "kind", "owner", "due", "effort")


class NewActionForm(ActionForm):
    """The same for a new one, with the document it revises or the training it holds."""

    about = forms.ChoiceField(
        label="Document or training",
        required=False,
        help_text=(
            "Where the kind is “Revise a document” or “Train”: the action is then done when the"
            " revision takes effect or the training is held."
        ),
    )
    other_about = forms.CharField(
        label="Another document or training",
        required=False,
        max_length=200,
        help_text="By its number or whole title, where it is not among those above.",
    )
    BESIDE: ClassVar[Any] = ("other_about",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        about: Any = self.fields["about"]
        about.choices = [("", "None"), *(self._offered() if self.by else [])]

    def _offered(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What each kind may be about, by kind."""
        return [
            (each.label, [(f"{each.kind}:{key}", words) for key, words in each.choose(self.by)])
            for each in contributions.fulfilments()
        ]

    def clean_about(self) -> Any:
        """The record that was chosen."""
        kind, _, key = self.cleaned_data["about"].partition(":")
        told = contributions.fulfilment_of(kind)
        return told.model._default_manager.get(pk=int(key)) if told else None

    def clean(self) -> dict[str, Any]:
        """What was named by its number or title is what it is about."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name = " ".join((cleaned.get("other_about") or "").split())
        if name and cleaned.get("about") is not None:
            self.add_error("other_about", "Choose one above or name another one, not both.")
        elif name:
            cleaned["about"] = self._called(str(cleaned.get("kind") or ""), name)
        return cleaned

    def _called(self, kind: str, name: str) -> Any:
        told = contributions.fulfilment_of(kind)
        found = list(told.choose(self.by, name)) if told else []
        if told and len(found) == 1:
            return told.model._default_manager.get(pk=found[0][0])
        words = "Several are called so. Give the number." if found else f"There is no “{name}”."
        self.add_error("other_about", words if told else "Choose first what kind of action it is.")
        return None


class ExtensionForm(PlainForm):
    """A later day, and why."""

    until = forms.DateField(label="Until")
    reason_to_extend = forms.CharField(
        label="Why it takes longer", max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def changes(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"until": said["until"], "reason": said["reason_to_extend"]}


class OrderForm(LinksForm):
    """Which actions must be finished first."""

    needs = forms.ModelMultipleChoiceField(
        Action.objects.all(),
        label="It begins when these are finished",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    other = forms.CharField(
        label="Another action, by its number",
        required=False,
        max_length=400,
        help_text="Several numbers with commas between them.",
    )

    def __init__(self, *args: Any, action: Action, **kwargs: Any) -> None:
        chosen = Action.objects.filter(
            needed_by_links__action=action, needed_by_links__ended=False
        ).values_list("pk", flat=True)
        near = Action.objects.open().filter(kind=action.kind).exclude(pk=action.pk)
        offered = {*chosen, *near.order_by("due", "pk").values_list("pk", flat=True)[:MOST_OFFERED]}
        super().__init__(*args, **kwargs)
        needs: Any = self.fields["needs"]
        needs.queryset = Action.objects.visible_to(self.by).filter(pk__in=offered)
        needs.queryset = needs.queryset.select_related("owner").order_by("due", "pk")
        self.initial["needs"] = sorted(chosen)
        self.initial["seen"] = seal({"action": action}, ActionDependency)

    def clean_other(self) -> list[Action]:
        """The actions of the numbers; one that nobody knows is refused."""
        words = [each.strip().upper() for each in self.cleaned_data["other"].split(",")]
        wanted = {each for each in words if each}
        found = list(Action.objects.visible_to(self.by).filter(number__in=wanted))
        if missing := wanted - {each.number for each in found}:
            raise forms.ValidationError(f"There is no action {', '.join(sorted(missing))}.")
        return found
