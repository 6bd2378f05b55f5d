"""Evidence packs: what leaves the building."""

from django.apps import AppConfig


class PackConfig(AppConfig):
    name = "qms.pack"
    label = "pack"
    verbose_name = "Evidence packs"
