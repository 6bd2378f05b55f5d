"""How a document comes to be, what it is for, and how it is withdrawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from documents import content, design
from documents.models import Document, DocumentSite, KindRule, Revision
from documents.workflow.revisions import withdraw_revision
from documents.workflow.signatories import Part, name_signatories
from qms.events import publish
from qms.links import set_links
from qms.numbering import next_number
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition

MOST_OF_NUMBER, MOST_OF_TITLE = 40, 200  # characters


@dataclass(frozen=True)
class DocumentWithdrawn:
    """A document is no longer in force and has no successor."""

    document: Document


@creates(Document, permission="documents.add_document")
def create_document(
    *,
    by: Person,
    title: str,
    kind: str,
    owner: Person,
    process: Any = None,
    clauses: list[str] | None = None,
    confidentiality: str = Document.Confidentiality.OPEN,
    language: str = "en",
    review_months: int | None = None,
    number: str = "",
    text: Any = None,
    fields: list[dict[str, Any]] | None = None,
    reviewers: Sequence[Person] = (),
    approvers: Sequence[Person] = (),
    sites: Iterable[Any] = (),
    **external: Any,
) -> Document:
    """A new document with its first draft.

    `text` is a tree of `documents.content`, `external` the issuer, edition and watch_on of an
    external document. `number` is given only for imported registers.
    """
    number = number.strip()
    _check_named(title.strip(), number)
    _only_of_external(kind, external)
    if fields and kind != Document.Kind.FORM:
        raise Refused("Only a form has fields.", field="kind")
    rule = KindRule.objects.of(kind)
    document = Document(
        number=number or _next_free(rule.series(process)),
        title=title.strip(),
        kind=kind,
        owner=owner,
        process=process,
        clauses=clauses or [],
        confidentiality=confidentiality,
        language=language,
        review_months=review_months or rule.review_months,
        created_by=by,
        **external,
    )
    document.save()
    if sites := list(sites):
        set_sites(document, sites, by=by)
    draft = Revision(
        document=document,
        number=1,
        label="1",
        title=document.title,
        text=content.without_title(content.check(text or content.EMPTY), document.title),
        fields=design.check(fields or []),
        change_summary="First issue.",
        created_by=by,
    )
    draft.save()
    for part, people in ((Part.REVIEW, reviewers), (Part.APPROVAL, approvers)):
        if people:
            name_signatories(draft, part, people, by=by)
    return document


def _next_free(series: str) -> str:
    """The next number of a series that no document of a former list has taken."""
    number = next_number(series, digits=Document.DIGITS)
    while Document.objects.filter(number__iexact=number).exists():
        number = next_number(series, digits=Document.DIGITS)
    return number


def _check_named(title: str, number: str) -> None:
    """A title and, of a former list, a number that fit on one line and are not taken."""
    if not title:
        raise Refused("Give the document a title.", field="title")
    if len(title) > MOST_OF_TITLE:
        raise Refused(f"Give it a title of at most {MOST_OF_TITLE} characters.", field="title")
    if number and not (number.isprintable() and len(number) <= MOST_OF_NUMBER):
        raise Refused(
            f"This is no number of a document: at most {MOST_OF_NUMBER} letters, digits and signs"
            " on one line.",
            field="number",
        )
    if number and Document.objects.filter(number__iexact=number).exists():
        raise Refused(f"There is a document {number} already.", field="number")


def _only_of_external(kind: str, told: Mapping[str, Any]) -> None:
    """Issuer, edition and watch date say where a document of somebody else comes from."""
    for name, value in told.items():
        if value and kind != Document.Kind.EXTERNAL:
            raise Refused("Only an external document has an issuer and an edition.", field=name)


def set_sites(document: Document, sites: Iterable[Any], *, by: Any, reason: str = "") -> None:
    """At which sites the document holds; none means at all."""
    owner = {"document": document}
    set_links(DocumentSite, owner=owner, target="site", targets=sites, by=by, reason=reason)


@transition(
    Document,
    source=Document.Status.ACTIVE,
    target=Document.Status.WITHDRAWN,
    permission="documents.withdraw_revision",
    guards=[lambda document, by: no_open_revision(document)],
    reason=True,
    label="Withdraw",
    primary=False,
    then=lambda document, by: end_of_document(document, by),
)
def withdraw(document: Document, *, by: Any) -> None:
    """Withdraw the document; it stays readable, marked as withdrawn."""
    document.next_review = document.watch_on = None


def no_open_revision(document: Document) -> str | None:
    in_work = document.__dict__.get("is_in_work")  # a page has read it with the document
    if in_work is None:
        in_work = document.revisions.filter(status__in=Revision.OPEN_STATES).exists()
    if in_work:
        return "A revision is in work. Finish or void it first."
    return None


def end_of_document(document: Document, by: Any) -> None:
    """What was in force goes with its document."""
    for revision in document.revisions.effective():
        withdraw_revision(revision, by=by, reason="The document was withdrawn.")
    publish(DocumentWithdrawn(document))


editing_document = amendment(
    Document,
    permission="documents.change_document",
    fields=(
        "title",
        "owner",
        "process",
        "clauses",
        "confidentiality",
        "language",
        "review_months",
        "issuer",
        "edition",
        "watch_on",
    ),
    states=(Document.Status.ACTIVE,),
    reserves={"title": lambda document, by, value: the_title_was_approved(document)},
)


def the_title_was_approved(document: Document) -> str | None:
    """A released document is called what was approved, in every list."""
    if document.is_released:
        return "It was approved with this title. Start a revision to give it another one."
    return None


# What holds for a kind


@creates(KindRule, permission="documents.change_kindrule")
def change_rule(*, by: Person, kind: str, **rule: Any) -> KindRule:
    """Say for the first time what holds for a kind of document."""
    made = KindRule(kind=kind, created_by=by, **rule)
    made.save()
    return made


changing_rule = amendment(
    KindRule,
    permission="documents.change_kindrule",
    fields=("prefix", "with_process", "review_months", "reading_days", "retention_years"),
)
