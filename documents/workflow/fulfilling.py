"""An action to revise a document is done when a revision of it takes effect."""

from typing import Any

from django.db.models import Q

from documents.models import Document, Revision
from documents.workflow.revisions import RevisionBecameEffective
from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import fulfil_all
from qms.events import handles
from qms.periods import today


@handles(RevisionBecameEffective, order=70)
def its_actions_are_done(event: RevisionBecameEffective) -> None:
    """What promised to revise it is done; somebody verifies it all the same."""
    revision = event.revision
    day = revision.effective_from or today()
    said = f"{revision.document.number} revision {revision.label} took effect on {day:%-d %B %Y}."
    fulfil_all(revision.document, said)


OFFERED = 500  # of more, one is named by its number


def _documents(person: Any, name: str = "") -> list[tuple[int, str]]:
    rows = Document.objects.visible_to(person).current().order_by("number")
    if name:
        rows = rows.filter(Q(number__iexact=name) | Q(title__iexact=name))
    return [(each.pk, str(each)) for each in rows[:OFFERED]]


def _is_in_force(document: Document) -> bool:
    return bool(document.revisions.filter(status=Revision.Status.EFFECTIVE).exists())


contributions.fulfils(Action.Kind.REVISE, "Document", Document, _documents, _is_in_force)
