"""Pages of a revision: what it says, what changed, who signs it, its PDF."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from documents import workflow
from documents.filling import preview_of
from documents.forms import HandOnForm, RevisionForm, StartRevisionForm
from documents.models import Comment, Document, ReviewFlag, Revision, Signatory
from documents.prints import rendition_of
from documents.prints import revision_pdf as pdf_of
from documents.redline import compare
from documents.shown import on_page
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import PathStep
from qms.periods import today

DECIDED_SOON = ("in_review", "reviewed", "approved")


@needs("documents.add_revision")
def revision_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the next revision."""
    document = pages.find(request, Document.objects, pk=pk)

    def start(*, by: Any, **fields: Any) -> Revision:
        return workflow.start_revision(document, by=by, **fields)

    return pages.edit(
        request,
        form_class=StartRevisionForm,
        create=start,
        title=f"New revision of {document.number}",
        initial={"change_summary": _why_now(document)},
        done=lambda revision: reverse("documents:revision_edit", args=[revision.pk]),
    )


def _why_now(document: Document) -> str:
    """What was flagged of the document is a reason to change it."""
    flags = ReviewFlag.objects.open().filter(document=document).order_by("pk")
    return " ".join(flags.values_list("why", flat=True))


@needs("documents.view_revision")
def revision_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One revision: content, signatures, way into force, history.

    Who is asked to sign it sees what changed first, and the clean text one click away.
    """
    workflow.make_due_revisions_effective(today())
    people = ("created_by", "reviewed_by", "approved_by")
    rows = Revision.objects.select_related("document__owner", "source__blob__rendition", *people)
    revision = pages.find(request, rows, pk=pk)
    number = revision.document.number
    plans = {part: workflow.signatories_of(revision, part) for part in Signatory.Part}
    before = previous_of(revision)
    signs = any(plan.seat_of(request.user) in plan.next for plan in plans.values())
    shown = request.GET.get("show", "")
    return pages.show_record(
        request,
        revision,
        template="documents/revision_detail.html",
        title=revision.title,
        subtitle=f"{number} · revision {revision.label}",
        crumbs=[
            ("Documents", reverse("documents:document_list")),
            (number, revision.document.get_absolute_url()),
            (f"Revision {revision.label}", ""),
        ],
        path=path_of(revision, plans),
        text=on_page(revision, request.user),
        asks=preview_of(revision, request.user),
        may_design=(
            revision.document.kind == Document.Kind.FORM
            and is_written(revision)
            and request.user.has_perm("documents.change_revision")
        ),
        before=before,
        redline=(
            compare(before, revision, person=request.user)
            if before and (shown == "changes" or (not shown and signs and is_waiting(revision)))
            else None
        ),
        rendition=getattr(revision.source.blob, "rendition", None) if revision.source else None,
        reviews=plans[Signatory.Part.REVIEW],
        approvals=plans[Signatory.Part.APPROVAL],
        handed_on=_handed_on(plans, request.user) if is_waiting(revision) else (),
        comments=list(
            Comment.objects.visible_to(request.user)
            .filter(revision=revision)
            .select_related("created_by")
            .order_by("status", "block", "pk")
        ),
        may_comment=(
            request.user.has_perm("documents.add_comment")
            and revision.status in Revision.OPEN_STATES
        ),
        print_url=reverse("documents:revision_pdf", args=[revision.pk]),
        extent=workflow.what_it_changes(revision),
        causes=(
            workflow.causes_of(revision, request.user) if revision.status in DECIDED_SOON else None
        ),
        opened=(
            workflow.opened_by(revision, request.user)
            if revision.status in Revision.RELEASED_STATES
            else None
        ),
    )


def _handed_on(plans: dict[Any, workflow.Plan], person: Any) -> set[int]:
    """The seats this person may pass on to somebody else."""
    seats = [seat for plan in plans.values() for seat in plan.seats]
    return {seat.pk for seat in seats if workflow.handing_on.permitted(seat, person)}


def is_waiting(revision: Revision) -> bool:
    return revision.status in (Revision.Status.IN_REVIEW, Revision.Status.REVIEWED)


def previous_of(revision: Revision) -> Revision | None:
    """What a revision is compared with: the one that was or is in force before it."""
    before = revision.document.revisions.released().filter(number__lt=revision.number)
    found: Revision | None = before.select_related("source__blob").order_by("-number").first()
    return found


def path_of(revision: Revision, plans: dict[Any, workflow.Plan]) -> list[PathStep]:
    """Draft, review, approval, in force: how far the revision is."""
    order = ["draft", "in_review", "reviewed", "approved", "effective"]
    at = order.index(revision.status) if revision.status in order else len(order)
    notes = [
        ("Written", revision.created_by),
        ("Reviewed", _who(plans[Signatory.Part.REVIEW])),
        ("Approved", _who(plans[Signatory.Part.APPROVAL])),
        ("In force", revision.effective_from or ""),
    ]
    reached = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}.get(at, 4)
    steps = [
        PathStep(name, "done" if i < reached else "now" if i == reached else "later", note)
        for i, (name, note) in enumerate(notes)
    ]
    if revision.is_obsolete:
        steps.append(PathStep(revision.get_status_display(), "now", revision.ended_on or ""))
    return steps


def _who(plan: workflow.Plan) -> str:
    """Who signs a part, or how far it is where several do."""
    if len(plan.seats) == 1:
        return plan.seats[0].person.name
    return f"{plan.signed} of {plan.needed}" if plan.seats else ""


@needs("documents.change_revision")
def revision_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the draft, or replace its uploaded original. One person writes at a time."""
    revision = pages.find(request, Revision.objects.select_related("document"), pk=pk)
    lease = workflow.take_lease(revision, by=request.user) if is_written(revision) else None
    response = pages.edit(
        request,
        form_class=RevisionForm,
        instance=revision,
        title=f"Write {revision}",
        template="documents/revision_form.html",
        context={"lease": lease, "revision": revision},
    )
    if response.status_code in (204, 303):
        workflow.give_back(revision, by=request.user)
    return response


