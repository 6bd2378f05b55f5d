"""What the context gives the pack, readiness and the management review (ISO 9001 4.1, 4.2, 9.3.2).

As of any day, and what changed in a period, both come from the history.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from qms import contributions
from qms.contributions import Line
from qms.periods import Period, day_of, start_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves
from qms.scope import yearly
from qms.scope.models import (
    ClimateDecision,
    InterestedParty,
    Issue,
    PartyRequirement,
    Requirement,
)


def _live(model: Any, as_of: datetime) -> list[Any]:
    rows = as_it_was(model, as_of).filter(status=model.first_state())
    return list(rows.order_by("id"))


def _until(period: Period, as_of: datetime) -> datetime:
    """The earlier of the period's end and the instant of the pack."""
    return min(as_of, start_of(period.end + timedelta(days=1)))


@contributions.evidence(
    folder="02-context-scope",
    title="Context and interested parties",
    clauses=("4.1", "4.2"),
    template="scope/evidence/context.html",
    order=10,
)
def context_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """Issues, parties with what they require, the climate decision, and what changed."""
    at = _until(period, as_of)
    needs: dict[int, list[Any]] = {}
    for need in _live(PartyRequirement, at):
        needs.setdefault(need.party_id, []).append(need)
    return {
        "issues": _live(Issue, at),
        "parties": [(party, needs.get(party.id, [])) for party in _live(InterestedParty, at)],
        "climate": as_it_was(ClimateDecision, at).filter(status="in_force").first(),
        "deltas": yearly.in_context(period.start, period.end),
    }


@contributions.register(
    name="requirements",
    title="Statutory, regulatory and customer requirements",
    columns=("Number", "Requirement", "Kind", "Source", "How met", "Owner", "Look again", "State"),
)
def requirement_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a requirement."""
    for each in Requirement.objects.select_related("owner").order_by("number"):
        yield (
            each.number,
            each.what,
            each.get_kind_display(),
            each.source,
            each.how_met,
            each.owner.name,
            each.review_on,
            each.get_status_display(),
        )


@contributions.register(
    name="issues",
    title="Internal and external issues",
    columns=(
        "Issue",
        "Kind",
        "Category",
        "Why it matters",
        "Effect",
        "Owner",
        "Looked at",
        "State",
    ),
)
def issue_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an issue."""
    for each in Issue.objects.select_related("owner").order_by("pk"):
        yield (
            each.what,
            each.get_kind_display(),
            each.get_category_display(),
            each.why,
            each.effect,
            each.owner.name,
            each.reviewed_on,
            each.get_status_display(),
        )


