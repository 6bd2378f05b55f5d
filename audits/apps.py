"""Internal audits and certification (ISO 9001 9.2)."""

from django.apps import AppConfig


class AuditsConfig(AppConfig):
    name = "audits"
    verbose_name = "Audits"
