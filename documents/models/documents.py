"""Controlled documents, and what holds for each kind of them (ISO 9001 7.5).

A document is the lasting thing (a number, an owner); its revisions are what was written, reviewed,
approved and in force.
"""

import json
from datetime import date
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    Max,
    OuterRef,
    Q,
    Subquery,
    When,
)
from django.db.models.functions import Cast, Upper
from django.urls import reverse

from qms.addresses import page_of
from qms.clauses import ClausesField
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord

READERS_OF_RESTRICTED = ("quality_manager", "top_management")
_MONTHS = [MinValueValidator(1), MaxValueValidator(120)]


class Kind(models.TextChoices):
    """What a document is."""

    POLICY = "policy", "Quality policy"
    MANUAL = "manual", "Manual"
    PROCEDURE = "procedure", "Procedure"
    INSTRUCTION = "instruction", "Work instruction"
    FORM = "form", "Form"
    TEMPLATE = "template", "Template"
    EXTERNAL = "external", "External document"


class DocumentQuerySet(RecordQuerySet):
    def current(self) -> Self:
        """Documents that were not withdrawn."""
        return self.exclude(status=Document.Status.WITHDRAWN)

    def in_force(self) -> Self:
        """Documents of which somebody approved a revision that is effective now."""
        from documents.models.revisions import Revision

        effective = Revision.objects.effective().filter(document=OuterRef("pk"))
        return self.current().filter(Exists(effective))

    def called(self, words: str) -> Self:
        """Documents whose number or title has all of these words."""
        rows = self
        for word in words.split():
            rows = rows.filter(Q(number__icontains=word) | Q(title__icontains=word))
        return rows

    def kept_no_longer(self) -> Self:
        """Documents that were withdrawn and not disposed of."""
        rows = self.filter(status=Document.Status.WITHDRAWN)
        return rows.exclude(dispositions__status="done")

    def with_keeping(self) -> Self:
        """Adds `kept_until`, to sort by, as the rule of its kind says.

        None of what is kept for good, and of what a hold keeps, wherever it belonged meanwhile.
        """
        from documents.models.keeping import LegalHold
        from documents.models.revisions import Revision

        ended = Revision._base_manager.filter(document=OuterRef("pk")).order_by()
        last = ended.values("document").annotate(last=Max("ended_on")).values("last")
        rule = KindRule.objects.filter(kind=OuterRef("kind")).values("retention_years")
        years = Func(Subquery(rule), function="make_interval", output_field=models.DurationField())
        until = ExpressionWrapper(Subquery(last) + years, output_field=models.DateTimeField())
        served = Document.history.filter(id=OuterRef(OuterRef("pk"))).values("process_id")
        covers = Q(process=None) | Q(process__in=served)
        held = Exists(LegalHold.objects.filter(covers, status=LegalHold.Status.HOLDS))
        return self.annotate(
            kept_until=Case(When(held, then=None), default=Cast(until, models.DateField()))
        )

    def review_due(self, on: date) -> Self:
        """Documents whose periodic review is past."""
        return self.current().filter(next_review__lt=on)

    def watch_due(self, on: date) -> Self:
        """External documents whose issuer should be asked for a newer edition."""
        return self.current().filter(watch_on__lt=on)

    def with_effective(self) -> Self:
        """Adds `effective_id`, `effective_label`, `effective_from` of the revision in force."""
        from documents.models.revisions import Revision

        # At most one revision is in force: the join makes no document two.
        in_force = FilteredRelation(
            "revisions", condition=Q(revisions__status=Revision.Status.EFFECTIVE)
        )
        return self.annotate(in_force=in_force).annotate(
            effective_id=F("in_force__pk"),
            effective_label=F("in_force__label"),
            effective_from=F("in_force__effective_from"),
            is_in_work=Exists(
                Revision.objects.filter(document=OuterRef("pk"), status__in=Revision.OPEN_STATES)
            ),
        )

    def with_flags(self) -> Self:
        """Adds `is_flagged` and `flag_count`: what should be looked at again."""
        from documents.models.upkeep import ReviewFlag

        flags = ReviewFlag._base_manager.filter(document=OuterRef("pk"), status="open")
        counted = flags.order_by().values("document").annotate(many=Count("pk")).values("many")
        return self.annotate(is_flagged=Exists(flags), flag_count=Subquery(counted))

    def visible_to(self, person: Any) -> Self:
        """Restricted documents are for their owner, their process, their readers and the top."""
        from documents.models.reading import Audience, ReadingTask
        from documents.models.revisions import Revision, Signatory

        rows = super().visible_to(person)
        if not person.is_authenticated or person.holds(*READERS_OF_RESTRICTED):
            return rows
        mine = Q(owner=person) | Q(created_by=person) | Q(process__owner=person)
        wrote = Q(pk__in=Revision.objects.filter(created_by=person).values("document_id"))
        signs = Q(pk__in=Signatory.objects.of(person).values("revision__document_id"))
        # Who is asked to read it may see it; who has read it, while still among its readers.
        tasks = ReadingTask._base_manager.filter(person=person)
        asked = Q(pk__in=tasks.filter(status="open").values("document_id"))
        read = Q(pk__in=tasks.filter(status="acknowledged").values("document_id"))
        reads = asked | read & Q(pk__in=Audience.naming(person).values("document_id"))
        is_open = Q(confidentiality=Document.Confidentiality.OPEN)
        return rows.filter(is_open | mine | wrote | signs | reads)


