"""External providers in the read-only admin site."""

from qms.admin import register_records

register_records("providers")
