"""Writing a draft together: who writes, pictures in the text, comments on passages."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from documents import workflow
from documents.forms import CommentForm
from documents.models import Comment, Revision
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.files.workflow import attach
from qms.refusals import Refused


@needs("documents.change_revision")
@require_POST
def revision_take_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Take over the writing from somebody who has the draft open."""
    revision = pages.find(request, Revision.objects.select_related("document"), pk=pk)
    workflow.take_lease(revision, by=request.user, by_force=True)
    return pages.go_to(request, reverse("documents:revision_edit", args=[pk]))


@needs("documents.change_revision")
@require_POST
def revision_presence(request: HttpRequest, pk: int) -> JsonResponse:
    """A sign of life from an open editor; answers who else is there."""
    revision = pages.find(request, Revision.objects.all(), pk=pk)
    lease = workflow.keep_lease(
        revision,
        by=request.user,
        token=request.POST.get("token", ""),
        leaving=request.POST.get("leaving") == "1",
    )
    return JsonResponse({"readers": lease.readers, "taken_by": lease.taken_by})


@needs("documents.change_revision")
@require_POST
def revision_picture(request: HttpRequest, pk: int) -> JsonResponse:
    """Attach a picture to a draft, for its text."""
    revision = pages.find(request, Revision.objects.select_related("document"), pk=pk)
    given = request.FILES.get("file")
    if given is None:
        return JsonResponse({"detail": "Choose a picture."}, status=422)
    try:
        if why := " ".join(workflow.editing.obstacles(revision, request.user)):
            raise Refused(why)
        kept = attach(revision, given, by=request.user, caption="Picture in the text")
        if not kept.blob.is_picture:
            raise Refused("This is no picture. Choose a JPEG, PNG or WebP file.")
    except Refused as refusal:
        return JsonResponse({"detail": str(refusal)}, status=422)
    return JsonResponse({"attachment": kept.pk})


@needs("documents.add_comment")
def comment_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something of a passage."""
    revision = pages.find(request, Revision.objects.select_related("document"), pk=pk)

    def create(*, by: Any, **fields: Any) -> Comment:
        return workflow.add_comment(by=by, revision=revision, **fields)

    return pages.edit(
        request,
        form_class=CommentForm,
        create=create,
        title=f"Comment on {revision}",
        done=lambda comment: f"{revision.get_absolute_url()}#comments",
        context={"submit": "Comment", "cancel_url": revision.get_absolute_url()},
    )


@needs("documents.view_comment")
def comment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One comment, what was answered, and its history."""
    rows = Comment.objects.select_related("revision__document", "created_by")
    comment = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        comment,
        template="documents/comment_detail.html",
        title=f"Comment on {comment.revision}",
        crumbs=[
            ("Documents", "documents:document_list"),
            (str(comment.revision), comment.revision.get_absolute_url()),
            ("Comment", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def comment_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Settle a comment, or open it again."""
    rows = Comment.objects.select_related("revision__document")
    comment = pages.find(request, rows, pk=pk)
    done = f"{comment.revision.get_absolute_url()}#comments"
    return pages.do_transition(request, comment, name, done=done)
