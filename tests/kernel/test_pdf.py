"""PDF: tagged, the same every time, and blind and deaf to everything outside the page."""

import base64
import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from django.template.loader import render_to_string
from PIL import Image

from qms import isolated, pdf
from qms.refusals import Refused

LAYOUT = "layouts/document.html"


def page(body: str, head: str = "", title: str = "A record") -> str:
    return f'<!doctype html><html lang="en"><head><title>{title}</title>{head}</head><body>{body}'


def text_of(data: bytes) -> str:
    """The words of a PDF, read back by poppler, a reader that is not ours."""
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"],  # noqa: S607
        input=data,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


# One record --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_page_gives_the_same_bytes_also_from_a_fresh_process() -> None:
    html = page("<h1>Procedure</h1><table><thead><tr><th>A<tbody><tr><td>1</table>")
    first = pdf.render_isolated(html)
    isolated.stop_all()
    assert pdf.render_isolated(html) == first
    assert pdf.render_isolated(html.replace("Procedure", "Procedures")) != first


def test_a_page_is_tagged_titled_and_speaks_its_language() -> None:
    with pikepdf.open(io.BytesIO(pdf.render_isolated(page("<h1>One</h1><p>Two")))) as drawn:
        assert drawn.Root.MarkInfo.Marked
        assert drawn.Root.Lang == "en"
        assert drawn.docinfo["/Title"] == "A record"
        kinds = {str(o.S) for o in drawn.objects if isinstance(o, pikepdf.Dictionary) and "/S" in o}
        assert {"/H1", "/P"} <= kinds


@pytest.mark.parametrize(("paper", "size"), [("A4", (595.28, 841.89)), ("Letter", (612, 792))])
def test_paper_is_a4_or_letter(paper: str, size: tuple[float, float]) -> None:
    with pikepdf.open(io.BytesIO(pdf.render_isolated(page("<p>x"), paper=paper))) as drawn:
        box = [float(edge) for edge in drawn.pages[0].mediabox]
    assert box[2:] == pytest.approx(size, abs=0.1)


def test_unknown_paper_is_refused_in_words() -> None:
    with pytest.raises(pdf.RenderFailed, match="Choose A4 or Letter"):
        pdf.render_isolated(page("x"), paper="A3")


def test_the_layout_shows_number_revision_marking_and_signatures() -> None:
    data = pdf.render(
        LAYOUT,
        {
            "title": "Receiving <script>",
            "organisation": "Maple & Sons",
            "number": "PRO-012",
            "revision": "4",
            "effective": "23 Nov 2026",
            "marking": "Uncontrolled when printed.",
            "facts": [("Owner", "Ana Silva")],
            "signatures": [
                {"name": "Ana Silva", "role": "Quality manager", "meaning": "Approved", "at": "now"}
            ],
        },
    )
    words = text_of(data)
    for expected in (
        *("Receiving <script>", "Maple & Sons", "PRO-012", "Revision 4", "Effective 23 Nov 2026"),
        *("Uncontrolled when printed.", "Page 1 of 1", "Approved", "Owner"),
    ):
        assert expected in words


def test_what_is_no_longer_in_force_says_so_across_each_page() -> None:
    context = {"title": "Receiving", "marking": "Superseded: no longer in force."}
    once, across = (
        # Poppler breaks slanted text into pieces; the letters are counted.
        text_of(pdf.render(LAYOUT, context | {"obsolete": obsolete}))
        for obsolete in (False, True)
    )
    assert "Superseded: no longer in force." in once
    letters = sum(map(str.isalpha, context["marking"]))
    assert sum(map(str.isalpha, across)) - sum(map(str.isalpha, once)) == letters


def test_the_fingerprint_changes_with_everything_a_page_depends_on() -> None:
    one = pdf.fingerprint("<p>x", paper="A4")
    assert one == pdf.fingerprint("<p>x", paper="A4")
    assert one != pdf.fingerprint("<p>y", paper="A4")
    assert one != pdf.fingerprint("<p>x", paper="Letter")


# Attacks -----------------------------------------------------------------------------------


