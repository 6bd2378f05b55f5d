"""Planned changes of the quality system (ISO 9001 6.3)."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "qms.changes"
    label = "changes"
    verbose_name = "Changes"