class Document(Numbered, StatefulRecord):
    """A controlled document: what it is called, what it serves and who keeps it current."""

    Kind = Kind

    class Confidentiality(models.TextChoices):
        OPEN = "open", "Everyone in the organisation"
        RESTRICTED = "restricted", "Restricted"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        WITHDRAWN = "withdrawn", "Withdrawn"

    PATHS = {("active", "withdrawn"), ("active", "active")}
    SIGNED_FIELDS = ("number", "title", "kind", "process", "clauses")

    title = models.CharField("title", max_length=200)
    kind = models.CharField("kind", max_length=12, choices=Kind, default=Kind.PROCEDURE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="documents", verbose_name="owner"
    )
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name="process",
    )
    clauses = ClausesField("clauses", blank=True, default=list)
    confidentiality = models.CharField(
        "who may read it", max_length=12, choices=Confidentiality, default=Confidentiality.OPEN
    )
    language = models.CharField("language", max_length=8, default="en")
    review_months = models.PositiveSmallIntegerField(
        "review every (months)", default=24, validators=_MONTHS
    )
    next_review = models.DateField("next review", null=True, blank=True, editable=False)
    issuer = models.CharField(
        "issued by", max_length=160, blank=True, help_text="Of an external document: who issues it."
    )
    edition = models.CharField(
        "edition", max_length=80, blank=True, help_text="Of an external document: as it is marked."
    )
    watch_on = models.DateField(
        "look for a newer edition on",
        null=True,
        blank=True,
        help_text="Of an external document: the owner is reminded on that day.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "document"
        indexes = [
            models.Index(fields=["kind", "number"], name="documents_kind_number"),
            models.Index(fields=["next_review"], name="documents_next_review"),
            models.Index(fields=["watch_on"], name="documents_watch_on"),
            # The master list is filtered by any part of a title.
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="documents_title_like"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_open(self) -> bool:
        """Whether whoever sees documents sees this one; a restricted one has readers of its own."""
        return self.confidentiality == Document.Confidentiality.OPEN

    @property
    def called_outside(self) -> str:
        """A restricted one goes by its number."""
        return str(self) if self.is_open else self.number

    def told_outside(self, title: str = "") -> str:
        """Its title, or one it had, where not only its readers look; of a restricted one none."""
        return (title or self.title) if self.is_open else "Restricted, on site"

    def number_series(self) -> tuple[str, int | None]:
        """As the rule of its kind says: QP-01, or QP-PUR-01 with the process."""
        return KindRule.objects.of(self.kind).series(self.process), None

    def get_absolute_url(self) -> str:
        return page_of("documents:document_detail", self.pk)

    def signed_content(self) -> str:
        """What the document is for, and the exact content in force: what is reaffirmed."""
        told = json.loads(super().signed_content())
        in_force = self.revisions.effective().select_related("source__blob").first()
        told["in_force"] = [in_force.label, in_force.content_hash] if in_force else []
        return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def is_released(self) -> bool:
        """What a document is for is asked about once a revision of it was in force."""
        return self.next_review is not None


class DocumentSite(Link):
    """That a document holds at a site; without any it holds at all of them."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="site_links")
    site = models.ForeignKey("scope.Site", models.PROTECT, related_name="+")

    class Meta(Link.Meta):
        verbose_name = "document's site"
        constraints = [
            models.UniqueConstraint(fields=["document", "site"], name="documents_site_once"),
        ]


class KindRuleQuerySet(RecordQuerySet):
    def of(self, kind: str) -> "KindRule":
        """The rule of a kind; where nobody wrote one, how it is done as a rule."""
        return self.filter(kind=kind).first() or KindRule(
            kind=kind, prefix=KindRule.USUAL_PREFIX[kind], version=0
        )


class KindRule(Record):
    """What holds for all documents of a kind: how they are numbered, reviewed, read and kept."""

    USUAL_PREFIX: ClassVar[dict[str, str]] = {
        "policy": "POL",
        "manual": "QM",
        "procedure": "QP",
        "instruction": "WI",
        "form": "FR",
        "template": "TP",
        "external": "EX",
    }

    kind = models.CharField("kind", max_length=12, choices=Kind, unique=True)
    prefix = models.CharField(
        "numbers begin with",
        max_length=12,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9]*$", "Capital letters and digits only.")],
    )
    with_process = models.BooleanField(
        "the process is part of the number",
        default=False,
        help_text="QP-PUR-01 instead of QP-01. Numbers given already stay as they are.",
    )
    review_months = models.PositiveSmallIntegerField(
        "review every (months)", default=24, validators=_MONTHS
    )
    reading_days = models.PositiveSmallIntegerField(
        "days to read it",
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Until when those it concerns acknowledge a new revision.",
    )
    retention_years = models.PositiveSmallIntegerField(
        "keep for (years)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="After it is no longer in force. Empty: for good.",
    )

    objects = KindRuleQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "rule of a kind"

    def __str__(self) -> str:
        return f"Rules for: {self.get_kind_display().lower()}"

    def get_absolute_url(self) -> str:
        return reverse("documents:kind_rule_detail", args=[self.kind])

    def series(self, process: Any) -> str:
        """The series a new document takes its number from."""
        return f"{self.prefix}-{process.code}" if self.with_process and process else self.prefix

    @property
    def is_released(self) -> bool:
        return True
