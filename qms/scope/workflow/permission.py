"""Who may change what belongs to a record without being a field of it: as who edits the record."""

from typing import Any

from django.core.exceptions import PermissionDenied

from qms.workflow import Amendment


def check_may(declared: Amendment, record: Any, by: Any) -> None:
    """The role's answer for what belongs to a record without being a field of it."""
    if not declared.permitted(record, by):
        raise PermissionDenied(
            f"Your role does not allow you to edit this {record._meta.verbose_name}."
        )
