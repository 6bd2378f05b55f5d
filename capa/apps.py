"""Nonconformities and corrective action (ISO 9001 10.2)."""

from django.apps import AppConfig


class CapaConfig(AppConfig):
    name = "capa"
    verbose_name = "Nonconformities"
