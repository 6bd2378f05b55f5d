"""Risks and opportunities, each with its own evaluation and its own answer (ISO 9001 6.1)."""

from django.apps import AppConfig


class RisksConfig(AppConfig):
    name = "qms.risks"
    label = "risks"
    verbose_name = "Risks and opportunities"