def is_written(revision: Revision) -> bool:
    return revision.status == Revision.Status.DRAFT


@needs(ANYONE_SIGNED_IN)
def revision_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Send to review, sign, approve, send back, void."""
    rows = Revision.objects.select_related("document")
    revision = pages.find(request, rows, pk=pk)
    notice = _to_know(revision, name)
    return pages.do_transition(request, revision, name, context={"notice": notice})


def _to_know(revision: Revision, name: str) -> str:
    """What who signs a minor revision should know: how much of what was read it changes."""
    extent = workflow.what_it_changes(revision) if name in ("review", "approve") else None
    if extent is None:
        return ""
    why = f" Minor all the same: {revision.why_minor}" if revision.why_minor else ""
    return (
        f"A minor revision: it changes {extent.in_words} since revision {extent.since}, and nobody"
        f" is asked to read it again.{why}"
    )


@needs("documents.view_revision")
def revision_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """What changed between any two revisions of a document."""
    rows = Revision.objects.select_related("document", "source__blob")
    after = pages.find(request, rows, pk=pk)
    others = list(
        Revision.objects.visible_to(request.user)
        .filter(document=after.document_id)
        .exclude(pk=after.pk)
        .select_related("document", "source__blob")
        .order_by("-number")
    )
    asked = request.GET.get("with", "")
    wanted = next((each for each in others if str(each.pk) == asked), None)
    earlier = (each for each in others if each.number < after.number)
    before = wanted or next(earlier, None)
    if asked and wanted is None:
        raise Http404("There is no such revision.")
    if before and before.number > after.number:
        before, after = after, before
    as_text = request.GET.get("as") == "text"
    context = {
        "title": f"{after.document.number}: what changed",
        "before": before,
        "after": after,
        "others": [each for each in others if each != before] if before else others,
        "choices": sorted({*others, after}, key=lambda each: -each.number),
        "as_text": as_text,
        "redline": (
            compare(before, after, person=request.user, as_text=as_text) if before else None
        ),
        "crumbs": [
            ("Documents", reverse("documents:document_list")),
            (after.document.number, after.document.get_absolute_url()),
            ("What changed", ""),
        ],
    }
    template = "documents/revision_compare.html"
    return pages.respond(request, template, template, context)


@needs("documents.view_revision")
def revision_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The revision as a PDF, marked for what it is."""
    people = ("created_by", "reviewed_by", "approved_by")
    rows = Revision.objects.select_related("document__owner", "document__process", *people)
    revision = pages.find(request, rows, pk=pk)
    workflow.note_opened(revision.document_id, by=request.user)
    name = f"{revision.document.number}-rev{revision.label}"
    return pages.send_pdf(pdf_of(revision), name)


@needs("documents.view_revision")
def revision_rendition(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF that was made of the uploaded original."""
    rows = Revision.objects.select_related("document", "source__blob")
    revision = pages.find(request, rows, pk=pk)
    made = rendition_of(revision)
    if made is None:
        raise Http404("There is no PDF of it.")
    return pages.send_pdf(made, f"{revision.document.number}-rev{revision.label}-original")


@needs("documents.change_signatory")
def signatory_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a signature on to somebody who can give it."""
    rows = Signatory.objects.select_related("revision__document", "person")
    seat = pages.find(request, rows, pk=pk)
    return pages.edit(
        request,
        form_class=HandOnForm,
        instance=seat,
        title=f"Who signs instead of {seat.person.name}?",
        context={"submit": "Hand it on", "cancel_url": seat.get_absolute_url()},
    )
