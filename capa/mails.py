"""What a mail says: who wrote it, its text, its files; and whether a machine wrote it.

Any bytes come in from outside, so nothing here raises on what is malformed: an unknown charset, a
broken header or no header at all gives the best that can be read.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value, parseaddr
from hashlib import sha256
from html import unescape

import nh3

DEEPEST = 5  # mails within mails
LONGEST_HTML = 4_000_000
LONGEST_SUBJECT = 1_000
MACHINES = {"bulk", "junk", "list", "auto_reply"}
_BREAKS = re.compile(
    r"<\s*(?:br|/p|/div|/tr|/li|/h[1-6]|/blockquote|/table)\b[^>]*>", re.IGNORECASE
)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Mail:
    """A mail as it is taken up.

    `key` is the same whenever the same mail is read; `refused` says why no report is made of it;
    `answers_to` is its Message-ID, empty where no answer is wanted.
    """

    key: str
    address: str
    name: str
    subject: str
    text: str
    files: list[tuple[str, bytes]] = field(default_factory=list)
    answers_to: str = ""
    refused: str = ""

    @property
    def sender(self) -> str:
        return f"{self.name} <{self.address}>" if self.name and self.address else self.address


def read_mail(raw: bytes, *, ours: frozenset[str] = frozenset()) -> Mail:
    """Read a mail; `ours` are addresses of this installation, in small letters."""
    message = message_from_bytes(raw)
    name, address = _sender(message)
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    texts, files = _parts(message)
    return Mail(
        key=sha256(b"id:" + found[0].encode() if found else raw).hexdigest(),
        address=address,
        name=name,
        subject=" ".join(_header(message, "Subject").split())[:LONGEST_SUBJECT],
        text=texts,
        files=files,
        answers_to=found[0] if found and _wants_an_answer(message) else "",
        refused=_why_refused(message, address, ours),
    )


def _why_refused(message: Message, address: str, ours: frozenset[str]) -> str:
    """Why a mail is no report of somebody: answering a machine never ends."""
    automatic = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if automatic and automatic != "no":
        return "a machine sent it"
    if _header(message, "Precedence").strip().lower() in MACHINES or message["List-Id"]:
        return "it came from a list or a machine"
    if message.get_content_type() == "multipart/report":
        return "it reports on a delivery"
    if message["Return-Path"] is not None and _header(message, "Return-Path").strip() == "<>":
        return "it reports on a delivery"
    if address in ours:
        return "it is from our own address"
    return ""


def _wants_an_answer(message: Message) -> bool:
    suppressed = _header(message, "X-Auto-Response-Suppress").lower()
    return not any(each in suppressed for each in ("all", "autoreply", "oof"))


def _sender(message: Message) -> tuple[str, str]:
    """(name, address in small letters); both empty where there is no address."""
    name, address = parseaddr(" ".join(_header(message, "From").split()))
    address = address.strip().lower()
    if not re.fullmatch(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}", address):
        return "", ""
    return name.strip()[:120], address


def _header(message: Message, name: str) -> str:
    """A header as people read it."""
    value = message.get(name, "")
    said = []
    try:
        pieces = decode_header(value)
    except ValueError:
        pieces = [(str(value), None)]
    for piece, charset in pieces:
        said.append(piece if isinstance(piece, str) else _decoded(piece, charset or "utf-8"))
    return plain("".join(said))


def _parts(message: Message, depth: int = 0) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a mail, and its files; a mail within it comes as a file of its text."""
    written: list[str] = []
    marked: list[str] = []
    files: list[tuple[str, bytes]] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            files += _mail_within(part, depth)
        elif (name := _file_name(part)) or not kind.startswith("text/"):
            files.append((name or f"part.{part.get_content_subtype()}", _content(part)))
        else:
            text = _decoded(_content(part), part.get_content_charset() or "utf-8")
            (marked if kind == "text/html" else written).append(text)
    text = plain("\n\n".join(written)).strip()
    return text or text_of_html("\n".join(marked)), files


def _leaves(part: Message) -> Iterator[Message]:
    """The parts of a mail that hold something; those of a mail within it stay together."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for each in part.get_payload():
            if isinstance(each, Message):
                yield from _leaves(each)
    else:
        yield part


def _mail_within(part: Message, depth: int) -> list[tuple[str, bytes]]:
    inner = part.get_payload()
    within = inner[0] if isinstance(inner, list) and inner else None
    if not isinstance(within, Message) or depth >= DEEPEST:
        return [("mail.eml", part.as_bytes())]
    text, files = _parts(within, depth + 1)
    subject = _header(within, "Subject")
    head = "\n".join(f"{name}: {_header(within, name)}" for name in ("From", "Date", "Subject"))
    told = f"A mail that was attached.\n\n{head}\n\n{text}\n"
    return [(f"{subject[:80] or 'mail'}.txt", told.encode()), *files]


def _file_name(part: Message) -> str:
    """The name of an attached file; empty for the text of the mail itself."""
    value = part.get_filename()
    if value is not None:
        said = str(collapse_rfc2231_value(value))
        pieces = decode_header(said) if "=?" in said else [(said, None)]
        return plain("".join(_told(*each) for each in pieces)).strip() or "file"
    return "file" if part.get_content_disposition() == "attachment" else ""


def _told(piece: str | bytes, charset: str | None) -> str:
    return piece if isinstance(piece, str) else _decoded(piece, charset or "utf-8")


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _decoded(content: bytes, charset: str) -> str:
    """Words in the charset that is named, else in the likeliest; never an error."""
    for each in (charset, "utf-8"):
        try:
            return content.decode(each)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def text_of_html(html: str) -> str:
    """The words of HTML, with its line breaks; scripts, styles and marks are gone."""
    broken = _BREAKS.sub("\n", html[:LONGEST_HTML])
    bare = unescape(nh3.clean(broken, tags=set(), clean_content_tags={"script", "style", "title"}))
    lines = (" ".join(line.split()) for line in plain(bare).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain(text: str) -> str:
    """Text without control characters and marks that turn the direction of writing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    kept = (c for c in text if c in "\n\t" or (unicodedata.category(c) != "Cc" and c not in _TURNS))
    return "".join(kept)
