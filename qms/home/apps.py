"""Home: my work, the leadership dashboard, the calendar and the search over everything."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "qms.home"
    label = "home"
    verbose_name = "Home"