class Trap:
    """A listening socket on loopback that counts who calls."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    found = Trap()
    yield found
    found.socket.close()


SVG = "data:image/svg+xml;base64,"
VECTORS = [
    ('<img src="{u}">', ""),
    ('<img srcset="{u} 2x" src="{u}">', ""),
    ('<object data="{u}"></object>', ""),
    ('<embed src="{u}">', ""),
    ('<iframe src="{u}"></iframe>', ""),
    ('<input type="image" src="{u}">', ""),
    ('<table background="{u}"><tr><td background="{u}">x</table>', ""),
    ('<p style="background:url({u})">x', ""),
    ('<p style="background-image:image-set(url({u}) 1x)">x', ""),
    ('<p style="list-style:url({u});display:list-item">x', ""),
    ('<p style="content:url({u})">x', ""),
    ('<p style="border-image:url({u})">x', ""),
    ('<p style="mask:url({u})">x', ""),
    ('<p style="cursor:url({u}),auto">x', ""),
    ('<svg><image href="{u}" width="9" height="9"/></svg>', ""),
    ('<svg><image xlink:href="{u}" width="9" height="9"/></svg>', ""),
    ('<svg><use href="{u}#a"/></svg>', ""),
    ("<svg><style>@import url({u});</style></svg>", ""),
    ('<a rel="attachment" href="{u}">x</a>', ""),
    ("x", '<link rel="attachment" href="{u}">'),
    ("x", '<link rel="stylesheet" href="{u}">'),
    ("x", '<link rel="icon" href="{u}">'),
    ("x", "<style>@import url({u});</style>"),
    ("x", '<style>@import "{u}";</style>'),
    ("x", "<style>@font-face{{font-family:F;src:url({u})}} p{{font-family:F}}</style>"),
    ("x", "<style>p::before{{content:url({u})}} @page{{background:url({u})}}</style>"),
    ("x", '<base href="{u}"><link rel="stylesheet" href="style.css"><img src="a.png">'),
    ("x", '<meta http-equiv="refresh" content="0;url={u}">'),
]
# The engine gives up on a page that names a colour profile it may not fetch.
UNDRAWABLE = ("x", "<style>@color-profile --p{{src:url({u})}}</style>")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: re.sub(r"\W+", "-", "".join(v))[:40])
def test_nothing_is_fetched_from_the_network_or_the_disk(
    vector: tuple[str, str], trap: Trap, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(31, 37))
    (tmp_path / "words.txt").write_text("the-secret-words")
    for address in (
        f"http://127.0.0.1:{trap.port}/x",
        f"//127.0.0.1:{trap.port}/x",
        secret.as_uri(),
        str(secret),
        (tmp_path / "words.txt").as_uri(),
    ):
        body, head = (part.format(u=address) for part in vector)
        data = pdf.render_isolated(page(f"<p>Here</p>{body}", head))
        with pikepdf.open(io.BytesIO(data)) as drawn:
            assert not drawn.attachments
            assert "/EmbeddedFiles" not in drawn.Root.get("/Names", {})
            sizes = {
                (int(o.Width), int(o.Height))
                for o in drawn.objects
                if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"
            }
            streams = b"".join(o.read_bytes() for o in drawn.objects if _readable(o))
        assert (31, 37) not in sizes
        assert b"the-secret-words" not in data + streams
    assert trap.calls == 0


def _readable(thing: object) -> bool:
    return isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") != "/Image"


def test_a_page_that_the_engine_gives_up_on_is_refused_in_words_and_fetches_nothing(
    trap: Trap,
) -> None:
    body, head = (part.format(u=f"http://127.0.0.1:{trap.port}/x") for part in UNDRAWABLE)
    with pytest.raises(pdf.RenderFailed, match="something in it cannot be drawn"):
        pdf.render_isolated(page(body, head))
    assert trap.calls == 0


def test_an_svg_inside_a_data_uri_fetches_nothing_either(trap: Trap) -> None:
    inner = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        f'<image href="http://127.0.0.1:{trap.port}/x" width="9" height="9"/></svg>'
    )
    uri = SVG + base64.b64encode(inner.encode()).decode()
    assert pdf.render_isolated(page(f'<img alt="x" src="{uri}">'))
    assert trap.calls == 0


def test_the_trap_catches_a_caller(trap: Trap) -> None:
    before = trap.calls
    socket.create_connection(("127.0.0.1", trap.port), timeout=2).close()
    deadline = time.monotonic() + 2
    while trap.calls == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert trap.calls == before + 1


def test_the_limited_process_has_no_network_no_children_and_no_secrets(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    answer, _ = isolated.call("tests.kernel.test_pdf:_probe", str(trap.port).encode())
    assert answer == {"connect": "PermissionError", "spawn": "PermissionError", "secret": None}


def _probe(blob: bytes) -> tuple[dict[str, str | None], bytes]:
    isolated.close_doors()
    found: dict[str, str | None] = {"connect": "open", "spawn": "open"}
    try:
        socket.create_connection(("127.0.0.1", int(blob)), timeout=2)
    except OSError as error:
        found["connect"] = type(error).__name__
    try:
        subprocess.run([sys.executable, "-c", ""], check=False)
    except OSError as error:
        found["spawn"] = type(error).__name__
    found["secret"] = os.environ.get("SECRET_KEY")
    return found, b""


BOMBS = {
    "endless loop": ("tests.kernel.test_pdf:_loop", 1.0, 512),
    "all memory": ("tests.kernel.test_pdf:_swallow", 20.0, 512),
    "sudden death": ("tests.kernel.test_pdf:_die", 20.0, 512),
}


def _loop(blob: bytes) -> tuple[dict[str, str], bytes]:
    while True:
        pass


def _swallow(blob: bytes) -> tuple[dict[str, str], bytes]:
    kept = []
    while True:
        kept.append(bytearray(50_000_000))


def _die(blob: bytes) -> tuple[dict[str, str], bytes]:
    os._exit(3)


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_its_own_process_and_not_ours(bomb: str) -> None:
    target, seconds, megabytes = BOMBS[bomb]
    began = time.monotonic()
    with pytest.raises(isolated.Ended) as ended:
        isolated.call(target, b"", seconds=seconds, megabytes=megabytes)
    assert ended.value.why == ("time" if bomb == "endless loop" else "crash")
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_a_page_that_takes_too_long_is_refused_in_words_and_the_next_one_prints() -> None:
    rows = "<tr><td><table><tr><td>" * 60 + "x" + "</table>" * 60
    slow = page(f"<table>{rows}</table>" + "<p>word</p>" * 60_000)
    with pytest.raises(pdf.RenderFailed, match=r"could not be printed: .*\. Shorten"):
        pdf.render_isolated(slow, seconds=1)
    assert pdf.render_isolated(page("<p>fine")).startswith(b"%PDF")


def test_a_page_too_long_to_print_is_refused_before_drawing() -> None:
    with pytest.raises(pdf.RenderFailed, match="too long"):
        pdf.render_isolated("x" * (pdf.LONGEST_HTML + 1))


@pytest.mark.slow
def test_a_picture_bomb_in_a_page_leaves_a_page_without_it() -> None:
    bomb = base64.b64encode(png(12_000, 12_000, "1")).decode()
    html = page(f'<p>Before</p><img alt="bomb" src="data:image/png;base64,{bomb}"><p>After</p>')
    words = text_of(pdf.render_isolated(html))
    assert "Before" in words
    assert "After" in words


# Words and pictures of people --------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '<img src="http://example.com/a.png">',
    '<img src="data:image/svg+xml;base64,PHN2Zy8+">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href=" DATA:text/html,x">x</a>',
    '<svg onload="alert(1)"><script>1</script></svg>',
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    '<p style="background:url(http://example.com)">x</p>',
    "<style>@import url(http://example.com)</style>",
    '<iframe src="http://example.com"></iframe>',
    '<form action="http://example.com"><input name="password"></form>',
    '<link rel="attachment" href="file:///etc/passwd">',
    '<p class="running-head" id="x">x</p>',
    '<base href="http://example.com">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
]
FORBIDDEN = re.compile(
    r"<(script|svg|math|style|iframe|form|input|link|base|object|embed|meta)|\son\w+\s*=|style="
    r"|class=|\bid=|javascript:|data:text|data:image/svg|src=\"(?!data:image/)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("html", HOSTILE)
def test_rich_text_keeps_nothing_that_runs_fetches_or_styles(html: str) -> None:
    cleaned = pdf.clean_html(f"<p>kept</p>{html}")
    assert not FORBIDDEN.search(cleaned), cleaned
    assert cleaned.startswith("<p>kept</p>")
    assert pdf.clean_html(cleaned) == cleaned


def test_rich_text_keeps_what_a_procedure_needs() -> None:
    html = (
        "<h2>1 Purpose</h2><p><strong>Only</strong> <em>good</em> parts.</p>"
        '<ol start="3"><li>Check</li></ol>'
        '<table><thead><tr><th scope="col">A</th></tr></thead>'
        '<tbody><tr><td colspan="2">1</td></tr></tbody></table>'
        '<img src="data:image/png;base64,AAAA" alt="Gauge">'
    )
    assert pdf.clean_html(html) == html


@pytest.mark.parametrize("value", ["0", "-1", "999999999", "1e9", "٣", ""])
def test_table_spans_that_would_blow_up_a_page_are_dropped(value: str) -> None:
    assert "span" not in pdf.clean_html(f'<table><tr><td colspan="{value}">x</td></tr></table>')


def test_a_picture_is_fitted_to_print_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SecretCamera"
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 3000), "teal").save(buffer, "JPEG", exif=exif)
    uri = pdf.picture(buffer.getvalue(), width_mm=100, height_mm=100)
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    small = base64.b64decode(data)
    with Image.open(io.BytesIO(small)) as seen:
        assert seen.height > seen.width, "it stands upright, as the camera meant it"
        assert max(seen.size) <= 591
        assert not seen.getexif()
    assert b"SecretCamera" not in small


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"not a picture", png(8, 8)[:40]])
def test_a_broken_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Refused, match=r"could not be read\."):
        pdf.picture(data)


# Many records ------------------------------------------------------------------------------


def part(title: str, pages: int = 1) -> pdf.Part:
    body = "".join(
        f'<h2 style="break-before:page">{title} {n}</h2><p><a href="#t{n}">table</a></p>'
        f'<table id="t{n}"><thead><tr><th>Head {n}</thead><tbody><tr><td>{n}</table>'
        for n in range(pages)
    )
    return pdf.Part(title, pdf.render_isolated(page(body, title=title)), 2)


@pytest.fixture(scope="module")
def three() -> list[pdf.Part]:
    return [part("Alpha", 2), part("Beta", 1), part("Gamma (draft)", 3)]


@pytest.fixture(scope="module")
def pack(three: list[pdf.Part]) -> bytes:
    return pdf.assemble(three, title="Evidence pack", mark="Pack EP-2026-0003")


def test_a_pack_has_all_pages_contents_and_stamps(pack: bytes) -> None:
    with pikepdf.open(io.BytesIO(pack)) as whole:
        assert len(whole.pages) == 1 + 6
        assert whole.docinfo["/Title"] == "Evidence pack"
    sheets = text_of(pack).split("\f")[:-1]
    assert len(sheets) == 7
    for number, sheet in enumerate(sheets, start=1):
        assert f"Page {number} of 7" in sheet
        assert "Pack EP-2026-0003" in sheet
    assert re.search(r"Alpha\s+2\n", sheets[0])
    assert re.search(r"Beta\s+4\n", sheets[0])
    assert re.search(r"Gamma \(draft\)\s+5\n", sheets[0])


def test_the_contents_and_bookmarks_lead_to_the_right_pages(pack: bytes) -> None:
    with pikepdf.open(io.BytesIO(pack)) as whole:
        numbers = {p.obj.objgen: n for n, p in enumerate(whole.pages, start=1)}
        links = [numbers[a.Dest[0].objgen] for a in whole.pages[0].obj.Annots]
        assert links == [2, 4, 5]
        with whole.open_outline() as outline:
            flat = [*outline.root, *(c for item in outline.root for c in item.children)]
            found = {i.title: numbers[i.destination[0].objgen] for i in flat}
    assert found == {"Contents": 1, "Alpha": 2, "Beta": 4, "Gamma (draft)": 5}


def test_a_pack_is_the_same_every_time(pack: bytes, three: list[pdf.Part]) -> None:
    assert pdf.assemble(three, title="Evidence pack", mark="Pack EP-2026-0003") == pack


def test_the_tags_of_all_parts_are_grafted_and_none_dangles(pack: bytes) -> None:
    with pikepdf.open(io.BytesIO(pack)) as whole:
        pages = {p.obj.objgen for p in whole.pages}
        root = whole.Root.StructTreeRoot
        entries = {int(root.ParentTree.Nums[n]): root.ParentTree.Nums[n + 1] for n in _evens(root)}
        assert len(entries) * 2 == len(root.ParentTree.Nums)
        assert list(entries) == sorted(entries)
        keys = [int(p.obj.StructParents) for p in whole.pages]
        keys += [int(a.StructParent) for p in whole.pages for a in p.obj.get("/Annots", [])]
        assert len(keys) == len(set(keys))
        assert set(keys) <= set(entries)
        assert max(entries) < int(root.ParentTreeNextKey)
        seen, headers, ids = 0, [], []
        waiting = [root.K[0]]
        while waiting:
            element = waiting.pop()
            if not isinstance(element, pikepdf.Dictionary) or "/S" not in element:
                continue
            seen += 1
            if "/Pg" in element:
                assert element.Pg.objgen in pages
            if "/ID" in element:
                ids.append(str(element.ID))
            attributes = element.get("/A")
            if isinstance(attributes, pikepdf.Dictionary) and "/Headers" in attributes:
                headers.extend(str(h) for h in attributes.Headers)
            kids = element.get("/K", [])
            waiting.extend(kids if isinstance(kids, pikepdf.Array) else [kids])
        assert seen > 60
        assert len(ids) == len(set(ids)) == 6
        assert set(headers) == set(ids)


def _evens(root: pikepdf.Object) -> range:
    return range(0, len(root.ParentTree.Nums), 2)


def test_links_inside_a_part_still_lead_somewhere(pack: bytes) -> None:
    with pikepdf.open(io.BytesIO(pack)) as whole:
        names = whole.Root.Names.Dests.Names
        known = {str(names[n]) for n in range(0, len(names), 2)}
        inner = [a.Dest for p in list(whole.pages)[1:] for a in p.obj.get("/Annots", [])]
        assert len(inner) == 6
        assert {str(name) for name in inner} <= known


def test_header_cells_of_a_foreign_part_get_names_of_their_own() -> None:
    own = part("Own")
    with pikepdf.open(io.BytesIO(own.pdf)) as opened:
        opened.docinfo["/Creator"] = "Somebody else"
        buffer = io.BytesIO()
        opened.save(buffer)
    twice = [pdf.Part("One", buffer.getvalue()), pdf.Part("Two", buffer.getvalue())]
    with pikepdf.open(io.BytesIO(pdf.assemble(twice, title="T", contents=False))) as whole:
        ids = [str(o.ID) for o in whole.objects if isinstance(o, pikepdf.Dictionary) and "/ID" in o]
    assert len(ids) == len(set(ids)) == 2


def test_a_part_without_tags_is_taken_and_a_scripted_one_is_disarmed() -> None:
    plain = pikepdf.new()
    plain.add_blank_page()
    plain.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    plain.pages[0].obj.AA = pikepdf.Dictionary(
        O=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(2)")
    )
    plain.pages[0].obj.Annots = plain.make_indirect(
        pikepdf.Array(
            [
                pikepdf.Dictionary(
                    Type=pikepdf.Name.Annot,
                    Subtype=pikepdf.Name.Link,
                    Rect=[0, 0, 9, 9],
                    A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe"),
                )
            ]
        )
    )
    buffer = io.BytesIO()
    plain.save(buffer)
    whole = pdf.assemble([pdf.Part("Drawing", buffer.getvalue()), part("Own")], title="T")
    with pikepdf.open(io.BytesIO(whole)) as seen:
        everything = b"".join(o.unparse(resolved=True) for o in seen.objects)
    for word in (b"JavaScript", b"app.alert", b"Launch", b"calc.exe"):
        assert word not in everything


def test_a_protected_or_broken_part_is_named() -> None:
    locked = pikepdf.new()
    locked.add_blank_page()
    buffer = io.BytesIO()
    locked.save(buffer, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(pdf.RenderFailed, match="“Drawing” is protected by a password"):
        pdf.assemble([("Drawing", buffer.getvalue())], title="T")
    with pytest.raises(pdf.RenderFailed, match="“Drawing” is not a readable PDF"):
        pdf.assemble([("Drawing", b"%PDF-1.7 broken")], title="T")


@pytest.mark.slow
def test_contents_of_many_parts_take_as_many_pages_as_foreseen() -> None:
    one = part("Long title " * 30)
    count = pdf.CONTENTS_ROWS * 2 + 1
    whole = pdf.assemble([one] * count, title="T", paper="Letter")
    with pikepdf.open(io.BytesIO(whole)) as seen:
        assert len(seen.pages) == count + 3


def test_importing_pdf_loads_no_engine() -> None:
    code = "import sys, qms.pdf; print([m for m in ('weasyprint', 'pikepdf') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_layout_escapes_what_people_wrote() -> None:
    html = render_to_string(LAYOUT, {"title": "</title><script>x</script>", "organisation": '">'})
    assert "<script>" not in html
    assert 'content="&quot;&gt;"' in html
