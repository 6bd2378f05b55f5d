"""Forms of the start-up path, the opening questions, the principles, the briefing and the plan."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from qms.forms import LinksForm, PlainForm, RecordForm
from qms.journey.models import Briefing, OpeningAnswer, PrincipleAnswer, guide, starters
from qms.journey.workflow import BRIEFING_FIELDS, LENGTH
from qms.people.models import Person
from qms.people.roles import EMPLOYEE, ROLES
from qms.scope.models import Organisation, Process, ScopeStatement, Site

# The zones of the countries the program is made for; any other is set under Settings.
ZONES = [
    ("America/New_York", "Eastern Time, New York"),
    ("America/Chicago", "Central Time, Chicago"),
    ("America/Denver", "Mountain Time, Denver"),
    ("America/Phoenix", "Mountain Time without summer time, Phoenix"),
    ("America/Los_Angeles", "Pacific Time, Los Angeles"),
    ("America/Anchorage", "Alaska Time, Anchorage"),
    ("Pacific/Honolulu", "Hawaii Time, Honolulu"),
    ("Europe/London", "United Kingdom, London"),
    ("America/St_Johns", "Newfoundland Time, St. John’s"),
    ("America/Halifax", "Atlantic Time, Halifax"),
    ("America/Toronto", "Eastern Time, Toronto"),
    ("America/Winnipeg", "Central Time, Winnipeg"),
    ("America/Regina", "Central Time without summer time, Regina"),
    ("America/Edmonton", "Mountain Time, Edmonton"),
    ("America/Vancouver", "Pacific Time, Vancouver"),
]
GIVEN = [
    (role.name, f"{role.label}: {role.purpose}") for role in ROLES.values() if role != EMPLOYEE
]


class OrganisationForm(RecordForm):
    """The few things the system needs to know at once; the rest stands under Settings."""

    time_zone = forms.ChoiceField(label="Time zone", choices=ZONES)

    class Meta:
        model = Organisation
        fields = ("name", "country", "time_zone", "headcount", "edition")
        help_texts = {
            "headcount": "All people who work for you; it decides how much paper is proposed.",
            "edition": "Begin with the newer one unless a certificate to the older one is wanted.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = str(self.instance.time_zone or "")
        field: Any = self.fields["time_zone"]
        if known and known not in dict(ZONES):
            field.choices = [(known, known), *ZONES]


class PersonForm(PlainForm):
    """A colleague with the roles they take on; they are invited by mail."""

    name = forms.CharField(max_length=120)
    email = forms.EmailField(label="E-mail", max_length=254)
    job_title = forms.CharField(label="Job title", max_length=120, required=False)
    roles = forms.MultipleChoiceField(
        choices=GIVEN,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Everybody is an employee; these come on top.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.by is None or not self.by.has_perm("people.assign_role"):
            del self.fields["roles"]


class SiteForm(RecordForm):
    """A place where people work."""

    class Meta:
        model = Site
        fields = ("name", "address", "headcount")


def _answer(label: str, help_text: str, *, rows: int, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=6000,
        required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class AnswersForm(PlainForm):
    """Several answers on one page; none overwrites what somebody else wrote in the meantime.

    The page bears the versions it was made on. An answer left as it was then stays as it is now;
    one that both have written is shown with the other's words before it can be saved.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def show(self, known: Mapping[str, Any], words: str) -> None:
        """Put the stored answers (field → record) into the fields; `words` names their text."""
        self.known, self.words = known, words
        for name, record in known.items():
            self.fields[name].initial = getattr(record, words)
        self.fields["seen"].initial = self._versions()
        self._prepare(self.by)

    def _versions(self) -> str:
        return " ".join(f"{name}:{record.version}" for name, record in self.known.items())

    def clean(self) -> dict[str, Any]:
        """Keep theirs where this person wrote nothing; tell what both have written."""
        found: dict[str, Any] = super().clean() or {}
        told = found.pop("seen", "")
        if "seen" not in self.data:
            return found
        seen = dict(pair.partition(":")[::2] for pair in told.split())
        changed = {
            name: seen.get(name, "0")
            for name, record in self.known.items()
            if name in found and seen.get(name, "0") != str(record.version)
        }
        story = self._story(changed)
        for name, version in changed.items():
            rows = story.get(self.known[name].pk, {})
            number = int(version) if version.isdecimal() and len(version) < 10 else 0
            self._compare(found, name, rows, rows.get(number))
        if self.errors:  # they have been shown now; the next save is a decision
            data: Any = self.data.copy()  # type: ignore[attr-defined]
            data["seen"] = self._versions()
            self.data = data
        return found

    def _story(self, names: Iterable[str]) -> dict[int, dict[int, Any]]:
        """The history of the answers by record and version, in one question."""
        records = [self.known[name] for name in names]
        found: dict[int, dict[int, Any]] = {each.pk: {} for each in records}
        if records:
            history: Any = type(records[0]).history
            rows = history.filter(id__in=list(found)).select_related("history_user")
            for row in rows.order_by("history_id"):
                found[row.id][row.version] = row
        return found

    def _compare(
        self, found: dict[str, Any], name: str, rows: Mapping[int, Any], seen: Any
    ) -> None:
        theirs = getattr(self.known[name], self.words)
        was = getattr(seen, self.words) if seen else None
        given = found[name].strip()
        if given == (was or ""):
            found[name] = theirs
        if given in (theirs, was or "") or theirs == was:
            return
        newest = rows.get(self.known[name].version)
        who = newest.history_user if newest else None
        self.add_error(
            name,
            f"{who.name if who else 'Somebody'} answered while you wrote: “{theirs}” Put both"
            " together, and save again.",
        )