@contributions.register(
    name="interested-parties",
    title="Interested parties and what they require",
    columns=("Party", "Kind", "Requirement", "Taken up", "How or why not", "Climate", "State"),
)
def party_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a requirement of a party."""
    rows = PartyRequirement.objects.select_related("party").order_by("party__name", "pk")
    for each in rows:
        yield (
            each.party.name,
            each.party.get_kind_display(),
            each.what,
            each.get_addressed_display(),
            each.how,
            each.about_climate,
            each.get_status_display(),
        )


# The management review


def _moved(kinds: Iterable[type[Any]], period: Period, url: str) -> list[Line]:
    lines, before = [], period.previous()
    for kind in kinds:
        now = yearly.between(kind, period.start, period.end)
        then = yearly.between(kind, before.start, before.end)
        if now.now or now.gone or then.now:
            name = now.kind.capitalize()
            lines.append(Line(name, _in_words(now), _in_words(then), url=url))
        lines += [Line(f"New: {each.title}", "", url=each.url) for each in now.added]
        lines += [Line(f"Changed: {each.title}", each.reason, url=each.url) for each in now.changed]
        lines += [Line(f"Closed: {each.title}", each.reason, url=each.url) for each in now.gone]
    return lines


def _in_words(delta: yearly.Delta) -> str:
    return (
        f"{delta.now}; {len(delta.added)} new, {len(delta.changed)} changed,"
        f" {len(delta.gone)} closed, {delta.looked_at} looked at again"
    )


@contributions.review_input(key="b", title="Changes in external and internal issues", order=10)
def changed_issues(period: Period) -> list[Line]:
    """Issues that came, changed or went, and the climate decision at the end of the period."""
    lines = _moved((Issue, Requirement), period, "/scope/context/")
    now, then = yearly.climate(period.end), yearly.climate(period.start)
    if now is not None:
        before = _climate(then) if then is not None else "not decided"
        lines.append(Line("Climate change", _climate(now), before, url="/scope/climate/"))
    return lines


def _climate(row: Any) -> str:
    return "relevant" if row.relevant else "not relevant"


@contributions.review_input(key="parties", title="Needs of interested parties", order=10)
def changed_needs(period: Period) -> list[Line]:
    """Parties and requirements that came, changed or went in the period."""
    return _moved((InterestedParty, PartyRequirement), period, "/scope/parties/")


# Readiness


@proves()
def context_proves(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What was written of the context, the climate decision, and what should be looked at again."""
    day = day_of(as_of)
    issues, parties = _live(Issue, as_of), _live(InterestedParty, as_of)
    needs, requirements = _live(PartyRequirement, as_of), _live(Requirement, as_of)
    return {
        "4.1": counted(
            "issues kept current", Issue, issues, _issue, _issue_gaps(issues, as_of, day)
        ),
        "4.2": counted(
            "interested parties with their requirements",
            InterestedParty,
            [row for row in parties if any(need.party_id == row.id for need in needs)],
            _party,
            _party_gaps(parties, needs, day),
        ),
        "8.2.2": counted(
            "requirements registered",
            Requirement,
            requirements,
            _requirement,
            _late(Requirement, requirements, day, "number"),
        ),
    }


def _issue(row: Any) -> tuple[str, date | None]:
    return row.what, row.reviewed_on


def _party(row: Any) -> tuple[str, date | None]:
    return row.name, row.reviewed_on


def _requirement(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.what}", row.reviewed_on


def _issue_gaps(issues: list[Any], as_of: datetime, day: date) -> Iterable[Blocker]:
    if not issues:
        yield Blocker("No issue is written down.", reverse("scope:issue_create"), "Write one")
    if not as_it_was(ClimateDecision, as_of).filter(status="in_force").exists():
        yield Blocker(
            "Nobody has decided whether climate change is a relevant issue.",
            reverse("scope:climate_create"),
            "Decide",
        )
    yield from _late(Issue, issues, day, "what")


def _party_gaps(parties: list[Any], needs: list[Any], day: date) -> Iterable[Blocker]:
    if not parties:
        url = reverse("scope:party_create")
        yield Blocker("No interested party is written down.", url, "Write one")
    told = {need.party_id for need in needs}
    for row in parties:
        if row.id not in told:
            record = InterestedParty(pk=row.id)
            yield Blocker(
                f"Nothing is written of what {row.name} require.",
                record.get_absolute_url(),
                "Write it",
                of=record,
            )
    undecided = sum(need.addressed == "open" for need in needs)
    if undecided:
        plural = "requirements of parties are" if undecided > 1 else "requirement of a party is"
        yield Blocker(
            f"{undecided} {plural} not decided: taken up, or not, and why.",
            f"{reverse('scope:need_list')}?addressed=open",
            "Decide",
        )
    yield from _late(InterestedParty, parties, day, "name")


def _late(model: Any, rows: list[Any], day: date, name: str) -> Iterable[Blocker]:
    """What should have been looked at again by then."""
    for row in rows:
        if row.review_on < day:
            record = model(pk=row.id)
            yield Blocker(
                f"{getattr(row, name)} was to be looked at again by {row.review_on:%-d %B %Y}.",
                record.get_absolute_url(),
                "Look at it",
                of=record,
            )
