"""The chain of a change: what a revision causes, told before it is approved and opened after.

Both are read from the same questions, so what was shown is what is opened (ISO 9001 6.3, 7.5.3.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from documents.models import ControlledCopy, Document, FollowUp, ReadingTask, ReviewFlag, Revision
from documents.workflow.reading import readers_wanted
from documents.workflow.revisions import RevisionBecameEffective
from documents.workflow.upkeep import pointing_at
from qms import contributions
from qms.contributions import Mention, Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import due_in, today
from qms.workflow import creates, transition

FOLLOW_WITHIN = 30  # days after it took effect


@dataclass(frozen=True)
class Causes:
    """What a revision will cause when it takes effect."""

    readers: Sequence[Person] = ()
    copies: Sequence[ControlledCopy] = ()
    documents: Sequence[Document] = ()
    mentions: Sequence[Mention] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.readers or self.copies or self.documents or self.mentions)


def causes_of(revision: Revision, viewer: Any = None) -> Causes:
    """What follows when this revision takes effect; `viewer` narrows it to what they may see.

    A minor revision calls copies back and asks nothing of people.
    """
    document = revision.document
    issued = ControlledCopy.objects.filter(document=document, status="issued")
    copies = list(issued.exclude(revision=revision).select_related("holder").order_by("number"))
    if revision.is_minor:
        return Causes(copies=copies)
    wanted = {person for _document, person in readers_wanted([document.pk])}
    readers = list(Person.objects.people().filter(pk__in=wanted))
    before = document.revisions.released().exclude(pk=revision.pk)
    if not before.exists():
        return Causes(readers=readers, copies=copies)
    pointing = pointing_at(document).filter(status=Document.Status.ACTIVE)
    return Causes(
        readers,
        copies,
        list(pointing.visible_to(viewer) if viewer else pointing),
        contributions.mentions_of(document.number, viewer),
    )


@dataclass(frozen=True)
class Opened:
    """What a revision caused, and how far each is."""

    asked: int = 0
    read: int = 0
    copies: Sequence[ControlledCopy] = ()
    flags: Sequence[ReviewFlag] = ()
    follow_ups: Sequence[FollowUp] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.asked or self.copies or self.flags or self.follow_ups)


def opened_by(revision: Revision, viewer: Any) -> Opened:
    """What was opened when the revision took effect, as far as the viewer may see it."""
    tasks = ReadingTask.objects.filter(revision=revision).exclude(status="ended")
    states = list(tasks.values_list("status", flat=True))
    copies = ControlledCopy.objects.visible_to(viewer).filter(recalled_for=revision)
    flags = ReviewFlag.objects.visible_to(viewer).filter(cause=revision)
    follow_ups = FollowUp.objects.visible_to(viewer).filter(revision=revision)
    return Opened(
        len(states),
        states.count("acknowledged"),
        list(copies.select_related("holder").order_by("number")),
        list(flags.select_related("document").order_by("document__number")),
        list(follow_ups.select_related("person").order_by("kind", "title")),
    )


@creates(FollowUp, permission="documents.keep_followup")
def ask_to_follow(*, by: Person, revision: Revision, mention: Mention) -> FollowUp:
    """Ask who looks after something that names the document to bring it into line."""
    made = FollowUp(
        document=revision.document,
        revision=revision,
        kind=mention.kind,
        title=mention.title[:200],
        url=mention.url,
        key=mention.key,
        person=mention.person,
        due=due_in(FOLLOW_WITHIN, today()),
        created_by=by,
    )
    made.save()
    return made


@handles(RevisionBecameEffective, order=46)
def open_what_follows(event: RevisionBecameEffective) -> None:
    """What names the document elsewhere is looked at by who looks after it."""
    if event.revision.is_minor or event.replaced is None:
        return
    clockwork = Person.objects.system()
    for mention in contributions.mentions_of(event.revision.document.number):
        ask_to_follow(by=clockwork, revision=event.revision, mention=mention)


def who_looks_after_it(follow_up: FollowUp, by: Any) -> str | None:
    if by.pk == follow_up.person_id or by.holds("quality_manager"):
        return None
    return "Only who looks after it, or the quality manager, says that it is in line."


@transition(
    FollowUp,
    source=FollowUp.Status.OPEN,
    target=FollowUp.Status.DONE,
    permission="documents.do_followup",
    only=who_looks_after_it,
    details={
        "note": forms.CharField(
            label="What was done", required=False, widget=forms.Textarea(attrs={"rows": 2})
        )
    },
    label="It is in line",
)
def bring_into_line(follow_up: FollowUp, *, by: Any, note: str = "") -> None:
    """Say that it agrees with the revision in force."""
    follow_up.note = note.strip()[:1000]


@contributions.work(FollowUp)
def look_at_it(follow_up: FollowUp) -> list[Step]:
    """Who looks after it brings it into line."""
    if follow_up.status != FollowUp.Status.OPEN:
        return []
    return [Step("follow", "Bring into line", person=follow_up.person, due=follow_up.due)]
