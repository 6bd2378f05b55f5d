"""Forms of people, their roles and their own profile."""

from typing import Any

from django import forms

from qms.forms import PlainForm, RecordForm, reason_field
from qms.people.models import Absence, Person
from qms.people.roles import EMPLOYEE, ROLES
from qms.people.workflow import LONGEST_TOKEN_DAYS

GIVEN = [
    (role.name, f"{role.label}: {role.purpose}") for role in ROLES.values() if role != EMPLOYEE
]


class PersonForm(PlainForm):
    """Who somebody is; the address only where it may be changed."""

    name = forms.CharField(max_length=120)
    email = forms.EmailField(label="E-mail", help_text="The address to sign in with.")
    job_title = forms.CharField(label="Job title", max_length=120, required=False)
    phone = forms.CharField(max_length=40, required=False)

    def __init__(self, *args: Any, address: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not address:
            del self.fields["email"]


class NewPersonForm(PersonForm):
    """A new person, with roles where they may be given."""

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


class RoleForm(PlainForm):
    """A role that is given, and why."""

    role = forms.ChoiceField(choices=GIVEN, widget=forms.RadioSelect)
    reason = reason_field()


class ReasonForm(PlainForm):
    """Why."""

    reason = reason_field()


class TokenForm(PlainForm):
    """A token for programs."""

    label = forms.CharField(
        label="What it is for", max_length=80, help_text="Such as: nightly export to the ERP."
    )
    days = forms.IntegerField(
        label="Days until it ends", min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        help_text="The token acts in your name.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PlaceForm(PlainForm):
    """Where somebody works and to whom they report."""

    department = forms.CharField(max_length=80, required=False)
    manager = forms.ModelChoiceField(
        Person.objects.people().filter(access_until=None), label="Reports to", required=False
    )


class HandOverForm(PlainForm):
    """Who takes over, and why."""

    successor = forms.ModelChoiceField(
        Person.objects.people().filter(access_until=None), label="Who takes over"
    )
    reason = reason_field()


class AbsenceForm(PlainForm):
    """From when to when, and who stands in."""

    starts_on = forms.DateField(label="First day away")
    ends_on = forms.DateField(label="Last day away")
    deputy = forms.ModelChoiceField(
        Person.objects.people().filter(access_until=None), label="Who gets the work meanwhile"
    )


class AbsenceEndForm(RecordForm):
    """A later or an earlier end."""

    class Meta:
        model = Absence
        fields = ("ends_on",)


class OutsideForm(PlainForm):
    """Until when an outside auditor sees their audits."""

    until = forms.DateField(
        label="Last day of access",
        required=False,
        help_text="Left empty, the person is a colleague with their roles.",
    )
    reason = reason_field()
