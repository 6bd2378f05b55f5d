"""The Celery application: work that a page must not wait for, and what the clock does.

The message only wakes a worker; what must happen stands in the outbox (docs/decisions/0005).
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qms.settings")

app = Celery("qms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
