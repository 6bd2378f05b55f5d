"""What the evidence pack and the management review get from documents (7.5)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse

from documents import answers, entry_prints
from documents.models import (
    ControlledCopy,
    Disposition,
    Document,
    Entry,
    EvidencePointer,
    FollowUp,
    ReadingTask,
    ReviewFlag,
    Revision,
)
from documents.prints import TEMPLATE, revision_context
from documents.subjects import Names, ids_in
from qms import contributions
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line, Withheld
from qms.periods import Period, day_of, start_of
from qms.proofs import (
    Blocker,
    GapSignal,
    Proofs,
    as_it_was,
    by_clause,
    counted,
    gap_signal,
    proves,
)
from qms.scope.models import Process


def revisions_of(period: Period) -> Any:
    """The revisions in force at any time in the period, by document."""
    people = ("document__owner", "document__process", "approved_by", "reviewed_by", "created_by")
    rows = Revision.objects.in_force_during(period.start, period.end)
    return rows.select_related(*people).order_by("document__number", "number")


@contributions.evidence(
    folder="05-documents",
    title="Controlled documents",
    clauses=("7.5.1", "7.5.2", "7.5.3", "7.5.3.1", "7.5.3.2", "5.2.1", "5.2.2"),
    template="documents/evidence/master_list.html",
)
def master_list(period: Period, as_of: datetime) -> dict[str, Any]:
    """The master list with every revision that was in force in the period."""
    return {"revisions": list(revisions_of(period)), "period": period}


@contributions.register(
    name="documents",
    title="Controlled documents and their revisions",
    columns=(
        "Number",
        "Title",
        "Kind",
        "Process",
        "Owner",
        "Revision",
        "State",
        "Reviewed by",
        "Reviewed on",
        "Approved by",
        "Approved on",
        "Effective from",
        "Ended on",
    ),
)
def register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a revision."""
    for each in revisions_of(period):
        document = each.document
        yield (
            document.number,
            document.told_outside(each.title),
            document.get_kind_display(),
            str(document.process or ""),
            document.owner.name,
            each.label,
            each.get_status_display(),
            each.reviewed_by.name if each.reviewed_by else "",
            each.reviewed_on,
            each.approved_by.name if each.approved_by else "",
            each.approved_on,
            each.effective_from,
            each.ended_on,
        )


@contributions.evidence(
    folder="05-documents",
    title="Read and understood",
    clauses=("7.3", "7.5.3.1"),
    template="documents/evidence/reading.html",
    order=60,
)
def reading(period: Period, as_of: datetime) -> dict[str, Any]:
    """How many were asked to read what was in force in the period, and how many have."""
    rows = ReadingTask.objects.filter(
        revision__in=revisions_of(period).values("pk"), recorded_at__lte=as_of
    ).exclude(status=ReadingTask.Status.ENDED)
    read = Count("pk", filter=Q(status="acknowledged", acknowledged_on__lte=day_of(as_of)))
    named = ("document__number", "document__confidentiality", "revision__title", "revision__label")
    told = rows.values(*named).annotate(
        asked=Count("pk"), read=read, lapsed=Count("pk", filter=Q(status="lapsed"))
    )
    return {"rows": list(told.order_by("document__number", "revision__label")), "period": period}


@contributions.register(
    name="review-flags",
    title="Why documents were to be looked at again",
    columns=("Document", "What changed", "Changed by", "Since", "State"),
)
def flag_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every flag raised by the end of the period."""
    ends = period.instants()[1]
    rows = ReviewFlag.objects.filter(recorded_at__lt=ends, recorded_at__lte=as_of)
    for each in rows.select_related("document", "caused_by").order_by("document__number", "pk"):
        yield (
            each.document.number,
            each.why,
            each.caused_by.name if each.caused_by else "",
            day_of(each.recorded_at),
            each.get_status_display(),
        )


@contributions.register(
    name="document-follow-ups",
    title="What named a document with a new revision",
    columns=("Document", "Revision", "What", "Which", "Who", "By", "State", "What was done"),
)
def follow_up_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every follow-up opened by the end of the period."""
    ends = period.instants()[1]
    rows = FollowUp.objects.filter(recorded_at__lt=ends, recorded_at__lte=as_of)
    rows = rows.select_related("document", "revision", "person")
    for each in rows.order_by("document__number", "revision__number", "pk"):
        yield (
            each.document.number,
            each.revision.label,
            each.kind,
            each.title,
            each.person.name,
            each.due,
            each.get_status_display(),
            each.note,
        )


