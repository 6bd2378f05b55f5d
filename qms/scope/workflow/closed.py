"""Days on which nothing is planned: public holidays, and when a site or everything is shut."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from qms.periods import Period
from qms.scope.models import ClosedTime, Organisation


@dataclass(frozen=True)
class ClosedDays:
    """The days shut everywhere, and those of single sites by their key, without the former."""

    everywhere: frozenset[date]
    sites: dict[int, frozenset[date]] = field(default_factory=dict)

    def at(self, site_id: int | None) -> frozenset[date]:
        """The days on which nothing is planned at a site; None asks for everywhere."""
        if site_id is None:
            return self.everywhere
        return self.everywhere | self.sites.get(site_id, frozenset())


def regions_of(country: str) -> frozenset[str]:
    """The codes of a country's provinces, states or nations."""
    from holidays import list_supported_countries  # here: pages without a calendar need none of it

    return frozenset(list_supported_countries().get(country, ()))


def public_holidays(period: Period, country: str, region: str = "") -> dict[date, str]:
    """The public holidays within a period, with their names.

    Days moved to a weekday are told as such; a region adds its own.
    """
    from holidays import country_holidays

    years = range(period.start.year, period.end.year + 1)
    found = country_holidays(country, subdiv=region or None, years=years)
    return {day: name for day, name in sorted(found.items()) if day in period}


def closed_days(period: Period) -> ClosedDays:
    """Every day within a period on which nothing is planned, everywhere and at single sites."""
    organisation = Organisation.objects.current()
    everywhere: set[date] = set()
    if organisation is not None:
        everywhere |= set(public_holidays(period, organisation.country, organisation.region))
    sites: defaultdict[int, set[date]] = defaultdict(set)
    for each in ClosedTime.objects.within(period.start, period.end):
        start, end = max(each.starts_on, period.start), min(each.ends_on, period.end)
        days = {start + timedelta(days=n) for n in range((end - start).days + 1)}
        if each.site_id is None:
            everywhere |= days
        else:
            sites[each.site_id] |= days
    only = {site: frozenset(days - everywhere) for site, days in sites.items()}
    return ClosedDays(frozenset(everywhere), only)


LOOK_AHEAD = 120  # days; what is shut longer counts as open again


def working_days_after(start: date, count: int, site_id: int | None = None) -> date:
    """The day so many working days after a day: no weekend, no holiday, no closed day there."""
    closed = closed_days(Period(start, start + timedelta(days=3 * count + LOOK_AHEAD))).at(site_id)
    day = start
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and day not in closed
    return day
