"""Work items: who has to do what next, by when; what my work and the reminders read."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "qms.work"
    label = "work"
    verbose_name = "Work"
