"""Monitoring and measuring equipment and its calibration (ISO 9001 7.1.5)."""

from django.apps import AppConfig


class EquipmentConfig(AppConfig):
    name = "qms.equipment"
    label = "equipment"
    verbose_name = "Equipment"
