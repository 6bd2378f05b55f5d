"""What an uploaded file really is, and whether it may come in: by content, never by its name.

Runs in the limited process (`qms.isolated`), because parsers of foreign files are where the bugs
are. Pictures are re-encoded, which turns them upright, strips place and camera, and leaves nothing
of a second format hidden in them; everything else is kept byte for byte or refused in words.
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from qms import isolated
from qms.refusals import Refused

MOST_PIXELS = 60_000_000
MOST_ENTRIES = 5_000
MOST_UNPACKED = 400 * 1024 * 1024
MOST_RATIO = 200
LONGEST_NAME = 120
OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
PDF = "application/pdf"


@dataclass(frozen=True)
class Kind:
    """One kind of file that may come in: its media type, its endings (the first is given)."""

    media_type: str
    label: str
    endings: tuple[str, ...]


KINDS = {
    kind.media_type: kind
    for kind in (
        Kind(PDF, "PDF", (".pdf",)),
        Kind("image/jpeg", "JPEG picture", (".jpg", ".jpeg", ".jpe", ".jfif")),
        Kind("image/png", "PNG picture", (".png",)),
        Kind("image/webp", "WebP picture", (".webp",)),
        Kind(f"{OOXML}wordprocessingml.document", "Word document", (".docx",)),
        Kind(f"{OOXML}spreadsheetml.sheet", "Excel workbook", (".xlsx",)),
        Kind(f"{OOXML}presentationml.presentation", "PowerPoint file", (".pptx",)),
        Kind(f"{ODF}text", "OpenDocument text", (".odt",)),
        Kind(f"{ODF}spreadsheet", "OpenDocument spreadsheet", (".ods",)),
        Kind(f"{ODF}presentation", "OpenDocument presentation", (".odp",)),
        Kind("audio/mpeg", "MP3 recording", (".mp3",)),
        Kind("audio/mp4", "M4A recording", (".m4a", ".mp4", ".aac")),
        Kind("audio/ogg", "Ogg recording", (".ogg", ".oga", ".opus")),
        Kind("audio/webm", "WebM recording", (".webm", ".weba")),
        Kind("audio/wav", "WAV recording", (".wav",)),
        Kind("text/csv", "CSV table", (".csv",)),
        Kind("text/plain", "text", (".txt", ".md", ".log")),
    )
}
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
WELCOME = (
    "PDF, JPEG, PNG or WebP pictures, voice notes, Word, Excel, PowerPoint, OpenDocument, CSV or"
    " text"
)
_MAGIC_OF_ZIP = b"PK\x03\x04"
_INNER = {
    "word/document.xml": f"{OOXML}wordprocessingml.document",
    "xl/workbook.xml": f"{OOXML}spreadsheetml.sheet",
    "ppt/presentation.xml": f"{OOXML}presentationml.presentation",
}
_MARKUP = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|object|embed|img|\?xml|\?php|!entity)"
    rb"|\x25PDF-",
    re.IGNORECASE,
)
_PDF_PLAYS = ("/RichMedia", "/FileAttachment", "/Movie", "/Screen")
_PDF_RUNS = ("/JavaScript", "/JS", "/Launch", "/ImportData", "/SubmitForm", "/RichMedia")


def examine(blob: bytes, *, name: str) -> tuple[dict[str, Any], bytes]:
    """The content that is kept, and {"media_type", "name", "width", "height"}; or Refused.

    `name` is cleaned already. Runs in the limited process only.
    """
    isolated.close_doors()
    media_type = _type_of(blob, name)
    kind = KINDS[media_type]
    stem, ending = split_name(name)
    if ending and ending not in kind.endings:
        if ending in _all_endings():
            raise Refused(
                f"“{name}” ends in {ending} but it is a {kind.label}. "
                f"Give it the ending {kind.endings[0]}, then attach it again."
            )
        stem, ending = name, ""
    facts: dict[str, Any] = {"media_type": media_type, "name": stem + (ending or kind.endings[0])}
    content, more = _CHECKS.get(media_type, _check_zip)(blob, media_type, name)
    return facts | more, content


def split_name(name: str) -> tuple[str, str]:
    """(stem, ending in lower case with its dot)."""
    ending = PurePosixPath(name).suffix.lower()
    return (name[: -len(ending)], ending) if ending else (name, "")


def clean_name(name: str) -> str:
    """A file name without folders, control and direction characters, of a bearable length."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    name = re.sub(r'[<>:"|?*%\s]+', " ", name).strip(" .")
    if re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name):
        name = f"_{name}"
    stem, ending = split_name(name)
    room = LONGEST_NAME - len(ending)
    return (stem[:room].rstrip() + ending) or "file"


