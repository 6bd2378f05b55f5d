"""The procedure of an analysis: drafted for a period, concluded by signature, kept (9.1.3)."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied

from objectives.analysing import figures_of
from objectives.models import Analysis
from qms import contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.contributions import Step
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

Status = Analysis.Status
CONCLUDE_WITHIN = 28  # days after the period


def only_who_analyses(analysis: Analysis, by: Any) -> str | None:
    """Its owner, the owner of the process, and who keeps or leads the system."""
    process = analysis.process
    owners = {analysis.owner_id, process.owner_id if process else None}
    if by.pk in owners or by.holds("quality_manager", "top_management"):
        return None
    return "Only the owner of an analysis, of its process or the quality manager does this."


def period_is_over(analysis: Analysis, by: Any) -> str | None:
    if analysis.period_end < today():
        return None
    return f"Its period runs until {analysis.period_end:%-d %B %Y}; conclude it then."


def something_is_concluded(analysis: Analysis, by: Any) -> str | None:
    if not analysis.conclusions.strip():
        return "Say what the figures show."
    if not analysis.decisions.strip():
        return "Say what is decided, or that nothing is needed and why."
    return None


@creates(Analysis, permission="objectives.add_analysis")
def begin_analysis(
    *,
    by: Person,
    period_start: date,
    period_end: date,
    process: Process | None = None,
    owner: Person | None = None,
    title: str = "",
    conclusions: str = "",
    decisions: str = "",
) -> Analysis:
    """Begin to look at a period; one draft or conclusion for each period of a process."""
    same = Analysis.objects.exclude(status=Status.VOID).filter(
        process=process, period_start=period_start, period_end=period_end
    )
    if (known := same.first()) is not None:
        raise Refused(f"{known.number} looks at these days already.", field="period_end")
    about = process.name if process else "The whole system"
    analysis = Analysis(
        title=title.strip() or f"{about}, {period_start:%b %Y} to {period_end:%b %Y}"[:200],
        process=process,
        period_start=period_start,
        period_end=period_end,
        owner=owner or (process.owner if process and process.owner else by),
        conclusions=conclusions.strip(),
        decisions=decisions.strip(),
        created_by=by,
    )
    analysis.check_period()
    analysis.save()
    return analysis


def plan_action_of(
    analysis: Analysis, *, by: Person, title: str, owner: Person, due: date, description: str = ""
) -> Action:
    """Something it decides that somebody promises by a day."""
    if why := only_who_analyses(analysis, by):
        raise PermissionDenied(why)
    if analysis.status == Status.VOID:
        raise Refused("It is void, so nothing is planned from it.")
    return actions.plan_action(
        by=by,
        title=title,
        owner=owner,
        due=due,
        description=description,
        origin=analysis,
        kind=Action.Kind.IMPROVEMENT,
    )


@transition(
    Analysis,
    source=Status.DRAFT,
    target=Status.CONCLUDED,
    permission="objectives.conclude_analysis",
    only=only_who_analyses,
    guards=[period_is_over, something_is_concluded],
    signs="Concluded",
    label="Conclude",
)
def conclude_analysis(analysis: Analysis, *, by: Any) -> None:
    """Keep the figures as they stand now, and sign what they show and what is decided."""
    analysis.figures = figures_of(analysis.process, analysis.period, today())
    analysis.concluded_by, analysis.concluded_on = by, today()


void_analysis = voids(Analysis, source=Status.DRAFT, permission="objectives.void_analysis")

editing_analysis = amendment(
    Analysis,
    permission="objectives.change_analysis",
    fields=("title", "period_start", "period_end", "owner", "conclusions", "decisions"),
    only=only_who_analyses,
    states=[Status.DRAFT],
)


@contributions.work(Analysis)
def conclude_it(analysis: Analysis) -> list[Step]:
    """The owner concludes it within four weeks after its period."""
    if analysis.is_settled:
        return []
    why = something_is_concluded(analysis, None) or ""
    due = analysis.period_end + timedelta(days=CONCLUDE_WITHIN)
    if not analysis.owner.is_active:
        return [Step("conclude", "Conclude", role="quality_manager", due=due, obstacle=why)]
    return [Step("conclude", "Conclude", person=analysis.owner, due=due, obstacle=why)]


@contributions.hand_over("Analyses", order=47)
def analyses_of(person: Any) -> list[contributions.Holding]:
    """Analyses somebody has begun to answer for."""
    rows = Analysis.objects.filter(owner=person, status=Status.DRAFT).order_by("number")
    return contributions.held(rows, "owner", permission="objectives.conclude_analysis")
