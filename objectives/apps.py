"""Quality objectives and their measurement (ISO 9001 6.2, 9.1)."""

from django.apps import AppConfig


class ObjectivesConfig(AppConfig):
    name = "objectives"
    verbose_name = "Objectives"