def _all_endings() -> frozenset[str]:
    return frozenset(ending for kind in KINDS.values() for ending in kind.endings)


def shrink(blob: bytes, *, side: int) -> tuple[dict[str, str], bytes]:
    """A picture fitted into a square, on white, as JPEG; runs in the limited process only."""
    from PIL import Image

    isolated.close_doors()
    with Image.open(io.BytesIO(blob), formats=("JPEG", "PNG", "WEBP")) as opened:
        opened.draft("RGB", (side, side))
        opened.thumbnail((side, side))
        clear = opened.convert("RGBA")
        plain = Image.new("RGB", clear.size, "white")
        plain.paste(clear, mask=clear.getchannel("A"))
    buffer = io.BytesIO()
    plain.save(buffer, "JPEG", quality=80, optimize=True)
    return {}, buffer.getvalue()


# What it is --------------------------------------------------------------------------------


def _type_of(blob: bytes, name: str) -> str:
    for mark, media_type in ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png")):
        if blob.startswith(mark):
            return media_type
    if blob[:4] == b"RIFF" and blob[8:12] == b"WEBP":
        return "image/webp"
    if blob.startswith(b"%PDF-"):
        return PDF
    if sound := _sound_of(blob):
        return sound
    if blob.startswith(_MAGIC_OF_ZIP):
        return _type_of_zip(blob, name)
    return _type_by_library(blob, name)


_ALONE = (  # boxes of an M4A file: sound only; a film has others
    b"ftypM4A ",
    b"ftypM4B ",
)


def _sound_of(blob: bytes) -> str:
    """The media type of a recording, by how it begins; empty where it is none."""
    if blob[:4] == b"RIFF" and blob[8:12] == b"WAVE":
        return "audio/wav"
    if blob.startswith(b"OggS") and (b"OpusHead" in blob[:256] or b"vorbis" in blob[:256]):
        return "audio/ogg"
    if blob.startswith(b"ID3") or (
        blob[:1] == b"\xff" and blob[1:2] in (b"\xfb", b"\xf3", b"\xf2")
    ):
        return "audio/mpeg"
    if blob[4:12] in _ALONE:
        return "audio/mp4"
    if blob.startswith(b"\x1aE\xdf\xa3") and b"webm" in blob[:64] and b"V_VP" not in blob[:4096]:
        return "audio/webm"
    return ""


def _check_sound(blob: bytes, media_type: str, name: str) -> tuple[bytes, dict[str, Any]]:
    """A recording is kept byte for byte; what hides a page or a PDF in itself stays outside."""
    if _MARKUP.search(blob):
        raise Refused(f"“{name}” holds more than sound. Record it again, then attach that.")
    return blob, {}


def _type_by_library(blob: bytes, name: str) -> str:
    import magic

    found = str(magic.from_buffer(blob[: 1024 * 1024], mime=True))
    if found in ("image/heic", "image/heif", "image/heif-sequence", "image/avif"):
        raise Refused(
            f"“{name}” is a HEIC picture, which many programs cannot show. Set the camera to "
            "“Most compatible”, or save the picture as JPEG, then attach that."
        )
    if found in ("application/msword", "application/vnd.ms-excel", "application/x-ole-storage"):
        raise Refused(
            f"“{name}” has an old Office format that may hold macros. "
            "Save it as .docx, .xlsx or PDF, then attach that."
        )
    is_text = (found.startswith("text/") or found == "application/csv") and b"\0" not in blob
    if is_text and not _MARKUP.search(blob):
        return "text/csv" if split_name(name)[1] == ".csv" else "text/plain"
    raise Refused(
        f"“{name}” is not a kind of file that may be attached ({found}). Attach {WELCOME}."
    )


