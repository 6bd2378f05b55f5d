"""PDF: records as tagged, printable pages (7.5), and many parts assembled into one pack.

WeasyPrint draws in a limited process of its own and fetches nothing: pictures come as data URIs,
fonts from the machine. The same HTML gives the same bytes, so that a drawn page can be kept under
`fingerprint()`. Rich text of people passes `clean_html()` first.
"""

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qms import isolated
from qms.refusals import Refused

if TYPE_CHECKING:
    import pikepdf

Paper = Literal["A4", "Letter"]
PAPERS: dict[str, tuple[float, float]] = {"A4": (595.28, 841.89), "Letter": (612.0, 792.0)}
SECONDS, MEGABYTES = 30, 1536
LONGEST_HTML = 20_000_000  # characters; a longer page is a mistake or an attack
STYLE = Path(__file__).resolve().parent.parent / "static" / "css" / "print-document.css"
DRAWN_HERE = "QMS"  # the creator named in what we draw: its header cells have unique names
CONTENTS_ROWS = 38  # lines of contents on a page, so that its length is known before drawing


class RenderFailed(Refused):
    """A page could not be drawn; the sentence says why and what to do."""


# One record --------------------------------------------------------------------------------


def render(template: str, context: Mapping[str, Any], *, paper: str = "A4") -> bytes:
    """Draw a template (a child of `layouts/document.html`) as a tagged PDF on A4 or Letter.

    Raises RenderFailed with a sentence. Same context, same bytes.
    """
    return render_isolated(html_of(template, context), paper=paper)


def html_of(template: str, context: Mapping[str, Any]) -> str:
    """The HTML that `render` draws: what a kept page is found by (`fingerprint`)."""
    from django.template.loader import render_to_string

    return render_to_string(template, dict(context))