class OpeningForm(AnswersForm):
    """All opening questions on one page, with what is answered already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in guide.questions():
            help_text = f"{each.help} Used for {each.used}."
            self.fields[each.key] = _answer(each.title, help_text, rows=4)
        rows = {each.question: each for each in OpeningAnswer.objects.order_by("pk")}
        self.show({key: row for key, row in rows.items() if key in self.fields}, "text")


class PrincipleForm(AnswersForm):
    """The questions about one principle, with what was answered last."""

    def __init__(self, *args: Any, principle: guide.Principle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {}
        for at, (key, text) in enumerate(principle.asked(), start=1):
            self.fields[f"answer_{at}"] = _answer(text, "", rows=4)
            names[key] = f"answer_{at}"
        rows = PrincipleAnswer.objects.filter(question__in=names).order_by("pk")
        self.show({names[each.question]: each for each in rows}, "answer")


def _attendees() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Person.objects.people(),
        label="Who was there",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Whoever signs for top management must be among them.",
    )


class BriefingForm(RecordForm):
    """What was said, what was granted and decided."""

    class Meta:
        model = Briefing
        fields = BRIEFING_FIELDS
        widgets = {"topics": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "topics": "What the standard asks, what it brings, what it costs, who does what.",
            "guests": "Names of people without an account.",
        }


class NewBriefingForm(BriefingForm):
    """The same for a new one, with who was there."""

    attendees = _attendees()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organisation = Organisation.objects.current()
        currencies = {"US": "USD", "GB": "GBP", "CA": "CAD"}
        country = organisation.country if organisation else ""
        self.initial.setdefault("currency", currencies.get(country, "USD"))


class AttendeesForm(LinksForm):
    """Who was there."""

    attendees = _attendees()


class PlanForm(PlainForm):
    """From when, and over how many months."""

    starts_on = LENGTH["starts_on"]
    months = LENGTH["months"]


class ReplanForm(PlainForm):
    """Until when the open lines are spread, and why."""

    until = forms.DateField(
        label="The last open line is done by",
        help_text="The others are spread over the time in between, in their order.",
    )
    reason = forms.CharField(
        label="Why does the plan move?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept with every line; the first dates stay visible.",
    )

    def changes(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class ProcessesForm(PlainForm):
    """Which processes of a starter are taken, and who owns each."""

    def __init__(self, *args: Any, starter: starters.Starter, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.starter = starter
        known = set(Process.objects.values_list("code", flat=True))
        self.offered = [each for each in starter.processes if each.code not in known]
        for each in self.offered:
            self.fields[f"take_{each.code}"] = forms.BooleanField(
                label=each.name, required=False, initial=True
            )
            self.fields[f"owner_{each.code}"] = forms.ModelChoiceField(
                Person.objects.people(), label=f"Owner of {each.name}", required=False
            )
        self._prepare(self.by)
        first = {role: Person.objects.holding(role).first() for role in ROLES}
        for each in self.offered:
            fitting = first.get(each.owner) or first.get("quality_manager")
            self.fields[f"owner_{each.code}"].initial = fitting

    def rows(self) -> list[tuple[starters.StarterProcess, Any, Any]]:
        """(process, tick, owner) for the table."""
        return [
            (each, self[f"take_{each.code}"], self[f"owner_{each.code}"]) for each in self.offered
        ]

    def changes(self) -> dict[str, Any]:
        taken = [each.code for each in self.offered if self.cleaned_data[f"take_{each.code}"]]
        return {"owners": {code: self.cleaned_data[f"owner_{code}"] for code in taken}}


class ScopeForm(RecordForm):
    """The first words of a scope statement, with what it covers."""

    processes = forms.ModelMultipleChoiceField(
        Process.objects.exclude(status=Process.Status.RETIRED).order_by("code"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sites = forms.ModelMultipleChoiceField(
        Site.objects.filter(status=Site.Status.ACTIVE).order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ScopeStatement
        fields = ("edition", "statement", "products_and_services", "boundaries")
        widgets = {"statement": forms.Textarea(attrs={"rows": 5})}


class OwnProcessForm(PlainForm):
    """A process of the organisation's own, by its name."""

    name = forms.CharField(label="Name of the process", max_length=120)
    owner = forms.ModelChoiceField(Person.objects.people(), label="Owner", required=False)
