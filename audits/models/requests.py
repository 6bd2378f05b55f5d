"""What the body's auditors ask for during a visit: who brings it, and when it was shown."""

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.certification import CertificationAudit
from qms.records import RecordQuerySet, StatefulRecord

A_LINK = RegexValidator(
    r"\A(https://[^\s]+|/(?!/)[^\s]*)\Z",
    "Paste the address of the record, from https:// or from the first /.",
)


class VisitRequestQuerySet(RecordQuerySet):
    def waiting(self) -> Self:
        """Asked for and not shown yet."""
        return self.filter(status=VisitRequest.Status.ASKED)


class VisitRequest(StatefulRecord):
    """Something the body asked to see, with who asked, who fetches it and when it was given."""

    class Status(models.TextChoices):
        ASKED = "asked", "Asked for"
        GIVEN = "given", "Given"
        DROPPED = "dropped", "Not needed any more"

    PATHS = {("asked", "given"), ("given", "asked"), ("asked", "dropped")}
    STATE_TONES = {"asked": "soon", "given": "fine", "dropped": "void"}

    visit = models.ForeignKey(CertificationAudit, models.PROTECT, related_name="requests")
    what = models.CharField("what is asked for", max_length=300)
    asked_by_whom = models.CharField("asked by", max_length=120, blank=True)
    asked_at = models.DateTimeField("asked at", editable=False)
    fetcher = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who fetches it",
    )
    given_at = models.DateTimeField("given at", null=True, editable=False)
    shown = models.CharField("what was shown", max_length=300, blank=True, editable=False)
    link = models.CharField(
        "where it is", max_length=300, blank=True, editable=False, validators=[A_LINK]
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ASKED, editable=False)

    objects = VisitRequestQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "request during a visit"
        verbose_name_plural = "requests during visits"
        constraints = [
            models.CheckConstraint(condition=~Q(what=""), name="audits_request_says_what"),
            models.CheckConstraint(
                condition=Q(status="given", given_at__isnull=False)
                | (~Q(status="given") & Q(given_at=None)),
                name="audits_request_given_when",
            ),
        ]

    def __str__(self) -> str:
        return self.what if len(self.what) <= 80 else self.what[:79].rstrip() + "…"

    def get_absolute_url(self) -> str:
        return reverse("audits:request_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return str(self)