@contributions.register(
    name="controlled-copies",
    title="Controlled copies and what became of them",
    columns=(
        "Copy",
        "Document",
        "Revision",
        "Held by",
        "Issued on",
        "Recalled on",
        "Settled on",
        "State",
    ),
)
def copy_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every copy issued by the end of the period."""
    rows = ControlledCopy.objects.filter(issued_on__lte=period.end, recorded_at__lte=as_of)
    for each in rows.select_related("document", "revision", "holder").order_by("number"):
        yield (
            each.number,
            each.document.number,
            each.revision.label,
            each.held_by,
            each.issued_on,
            each.recalled_on,
            each.settled_on,
            each.get_status_display(),
        )


@contributions.register(
    name="reading",
    title="Who was asked to read what, and who has read it",
    columns=(
        "Document",
        "Revision",
        "Who",
        "Read by",
        "State",
        "Acknowledged on",
        "Revision read",
        "Tries",
        "Why it ended",
    ),
)
def reading_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a person and revision, of the revisions in force in the period."""
    rows = ReadingTask.objects.filter(
        revision__in=revisions_of(period).values("pk"), recorded_at__lte=as_of
    ).select_related("document", "revision", "read", "person")
    for each in rows.order_by("document__number", "revision__number", "person__name", "pk"):
        yield (
            each.document.number,
            each.revision.label,
            each.person.name,
            each.due,
            each.get_status_display(),
            each.acknowledged_on,
            each.read.label if each.read else "",
            len(each.tries),
            each.why_ended,
        )


@contributions.printed(
    folder="05-documents",
    model_label="documents.Revision",
    template=TEMPLATE,
    context=revision_context,
)
def printed_revisions(period: Period, as_of: datetime) -> Iterable[tuple[Revision, str]]:
    """Each revision in force in the period as a page of its own, but for restricted ones."""
    for each in revisions_of(period):
        if each.document.is_open:
            yield each, f"{each.document.number}-rev{each.label}"