def render_isolated(
    html: str, *, paper: str = "A4", seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> bytes:
    """Draw HTML in the limited process; raises RenderFailed when it refuses, overruns or dies."""
    if paper not in PAPERS:
        raise RenderFailed(f"There is no paper “{paper}”. Choose A4 or Letter.")
    if len(html) > LONGEST_HTML:
        raise RenderFailed("This page is too long to print. Split it into several records.")
    try:
        _, pdf = isolated.call(
            "qms.pdf:draw", html.encode(), seconds=seconds, megabytes=megabytes, paper=paper
        )
    except isolated.Ended as ended:
        why = {
            "time": f"drawing it took longer than {seconds:g} seconds",
            "crash": "drawing it needs too much memory",
        }.get(ended.why, "something in it cannot be drawn")
        raise RenderFailed(
            f"This page could not be printed: {why}. "
            "Shorten its text or its tables, or make its pictures smaller."
        ) from None
    return pdf


def draw(blob: bytes, *, paper: str) -> tuple[dict[str, Any], bytes]:
    """HTML (UTF-8) to a PDF/UA-tagged PDF; runs in the limited process only."""
    from PIL import Image
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    isolated.close_doors()
    Image.MAX_IMAGE_PIXELS = 40_000_000
    # Relative addresses need something to be relative to; this one can never be fetched.
    document = HTML(
        string=blob.decode(), url_fetcher=_fetcher(), base_url="https://nowhere.invalid/"
    )
    pdf = document.write_pdf(
        stylesheets=_sheets(paper),
        font_config=FontConfiguration(),
        pdf_variant="pdf/ua-1",
        presentational_hints=False,
        dpi=150,
        finisher=_name_headers(hashlib.sha256(blob).hexdigest()[:12]),
    )
    return {}, pdf


def _fetcher() -> Any:
    """Fetches what stands in the page itself, and nothing else."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


@cache
def _sheets(paper: str) -> list[Any]:
    """Our style and the paper, read once in the life of the process: a third of a page's time."""
    from weasyprint import CSS

    texts = (_style(), f"@page {{ size: {paper} }}")
    return [CSS(string=text, url_fetcher=_fetcher()) for text in texts]


def _name_headers(prefix: str) -> Any:
    """What gives header cells names that stay unique when pages of many records are joined."""

    def finish(document: Any, pdf: Any) -> None:
        import pydyf

        def renamed(name: Any) -> Any:
            return pydyf.String(f"{prefix}-{name.string}")

        for item in pdf.objects:
            if isinstance(item, pydyf.Dictionary) and "ID" in item:
                item["ID"] = renamed(item["ID"])
            attributes = item.get("A") if isinstance(item, pydyf.Dictionary) else None
            if isinstance(attributes, pydyf.Dictionary) and "Headers" in attributes:
                attributes["Headers"] = pydyf.Array([renamed(n) for n in attributes["Headers"]])
        pdf.info["Creator"] = pydyf.String(DRAWN_HERE)

    return finish


def fingerprint(html: str, *, paper: str = "A4") -> str:
    """SHA-256 (hex) of everything a drawn page depends on: HTML, style, paper and engine."""
    from importlib.metadata import version

    parts = (html, _style(), paper, version("weasyprint"), version("pydyf"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


# Words and pictures of people --------------------------------------------------------------

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "kbd"),
    *("strong", "b", "em", "i", "u", "s", "sub", "sup", "mark", "small", "abbr", "ins", "del"),
    *("ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "img", "a", "span", "div"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "colgroup", "col"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "col": {"span"},
    "abbr": {"title"},
}
_PICTURE = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/webp;base64,")
_COUNTED = {"colspan": 50, "rowspan": 500, "span": 50, "start": 9999, "width": 2000, "height": 3000}


def clean_html(html: str) -> str:
    """Rich text without anything that runs, fetches or styles; pictures only as data URIs."""
    import nh3

    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "template", "svg", "math", "title", "noscript"},
        attributes=_ATTRIBUTES,
        attribute_filter=_allowed,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _allowed(element: str, attribute: str, value: str) -> str | None:
    """The attribute's value, or None to drop it."""
    if attribute == "src":
        return value if value.startswith(_PICTURE) else None
    if attribute == "href":
        return None if value.strip().lower().startswith("data:") else value
    if attribute in _COUNTED:
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0
        return value if 1 <= number <= _COUNTED[attribute] else None
    return value


def picture(data: bytes, *, width_mm: float = 170, height_mm: float = 220) -> str:
    """A raster picture as a data URI for print: at most 150 dpi at this size, without metadata.

    Raises Refused when it is not a readable picture. A fifth of the bytes, at no visible cost.
    """
    box = [round(mm / 25.4 * 150) for mm in (width_mm, height_mm)]
    try:
        head, small = isolated.call("qms.pdf:shrink", data, seconds=10, megabytes=1024, box=box)
    except isolated.Ended:
        raise RenderFailed(
            "A picture could not be read. Save it again as JPEG or PNG, then attach that."
        ) from None
    return f"data:{head['type']};base64,{base64.b64encode(small).decode()}"


def shrink(blob: bytes, *, box: Sequence[int]) -> tuple[dict[str, Any], bytes]:
    """A picture turned upright, fitted into `box` (pixels) and re-encoded; limited process only."""
    from PIL import Image, ImageOps

    isolated.close_doors()
    Image.MAX_IMAGE_PIXELS = 60_000_000
    with Image.open(io.BytesIO(blob), formats=("JPEG", "PNG", "WEBP", "GIF")) as opened:
        if opened.width * opened.height > Image.MAX_IMAGE_PIXELS:
            raise Refused("A picture has too many pixels. Make it smaller, then attach it again.")
        opened.draft("RGB", (box[0], box[1]))
        image: Image.Image = ImageOps.exif_transpose(opened)
        image.thumbnail((box[0], box[1]))
        clear = image.mode in ("RGBA", "LA", "P", "PA")
        image = image.convert("RGBA" if clear else "RGB")
        buffer = io.BytesIO()
        if clear:
            image.save(buffer, "PNG", optimize=True)
        else:
            image.save(buffer, "JPEG", quality=82, optimize=True)
    return {"type": "image/png" if clear else "image/jpeg"}, buffer.getvalue()


# Many records: a pack ----------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One part of an assembled PDF: `level` 1 is a section, 2 a record within it."""

    title: str
    pdf: bytes
    level: int = 1


def assemble(
    parts: Sequence[Part | tuple[str, bytes]],
    *,
    title: str,
    mark: str = "",
    cover: bytes | None = None,
    paper: str = "A4",
    lang: str = "en",
    contents: bool = True,
) -> bytes:
    """One PDF of all parts, with contents, bookmarks and tags, stamped "page x of y" and `mark`.

    `mark` is what stands on every page beside the page number, for instance the pack's id. Same
    parts, same bytes. Raises RenderFailed that names the part that cannot be read.
    """
    import pikepdf

    from qms import assembly

    every = [p if isinstance(p, Part) else Part(*p) for p in parts]
    buffer = io.BytesIO()
    with ExitStack() as open_files:
        opened = [open_files.enter_context(_open(p)) for p in every]
        front = [Part(title, cover)] if cover else []
        opened_front = [open_files.enter_context(_open(p)) for p in front]
        if contents and every:
            offset = sum(len(pdf.pages) for pdf in opened_front)
            counts = [len(pdf.pages) for pdf in opened]
            drawn = _contents(every, counts, offset, title=title, paper=paper, lang=lang)
            front.append(Part("Contents", drawn))
            opened_front.append(open_files.enter_context(_open(front[-1])))
        whole = open_files.enter_context(pikepdf.new())
        starts = assembly.join(whole, (*opened_front, *opened), own=DRAWN_HERE)
        assembly.link_contents(whole, starts[len(front) :])
        assembly.bookmark(
            whole,
            [(p.title, p.level, at) for p, at in zip((*front, *every), starts, strict=True)],
        )
        assembly.describe(whole, title=title, lang=lang)
        assembly.stamp(whole, mark)
        whole.save(
            buffer,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
        )
    return buffer.getvalue()


def _open(part: Part) -> "pikepdf.Pdf":
    import pikepdf

    try:
        opened = pikepdf.open(io.BytesIO(part.pdf))
    except pikepdf.PasswordError:
        raise RenderFailed(
            f"“{part.title}” is protected by a password. Attach a copy without one."
        ) from None
    except pikepdf.PdfError:
        raise RenderFailed(f"“{part.title}” is not a readable PDF. Attach it again.") from None
    return opened


def _contents(
    parts: Sequence[Part],
    counts: Sequence[int],
    offset: int,
    *,
    title: str,
    paper: str,
    lang: str,
) -> bytes:
    """The contents pages; each holds a fixed number of lines, so one drawing is enough."""
    from django.utils.html import format_html, format_html_join

    length = -(-len(parts) // CONTENTS_ROWS)
    page = offset + length + 1
    lines: list[tuple[int, int, str, int]] = []
    for index, (part, count) in enumerate(zip(parts, counts, strict=True)):
        lines.append((min(part.level, 3), index, part.title, page))
        page += count
    sheets = [lines[n : n + CONTENTS_ROWS] for n in range(0, len(lines), CONTENTS_ROWS)]
    row = '<tr class="level-{}"><td><a href="https://part.invalid/{}">{}</a></td><td>{}</td></tr>'
    body = format_html_join(
        "",
        '<section class="contents"><h1>{}</h1><table><tbody>{}</tbody></table></section>',
        (
            ("Contents" if n == 0 else "Contents, continued", format_html_join("", row, sheet))
            for n, sheet in enumerate(sheets)
        ),
    )
    html = format_html(
        '<!doctype html><html lang="{}"><head><title>{}</title></head>'
        '<body class="contents-pages">{}</body></html>',
        lang,
        title,
        body,
    )
    pdf = render_isolated(html, paper=paper)
    with _open(Part("Contents", pdf)) as drawn:
        fits = len(drawn.pages) == length
    if not fits:
        raise RenderFailed("The contents could not be laid out. Shorten the titles of the parts.")
    return pdf
