"""Competence: what work asks for, who was found able, and trainings (ISO 9001 7.2)."""

from django.apps import AppConfig


class CompetenceConfig(AppConfig):
    name = "qms.competence"
    label = "competence"
    verbose_name = "Competence"
