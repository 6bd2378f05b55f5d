"""The page on which the fields of a form are designed, with how they will look beside."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from documents import design, designing, workflow
from documents.filling import PreviewForm
from documents.models import Revision
from documents.starters import starter_forms
from documents.subjects import registers
from qms import contributions, pages
from qms.access import needs
from qms.refusals import Refused, Stale
from qms.workflow import amend

PAGE, PART, PREVIEW = (
    "documents/design.html",
    "documents/design_part.html",
    "documents/design_preview.html",
)


@needs("documents.change_revision")
def revision_fields(request: HttpRequest, pk: int) -> HttpResponse:
    """Design what the form asks; each button shows the page again with everything typed."""
    rows = Revision.objects.select_related("document")
    revision = pages.find(request, rows, pk=pk, document__kind="form")
    blocked = " ".join(workflow.editing.obstacles(revision, request.user))
    if request.method != "POST" or blocked:
        shown = designing.shown(revision.fields)
        status = 422 if request.method == "POST" else 200
        return _page(request, revision, shown, blocked=blocked, status=status)
    typed, button = designing.typed(request.POST), request.POST.get("do", "save")
    if button == "preview":
        return pages.respond(request, PREVIEW, PREVIEW, _preview(typed, request.user))
    if button != "save":
        typed, looked_at = designing.press(button, typed)
        return _page(request, revision, typed, looked_at=looked_at)
    try:
        parts = designing.designed(typed)
        version = request.POST.get("version", "")
        amend(
            revision,
            by=request.user,
            changes={"fields": parts},
            version=int(version) if version.isascii() and version.isdigit() else 0,
        )
    except Stale as stale:
        revision.refresh_from_db()
        return _page(request, revision, typed, sentence=str(stale), status=409)
    except Refused as refusal:
        return _page(request, revision, typed, sentence=str(refusal), status=422)
    return pages.go_to(request, revision.get_absolute_url())


def _page(
    request: HttpRequest,
    revision: Revision,
    rows: list[designing.Row],
    *,
    blocked: str = "",
    sentence: str = "",
    looked_at: int | None = None,
    status: int = 200,
) -> HttpResponse:
    released = revision.document.revisions.released().order_by("number")
    frozen = {part["key"]: part["kind"] for each in released for part in each.fields}
    context = {
        "title": f"Fields of {revision}",
        "revision": revision,
        "blocked": blocked,
        "sentence": sentence,
        "parts": designing.drawn(rows, frozen, looked_at),
        "kinds": [(key, kind.label) for key, kind in design.KINDS.items()],
        "registers": list(registers().values()),
        "signers": list(design.SIGNERS.items()),
        "gives": _gives(rows),
        "starters": starter_forms(),
        "crumbs": [
            ("Documents", reverse("documents:document_list")),
            (revision.document.number, revision.document.get_absolute_url()),
            (f"Revision {revision.label}", revision.get_absolute_url()),
            ("Fields", ""),
        ],
        **_preview(rows, request.user),
    }
    return pages.respond(request, PAGE, PART, context, status=status)


def _gives(rows: list[designing.Row]) -> list[tuple[str, str]]:
    """What the register of the subject takes: (name, words); empty without a subject."""
    about = next((row["of"] for row in rows if row["subject"]), "")
    register = next((each for each in contributions.form_subjects() if each.kind == about), None)
    if register is None:
        return []
    return [(n, str(f.label or n.replace("_", " "))) for n, f in register.takes.items()]


def _preview(rows: list[designing.Row], person: Any) -> dict[str, Any]:
    """The form as it will be filled in, or why it cannot be drawn yet."""
    try:
        parts = designing.designed(rows)
    except Refused as refusal:
        return {"preview": None, "preview_why": str(refusal)}
    return {"preview": PreviewForm(parts=parts, by=person), "preview_why": ""}
