"""Start-up: every app's procedures and contributions are known before the first request."""

import gc
from typing import Any

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QmsConfig(AppConfig):
    """Models, procedures and schemas are 300,000 objects that stay for the life of a process.

    The collector of garbage looks for none while they are made, a fifth of a start, and never looks
    through them again; forked processes share their memory. A page makes some ten thousand objects
    that fall with it, so the collector comes every other page instead of twenty times a page.
    """

    name = "qms"
    GARBAGE = (20_000, 20, 50)  # new objects between two rounds; rounds between two deeper ones

    def __init__(self, *args: Any) -> None:
        gc.disable()
        super().__init__(*args)

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
        gc.freeze()
        gc.set_threshold(*self.GARBAGE)
        gc.enable()
