"""What people keep for themselves: views of lists they come back to."""

from typing import Any, Self

from django.conf import settings
from django.db import models


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def for_list(self, url: str, person: Any) -> Self:
        """The views of one list that this person may choose."""
        return self.chosen_by(person).filter(page=url).order_by("name", "pk")

    def chosen_by(self, person: Any) -> Self:
        """This person's own and what is shared with everybody."""
        return self.filter(models.Q(person=person) | models.Q(shared=True))


class SavedView(models.Model):
    """A list as somebody wants to see it again: its filters and its order, under a name.

    It holds no data: whoever opens a shared view sees only what they may see.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    page = models.CharField(max_length=200)
    query = models.CharField(max_length=1000)
    name = models.CharField("name", max_length=60)
    shared = models.BooleanField("everybody may use it", default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = "saved view"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "page", "name"], name="home_view_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
