"""Gap assessment: where the organisation stands against each clause, and the roadmap."""

from django.apps import AppConfig


class GapConfig(AppConfig):
    name = "qms.gap"
    label = "gap"
    verbose_name = "Gap assessment"
