"""Pages of attachments: download, small picture, attach, void. Nothing foreign opens inline."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.files import storage, workflow
from qms.files.forms import AttachForm
from qms.files.models import Attachment
from qms.origins import is_visible
from qms.refusals import Refused

# Even opened in a tab, a file may do nothing at all.
LOCKED = "default-src 'none'; sandbox"


@needs("files.view_attachment")
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file itself, always as a download, checked against its hash."""
    attachment = _find(request, pk)
    try:
        content = workflow.content_of(attachment)
    except Refused as refusal:
        return pages.refused(request, refusal, status=410)
    return _locked(
        content, attachment.blob.media_type, attachment.name, attachment=True, etag=attachment
    )


@needs(ANYONE_SIGNED_IN)
def thumbnail(request: HttpRequest, pk: int, size: str) -> HttpResponseBase:
    """A small JPEG of a picture, drawn by us; the only thing that is shown inline."""
    attachment = _find(request, pk, workflow.may_see_picture)
    try:
        content = storage.thumbnail(attachment.blob, size)
    except Refused as refusal:
        raise Http404(str(refusal)) from None
    return _locked(content, "image/jpeg", "picture.jpg", attachment=False, etag=attachment)


@needs("files.add_attachment")
def attachment_create(request: HttpRequest, type_id: int, record_id: int) -> HttpResponseBase:
    """Attach files to any record the person may see."""
    record = _record(request, type_id, record_id)

    def create(*, by: Any, file: list[Any], caption: str) -> Any:
        workflow.attach_all(record, file, by=by, caption=caption)
        return record

    return pages.edit(
        request,
        form_class=AttachForm,
        title=f"Attach to {record}",
        create=create,
        context={"crumbs": [(str(record), record.get_absolute_url())]},
    )


@needs("files.void_attachment")
def attachment_transition(request: HttpRequest, pk: int, name: str) -> HttpResponseBase:
    """Void a file that was attached by mistake."""
    attachment = _find(request, pk)
    owner: Any = attachment.record
    return pages.do_transition(request, attachment, name, done=owner.get_absolute_url())


def _find(request: HttpRequest, pk: int, may: workflow.Shows = workflow.may_see) -> Attachment:
    """The attachment, if the person may see it; else 404, as if it were not there."""
    found: Attachment | None = Attachment.objects.select_related("blob").filter(pk=pk).first()
    if found is None or not may(found, request.user):
        raise Http404("There is no such file.")
    return found


def _record(request: HttpRequest, type_id: int, record_id: int) -> Any:
    kind = ContentType.objects.filter(pk=type_id).first()
    model = kind.model_class() if kind else None
    if model is None or not hasattr(model._default_manager, "visible_to"):
        raise Http404("There is no such record.")
    record = model._default_manager.filter(pk=record_id).first()
    if record is None or isinstance(record, Attachment) or not is_visible(record, request.user):
        raise Http404("There is no such record.")
    return record


def _locked(
    content: bytes, media_type: str, name: str, *, attachment: bool, etag: Attachment
) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(attachment, name) or "attachment"
    response["Content-Security-Policy"] = LOCKED
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=300"
    response["ETag"] = f'"{etag.blob.sha256[:32]}"'
    return response
