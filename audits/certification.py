"""The dates of a certification cycle, as bodies have to reckon them (ISO/IEC 17021-1).

The printed date of a certificate is taken as it is and never computed. Two rules of surveillance
stand beside each other: the first within twelve months of the initial decision, and one in each
calendar year but the year of recertification (9.1.3.3). Which of them a visit serves, and what is
left, is said here; whether somebody keeps the certificate is the body's decision alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from qms.periods import Period, add_months
from qms.refusals import Refused

FIRST_SURVEILLANCE_MONTHS = 12  # 9.1.3.3
RESTORATION_MONTHS = 6  # 9.6.3.2.5
SUSPENSION_MONTHS = 6  # 9.6.5, as a rule
MAJOR_AFTER_STAGE2_MONTHS = 6  # 9.5.3.2
MOST_YEARS = 3
AGREE_MONTHS = 3  # before a surveillance is due; our own practice, too
PREPARE_MONTHS = 4  # before expiry; our own practice, so that majors can still be verified


class Rule(StrEnum):
    """Where a duty of the cycle comes from."""

    FIRST_YEAR = "first_year"
    CALENDAR_YEAR = "calendar_year"
    RECERTIFICATION = "recertification"


@dataclass(frozen=True)
class Cycle:
    """What is printed: when it was decided, and the last day it is valid through."""

    decided_on: date
    expires_on: date
    is_initial: bool = True

    @property
    def restorable_until(self) -> date:
        """The last day on which an expired certificate may be restored without a stage 2."""
        return add_months(self.expires_on, RESTORATION_MONTHS)


@dataclass(frozen=True)
class Visit:
    """A visit of the body that took place: its kind, and its last day."""

    kind: str
    done_on: date


@dataclass(frozen=True)
class Duty:
    """What has to be done within a window of days, by which rule; `met_on` when it was."""

    kind: str
    rule: Rule
    window: Period
    met_on: date | None = None

    @property
    def due_on(self) -> date:
        return self.window.end

    @property
    def was_late(self) -> bool:
        return self.met_on is not None and self.met_on > self.due_on

    def is_missed(self, today: date) -> bool:
        """Whether its window passed without it; on the last day it is not yet missed."""
        return self.met_on is None and today > self.due_on

    @property
    def words(self) -> str:
        """What is due, in a sentence."""
        if self.rule == Rule.FIRST_YEAR:
            return (
                f"The first surveillance is due by {self.due_on:%-d %B %Y}, "
                f"{FIRST_SURVEILLANCE_MONTHS} months after the decision."
            )
        if self.rule == Rule.CALENDAR_YEAR:
            return f"A surveillance is due in {self.due_on.year}, as in each calendar year."
        after = self.due_on + timedelta(days=1)
        return (
            f"The recertification is decided before {after:%-d %B %Y}, or the certificate expires."
        )


def duties(cycle: Cycle, visits: Sequence[Visit] = ()) -> list[Duty]:
    """Every duty in order of its last day, each met by the first visit that serves it."""
    found = sorted(_duties(cycle), key=lambda duty: (duty.due_on, duty.rule))
    return [replace(duty, met_on=_met(duty, cycle, visits)) for duty in found]


def _duties(cycle: Cycle) -> Iterator[Duty]:
    if cycle.is_initial:
        end = add_months(cycle.decided_on, FIRST_SURVEILLANCE_MONTHS)
        yield Duty("surveillance", Rule.FIRST_YEAR, Period(cycle.decided_on, end))
    for year in range(cycle.decided_on.year + 1, cycle.expires_on.year):
        yield Duty("surveillance", Rule.CALENDAR_YEAR, Period.year(year))
    opens = max(cycle.decided_on, add_months(cycle.expires_on, -PREPARE_MONTHS))
    before = max(opens, cycle.expires_on - timedelta(days=1))
    yield Duty("recertification", Rule.RECERTIFICATION, Period(opens, before))


def _met(duty: Duty, cycle: Cycle, visits: Sequence[Visit]) -> date | None:
    """When it was met; the first surveillance and a recertification count even when late."""
    days = sorted(v.done_on for v in visits if v.kind == duty.kind and v.done_on > cycle.decided_on)
    if duty.rule == Rule.CALENDAR_YEAR:
        days = [day for day in days if day in duty.window]
    return days[0] if days else None


@dataclass(frozen=True)
class Suspension:
    """A time in which the certificate is not valid, for the while; open without an end."""

    began_on: date
    ended_on: date | None = None

    @property
    def ends_by(self) -> date:
        """When the body has to decide on withdrawal or a smaller scope, as a rule."""
        return add_months(self.began_on, SUSPENSION_MONTHS)

    def holds_on(self, day: date) -> bool:
        return self.began_on <= day and (self.ended_on is None or day < self.ended_on)


class Standing(StrEnum):
    """How a certificate stands on a day."""

    NOT_YET = "not_yet"
    VALID = "valid"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    RESTORABLE = "restorable"


def standing(cycle: Cycle, on: date, suspensions: Sequence[Suspension] = ()) -> Standing:
    """How it stands on a day: valid through the printed date, restorable for six months after.

    A suspension does not move the printed date.
    """
    if on < cycle.decided_on:
        return Standing.NOT_YET
    if on > cycle.restorable_until:
        return Standing.EXPIRED
    if on > cycle.expires_on:
        return Standing.RESTORABLE
    if any(each.holds_on(on) for each in suspensions):
        return Standing.SUSPENDED
    return Standing.VALID


def check_dates(decided_on: date, issued_on: date, expires_on: date) -> None:
    """Refuse dates that no certificate can bear."""
    if issued_on < decided_on:
        raise Refused(
            "A certificate is not issued before it was decided on. Compare both days with it.",
            field="issued_on",
        )
    if expires_on <= issued_on:
        raise Refused(
            "A certificate is valid beyond the day it was issued. Type the last day it is valid"
            " through, as printed on it.",
            field="expires_on",
        )


def looks_odd(cycle: Cycle, previous_expiry: date | None = None) -> str:
    """A sentence about printed dates worth a second look; empty when they are as usual."""
    base = cycle.decided_on
    if previous_expiry is not None and base <= add_months(previous_expiry, RESTORATION_MONTHS):
        base = max(base, previous_expiry)
    usual = add_months(base, 12 * MOST_YEARS)
    if cycle.expires_on > usual:
        return (
            f"It is valid for more than {MOST_YEARS} years; usually it would be through "
            f"{usual:%-d %B %Y}. Compare it with the printed certificate."
        )
    return ""


def major_due_on(last_day_of_stage2: date) -> date:
    """Until when a major nonconformity of a stage 2 is verified, or another stage 2 is needed."""
    return add_months(last_day_of_stage2, MAJOR_AFTER_STAGE2_MONTHS)
