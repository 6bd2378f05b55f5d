"""What other calendars read of ours, by a parser that is not ours (RFC 5545)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from audits import calendars, workflow
from qms import contributions, ical
from qms.contributions import Entry
from qms.ical import Event, Guest
from qms.periods import start_of, today
from tests import factories, scenes
from tests.scenes import Cast

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 8, 14, 30, tzinfo=UTC)


@pytest.fixture
def cast() -> Cast:
    return Cast()


def events_in(content: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(content).walk("VEVENT"))


HOSTILE = [
    "Line one\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil",
    "a\rATTENDEE:mailto:evil@x.example",
    "a\nDTSTART:19700101T000000Z",
    "; , : \\ \\n \\; \" ' ^ ^n ^'",
    "\x00\x07\x0b\x0c\x1b\x7f\x85\u2028\u2029 tail",
    "Ärger über Öl " * 40,
    "\N{PARTY POPPER}" * 60,
    " leading and trailing ",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_end_a_line_or_an_event(words: str) -> None:
    guest = Guest(words, "eve@x.example\r\nX-EVIL: b")
    event = Event(
        "k", words, AT, AT + timedelta(hours=1), place=words, words=words, organiser=guest,
        guests=[guest, Guest("Ann", "ann@x.example")],
    )  # fmt: skip
    content = ical.calendar([event], name=words, at=AT, is_invitation=True)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    (read,) = events_in(content)
    assert (read["UID"], read.decoded("DTSTART")) == ("k@localhost", AT)
    plain = "\n".join(words.splitlines())
    kept = "".join(c for c in plain if c == "\n" or c.isprintable() or c == " ")
    assert str(read["SUMMARY"]) == str(read["LOCATION"]) == str(read["DESCRIPTION"]) == kept
    assert len(read["ATTENDEE"]) == 2
    assert {name for name in read if name.startswith("X-")} == set()


def test_hours_are_the_same_instants_on_both_sides_of_a_clock_change(
    cast: Cast, monkeypatch: Any
) -> None:
    audit = scenes.an_audit(cast)
    monkeypatch.setattr(contributions, "zone", lambda: ZoneInfo("Europe/Berlin"))
    for day, hour in ((date(2027, 3, 26), 8), (date(2027, 3, 29), 7), (date(2027, 11, 1), 8)):
        moment = start_of(day, at=time(9))
        event = Event("k", audit.title, moment, moment + timedelta(hours=1))
        (read,) = events_in(ical.calendar([event], name="N", at=AT))
        assert read.decoded("DTSTART") == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_whoever_calls_an_audit_off_calls_its_invitation_off(cast: Cast) -> None:
    audit = scenes.an_audit(cast)
    asked = icalendar.Calendar.from_ical(calendars.invitation(audit))
    workflow.void(audit, by=cast.manager, reason="Called off.")
    gone = icalendar.Calendar.from_ical(calendars.invitation(audit))
    assert (asked["METHOD"], gone["METHOD"]) == ("REQUEST", "CANCEL")
    (before,), (after,) = asked.walk("VEVENT"), gone.walk("VEVENT")
    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_what_comes_again_under_one_name_is_an_event_each_time(
    cast: Cast, monkeypatch: Any
) -> None:
    day = today()
    entries = [Entry(day + timedelta(days=n), "Close the month", "Duty", "/x/") for n in range(3)]
    monkeypatch.setattr(contributions, "calendar_for", lambda *args: entries)
    read = events_in(calendars.feed(cast.member, day))
    assert len({each["UID"] for each in read}) == 3


def test_a_title_somebody_pasted_stops_nobodys_feed(cast: Cast) -> None:
    provider = scenes.a_provider(cast)
    workflow.plan_audit(
        by=cast.lead,
        kind="supplier",
        provider=provider,
        planned_on=today(),
        lead=cast.lead,
        outside_auditors="",
    )
    factories.person("auditor")
    slot_audit = scenes.an_audit(cast)
    workflow.add_slot(
        slot_audit, by=cast.lead, starts_at=time(9), ends_at=time(10),
        what="Stores\r\nEND:VCALENDAR\x0b", place="Hall\x1f2", auditor=cast.lead,
    )  # fmt: skip
    read = events_in(calendars.feed(cast.lead, today()))
    assert [str(each["LOCATION"]) for each in read if "LOCATION" in each] == ["Hall2"]


def test_the_owner_of_the_process_a_customer_looks_at_is_invited_too(cast: Cast) -> None:
    process = cast.process()
    audit = workflow.plan_audit(
        by=cast.lead,
        kind="customer",
        customer=scenes.a_customer(cast),
        process=process,
        planned_on=today(),
        lead=cast.lead,
    )
    workflow.add_slot(
        audit, by=cast.lead, starts_at=time(9), ends_at=time(10), auditor=cast.lead, what="Stores"
    )
    (asked,) = events_in(calendars.invitation(audit))
    assert f"mailto:{process.owner.email}" in [str(each) for each in asked["ATTENDEE"]]
    assert "Stores" in calendars.feed(process.owner, today()).decode()
