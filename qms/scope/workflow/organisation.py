"""The organisation is set up once; sites open and close (ISO 9001 4.3)."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction as db

from qms import contributions
from qms.events import handles
from qms.people.models import Person
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope import current
from qms.scope.models import ClosedTime, Organisation, Process, ProcessSite, Site
from qms.scope.workflow.closed import regions_of
from qms.workflow import amendment, creates, transition

LONGEST_CLOSED = 120


def no_process_runs_here(site: Site, by: Any) -> str | None:
    links = ProcessSite.objects.live().filter(site=site, process__status=Process.Status.ACTIVE)
    codes = sorted(links.values_list("process__code", flat=True))
    if codes:
        return f"Processes still run here: {', '.join(codes)}. Take the site from them first."
    return None


@creates(Organisation, permission="scope.change_organisation")
def set_up_organisation(
    *, by: Person, name: str, country: str, time_zone: str, **more: Any
) -> Organisation:
    """The organisation of this installation, once. `more` are its further fields."""
    if Organisation.objects.exists():
        raise Refused("The organisation is set up already. Edit it instead.")
    if not name.strip():
        raise Refused("Give the organisation's name.", field="name")
    made = Organisation(
        name=name.strip(), country=country, time_zone=time_zone, created_by=by, **more
    )
    _check_organisation(made, by)
    made.save()
    return made


def _check_organisation(organisation: Organisation, by: Any) -> None:
    if organisation.time_zone not in available_timezones():
        raise Refused(
            f"“{organisation.time_zone}” is no time zone; write it like America/Toronto.",
            field="time_zone",
        )
    if organisation.preparing == organisation.edition:
        raise Refused(
            "The edition you prepare is the one you work to. Leave it empty.", field="preparing"
        )
    if why := fits_country(organisation, {}):
        raise Refused(why, field="region")


def fits_country(organisation: Organisation, changed: Mapping[str, Any]) -> str | None:
    """A region is one of its country: its public holidays are looked up by it."""
    country = changed.get("country", organisation.country)
    region = changed.get("region", organisation.region)
    if not region or region in regions_of(country):
        return None
    known = ", ".join(sorted(regions_of(country))[:6])
    return f"{country} has no “{region}”. Use a code like {known}, or leave it empty."


ORGANISATION_FIELDS = (
    "name",
    "country",
    "region",
    "time_zone",
    "edition",
    "preparing",
    "headcount",
    "containment_days",
    "cause_days",
    "action_days",
    "effectiveness_days",
    "approval_days",
    "acknowledge_days",
    "answer_days",
    "escalation_days",
    "repeat_months",
    "approves_plans",
)
editing_organisation = amendment(
    Organisation,
    permission="scope.change_organisation",
    fields=ORGANISATION_FIELDS,
    checks=[fits_country],
)


@handles(RecordSaved, order=10)
def the_zone_is_read_anew(event: RecordSaved) -> None:
    """A saved organisation is shown at once, here and in every other process."""
    if isinstance(event.record, Organisation):
        current.forget()
        db.on_commit(current.forget)


@contributions.tells_zone
def zone_of_organisation() -> ZoneInfo:
    """The organisation's time zone; the installation's before there is one."""
    return current.zone()


def edition_worked_to() -> str:
    """The edition the organisation works to, as this page has read it."""
    return current.edition()


# Sites


@creates(Site, permission="scope.add_site")
def add_site(
    *, by: Person, name: str, address: str = "", headcount: int = 0, shifts: int = 1
) -> Site:
    """A place where the organisation works."""
    if not name.strip():
        raise Refused("Give the site a name.", field="name")
    if Site.objects.filter(name__iexact=name.strip()).exists():
        raise Refused(f"There is a site {name.strip()} already.", field="name")
    site = Site(
        name=name.strip(), address=address, headcount=headcount, shifts=shifts, created_by=by
    )
    site.save()
    return site


@transition(
    Site,
    source=Site.Status.ACTIVE,
    target=Site.Status.CLOSED,
    permission="scope.change_site",
    guards=[no_process_runs_here],
    reason=True,
    label="Close the site",
    primary=False,
)
def close_site(site: Site, *, by: Any) -> None:
    """Close the site; its records stay."""


@transition(
    Site,
    source=Site.Status.CLOSED,
    target=Site.Status.ACTIVE,
    permission="scope.change_site",
    reason=True,
    label="Reopen",
)
def reopen_site(site: Site, *, by: Any) -> None:
    """Open the site again."""


SITE_FIELDS = ("name", "address", "headcount", "shifts")
editing_site = amendment(
    Site,
    permission="scope.change_site",
    fields=SITE_FIELDS,
    states=(Site.Status.ACTIVE,),
)


# Closed times


@creates(ClosedTime, permission="scope.change_site")
def close_for(
    *, by: Person, starts_on: date, ends_on: date, why: str, site: Site | None = None
) -> ClosedTime:
    """Nothing is planned from a day to a day, at one site or everywhere."""
    time = ClosedTime(site=site, starts_on=starts_on, ends_on=ends_on, why=why, created_by=by)
    if told := is_a_time(time, {}):
        raise Refused(told, field="ends_on")
    time.save()
    return time


def is_a_time(time: ClosedTime, changed: Mapping[str, Any]) -> str | None:
    start, end = (changed.get(name, getattr(time, name)) for name in ("starts_on", "ends_on"))
    if end < start:
        return "The last day does not lie before the first."
    if (end - start).days > LONGEST_CLOSED:
        return f"At most {LONGEST_CLOSED} days at a time. Close the site if it stays shut."
    return None


editing_closed_time = amendment(
    ClosedTime,
    permission="scope.change_site",
    fields=("site", "starts_on", "ends_on", "why", "taken_back"),
    checks=[is_a_time],
)


@contributions.tells_days
def days_of_organisation(name: str) -> int | None:
    """One of the usual times, for chapters that know nothing of the organisation."""
    organisation = Organisation.objects.current()
    return int(getattr(organisation, name)) if organisation else None
