"""Start-up: every app's procedures and contributions are known before the first request."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QmsConfig(AppConfig):
    name = "qms"

    def ready(self) -> None:
        autodiscover_modules("workflow", "evidence", "dashboard", "api")
