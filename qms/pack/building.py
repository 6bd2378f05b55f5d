"""From the plan to the file: draw what is missing, put the pack together, sign it.

Work goes in steps shorter than a worker's lease, so that a killed worker loses seconds and another
one goes on. The same plan gives the same bytes, apart from the instant of the build.
"""

import hashlib
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from qms import clock, pdf
from qms.pack import container, layout, sealing, shelf
from qms.pack.models import Pack, PackProgress
from qms.refusals import Refused

STEP_SECONDS = 15.0
VERIFIER = Path(__file__).with_name("verifier")
FORMAT = "qms-pack-1"
Content = Callable[[], bytes]


# Progress ----------------------------------------------------------------------------------


def tell(pack: Pack, step: str, message: str, done: int = 0, total: int = 0) -> None:
    """Write how far it is; nobody's record, so no history."""
    PackProgress.objects.filter(pack=pack).update(
        step=step, message=message, done=done, total=total, updated_at=clock.now()
    )


# Drawing -----------------------------------------------------------------------------------


def draw_some(pack: Pack, plan: Mapping[str, Any], *, go_on: Callable[[], bool]) -> bool:
    """Draw missing pages until the step's time is up; True when all are there.

    `go_on` is asked before each page and keeps the lease.
    """
    wanted = {part["fingerprint"]: part for part in plan["parts"]}
    missing = shelf.missing_parts(list(wanted))
    stand_ins = {stand_in(plan, fingerprint): fingerprint for fingerprint in missing}
    missing = {stand_ins[key] for key in shelf.missing_parts(list(stand_ins))}
    done, total = len(wanted) - len(missing), len(wanted)
    end = time.monotonic() + STEP_SECONDS
    for fingerprint, part in wanted.items():
        if fingerprint not in missing:
            continue
        if time.monotonic() > end or not go_on():
            return False
        tell(pack, "drawing", f"Drawing {part['title']}"[:200], done, total)
        draw_and_keep(plan, part)
        done += 1
    tell(pack, "drawing", "All pages are drawn.", done, total)
    return True


def draw_and_keep(plan: Mapping[str, Any], part: Mapping[str, Any]) -> bytes:
    """One page of the plan; a record that cannot be drawn becomes a page that says so.

    Such a page stands in for this pack only: the next one tries again.
    """
    fingerprint, paper = part["fingerprint"], plan["paper"]
    try:
        drawn = draw(part, paper)
    except pdf.RenderFailed as failure:
        context = {"title": part["title"], "why": str(failure)}
        drawn = pdf.render("pack/placeholder.html", context, paper=paper)
        fingerprint = stand_in(plan, fingerprint)
    shelf.keep_part(fingerprint, drawn)
    return drawn


def draw(part: Mapping[str, Any], paper: str) -> bytes:
    """The drawn page; raises RenderFailed in words."""
    return pdf.render_isolated(shelf.get(part["html"]).decode(), paper=paper)


def stand_in(plan: Mapping[str, Any], fingerprint: str) -> str:
    """Under which name the page is kept that stands in for one that cannot be drawn."""
    return hashlib.sha256(f"{plan['pack']} {plan['as_of']} {fingerprint}".encode()).hexdigest()


def unprinted(plan: Mapping[str, Any]) -> list[dict[str, str]]:
    """The records that could not be drawn."""
    missing = shelf.missing_parts([part["fingerprint"] for part in plan["parts"]])
    return [
        {"what": part["title"], "why": "It could not be printed. View on site."}
        for part in plan["parts"]
        if part["fingerprint"] in missing
    ]


# Putting together --------------------------------------------------------------------------


