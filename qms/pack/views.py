"""Pages of evidence packs: list, plan, check, progress, download, and a public confirmation."""

import hashlib
from typing import Any

from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qms import clock, contributions, pages
from qms.access import ANYONE_SIGNED_IN, PUBLIC, address_of, needs
from qms.contributions import Concern
from qms.pack import gathering, layout, shelf, workflow
from qms.pack.forms import NewPackForm, PackForm
from qms.pack.models import Pack, PackDownload, PackProgress
from qms.pages import Column, PathStep
from qms.periods import day_of, today
from qms.refusals import Refused
from qms.scope.models import Organisation

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("preset", "For", value="get_preset_display", sort="preset"),
    Column("period", "Days", value=lambda pack: str(pack.period), sort="period_start"),
    Column("status", "State", sort="status", kind="state"),
    Column("as_of", "As of", sort="as_of", kind="moment"),
    Column("created_by", "Planned by", sort="created_by__name", kind="person"),
    Column("downloads", "Downloads", value="taken", sort="taken"),
]
RELATED = ("created_by", "replaces", "progress")


def _packs() -> Any:
    return Pack.objects.select_related(*RELATED)


@needs("pack.view_pack")
def pack_list(request: HttpRequest) -> HttpResponseBase:
    """Every pack, and a button for each usual one."""
    rows = Pack.objects.visible_to(request.user).select_related("created_by")
    return pages.show_list(
        request,
        rows.annotate(taken=models.Count("downloads")),
        columns=COLUMNS,
        default_sort="-number",
        title="Evidence packs",
        template="pack/pack_list.html",
        presets=presets() if request.user.has_perm("pack.add_pack") else [],
        create_url=reverse("pack:pack_create"),
        create_label="Other days",
        intro="What leaves the building: one file that opens without us and can be checked.",
        empty="No pack was built yet. Choose what it is for; it takes two minutes.",
    )


def presets() -> list[dict[str, str]]:
    """The usual packs: what each is for, and the days it would cover today."""
    day = today()
    return [
        {
            "value": preset.value,
            "label": str(preset.label),
            "purpose": layout.PURPOSE[preset.value],
            "period": str(layout.usual_period(preset.value, day)),
        }
        for preset in Pack.Preset
        if preset != Pack.Preset.CUSTOM
    ]


@needs("pack.add_pack")
@require_POST
def pack_quick(request: HttpRequest, preset: str) -> HttpResponse:
    """A pack with the usual days, at once to the page that checks it."""
    if preset not in Pack.Preset.values:
        raise Http404("There is no such pack.")
    try:
        pack = workflow.plan_pack(by=request.user, preset=preset)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, reverse("pack:pack_transition", args=[pack.pk, "build"]))


@needs("pack.add_pack")
def pack_create(request: HttpRequest) -> HttpResponseBase:
    """A pack of other days, or one that corrects another."""
    return pages.edit(
        request,
        form_class=NewPackForm,
        create=workflow.plan_pack,
        title="New evidence pack",
        initial={"preset": Pack.Preset.CUSTOM},
        done=lambda pack: reverse("pack:pack_transition", args=[pack.pk, "build"]),
        context={"crumbs": [("Evidence packs", reverse("pack:pack_list"))]},
    )


@needs("pack.view_pack")
def pack_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One pack: what it will hold, how far it is, or what it became and who took it along."""
    pack = pages.find(request, _packs(), pk=pk)
    _note_seen(request, pack)
    downloads = PackDownload.objects.filter(pack=pack).select_related("person").order_by("-pk")
    response = pages.show_record(
        request,
        pack,
        template="pack/pack_detail.html",
        title=pack.title,
        crumbs=[("Evidence packs", reverse("pack:pack_list")), (pack.number, "")],
        path=path_of(pack),
        progress=getattr(pack, "progress", None),
        downloads=list(downloads[:50]),
        concerns=concerns_of(pack) if pack.status == Pack.Status.DRAFT else [],
        purpose=layout.PURPOSE[pack.preset],
        successors=list(pack.replaced_by.exclude(status="cancelled").order_by("pk")),
    )
    if request.GET.get("take") == "1" and pack.status == Pack.Status.READY:
        # Whoever waited for it gets it without another click, and without a script.
        response["Refresh"] = f"0; url={reverse('pack:pack_download', args=[pack.pk])}"
    return response


@needs("pack.view_pack")
@require_safe
def pack_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, asked every two seconds; when it is over the page moves on."""
    pack = pages.find(request, _packs(), pk=pk)
    _note_seen(request, pack)
    if not pack.is_under_way:
        url = pack.get_absolute_url()
        return pages.go_to(request, f"{url}?take=1" if pack.status == "ready" else url)
    context = {"record": pack, "progress": getattr(pack, "progress", None)}
    return render(request, "pack/progress.html", context)


