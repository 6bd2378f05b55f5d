"""The cycle of a certificate as its records stand: what is due, what met it, what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from audits.certification import (
    Cycle,
    Duty,
    Rule,
    Standing,
    Suspension,
    Visit,
    duties,
    looks_odd,
    standing,
)
from audits.models import Certificate, CertificationAudit
from qms.periods import Period

NO_LONGER = ("withdrawn", "transferred")


@dataclass(frozen=True)
class Due:
    """A duty of the cycle, with the visit that met it or is planned for it."""

    duty: Duty
    visit: CertificationAudit | None
    word: str
    tone: str


@dataclass(frozen=True)
class Course:
    """What the page of a certificate says of its cycle."""

    cycle: Cycle
    due: list[Due]
    standing: str
    tone: str
    hints: list[str]


def cycle_of(certificate: Certificate) -> Cycle | None:
    """Its printed days; None while there are none."""
    if certificate.decided_on is None or certificate.expires_on is None:
        return None
    first = certificate.predecessor_id is None and certificate.cycle == 1
    return Cycle(certificate.decided_on, certificate.expires_on, is_initial=first)


def visits_of(certificate: Certificate) -> list[CertificationAudit]:
    """The visits of its cycle in order, without void ones."""
    rows = certificate.visits.exclude(status=CertificationAudit.Status.VOID)
    return list(rows.order_by("planned_on", "pk"))


def duties_of(certificate: Certificate, visits: Sequence[CertificationAudit]) -> list[Duty]:
    """The duties of its cycle; the recertification is met by the decision of the next cycle."""
    cycle = cycle_of(certificate)
    if cycle is None:
        return []
    done = [Visit(v.kind, v.done_on) for v in visits if v.done_on and v.kind == "surveillance"]
    following = certificate.successors.exclude(decided_on=None).order_by("decided_on").first()
    if following is not None and following.decided_on:
        done.append(Visit("recertification", following.decided_on))
    return duties(cycle, done)


def planned_for(duty: Duty, visits: Sequence[CertificationAudit]) -> CertificationAudit | None:
    """The first planned visit within the window of a duty."""
    waiting = (v for v in visits if v.status == "planned" and v.kind == duty.kind)
    return next((v for v in waiting if v.planned_on in duty.window), None)


def next_to_agree(certificate: Certificate) -> Duty | None:
    """The next surveillance for which no visit is planned; one that was overtaken is let go."""
    visits = visits_of(certificate)
    last = max((v.done_on for v in visits if v.done_on), default=date.min)
    left = (
        each
        for each in duties_of(certificate, visits)
        if each.kind == "surveillance" and each.met_on is None and each.due_on >= last
    )
    return next((each for each in left if planned_for(each, visits) is None), None)


def course_of(
    certificate: Certificate, visits: Sequence[CertificationAudit], today: date
) -> Course | None:
    """Everything the page says of the cycle on a day."""
    cycle = cycle_of(certificate)
    if cycle is None:
        return None
    found = duties_of(certificate, visits)
    upcoming = next((d for d in found if d.met_on is None and not d.is_missed(today)), None)
    ended = certificate.status in NO_LONGER
    due = [_due(each, visits, today, each is upcoming, ended) for each in found]
    words, tone = _standing(certificate, cycle, today)
    return Course(cycle, due, words, tone, hints_of(certificate, cycle))


def _due(
    duty: Duty, visits: Sequence[CertificationAudit], today: date, is_next: bool, ended: bool
) -> Due:
    """How a duty stands on a day, in a word."""
    if duty.met_on is not None:
        visit = next(
            (v for v in visits if v.kind == duty.kind and v.done_on == duty.met_on),
            None,
        )
        if visit is None and duty.rule == Rule.RECERTIFICATION:
            visit = _last_recertification(visits)
        return Due(duty, visit, *(("Met late", "soon") if duty.was_late else ("Met", "fine")))
    if ended:
        return Due(duty, None, "No longer due", "void")
    if duty.is_missed(today):
        return Due(duty, None, "Missed", "late")
    if duty.rule == Rule.RECERTIFICATION and (done := _last_recertification(visits)):
        return Due(duty, done, "Decision awaited", "soon")
    if planned := planned_for(duty, visits):
        return Due(duty, planned, "Visit planned", "info")
    return Due(duty, None, *(("Next", "soon") if is_next else ("Later", "")))


def _last_recertification(visits: Sequence[CertificationAudit]) -> CertificationAudit | None:
    done = [v for v in visits if v.kind == "recertification" and v.done_on]
    return done[-1] if done else None


def _standing(certificate: Certificate, cycle: Cycle, today: date) -> tuple[str, str]:
    """Whether it may be relied on, in a sentence, with a tone."""
    if certificate.status == "withdrawn":
        return "It was withdrawn and is not valid.", "late"
    if certificate.status == "transferred":
        day = f"{certificate.transferred_on:%-d %B %Y}"
        return f"{certificate.transferred_to} took it over on {day}.", ""
    times = [Suspension(s.began_on, s.ended_on) for s in certificate.suspensions.all()]
    end = next((each.ends_by for each in times if each.holds_on(today)), cycle.expires_on)
    restorable = f"{cycle.restorable_until:%-d %B %Y}"
    return {
        Standing.NOT_YET: (f"It is valid from {cycle.decided_on:%-d %B %Y}.", ""),
        Standing.VALID: (f"It is valid through {cycle.expires_on:%-d %B %Y}.", "fine"),
        Standing.SUSPENDED: (
            "It is not valid while it is suspended. The certification body decides, as a rule by"
            f" {end:%-d %B %Y}, whether it is restored, reduced or withdrawn.",
            "late",
        ),
        Standing.RESTORABLE: (
            f"It has expired. It can be restored until {restorable} if what is left of the"
            " recertification is completed by then.",
            "late",
        ),
        Standing.EXPIRED: (
            f"It has expired, and could be restored until {restorable}. A stage 2 is needed.",
            "late",
        ),
    }[standing(cycle, today, times)]


def hints_of(certificate: Certificate, cycle: Cycle) -> list[str]:
    """Printed days that are worth a second look; nothing is blocked by them."""
    before = certificate.predecessor
    found = [looks_odd(cycle, before.expires_on if before else None)]
    ends = settings.EDITION_2015_ENDS_ON
    if certificate.edition == "2015" and cycle.expires_on > ends:
        found.append(
            f"It names the 2015 edition, which ends on {ends:%-d %B %Y}, and is printed valid"
            " beyond. Confirm with your certification body what holds."
        )
    return [each for each in found if each]


def transition_window(certificate: Certificate) -> Period | None:
    """From when no first certificate names the 2015 edition, and when it ends; None for 2026."""
    if certificate.edition != "2015":
        return None
    return Period(settings.EDITION_2015_NO_FIRST_FROM, settings.EDITION_2015_ENDS_ON)
