"""Actions: one kind of action item for every chapter (ISO 9001 6.1, 6.2.2, 9.3.3, 10.2)."""

from django.apps import AppConfig


class ActionsConfig(AppConfig):
    name = "qms.actions"
    label = "actions"
    verbose_name = "Actions"
