"""People and their roles in the read-only admin site; tokens are not shown there."""

from django.contrib import admin

from qms.admin import ReadOnlyAdmin, register_records
from qms.people.models import Person

register_records("people")


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """Accounts, without what could sign in."""

    list_display = ("name", "email", "is_active", "last_login")
    exclude = ("password",)
