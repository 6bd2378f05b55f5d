"""What risks and opportunities give the pack, readiness and the management review (6.1, 9.3.2)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from qms import contributions
from qms.actions.models import Action
from qms.contributions import Line
from qms.periods import Period, day_of, start_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves
from qms.risks import overview
from qms.risks.models import Opportunity, Outlook, Risk, level_of

KINDS: tuple[type[Outlook], ...] = (Risk, Opportunity)


def _open(kind: Any, at: datetime) -> list[Any]:
    """The history rows of what was open at an instant, the highest first."""
    rows = as_it_was(kind, at).exclude(status="closed").select_related("owner", "process")
    return sorted(rows, key=lambda row: (-(row.score or 0), row.number))


@contributions.evidence(
    folder="04-risks-objectives",
    title="Risks and opportunities",
    clauses=("6.1", "6.1.1", "6.1.2"),
    template="risks/evidence/outlook.html",
    order=10,
)
def outlook_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """What was open at the end of the period, by level, and how the levels moved."""
    at = min(as_of, start_of(period.end + timedelta(days=1)))
    return {
        "kinds": [
            (
                str(kind._meta.verbose_name_plural).capitalize(),
                [(row, _level(kind, row.score)) for row in _open(kind, at)],
                overview.levels_at(kind, period.start),
                overview.levels_at(kind, period.end),
                kind.LEVELS,
            )
            for kind in KINDS
        ]
    }


def _level(kind: type[Outlook], score: int | None) -> str:
    return "not evaluated" if score is None else kind.LEVELS[level_of(score)].lower()


def _rows(kind: type[Outlook]) -> Iterable[tuple[Any, ...]]:
    rows: Any = kind._default_manager.select_related("owner", "process", "judged_by")
    for each in rows.order_by("number"):
        yield (
            each.number,
            each.title,
            each.process.code if each.process else "",
            each.owner.name,
            each.first,
            each.second,
            each.score,
            each.level,
            each.get_decision_display(),
            each.because,
            each.verdict,
            each.judged_by.name if each.judged_by else "",
            each.review_on,
            each.get_status_display(),
        )


_SHARED = (
    "Score",
    "Level",
    "Decision",
    "Why",
    "Effectiveness decision",
    "Judged by",
    "Look again",
    "State",
)


@contributions.register(
    name="risks",
    title="Risks",
    columns=("Number", "Risk", "Process", "Owner", "Likelihood", "Consequence", *_SHARED),
)
def risk_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a risk."""
    return _rows(Risk)


@contributions.register(
    name="opportunities",
    title="Opportunities",
    columns=("Number", "Opportunity", "Process", "Owner", "Benefit", "Feasibility", *_SHARED),
)
def opportunity_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an opportunity."""
    return _rows(Opportunity)


# The management review: risks and opportunities each on their own


def _input(kind: type[Outlook], period: Period) -> list[Line]:
    """Open by level, what was judged effective, and how its actions went; before and now."""
    before = period.previous()
    url = reverse(f"risks:{kind._meta.model_name}_list")
    now, then = overview.levels_at(kind, period.end), overview.levels_at(kind, before.end)
    name = str(kind._meta.verbose_name_plural).capitalize()
    moved, moved_then = overview.movement(kind, period), overview.movement(kind, before)
    if not any((*now, *then, *moved.values(), *moved_then.values())):
        return []
    levels = zip(kind.LEVELS, now, then, strict=True)
    lines = [Line(f"{name}, {word.lower()}", str(a), str(b), url=url) for word, a, b in levels]
    words = {
        "identified": "newly identified",
        "effective": "treated effectively",
        "closed": "closed",
    }
    lines += [
        Line(f"{name} {words[key]}", str(moved[key]), str(moved_then[key]), url=url)
        for key in words
    ]
    done, late = _actions(kind, period), _actions(kind, before)
    return [*lines, Line(f"{name}: actions done, of those due", done, late, url="/actions/")]


def _actions(kind: type[Outlook], period: Period) -> str:
    rows = Action.objects.filter(
        origin_type__app_label="risks",
        origin_type__model=kind._meta.model_name,
        due__range=(period.start, period.end),
    ).exclude(status=Action.Status.VOID)
    done = rows.filter(done_on__isnull=False).count()
    return f"{done} of {rows.count()}"


@contributions.review_input(key="e", title="Effectiveness of actions on risks", order=10)
def actions_on_risks(period: Period) -> list[Line]:
    """Whether what was done about risks worked."""
    return _input(Risk, period)


@contributions.review_input(key="e", title="Effectiveness of actions on opportunities", order=20)
def actions_on_opportunities(period: Period) -> list[Line]:
    """Whether what was made of opportunities paid."""
    return _input(Opportunity, period)


# Readiness


@proves()
def outlook_proves(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """Risks and opportunities that were open, each kind with its own clause where it has one."""
    risks, opportunities = _open(Risk, as_of), _open(Opportunity, as_of)
    day = day_of(as_of)
    told = counted("risks looked after", Risk, risks, _named, _gaps(Risk, risks, day))
    pursued = counted(
        "opportunities looked after",
        Opportunity,
        opportunities,
        _named,
        _gaps(Opportunity, opportunities, day),
    )
    if edition == "2015":
        both = Proofs(
            "risks and opportunities looked after",
            told.count + pursued.count,
            (*told.examples[:2], *pursued.examples[:1]),
            (*told.blockers, *pursued.blockers),
        )
        return {"6.1.1": both, "6.1.2": both}
    return {"6.1.1": told, "6.1.2": told, "6.1.3": pursued}


def _named(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.evaluated_on


def _gaps(kind: Any, rows: list[Any], day: date) -> Iterable[Blocker]:
    name = str(kind._meta.verbose_name)
    if not rows:
        url = reverse(f"risks:{kind._meta.model_name}_create")
        yield Blocker(f"No {name} is written down.", url, "Write one")
    for row in rows:
        if why := _why_late(row, day):
            record = kind(pk=row.id)
            yield Blocker(
                f"{row.number} {row.title} {why}.", record.get_absolute_url(), "Open", of=record
            )


def _why_late(row: Any, day: date) -> str:
    if row.review_on < day:
        return f"was to be looked at again by {row.review_on:%-d %B %Y}"
    if row.status == "evaluated" and row.score is not None and level_of(row.score) == 2:
        return "stands high, and nobody has decided what is done about it"
    return ""
