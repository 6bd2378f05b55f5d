"""Links between records (many-to-many), each a record with its own history.

A link is never deleted: what is no longer linked is ended and can be linked again.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Self

from django.db import models

from qms.records import Record, RecordQuerySet
from qms.refusals import Stale


class LinkQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """Links that hold now."""
        return self.filter(ended=False)


class Link(Record):
    """That two records belong together; `ended` once they no longer do."""

    ended = models.BooleanField(default=False, editable=False)

    objects = LinkQuerySet.as_manager()

    class Meta(Record.Meta):
        abstract = True


def seal(owner: dict[str, Any], *links: type[Link]) -> str:
    """What is linked to an owner now, in one word: another word means that somebody changed it."""
    marks = [
        f"{link._meta.label_lower} {pk} {version}"
        for link in links
        for pk, version in link._base_manager.filter(**owner, ended=False)
        .order_by("pk")
        .values_list("pk", "version")
    ]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:32]


def refuse_stale(seen: str | None, owner: dict[str, Any], *links: type[Link]) -> None:
    """Raise Stale when a choice was made on a page that showed other links than there are now.

    Call it with the owner locked. `seen` is the seal the page bore; without one it is not asked.
    """
    if seen and seen != seal(owner, *links):
        raise Stale


def set_links(
    link: type[Link],
    *,
    owner: dict[str, Any],
    target: str,
    targets: Iterable[Any],
    by: Any,
    reason: str = "",
) -> bool:
    """Make the live links of an owner exactly `targets`; returns whether anything changed.

    `owner` is the owning side as field → record, `target` the name of the other field.
    """
    wanted = {each.pk: each for each in targets}
    changed = False
    for existing in link._base_manager.filter(**owner).select_for_update(of=("self",)):
        keep = getattr(existing, f"{target}_id") in wanted
        wanted.pop(getattr(existing, f"{target}_id"), None)
        if existing.ended == keep:
            existing.ended = not keep
            existing.save_because(reason or ("Linked." if keep else "Unlinked."), by=by)
            changed = True
    for each in wanted.values():
        link(**owner, **{target: each}, created_by=by).save()
        changed = True
    return changed
