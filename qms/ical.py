"""Calendar files (RFC 5545): events as other calendars read them, in UTC, with nothing they lack.

Only what the product writes: one calendar of single events, no repetition and no zones, because an
instant needs none. A day without a time is a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

LINE = 75  # octets, without the end of the line
MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True)
class Guest:
    """Somebody an event is about: the name people read and where mail reaches them."""

    name: str
    email: str


@dataclass(frozen=True)
class Event:
    """One event: from an instant to an instant, or (days) from a day through a day.

    `key` is the same for the same event for good, `version` grows with each change of it.
    """

    key: str
    title: str
    starts: date | datetime
    ends: date | datetime
    version: int = 1
    place: str = ""
    words: str = ""
    url: str = ""
    is_off: bool = False
    organiser: Guest | None = None
    guests: Sequence[Guest] = ()


def calendar(
    events: Iterable[Event], *, name: str, at: datetime, is_invitation: bool = False
) -> bytes:
    """The file of some events; an invitation asks its guests, anything else only tells."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//qms//audits//EN",
        "CALSCALE:GREGORIAN",
        f"METHOD:{'REQUEST' if is_invitation else 'PUBLISH'}",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for event in events:
        lines += _event(event, at)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: Event, at: datetime) -> list[str]:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.key}@{host}",
        f"DTSTAMP:{_instant(at)}",
        f"SEQUENCE:{max(0, event.version - 1)}",
        *_span(event),
        f"SUMMARY:{_text(event.title)}",
        f"STATUS:{'CANCELLED' if event.is_off else 'CONFIRMED'}",
    ]
    if event.place:
        lines.append(f"LOCATION:{_text(event.place)}")
    if event.words:
        lines.append(f"DESCRIPTION:{_text(event.words)}")
    if event.url:
        lines.append(f"URL:{event.url}")
    if event.organiser:
        lines.append(f"ORGANIZER;{_named(event.organiser)}")
    lines += [f"ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=TRUE;{_named(each)}" for each in event.guests]
    lines.append("END:VEVENT")
    return lines


def _span(event: Event) -> list[str]:
    """Instants as they are; the end of days is the day after the last one."""
    if isinstance(event.starts, datetime) and isinstance(event.ends, datetime):
        return [f"DTSTART:{_instant(event.starts)}", f"DTEND:{_instant(event.ends)}"]
    after = event.ends + timedelta(days=1)
    return [
        f"DTSTART;VALUE=DATE:{event.starts:%Y%m%d}",
        f"DTEND;VALUE=DATE:{after:%Y%m%d}",
        "TRANSP:TRANSPARENT",
    ]


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("A naive datetime is no instant; give it a zone.")
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _named(guest: Guest) -> str:
    name = "".join(c for c in guest.name if c >= " " and c not in '"\x7f')
    address = "".join(c for c in guest.email if c > " " and c not in '",;:\x7f')
    return f'CN="{name}":mailto:{address}'


def _text(text: str) -> str:
    """Text as a value: what has a meaning there is escaped, control characters go."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in plain if c == "\n" or (c >= " " and c != "\x7f"))
    for mark in ("\\", ";", ","):
        kept = kept.replace(mark, f"\\{mark}")
    return kept.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """The line in pieces of at most 75 octets that cut no character in two."""
    pieces: list[bytes] = []
    piece = b""
    for character in line:
        encoded = character.encode()
        room = LINE if not pieces else LINE - 1  # the space that goes before counts
        if len(piece) + len(encoded) > room:
            pieces.append(piece)
            piece = b""
        piece += encoded
    pieces.append(piece)
    return b"\r\n ".join(pieces) + b"\r\n"
