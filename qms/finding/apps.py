"""Finding by words."""

from django.apps import AppConfig


class FindingConfig(AppConfig):
    name = "qms.finding"
    label = "finding"
    verbose_name = "Finding"
