"""The outbox: effects that must happen, written with the change that causes them."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "qms.outbox"
    label = "outbox"
    verbose_name = "Outbox"