@contributions.register(
    name="evidence-pointers",
    title="Evidence that lives elsewhere",
    columns=(
        *("Number", "What it shows", "System", "Where", "Owner", "Kept there for"),
        *("Last sample", "What it showed", "Next sample", "State"),
    ),
)
def pointers(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a pointer."""
    for each in EvidencePointer.objects.select_related("owner").order_by("number"):
        yield (
            *(each.number, each.title, each.system, each.query, each.owner.name),
            *(each.retention, each.sampled_on, each.seen, each.next_sample),
            each.get_status_display(),
        )


@contributions.register(
    name="dispositions",
    title="Documents that were disposed of",
    columns=(
        "Number",
        "Document",
        "Kept until",
        "Why",
        "Proposed by",
        "Approved by",
        "On",
        "Files",
    ),
)
def dispositions(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a disposition that was carried out."""
    rows = Disposition.objects.filter(status=Disposition.Status.DONE)
    for each in rows.select_related("document", "created_by", "approved_by").order_by("number"):
        yield (
            *(each.number, each.document.number, each.kept_until, each.why),
            each.created_by.name,
            each.approved_by.name if each.approved_by else "",
            *(each.done_on, each.destroyed),
        )


@contributions.review_input(key="documents", title="Documented information", order=80)
def review_input(period: Period) -> list[Line]:
    """How current the documents are; a line for the chairing person, not an input of the list."""
    overdue = Document.objects.review_due(period.end).count()
    effective = Revision.objects.filter(
        effective_from__range=(period.start, period.end), status__in=Revision.RELEASED_STATES
    ).count()
    return [
        Line("Revisions that took effect", str(effective)),
        Line("Documents past their review", str(overdue)),
        Line("Acknowledgements overdue", str(ReadingTask.objects.overdue(period.end).count())),
    ]


@contributions.clause_evidence
def sampled_elsewhere(edition: str) -> list[ClauseLine]:
    """A dated sample of outside evidence shows the clauses it serves, kept by its owner."""
    rows = EvidencePointer.objects.active().exclude(sampled_on=None).exclude(clauses=[])
    return [
        ClauseLine(
            ref.number,
            "Sample of outside evidence",
            f"{each.title} ({each.system})",
            each.number,
            each.owner.name,
            each.sampled_on,
            each.get_absolute_url(),
            of=each,
        )
        for each in rows.select_related("owner").order_by("number")
        for ref in map(ClauseRef.parse, each.clauses)
        if ref.edition == edition
    ]


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """A document in force shows the clauses it serves, approved by a person on a day."""
    rows = Revision.objects.effective().exclude(document__clauses=[])
    found = []
    for each in rows.select_related("document", "approved_by").order_by("document__number"):
        for ref in map(ClauseRef.parse, each.document.clauses):
            if ref.edition == edition:
                found.append(
                    ClauseLine(
                        ref.number,
                        "Document",
                        f"{each.title}, revision {each.label}",
                        each.document.number,
                        each.approved_by.name if each.approved_by else "",
                        each.approved_on,
                        each.document.get_absolute_url(),
                        of=each.document,
                        outside=f"{each.document.told_outside(each.title)}, revision {each.label}",
                    )
                )
    return found


@contributions.preflight
def concerns(period: Period) -> list[Concern]:
    """Documents past their review, and revisions that wait for an approval."""
    late = Document.objects.review_due(period.end).order_by("next_review")
    found = [
        Concern(
            f"{each.called_outside} was due for review on {each.next_review:%-d %b %Y}.",
            each.get_absolute_url(),
            "late",
        )
        for each in late[:20]
    ]
    waiting = Revision.objects.filter(status__in=("in_review", "reviewed")).count()
    if waiting:
        words = "revision waits" if waiting == 1 else "revisions wait"
        found.append(Concern(f"{waiting} {words} for review or approval.", "/documents/", "soon"))
    flagged = ReviewFlag.objects.open().values("document_id").distinct().count()
    if flagged:
        words = "document depends" if flagged == 1 else "documents depend"
        sentence = f"{flagged} {words} on something that changed and was not looked at since."
        found.append(Concern(sentence, "/documents/reviews/?flagged=true", "soon"))
    recalled = ControlledCopy.objects.filter(status="recalled").count()
    if recalled:
        words = "copy is" if recalled == 1 else "copies are"
        sentence = f"{recalled} recalled {words} not accounted for."
        found.append(Concern(sentence, "/documents/copies/?status=recalled", "soon"))
    late_readers = ReadingTask.objects.overdue(period.end).values("person_id").distinct().count()
    if late_readers:
        words = "person has" if late_readers == 1 else "people have"
        sentence = f"{late_readers} {words} not read a document they were asked to read."
        found.append(Concern(sentence, "/documents/reading/", "soon"))
    return found


@contributions.withholds
def restricted(period: Period, as_of: datetime) -> Iterable[Withheld]:
    """Restricted documents go by their number in a pack and are shown on site."""
    for each in revisions_of(period).exclude(
        document__confidentiality=Document.Confidentiality.OPEN
    ):
        yield Withheld(
            "05-documents",
            f"{each.document.number}, revision {each.label}",
            "The document is restricted.",
        )


# What the records prove, and what they betray -------------------------------------------------


def in_force_then(as_of: datetime) -> list[Any]:
    """The documents that had a revision in force at an instant, as they were, by number."""
    revisions = as_it_was(Revision, as_of).filter(status=Revision.Status.EFFECTIVE)
    rows = as_it_was(Document, as_of).filter(id__in=revisions.values("document_id"))
    return list(rows.order_by("number"))


def _told(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", None


@proves()
def documents_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What was in force, by the clauses it serves; the policy, and how current it all is."""
    rows = in_force_then(as_of)
    found = {
        number: counted("documents in force", Document, some, _told, shows=("maintain",))
        for number, some in by_clause(rows, edition, lambda row: row.clauses).items()
    }
    policies = [row for row in rows if row.kind == Document.Kind.POLICY]
    write = Blocker(
        "No quality policy is in force.", reverse("documents:document_create"), "Write it"
    )
    found |= {
        number: counted(
            "quality policies in force", Document, policies, _told, () if policies else (write,)
        )
        for number in ("5.2.1", "5.2.2")
    }
    late = [row for row in rows if row.next_review and row.next_review < day_of(as_of)]
    words = "document is" if len(late) == 1 else "documents are"
    review = Blocker(
        f"{len(late)} {words} past the day of review.", reverse("documents:document_list"), "Review"
    )
    start = Blocker("No document is in force.", reverse("documents:document_create"), "Write one")
    found["7.5.1"] = counted("documents in force", Document, rows, _told, () if rows else (start,))
    astray = as_it_was(ControlledCopy, as_of).filter(status="recalled").count()
    words = "copy is" if astray == 1 else "copies are"
    chase = Blocker(
        f"{astray} recalled {words} not accounted for.", reverse("documents:copy_list"), "See where"
    )
    blockers = [*([review] if late else []), *([chase] if astray else [])]
    found["7.5.3.2"] = counted("documents in force", Document, rows, _told, blockers)
    return found


@proves("7.3")
def acknowledgements_prove(edition: str, as_of: datetime) -> Proofs:
    """Who said that they read and understood what was in force, as it stood then."""
    rows = list(as_it_was(ReadingTask, as_of).filter(status="acknowledged").order_by("-id"))
    late = as_it_was(ReadingTask, as_of).filter(status="open", due__lt=day_of(as_of)).count()
    words = "acknowledgement is" if late == 1 else "acknowledgements are"
    chase = Blocker(f"{late} {words} overdue.", reverse("documents:reading_matrix"), "See whose")
    return counted(
        "documents acknowledged by those they concern",
        ReadingTask,
        rows,
        lambda row: ("Read and understood", row.acknowledged_on),
        (chase,) if late else (),
        shows=("retain",),
    )


@gap_signal(order=20)
def processes_without_documents(edition: str, today: date) -> list[GapSignal]:
    """A running process that no document in force tells about."""
    told = Revision.objects.effective().filter(document__process=OuterRef("pk"))
    bare = Process.objects.active().filter(~Exists(told)).select_related("owner")
    return [
        GapSignal(
            f"documents:{process.pk}",
            "4.4.2",
            f"No document in force tells how {process.name} is done.",
            process.get_absolute_url(),
            f"Write down how {process.name} is done",
            process.owner,
        )
        for process in bare.order_by("code")
    ]


# Entries of forms -------------------------------------------------------------------------------

SAMPLE = 5  # entries of each form that are printed; the register has all


def entries_of(period: Period) -> Any:
    """What was submitted of what happened in the period, by form."""
    rows = Entry.objects.evidence().happened_between(
        start_of(period.start), start_of(period.end + timedelta(days=1))
    )
    people = ("form", "form__process", "revision", "created_by", "corrects")
    return rows.select_related(*people).order_by("form__number", "happened_at", "pk")


@contributions.evidence(
    folder="07-operation",
    title="Forms and what was filled in",
    clauses=("7.5.3", "7.5.3.2", "8.1", "8.5.1", "8.6"),
    template="documents/evidence/entries.html",
    order=60,
)
def forms_filled_in(period: Period, as_of: datetime) -> dict[str, Any]:
    """How often each form was filled in, what was beyond a limit, what was corrected."""
    counted: dict[int, dict[str, Any]] = {}
    for each in entries_of(period):
        row = counted.setdefault(
            each.form_id, {"form": each.form, "many": 0, "beyond": 0, "corrected": 0}
        )
        row["many"] += 1
        row["beyond"] += each.worst == Entry.Worst.LIMIT
        row["corrected"] += each.status == Entry.Status.CORRECTED
        row["last"] = each.happened_at
    return {"forms": list(counted.values()), "period": period, "sample": SAMPLE}


@contributions.register(
    name="entries",
    title="Entries of forms",
    columns=(
        "Number",
        "Form",
        "Revision",
        "Happened",
        "Recorded",
        "Filled in by",
        "State",
        "Limits",
        "Corrects",
        "Answers",
    ),
)
def entry_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an entry; the answers of restricted forms stay on site."""
    for each in entries_of(period):
        yield (
            each.number,
            each.form.called_outside,
            each.revision.label,
            each.happened_at,
            each.recorded_at,
            each.created_by.name,
            each.get_status_display(),
            each.get_worst_display(),
            each.corrects.number if each.corrects else "",
            _said(each) if each.form.is_open else "On site.",
        )


def _said(entry: Entry) -> str:
    names = Names(ids_in(entry.parts, entry.values))
    told = (
        (p["label"], answers.in_words(p, entry.values.get(p["key"]), names)) for p in entry.parts
    )
    return "; ".join(f"{label}: {words}" for label, words in told if words)


@contributions.printed(
    folder="07-operation",
    model_label="documents.Entry",
    template=entry_prints.ENTRY,
    context=entry_prints.entry_context,
)
def printed_entries(period: Period, as_of: datetime) -> Iterable[tuple[Entry, str]]:
    """What was beyond a limit or corrected, and the newest of each form, as pages of their own."""
    kept: dict[int, list[Entry]] = {}
    for each in entries_of(period):
        if each.form.is_open:
            kept.setdefault(each.form_id, []).append(each)
    for entries in kept.values():
        told = [e for e in entries if e.worst == Entry.Worst.LIMIT or e.corrects_id]
        for each in dict.fromkeys([*told, *entries[-SAMPLE:]]):
            yield each, each.number


@contributions.withholds
def restricted_entries(period: Period, as_of: datetime) -> Iterable[Withheld]:
    """Entries of restricted forms are named by their number and shown on site."""
    for each in entries_of(period).exclude(form__confidentiality=Document.Confidentiality.OPEN):
        yield Withheld("07-operation", each.number, "The form is restricted.")


@proves()
def entries_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What was filled in, by the clauses its form serves: evidence that the work was done."""
    rows = as_it_was(Entry, as_of).filter(status=Entry.Status.SUBMITTED)
    forms = {row.id: row for row in as_it_was(Document, as_of).filter(kind=Document.Kind.FORM)}
    known = list(rows.filter(form_id__in=list(forms)).order_by("-happened_at"))

    def told(row: Any) -> tuple[str, date | None]:
        return f"{row.number} {forms[row.form_id].title}", day_of(row.happened_at)

    return {
        number: counted("entries of forms", Entry, some, told, shows=("retain",))
        for number, some in by_clause(
            known, edition, lambda row: forms[row.form_id].clauses
        ).items()
    }
