"""The hours of an audit, its invitation, and everybody's own calendar link."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from audits import calendars, workflow
from audits.models import Audit, AuditSlot, CalendarFeed
from audits.models.feeds import digest_of
from qms import contributions, ical
from qms.ical import Event, Guest
from qms.mail import full_address
from qms.periods import start_of, today
from qms.refusals import Refused
from qms.workflow import amend
from tests import factories, scenes
from tests.many import questions
from tests.scenes import Cast, a_provider

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def audit(cast: Cast) -> Audit:
    return scenes.an_audit(cast)


def part(audit: Audit, cast: Cast, begins: int, ends: int, **more: Any) -> AuditSlot:
    return workflow.add_slot(
        audit, by=cast.lead, starts_at=time(begins), ends_at=time(ends), **more
    )


# --- what fits ------------------------------------------------------------------------------------


def test_an_auditor_is_in_one_place_at_a_time(cast: Cast, audit: Audit) -> None:
    part(audit, cast, 9, 11, auditor=cast.member, what="Stores")
    with pytest.raises(Refused, match=r"is in “Stores” of .* from 09:00 to 11:00"):
        part(audit, cast, 10, 12, auditor=cast.member)
    part(audit, cast, 10, 12, auditor=cast.lead)
    part(audit, cast, 11, 12, auditor=cast.member)  # one ends as the other begins
    with pytest.raises(Refused, match="09:00 to 11:00"):
        part(audit, cast, 10, 11, kind="closing")  # the whole team is asked to come


def test_also_across_two_audits_and_only_on_the_same_day(cast: Cast, audit: Audit) -> None:
    other = scenes.an_audit(cast)
    part(audit, cast, 9, 11, auditor=cast.member)
    with pytest.raises(Refused, match=audit.number):
        part(other, cast, 10, 12, auditor=cast.member)
    other = amend(other, by=cast.lead, changes={"days": 2})
    assert part(other, cast, 10, 12, day=2, auditor=cast.member).on == today() + timedelta(days=1)


def test_what_was_called_off_takes_no_time(cast: Cast, audit: Audit) -> None:
    slot = part(audit, cast, 9, 11, auditor=cast.member)
    workflow.void_slot(slot, by=cast.lead, reason="The line stands still.")
    assert part(audit, cast, 10, 12, auditor=cast.member).status == "planned"
    assert len(workflow.agenda_of(audit)) == 1


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"day": 2}, "The audit has 1 day; there is no day 2"),
        ({"begins": 12, "ends": 11}, "ends before it begins"),
        ({"begins": 11, "ends": 11}, "ends before it begins"),
        ({"stranger": True}, "is not in the team"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    cast: Cast, audit: Audit, more: dict[str, Any], why: str
) -> None:
    hours = {"begins": more.pop("begins", 9), "ends": more.pop("ends", 11)}
    if more.pop("stranger", False):
        more["auditor"] = factories.person("auditor")
    with pytest.raises(Refused, match=why):
        part(audit, cast, **hours, **more)
    slot = part(audit, cast, 14, 15, auditor=cast.member)
    changes = more | {"starts_at": time(hours["begins"]), "ends_at": time(hours["ends"])}
    with pytest.raises(Refused, match=why):
        amend(slot, by=cast.lead, changes=changes)


def test_postponed_the_agenda_moves_along_and_is_looked_at_again(cast: Cast, audit: Audit) -> None:
    other = workflow.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today() + timedelta(days=5),
        lead=cast.lead,
    )
    workflow.confirm(other, by=cast.lead)
    part(other, cast, 9, 11)
    slot = part(audit, cast, 10, 12, auditor=cast.lead)
    moved = workflow.postpone(
        audit, by=cast.lead, planned_on=today() + timedelta(days=5), reason="Illness."
    )
    slot.refresh_from_db()
    assert AuditSlot.objects.get(pk=slot.pk).on == today() + timedelta(days=5)
    assert "is in" in str(workflow.the_agenda_holds(moved, cast.lead))
    with pytest.raises(Refused, match="Change the agenda, the day or the team"):
        workflow.confirm(moved, by=cast.lead)


def test_who_left_the_team_is_still_named_until_the_agenda_is_changed(
    cast: Cast, audit: Audit
) -> None:
    part(audit, cast, 9, 11, auditor=cast.member)
    workflow.set_team(audit, by=cast.lead, team=[])
    assert "is not in the team" in str(workflow.the_agenda_holds(audit, cast.lead))


def test_two_audits_of_several_days_that_share_one_share_no_auditor(cast: Cast) -> None:
    first = scenes.an_audit(cast)
    amend(first, by=cast.lead, changes={"days": 3})
    second = workflow.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today() + timedelta(days=2),
        lead=cast.lead,
    )
    with pytest.raises(Refused, match=f"is in {first.number}"):
        workflow.confirm(second, by=cast.lead)
    workflow.postpone(
        second, by=cast.lead, planned_on=today() + timedelta(days=3), reason="One more."
    )
    workflow.confirm(second, by=cast.lead)


def test_a_usual_day_is_begun_once_and_every_part_of_it_fits(cast: Cast, audit: Audit) -> None:
    made = workflow.begin_usual_agenda(audit, by=cast.lead)
    assert [made[0].kind, made[-1].kind] == ["opening", "closing"]
    assert workflow.the_agenda_holds(audit, cast.lead) is None
    with pytest.raises(Refused, match="has an agenda already"):
        workflow.begin_usual_agenda(audit, by=cast.lead)
    with pytest.raises(PermissionDenied):
        workflow.begin_usual_agenda(audit, by=cast.owner)


# --- calendar files -------------------------------------------------------------------------------


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def values(content: bytes, name: str) -> list[str]:
    return [line.partition(":")[2] for line in unfolded(content) if line.startswith(name)]


def test_a_calendar_file_is_folded_escaped_and_in_utc() -> None:
    moment = datetime(2026, 3, 8, 14, 30, tzinfo=UTC)
    event = Event(
        key="audit-1",
        title="Ärger, Öl; und \\ mehr\nzweite Zeile " * 4,
        starts=moment,
        ends=moment + timedelta(hours=1),
        place="Hall\r\nATTENDEE:mailto:evil@x.example",
        guests=[Guest('Eve"\r\nX: y', "eve@x.example\r\nX-A: b")],
    )
    content = ical.calendar([event], name="N", at=moment)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    content.decode()  # no character is cut in two
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert values(content, "DTSTART") == ["20260308T143000Z"]
    assert values(content, "SUMMARY")[0].startswith("Ärger\\, Öl\\; und \\\\ mehr\\nzweite")
    assert values(content, "LOCATION") == ["Hall\\nATTENDEE:mailto:evil@x.example"]
    assert not [line for line in unfolded(content) if line.startswith("X:")]
    with pytest.raises(ValueError, match="naive"):
        ical.calendar([event], name="N", at=moment.replace(tzinfo=None))


def test_days_end_on_the_day_after_and_what_is_off_says_so() -> None:
    event = Event("a", "A", date(2028, 2, 28), date(2028, 2, 29), version=4, is_off=True)
    content = ical.calendar([event], name="N", at=datetime(2028, 1, 1, tzinfo=UTC))
    assert values(content, "DTEND") == ["20280301"]
    assert values(content, "STATUS") == ["CANCELLED"]
    assert values(content, "SEQUENCE") == ["3"]


def test_the_invitation_asks_the_team_and_the_owner_to_each_part(
    cast: Cast, audit: Audit, client: Client
) -> None:
    client.force_login(cast.lead, backend="qms.people.access.RoleBackend")
    page = reverse("audits:audit_invitation", args=[audit.pk])
    whole = client.get(page)
    assert whole["Content-Type"].startswith("text/calendar")
    assert values(whole.content, "UID") == [f"audit-{audit.pk}@localhost"]
    slot = part(audit, cast, 9, 11, auditor=cast.member, place="Hall 2")
    content = client.get(page).content
    assert values(content, "METHOD") == ["REQUEST"]
    starts = start_of(audit.planned_on, at=time(9))
    assert values(content, "DTSTART") == [f"{starts:%Y%m%dT%H%M%SZ}"]
    assert values(content, "LOCATION") == ["Hall 2"]
    told = content.decode().replace("\r\n ", "")
    asked = [cast.lead.email, cast.member.email, audit.process.owner.email]
    assert all(f"mailto:{email}" in told for email in asked)
    before = values(content, "SEQUENCE")
    amend(slot, by=cast.lead, changes={"place": "Hall 3"})
    after = client.get(page).content
    assert values(after, "UID") == values(content, "UID")
    assert int(values(after, "SEQUENCE")[0]) > int(before[0])
    workflow.void(audit, by=cast.manager, reason="Called off.")
    assert values(client.get(page).content, "STATUS") == ["CANCELLED"]


# --- the secret link ------------------------------------------------------------------------------


def test_the_link_is_told_once_and_only_its_digest_is_kept(cast: Cast, client: Client) -> None:
    client.force_login(cast.member, backend="qms.people.access.RoleBackend")
    page = reverse("audits:feed_mine")
    assert "You have no link yet" in client.get(page).content.decode()
    shown = client.post(page).content.decode()
    feed = CalendarFeed.objects.get()
    token = shown.split("/calendar-feed/")[1].split(".ics")[0]
    assert feed.digest == digest_of(token)
    assert token not in client.get(page).content.decode()
    assert token not in str(list(CalendarFeed.history.values()))


def test_whoever_has_the_link_reads_the_hours_of_ones_own_audits_and_ones_planner(
    cast: Cast, audit: Audit
) -> None:
    other = workflow.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today(),
        lead=factories.person("lead_auditor"),
    )
    part(other, cast, 9, 10)
    mine = part(audit, cast, 9, 10, auditor=cast.member)
    part(audit, cast, 10, 11, auditor=cast.lead)
    token = workflow.open_feed(by=cast.member).token
    answer = Client().get(reverse("calendar_feed", args=[token]))
    assert answer.status_code == 200
    assert answer["X-Robots-Tag"] == "noindex"
    first, *others = values(answer.content, "UID")
    assert first == f"audit-part-{mine.pk}@localhost"
    assert len(others) == 1
    assert others[0].startswith("planned-")
    links = values(answer.content, "URL")
    assert [audit.get_absolute_url() in links[0], other.get_absolute_url() in links[1]] == [
        True,
        True,
    ]


def test_the_feed_gives_what_the_year_planner_shows_and_moves_what_moved(cast: Cast) -> None:
    provider = a_provider(cast)
    audit = workflow.plan_audit(
        by=cast.lead,
        process=cast.process(),
        planned_on=today(),
        lead=factories.person("lead_auditor"),
    )
    back, ahead = today() - calendars.BACK, today() + calendars.AHEAD
    shown = contributions.calendar_for(cast.manager, back, ahead)
    assert {each.url for each in shown} >= {
        provider.get_absolute_url(),
        audit.get_absolute_url(),
    }
    before = calendars.feed(cast.manager, today())
    assert len(values(before, "UID")) == len(shown)
    workflow.postpone(
        audit, by=cast.lead, planned_on=today() + timedelta(days=3), reason="Somebody is ill."
    )
    after = calendars.feed(cast.manager, today())
    assert values(after, "UID") == values(before, "UID")
    assert values(after, "DTSTART") != values(before, "DTSTART")


def test_the_feed_hides_what_the_planner_hides(cast: Cast) -> None:
    a_provider(cast)
    workflow.plan_audit(by=cast.lead, process=cast.process(), planned_on=today(), lead=cast.lead)
    assert values(calendars.feed(cast.newcomer, today()), "URL") == [
        full_address(each.url)
        for each in contributions.calendar_for(
            cast.newcomer, today() - calendars.BACK, today() + calendars.AHEAD
        )
    ]


def test_a_link_that_ended_is_as_unknown_as_none(cast: Cast) -> None:
    unknown = Client().get(reverse("calendar_feed", args=["no-such"]))
    assert unknown.status_code == 404
    first = workflow.open_feed(by=cast.member)
    second = workflow.open_feed(by=cast.member)
    gone = [first.token]
    assert Client().get(reverse("calendar_feed", args=[second.token])).status_code == 200
    workflow.revoke_feed(CalendarFeed.objects.get(pk=second.pk), by=cast.member)
    gone.append(second.token)
    third = workflow.open_feed(by=cast.owner)
    cast.owner.is_active = False
    cast.owner.save_because("Left.", by=None)
    for token in [*gone, third.token]:
        answer = Client().get(reverse("calendar_feed", args=[token]))
        assert (answer.status_code, answer.content) == (404, unknown.content)


def test_a_link_is_ones_own_to_revoke(cast: Cast) -> None:
    feed = workflow.open_feed(by=cast.member)
    with pytest.raises(PermissionDenied):
        workflow.revoke_feed(feed, by=cast.keeper)
    assert not CalendarFeed.objects.visible_to(cast.keeper).exists()


def test_who_reads_too_often_waits(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("audits.views.agenda.LOOKS", 2)
    token = workflow.open_feed(by=cast.member).token
    address = reverse("calendar_feed", args=[token])
    codes = [Client().get(address, REMOTE_ADDR="203.0.113.9").status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]


def test_a_feed_asks_the_same_for_many_audits(cast: Cast) -> None:
    def plan(many: range) -> None:
        for days in many:
            made = workflow.plan_audit(
                by=cast.lead,
                process=cast.process(),
                planned_on=today() + timedelta(days=days),
                lead=cast.lead,
            )
            part(made, cast, 9, 10)

    plan(range(2))
    few = questions(lambda: calendars.feed(cast.lead, today()))
    plan(range(2, 8))
    many = questions(lambda: calendars.feed(cast.lead, today()))
    assert few == many
    assert many <= 20  # those of every chapter that has days
    assert len(values(calendars.feed(cast.lead, today()), "UID")) == 8
