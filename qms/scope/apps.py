"""Organisation, sites, processes and the scope of the system (ISO 9001 clause 4)."""

from django.apps import AppConfig


class ScopeConfig(AppConfig):
    name = "qms.scope"
    label = "scope"
    verbose_name = "Scope"
