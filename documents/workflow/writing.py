"""One writes at a time: the lease of a draft, who else looks at it, and comments on passages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import PermissionDenied

from documents import content
from documents.models import Comment, Presence, Revision
from qms import clock, contributions
from qms.contributions import Step
from qms.origins import is_visible
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import creates, one_of_two, transition

GONE_AFTER = timedelta(seconds=90)


@dataclass(frozen=True)
class Lease:
    """Who writes a draft. `mine` with its token, or held by somebody else since a time."""

    mine: bool
    token: UUID | None
    holder: Any
    since: datetime | None
    readers: list[str]
    taken_by: str = ""


def take_lease(revision: Revision, *, by: Any, by_force: bool = False) -> Lease:
    """Begin to write, unless somebody else does; `by_force` takes over from them.

    Whoever is taken over from is told at the next sign of life, with the text still on the screen.
    """
    with one_of_two():
        Revision._base_manager.select_for_update(of=("self",)).get(pk=revision.pk)
        writer = writer_of(revision)
        if writer and writer.person_id != by.pk and not by_force:
            _be_seen(revision, by, writes=False)
            return _told(revision, by)
        others = Presence.objects.filter(revision=revision, writes=True).exclude(person=by)
        live = Presence.objects.filter(revision=revision, writes=True, seen_at__gt=_alive_since())
        live.exclude(person=by).update(writes=False, taken_by=by)
        others.update(writes=False)
        _be_seen(revision, by, writes=True)
        return _told(revision, by)


def keep_lease(revision: Revision, *, by: Any, token: str, leaving: bool = False) -> Lease:
    """A sign of life from the page with this token; `leaving` gives the lease back."""
    mine = Presence.objects.filter(revision=revision, person=by)
    found = mine.first()
    if found is None or str(found.token) != token:
        return _told(revision, by)
    if leaving:
        mine.delete()
        return _told(revision, by)
    mine.update(seen_at=clock.now())
    return _told(revision, by)


def give_back(revision: Revision, *, by: Any) -> None:
    """The draft is saved; who wants to write next may."""
    Presence.objects.filter(revision=revision, person=by).delete()


def writer_of(revision: Revision) -> Presence | None:
    """Who writes now; nobody once the page has been silent for a while."""
    rows = Presence.objects.filter(revision=revision, writes=True, seen_at__gt=_alive_since())
    return rows.select_related("person").first()


def nobody_else_writes(revision: Revision, by: Any) -> str | None:
    writer = writer_of(revision)
    if writer is None or writer.person_id == by.pk:
        return None
    at = writer.since.astimezone(contributions.zone())
    return f"{writer.person.name} writes it since {at:%H:%M}. Wait, or take over the writing."


def _alive_since() -> datetime:
    return clock.now() - GONE_AFTER


def _be_seen(revision: Revision, by: Person, *, writes: bool) -> None:
    at = clock.now()
    Presence.objects.update_or_create(
        revision=revision,
        person=by,
        defaults={
            "writes": writes,
            "token": uuid4(),
            "since": at,
            "seen_at": at,
            "taken_by": None,
        },
    )


def _told(revision: Revision, by: Person) -> Lease:
    rows = Presence.objects.filter(revision=revision, seen_at__gt=_alive_since())
    present = list(rows.select_related("person", "taken_by").order_by("since", "pk"))
    mine = next((each for each in present if each.person_id == by.pk), None)
    writer = next((each for each in present if each.writes), None)
    return Lease(
        mine=bool(mine and mine.writes),
        token=mine.token if mine else None,
        holder=writer.person if writer else None,
        since=writer.since if writer else None,
        readers=[each.person.name for each in present if each.person_id != by.pk],
        taken_by=mine.taken_by.name if mine and mine.taken_by else "",
    )


# Comments


@creates(Comment, permission="documents.add_comment")
def add_comment(
    *, by: Person, revision: Revision, words: str, block: int | None = None, quote: str = ""
) -> Comment:
    """Say something of a passage, or of the revision as a whole, while it is in work."""
    if not is_visible(revision, by):
        raise PermissionDenied("You may not see this revision.")
    if not words.strip():
        raise Refused("Write what you want to say.", field="words")
    if revision.status not in Revision.OPEN_STATES:
        raise Refused("It is no longer in work. Suggest a new revision instead.")
    if block is not None and block >= len(content.blocks_of(revision.text)):
        raise Refused("This passage is not in the text.", field="block")
    made = Comment(
        revision=revision,
        words=words.strip(),
        block=block,
        quote=" ".join(quote.split())[:500],
        created_by=by,
    )
    made.save()
    return made


def who_takes_part(comment: Comment, by: Any) -> str | None:
    revision = comment.revision
    if by.pk in (comment.created_by_id, revision.created_by_id, revision.document.owner_id):
        return None
    if by.holds("quality_manager"):
        return None
    return "Only who commented, the author, the owner or the quality manager settles it."


def revision_is_in_work(comment: Comment, by: Any) -> str | None:
    if comment.revision.status in Revision.OPEN_STATES:
        return None
    return "The revision is no longer in work; its comments stay as they are."


@transition(
    Comment,
    source=Comment.Status.OPEN,
    target=Comment.Status.SETTLED,
    permission="documents.add_comment",
    only=who_takes_part,
    guards=[revision_is_in_work],
    details={
        "answer": forms.CharField(
            label="What was done about it",
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
    },
    label="Settle",
)
def settle(comment: Comment, *, by: Any, answer: str = "") -> None:
    """Settle the comment: it is answered, or the text was changed."""
    comment.answer = answer.strip()


@transition(
    Comment,
    source=Comment.Status.SETTLED,
    target=Comment.Status.OPEN,
    permission="documents.add_comment",
    only=who_takes_part,
    guards=[revision_is_in_work],
    reason=True,
    label="Open again",
    primary=False,
)
def reopen(comment: Comment, *, by: Any) -> None:
    """Open the comment again: it is not settled yet."""
    comment.answer = ""


def comments_are_settled(revision: Revision, by: Any) -> str | None:
    count = Comment.objects.open().filter(revision=revision).count()
    if not count:
        return None
    words = "comment is" if count == 1 else "comments are"
    return f"{count} {words} open. Settle what is answered, or send it back to be changed."


@contributions.work(Comment)
def answer_it(comment: Comment) -> list[Step]:
    """The author answers what was said of the draft."""
    if comment.status != Comment.Status.OPEN or revision_is_in_work(comment, None):
        return []
    return [Step("answer", "Answer", person=comment.revision.created_by, remind=False)]
