"""The journey: the ten steps from the first reading to the certificate, and how to start."""

from django.apps import AppConfig


class JourneyConfig(AppConfig):
    name = "qms.journey"
    label = "journey"
    verbose_name = "Journey"
