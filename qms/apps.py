"""Start-up: every app's procedures and contributions are known before the first request."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QmsConfig(AppConfig):
    name = "qms"

    def ready(self) -> None:
        from qms import celery  # noqa: F401 - so that a task called by a page knows its broker

        autodiscover_modules(
            "workflow",
            "findable",
            "register",
            "letterhead",
            "tasks",
            "evidence",
            "dashboard",
            "api",
            "journey",
            "indicators",
        )
