"""One's own calendar link: made, shown once, revoked."""

import hmac
from typing import Any

from audits.models import CalendarFeed
from audits.models.feeds import digest_of, new_token
from qms.people.models import Person
from qms.workflow import creates, transition

Status = CalendarFeed.Status
MAY = "audits.add_calendarfeed"


@creates(CalendarFeed, permission=MAY)
def open_feed(*, by: Person) -> CalendarFeed:
    """A new link to one's own planner; the one before ends. Its `token` is told this once."""
    for before in CalendarFeed.objects.filter(person=by, status=Status.LIVE):
        revoke_feed(before, by=by)
    token = new_token()
    feed = CalendarFeed(person=by, digest=digest_of(token), created_by=by)
    feed.save()
    feed.token = token
    return feed


def only_ones_own(feed: CalendarFeed, by: Any) -> str | None:
    return None if feed.person_id == by.pk else "Everybody revokes their own link."


@transition(
    CalendarFeed,
    source=Status.LIVE,
    target=Status.REVOKED,
    permission=MAY,
    only=only_ones_own,
    label="Revoke",
    primary=False,
)
def revoke_feed(feed: CalendarFeed, *, by: Any) -> None:
    """Revoke the link: calendars that read it get nothing any more."""


def feed_of(token: str) -> CalendarFeed | None:
    """The live feed of somebody who may sign in and still may have one; None where there is none.

    Asks the same whatever the token, and compares in constant time.
    """
    digest = digest_of(token)
    found = CalendarFeed.objects.filter(digest=digest, status=Status.LIVE)
    feed = found.select_related("person").first()
    if feed is None or not hmac.compare_digest(feed.digest, digest):
        return None
    person = feed.person
    allowed = person.is_active and not person.access_has_ended and person.has_perm(MAY)
    return feed if allowed else None
