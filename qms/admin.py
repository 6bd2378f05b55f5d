"""The admin site reads and never writes: every change goes through a procedure.

It is there for administrators who must look at raw rows; nothing can be added, changed or
deleted in it, whatever the role.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from qms.records import Record


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows; refuses everything else."""

    actions = None
    list_per_page = 50
    list_select_related = True  # what a row calls itself names its neighbours
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("people.open_admin"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


def register_records(app_label: str) -> None:
    """Show every record of a chapter in the admin site, read-only."""
    from django.apps import apps

    for model in apps.get_app_config(app_label).get_models():
        if issubclass(model, Record):
            admin.site.register(model, ReadOnlyAdmin)