@needs("pack.change_pack")
def pack_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Other days, while nothing is built."""
    pack = pages.find(request, _packs(), pk=pk)
    return pages.edit(request, form_class=PackForm, instance=pack, title=f"Edit {pack.number}")


@needs(ANYONE_SIGNED_IN)
def pack_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Check and build, try again, cancel."""
    pack = pages.find(request, _packs(), pk=pk)
    checks = name in ("build", "try_again")
    return pages.do_transition(
        request,
        pack,
        name,
        template="pack/build.html" if checks else "layouts/transition.html",
        context={
            "concerns": concerns_of(pack) if checks else [],
            "purpose": layout.PURPOSE[pack.preset],
        },
    )


@needs("pack.view_pack")
@require_safe
def pack_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file; who takes it along is kept before the first byte leaves."""
    pack = pages.find(request, _packs(), pk=pk)
    try:
        if pack.status != Pack.Status.READY:
            raise Refused("This pack is not built, so there is nothing to download.")
        opened = _open_whole(pack)
        workflow.log_download(pack, by=request.user, address=address_of(request))
    except Refused as refusal:
        return pages.refused(request, refusal, status=410)
    response = FileResponse(
        opened, as_attachment=True, filename=pack.file_name, content_type="application/zip"
    )
    response["Cache-Control"] = "private, no-store"
    return response


def _open_whole(pack: Pack) -> Any:
    """The stored file, open, after its hash was compared; Refused when it is not what was built."""
    try:
        opened = shelf.place().open(pack.path)
    except OSError:
        raise Refused(
            "The file of this pack is missing from the storage. Ask your administrator; it may "
            "come back from a backup."
        ) from None
    digest = hashlib.sha256()
    for piece in opened.chunks():
        digest.update(piece)
    if digest.hexdigest() != pack.sha256:
        opened.close()
        raise Refused(
            "The stored file is not what was built, so it does not leave. Ask your administrator; "
            "it may come back from a backup."
        )
    opened.seek(0)
    return opened


@needs(PUBLIC)
@require_safe
def verify(request: HttpRequest, number: str) -> HttpResponse:
    """Whether this installation issued a pack, and by which key; nothing of its content."""
    pack = Pack.objects.ready().filter(number=number).first()
    context = {"number": number, "pack": pack, "own": pack.key_fingerprint if pack else ""}
    return render(request, "pack/verify.html", context, status=200 if pack else 404)


def concerns_of(pack: Pack) -> list[Concern]:
    """What to look at before it leaves: each chapter's concerns, missing files, bare clauses."""
    missing = [
        Concern(f"Missing: {each['what']}.", each["url"], "late")
        for each in gathering.missing_files(pack)
    ]
    return [*missing, *contributions.concerns_in(pack.period), *_bare_clauses()]


def _bare_clauses() -> list[Concern]:
    edition = gathering.edition_in_use(Organisation.objects.current())
    bare = [row for row in gathering.clause_index(edition) if row["status"] == "gap"]
    if not bare:
        return []
    numbers = ", ".join(row["number"] for row in bare[:12])
    more = f" and {len(bare) - 12} more" if len(bare) > 12 else ""
    words = "clause stands" if len(bare) == 1 else "clauses stand"
    return [Concern(f"{len(bare)} {words} as a gap: {numbers}{more}.", "/gap/", "soon")]


def _note_seen(request: HttpRequest, pack: Pack) -> None:
    """Who asked for the pack and still looks needs no mail."""
    if pack.is_under_way and workflow.requester_of(pack).pk == request.user.pk:
        PackProgress.objects.filter(pack=pack).update(seen_at=clock.now())


def path_of(pack: Pack) -> list[PathStep]:
    """Checked, requested, built."""
    names = ["Check", "Request", "Build", "Ready"]
    notes = [day_of(pack.recorded_at), "", day_of(pack.as_of) if pack.as_of else "", ""]
    if pack.status in ("failed", "cancelled"):
        return [PathStep("Check", "done"), PathStep(str(pack.get_status_display()), "now")]
    at = ["draft", "requested", "building", "ready"].index(pack.status)
    return [
        PathStep(name, "done" if i < at or at == 3 else "now" if i == at else "later", note)
        for i, (name, note) in enumerate(zip(names, notes, strict=True))
    ]