def _type_of_zip(blob: bytes, name: str) -> str:
    inside = _read_zip(blob, name)
    names = set(inside.namelist())
    if "mimetype" in names and inside.getinfo("mimetype").file_size < 100:
        said = inside.read("mimetype").decode("ascii", "replace").strip()
        if said in KINDS and said.startswith(ODF):
            return said
    if "[Content_Types].xml" in names:
        for part, media_type in _INNER.items():
            if part in names:
                return media_type
    raise Refused(f"“{name}” is an archive. Attach the files in it one by one: {WELCOME}.")


def _read_zip(blob: bytes, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(blob))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise Refused(f"“{name}” is damaged. Save it again, then attach that.") from None


# Whether it may come in --------------------------------------------------------------------


def _check_picture(blob: bytes, media_type: str, name: str) -> tuple[bytes, dict[str, Any]]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    form = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}[media_type]
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(blob), formats=[form]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused(
                    f"“{name}” is {opened.width} × {opened.height} pixels. "
                    "Make it smaller than 60 megapixels, then attach it again."
                )
            if getattr(opened, "n_frames", 1) > 1:
                raise Refused(f"“{name}” is animated. Attach a still picture.")
            icc = opened.info.get("icc_profile")
            upright: Image.Image = ImageOps.exif_transpose(opened)
            upright.load()
            _save_plain(upright, form, icc, buffer)
    except Image.DecompressionBombError:
        raise Refused(
            f"“{name}” has too many pixels. Make it smaller, then attach it again."
        ) from None
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        raise Refused(f"“{name}” cannot be read. Save it again, then attach that.") from None
    return buffer.getvalue(), {"width": upright.width, "height": upright.height}


def _save_plain(image: Any, form: str, icc: bytes | None, buffer: io.BytesIO) -> None:
    """Re-encode without any metadata but the colours' profile."""
    options: dict[str, Any] = {"icc_profile": icc} if icc else {}
    if form == "JPEG":
        image = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
        options |= {"quality": 90, "optimize": True}
    elif form == "WEBP":
        options |= {"quality": 90, "exif": b"", "xmp": b""}
    else:
        options |= {"optimize": False, "exif": b""}
        image.info.clear()
    image.info.pop("exif", None)
    image.info.pop("comment", None)
    image.save(buffer, form, **options)


def _check_pdf(blob: bytes, media_type: str, name: str) -> tuple[bytes, dict[str, Any]]:
    import pikepdf

    if len(blob.rpartition(b"%%EOF")[2].strip(b"\r\n\t \0")) > 0 or b"%%EOF" not in blob:
        raise Refused(f"“{name}” has something after its end. Print it to a new PDF, attach that.")
    try:
        with pikepdf.open(io.BytesIO(blob), suppress_warnings=True) as opened:
            if opened.is_encrypted:
                raise pikepdf.PasswordError
            pages = len(opened.pages)
            runs = _what_runs(opened)
    except pikepdf.PasswordError:
        raise Refused(
            f"“{name}” is protected by a password. Save a copy without one, then attach that."
        ) from None
    except (pikepdf.PdfError, RecursionError, ValueError, TypeError):
        raise Refused(f"“{name}” is damaged. Print it to a new PDF, then attach that.") from None
    if runs:
        raise Refused(f"“{name}” holds {runs}. Print it to a new PDF, then attach that.")
    return blob, {"pages": pages}


def _what_runs(opened: Any) -> str:
    """What in a PDF would act or hide: a phrase for the refusal, empty when nothing does."""
    if opened.attachments or "/EmbeddedFiles" in opened.Root.get("/Names", {}):
        return "other files"
    return "a script or an action" if any(map(_acts, opened.objects)) else ""