def assemble(pack: Pack, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Write the pack into the storage; returns what `workflow.finish` keeps.

    Raises Refused when a file is not what it was, or the pack is too large.
    """
    key = sealing.private_key()
    public = sealing.public_key(key)
    drawn = {part["path"]: _part(plan, part) for part in plan["parts"]}
    plan = {**plan, "unprinted": unprinted(plan)}
    contents = contents_of(pack, plan, drawn, public)
    listing = [
        {"path": path, "size": size, "sha256": digest}
        for path, (digest, size, _) in sorted(contents.items())
    ]
    manifest = sealing.canonical(manifest_of(pack, plan, public, listing))
    seal = sealing.sign(manifest, key)
    entries: list[container.Entry] = [
        ("manifest.json", lambda: manifest),
        ("manifest.sig", lambda: seal),
        *((path, read) for path, (_, _, read) in sorted(contents.items())),
    ]
    with tempfile.TemporaryFile() as target:
        size = container.write(entries, target)
        target.seek(0)
        digest = hashlib.file_digest(target, "sha256").hexdigest()
        target.seek(0)
        path = f"packs/{pack.pk}/{digest}.zip"
        shelf.put_file(path, target)
    return {
        "path": path,
        "size": size,
        "sha256": digest,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "key_fingerprint": sealing.fingerprint(public),
        "left_out": omissions(plan),
    }


def contents_of(
    pack: Pack, plan: Mapping[str, Any], drawn: Mapping[str, bytes], public: str
) -> dict[str, tuple[str, int, Content]]:
    """Every file beside the manifest: path → (SHA-256, size, reader)."""
    made: dict[str, bytes] = {}
    context = page_context(pack, plan, public)
    cover = pdf.render("pack/cover_print.html", context, paper=plan["paper"])
    index = pdf.render("pack/index_print.html", context, paper=plan["paper"])
    made["00-cover/cover.pdf"] = cover
    made["01-clause-index/clause-index.pdf"] = index
    made["pack.pdf"] = pdf.assemble(
        [pdf.Part("Clause index", index), *_in_order(plan, drawn)],
        title=f"{plan['title']}, {plan['pack']}",
        mark=plan["pack"],
        cover=cover,
        paper=plan["paper"],
    )
    made["index.html"] = render_to_string("pack/index.html", context).encode()
    for name in ("verify.py", "verify.html"):
        made[name] = (VERIFIER / name).read_bytes()
    made |= drawn
    for register in plan["registers"]:
        made |= {file["path"]: shelf.get(file["key"]) for file in register["files"]}
    contents = {path: _made(content) for path, content in made.items()}
    for file in plan["files"]:
        contents[file["path"]] = (file["sha256"], file["size"], _blob(file))
    sums = "".join(f"{digest}  {path}\n" for path, (digest, _, _) in sorted(contents.items()))
    contents["SHA256SUMS"] = _made(sums.encode())
    return contents


def _in_order(plan: Mapping[str, Any], drawn: Mapping[str, bytes]) -> list[pdf.Part]:
    """The parts by folder, each section before its records."""
    ordered = sorted(plan["parts"], key=lambda p: (p["folder"], p["level"], p["path"]))
    return [pdf.Part(p["title"], drawn[p["path"]], p["level"]) for p in ordered]


def _made(content: bytes) -> tuple[str, int, Content]:
    return hashlib.sha256(content).hexdigest(), len(content), lambda: content


def _blob(file: Mapping[str, Any]) -> Content:
    def read() -> bytes:
        content = shelf.get(file["blob"])
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise Refused(f"“{file['path']}” changed while the pack was built. Try again.")
        return content

    return read


def _part(plan: Mapping[str, Any], part: Mapping[str, Any]) -> bytes:
    """The kept page, else the one that stands in for it; one lost meanwhile is drawn again."""
    fingerprint = part["fingerprint"]
    kept = shelf.part(fingerprint) or shelf.part(stand_in(plan, fingerprint))
    return kept or draw_and_keep(plan, part)


def manifest_of(
    pack: Pack, plan: Mapping[str, Any], public: str, listing: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the signature stands under."""
    return {
        "format": FORMAT,
        "pack": plan["pack"],
        "title": plan["title"],
        "organisation": plan["organisation"]["name"],
        "preset": plan["preset"],
        "period": {"start": plan["period"][0], "end": plan["period"][1]},
        "as_of": plan["as_of"],
        "requested_by": plan["requested_by"],
        "replaces": plan["replaces"],
        "standard": plan["edition"],
        "left_out": omissions(plan),
        "built_at": clock.now().isoformat(timespec="seconds"),
        "software": {
            "qms": settings.SOFTWARE_VERSION,
            "weasyprint": version("weasyprint"),
            "python": platform.python_version(),
        },
        "key": {
            "algorithm": "Ed25519",
            "public": public,
            "fingerprint": sealing.fingerprint(public),
        },
        "files": list(listing),
    }


def omissions(plan: Mapping[str, Any]) -> list[dict[str, str]]:
    """Everything that is not in the pack, and why, in words."""
    because = plan["accepted_because"]
    missing = [
        {"what": each["what"], "why": f"{each['why']} Accepted: {because}"}
        for each in plan["missing"]
    ]
    held_back = [
        {"what": each["what"], "why": f"View on site. {each['why']}"} for each in plan["held_back"]
    ]
    return [*missing, *plan.get("unprinted", ()), *held_back, *plan["left_out"]]


def page_context(pack: Pack, plan: Mapping[str, Any], public: str) -> dict[str, Any]:
    """What index.html, the cover and the clause index show: all of it from the plan."""
    by_folder: dict[str, list[Any]] = {}
    printed = {part["name"]: part["path"] for part in plan["parts"] if part["name"]}
    for part in plan["parts"]:
        if part["level"] > 1:
            by_folder.setdefault(part["folder"], []).append(
                {**part, "files": [f for f in plan["files"] if f["record"] == part["name"]]}
            )
    sections: dict[str, list[Any]] = {}
    for section in plan["sections"]:
        sections.setdefault(section["folder"], []).append(section)
    folders = [
        {
            "folder": folder,
            "title": title,
            "sections": sections.get(folder, []),
            "records": by_folder.get(folder, []),
            "held_back": [e for e in plan["held_back"] if e["folder"] == folder],
        }
        for folder, title in layout.FOLDERS.items()
        if folder in sections or folder in by_folder
    ]
    return {
        **plan,
        "folders": folders,
        "index": [_linked(row, printed) for row in plan["index"]],
        "counts": counts_of(plan["index"]),
        "omissions": omissions(plan),
        "public": public,
        "fingerprint": sealing.fingerprint(public),
        "verify_address": f"{settings.PUBLIC_URL}/verify/{plan['pack']}/",
        "version": settings.SOFTWARE_VERSION,
    }


def _linked(row: Mapping[str, Any], printed: Mapping[str, str]) -> dict[str, Any]:
    """A row of the clause index; what is in the pack is linked."""

    def link(number: str) -> str:
        if not number:
            return ""
        return next((path for name, path in sorted(printed.items()) if _is(name, number)), "")

    return {**row, "lines": [{**line, "href": link(line["record"])} for line in row["lines"]]}


def _is(name: str, number: str) -> bool:
    return name == number or name.startswith(f"{number}-")


def counts_of(index: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many clauses stand how; counts, never a percentage."""
    return [
        (status, sum(row["status"] == status for row in index))
        for status in ("evidence", "gap", "not applicable")
    ]
