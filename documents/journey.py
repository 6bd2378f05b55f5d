"""What documents give the journey: the milestones of step 5, and the drafts of a starter."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from documents.content import from_markdown
from documents.models import Document, Revision
from documents.starters import starter_forms
from documents.workflow import create_document
from qms import contributions
from qms.contributions import Milestone, Sketch
from qms.people.models import Person
from qms.periods import Period
from qms.scope.models import Organisation, Process

SMALL, FEW, SOME = 10, 4, 8  # people; documents in force


@contributions.journey_step(4, order=10)
def policy(day: date) -> list[Milestone]:
    """The quality policy stands above the objectives."""
    effective = Document.objects.in_force().filter(kind="policy").order_by("pk").first()
    draft = Document.objects.filter(kind="policy", status="active").order_by("pk").first()
    shown = effective or draft
    return [
        Milestone(
            "Quality policy in force",
            effective is not None,
            f"{effective.number}." if effective else "It is a draft." if draft else "",
            shown.get_absolute_url() if shown else "/documents/new/",
            "Bring the policy into force" if draft else "Write the policy",
            started=draft is not None,
        )
    ]


@contributions.journey_step(5, order=10)
def core_documents(day: date) -> list[Milestone]:
    """As many as the size calls for are in force, and every running process has one."""
    organisation = Organisation.objects.current()
    wanted = FEW if organisation and organisation.headcount <= SMALL else SOME
    in_force = Document.objects.in_force()
    count = in_force.count()
    described = in_force.exclude(process=None).values("process_id")
    bare = Process.objects.active().exclude(pk__in=described).count()
    running = Process.objects.active().exists()
    open_ones = Revision.objects.filter(status__in=["draft", "in_review", "reviewed"]).count()
    words = f"{count} in force" + (f", {open_ones} being written." if open_ones else ".")
    return [
        Milestone(
            "The first documents in force",
            count >= wanted,
            words,
            "/documents/",
            "Go on with the drafts" if open_ones else "Write a document",
            started=bool(count or open_ones),
        ),
        Milestone(
            "Every process has what it needs in writing",
            running and not bare,
            f"{bare} process{'' if bare == 1 else 'es'} without a document." if bare else "",
            "/scope/processes/" if running else "",
            "See which",
            started=running and count > 0,
        ),
    ]


@contributions.momentum(
    "Documents renewed", url="/documents/", permission="documents.view_document", order=20
)
def renewed(period: Period) -> int:
    """Revisions that came into force."""
    rows = Revision.objects.filter(status__in=["effective", "superseded", "withdrawn"])
    return rows.filter(effective_from__range=(period.start, period.end)).count()


def titles_known(titles: Sequence[str]) -> dict[str, str]:
    """Which of these documents there are already, by title → address."""
    rows = Document.objects.exclude(status="withdrawn").filter(title__in=titles)
    return {each.title: each.get_absolute_url() for each in rows}


@contributions.drafts("document", existing=titles_known)
def draft_document(sketch: Sketch, *, by: Person) -> Document:
    """A draft with its first words; reviewer and approver are people who did not write it."""
    return create_document(
        by=by,
        title=sketch.title,
        kind=sketch.kind,
        owner=sketch.owner or by,
        process=sketch.process,
        clauses=list(sketch.clauses),
        text=from_markdown(sketch.body),
        fields=_asked(sketch),
        reviewers=_another(by, "process_owner", "quality_manager"),
        approvers=_another(by, "top_management", "quality_manager"),
    )


def _asked(sketch: Sketch) -> list[Any]:
    """A form that we have ready begins with its fields."""
    ready = {each.title: each.fields for each in starter_forms()}
    return ready.get(sketch.title, []) if sketch.kind == Document.Kind.FORM else []


def _another(by: Person, *roles: str) -> list[Person]:
    """Somebody else who holds one of the roles, the first role first; nobody where nobody does."""
    for role in roles:
        found = Person.objects.holding(role).exclude(pk=by.pk).first()
        if found is not None:
            return [found]
    return []
