"""People: accounts, roles and responsibilities (ISO 9001 5.3, 7.2)."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "qms.people"
    label = "people"
    verbose_name = "People"