def _acts(thing: Any) -> bool:
    """Whether an object, or one written directly inside it, runs something."""
    import pikepdf

    waiting, seen = [thing], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > 200_000:
            return True  # nobody draws like this
        if isinstance(node, pikepdf.Array):
            waiting.extend(each for each in node if _is_inside(each))
        elif isinstance(node, pikepdf.Dictionary | pikepdf.Stream):
            if _runs(node):
                return True
            waiting.extend(each for _, each in node.items() if _is_inside(each))
    return False


def _is_inside(value: Any) -> bool:
    import pikepdf

    return isinstance(value, pikepdf.Array | pikepdf.Dictionary) and not value.is_indirect


def _runs(node: Any) -> bool:
    names = set(node.keys())
    return (
        bool(names & {"/JS", "/JavaScript", "/XFA"})
        or str(node.get("/S", "")) in _PDF_RUNS
        or str(node.get("/Subtype", "")) in _PDF_PLAYS
    )


def _check_zip(blob: bytes, media_type: str, name: str) -> tuple[bytes, dict[str, Any]]:
    """Office files are ZIP files: no bomb, no climbing path, no macro, nothing before or after."""
    with _read_zip(blob, name) as inside:
        entries = inside.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        too_much = len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED
        if too_much or unpacked > MOST_RATIO * max(len(blob), 10_000):
            raise Refused(f"“{name}” would unpack to far too much. Attach a smaller file.")
        for entry in entries:
            _check_entry(entry, name)
        end = blob.rfind(b"PK\x05\x06")
        comment = len(inside.comment)
        if end + 22 + comment != len(blob) or comment or _starts_late(entries):
            raise Refused(f"“{name}” is damaged. Save it again, then attach that.")
        if media_type.startswith(OOXML):
            declared = _read_entry(inside, "[Content_Types].xml", name)
            if b"macroEnabled" in declared or b"vbaProject" in declared:
                raise Refused(_MACRO.format(name=name))
    return blob, {}


_MACRO = "“{name}” holds macros. Save a copy without them, then attach that."


def _starts_late(entries: list[zipfile.ZipInfo]) -> bool:
    return min((entry.header_offset for entry in entries), default=1) != 0


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    path = entry.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise Refused(f"“{name}” is damaged. Save it again, then attach that.")
    if entry.flag_bits & 0x1:
        raise Refused(
            f"“{name}” is protected by a password. Save a copy without one, then attach that."
        )
    lowered = path.lower()
    if "vbaproject" in lowered or lowered.startswith(("basic/", "scripts/")):
        raise Refused(_MACRO.format(name=name))


def _read_entry(inside: zipfile.ZipFile, path: str, name: str) -> bytes:
    if inside.getinfo(path).file_size > 5_000_000:
        raise Refused(f"“{name}” is damaged. Save it again, then attach that.")
    try:
        return inside.read(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError):
        raise Refused(f"“{name}” is damaged. Save it again, then attach that.") from None
    except Exception as error:  # zlib.error has no common parent with the others
        if type(error).__name__ != "error":
            raise
        raise Refused(f"“{name}” is damaged. Save it again, then attach that.") from None


def _check_text(blob: bytes, media_type: str, name: str) -> tuple[bytes, dict[str, Any]]:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            blob.decode(encoding)
        except UnicodeDecodeError:
            continue
        return blob, {}
    raise Refused(f"“{name}” is not readable text. Save it as UTF-8, then attach that.")


_CHECKS: dict[str, Callable[[bytes, str, str], tuple[bytes, dict[str, Any]]]] = {
    **dict.fromkeys(PICTURES, _check_picture),
    PDF: _check_pdf,
    **dict.fromkeys((each for each in KINDS if each.startswith("audio/")), _check_sound),
    "text/csv": _check_text,
    "text/plain": _check_text,
}
