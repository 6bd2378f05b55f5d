"""External providers and their evaluation (ISO 9001 8.4)."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "qms.providers"
    label = "providers"
    verbose_name = "External providers"
