"""Forms of actions."""

from typing import Any

from django import forms

from qms.actions.models import Action, ActionDependency
from qms.forms import LinksForm, RecordForm
from qms.links import seal

MOST_OFFERED = 100


class ActionForm(RecordForm):
    """What will be done, by whom, by when."""

    class Meta:
        model = Action
        fields = ("title", "description", "kind", "owner", "due", "effort")


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
