"""Calendar files (RFC 5545): events as other calendars read them, in UTC, with nothing they lack.

`icalendar` writes them. Only what the product needs: one calendar of single events, no repetition
and no zones, because an instant needs none. A day without a time is a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import icalendar
from django.conf import settings

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
    """The file of some events; an invitation asks its guests or calls it off, others only tell."""
    known = list(events)
    asks = "CANCEL" if known and all(each.is_off for each in known) else "REQUEST"
    made = icalendar.Calendar()
    made.add("VERSION", "2.0")
    made.add("PRODID", "-//qms//audits//EN")
    made.add("CALSCALE", "GREGORIAN")
    made.add("METHOD", asks if is_invitation else "PUBLISH")
    made.add("X-WR-CALNAME", icalendar.vText(_plain(name)))
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    for each in known:
        made.add_component(_event(each, at, host))
    return bytes(made.to_ical())


def _event(event: Event, at: datetime, host: str) -> icalendar.Event:
    made = icalendar.Event()
    made.add("UID", f"{event.key}@{host}")
    made.add("DTSTAMP", _instant(at))
    made.add("SEQUENCE", max(0, event.version - 1))
    for name, value in _span(event).items():
        made.add(name, value)
    made.add("SUMMARY", _plain(event.title))
    made.add("STATUS", "CANCELLED" if event.is_off else "CONFIRMED")
    for name, words in (("LOCATION", event.place), ("DESCRIPTION", event.words)):
        if words:
            made.add(name, _plain(words))
    if event.url:
        made.add("URL", event.url)
    if event.organiser:
        made.add("ORGANIZER", _named(event.organiser))
    for guest in event.guests:
        made.add("ATTENDEE", _named(guest, ROLE="REQ-PARTICIPANT", RSVP="TRUE"))
    return made


def _span(event: Event) -> dict[str, date | datetime | str]:
    """Instants as they are; the end of days is the day after the last one."""
    if isinstance(event.starts, datetime) and isinstance(event.ends, datetime):
        return {"DTSTART": _instant(event.starts), "DTEND": _instant(event.ends)}
    after = event.ends + timedelta(days=1)
    return {"DTSTART": event.starts, "DTEND": after, "TRANSP": "TRANSPARENT"}


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("A naive datetime is no instant; give it a zone.")
    return moment.astimezone(UTC)


def _named(guest: Guest, **more: str) -> icalendar.vCalAddress:
    """Somebody as a property: the name without what ends a parameter, the address in one piece."""
    address = "".join(c for c in guest.email if c.isprintable() and c not in ' ",;:')
    found = icalendar.vCalAddress(f"mailto:{address}")
    name = "".join(c for c in guest.name if c.isprintable() and c != '"')
    found.params.update({"CN": name, **more})
    return found


def _plain(text: str) -> str:
    """Text without control characters, which no calendar may hold; lines end with a line feed."""
    lines = "\n".join(text.splitlines())
    return "".join(c for c in lines if c == "\n" or (c >= " " and c != "\x7f"))
