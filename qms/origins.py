"""Where a record came from: a reference to any other record, whole or absent.

Never a `GenericRelation`: its deletes cascade. The lower chapter knows only that there is an
origin; who may look at it is asked of the origin's own model.
"""

from typing import Any, Self

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from qms.records import RecordQuerySet


class OriginQuerySet(RecordQuerySet):
    def raised_from(self, *origins: models.Model) -> Self:
        """The rows whose origin is one of these records (all of one model)."""
        if not origins:
            return self.none()
        return self.filter(
            origin_type=ContentType.objects.get_for_model(origins[0]),
            origin_id__in=[origin.pk for origin in origins],
        )


class FromOrigin(models.Model):
    """Mixed in before a record that may have come from another record."""

    origin_type = models.ForeignKey(
        ContentType, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    origin_id = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    origin = GenericForeignKey("origin_type", "origin_id")

    class Meta:
        abstract = True

    @staticmethod
    def origin_constraint(name: str) -> models.CheckConstraint:
        """The promise that both columns of the reference are set, or neither."""
        return models.CheckConstraint(
            name=name,
            condition=Q(origin_type__isnull=True, origin_id__isnull=True)
            | Q(origin_type__isnull=False, origin_id__isnull=False),
        )


def is_visible(record: Any, person: Any) -> bool:
    """Whether the person may see a record, by its own model's rule."""
    manager = type(record)._default_manager
    return bool(manager.visible_to(person).filter(pk=record.pk).exists())
