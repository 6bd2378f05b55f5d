"""Effects waiting to happen. The row is the truth; a Celery message only wakes a worker."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from qms.clock import DatabaseNow


class EffectQuerySet(models.QuerySet["Effect"]):
    def ready(self) -> "EffectQuerySet":
        """Effects that may run now: waiting and due, or leased by somebody who vanished."""
        return self.filter(
            Q(state=Effect.State.WAITING, not_before__lte=DatabaseNow())
            | Q(state=Effect.State.LEASED, leased_until__lt=DatabaseNow())
        )

    def dead(self) -> "EffectQuerySet":
        return self.filter(state=Effect.State.DEAD)


class Effect(models.Model):
    """One thing that must happen once: a mail, a pack, a rendering.

    `key` names the effect for ever, so that asking twice causes it once. A worker leases the row,
    renews the lease while it works and marks it done; after `MAX_ATTEMPTS` it is dead and stands
    on a list that a person sees.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        LEASED = "leased", "Running"
        DONE = "done", "Done"
        DEAD = "dead", "Failed for good"

    MAX_ATTEMPTS = 3
    LEASE = timedelta(seconds=60)

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    queue = models.CharField(max_length=20, default="default")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=DatabaseNow())
    leased_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    done_at = models.DateTimeField(null=True)

    objects = EffectQuerySet.as_manager()

    class Meta:
        verbose_name = "effect"
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["queue", "not_before"],
                condition=Q(state__in=["waiting", "leased"]),
                name="outbox_to_do",
            ),
            models.Index(fields=["state", "created_at"], name="outbox_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
