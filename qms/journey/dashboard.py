"""What the frame, the search and the journey itself get from the start: steps 1, 2, 3 and 6.

The ground's chapters below the journey know nothing of it, so their milestones stand here.
"""

from datetime import date
from typing import Any

from qms import clauses, contributions
from qms.actions.models import Action
from qms.contributions import Hit, Milestone, Need
from qms.gap.models import Assessment
from qms.gap.workflow import gaps_without_action
from qms.journey import catalogue
from qms.journey.models import Briefing, OpeningAnswer, PrincipleAnswer, Project, guide
from qms.journey.workflow import opening_lines
from qms.people.models import Person
from qms.periods import Period
from qms.scope.models import Organisation, Process, ScopeStatement, Site
from qms.scope.workflow import edition_worked_to

contributions.navigation(
    "", "Journey", "journey:journey", icon="route", permission="journey.view_project", order=4
)
contributions.navigation(
    "Plan",
    "Clauses",
    "journey:clauses",
    icon="book",
    permission="journey.view_project",
    order=5,
)


@contributions.search("Clauses", order=90)
def find_clauses(person: Any, query: str, limit: int) -> list[Hit]:
    """Clauses of the edition worked to, by number or word."""
    edition = edition_worked_to()
    found, _meant = catalogue.find(query, edition)
    return [
        Hit(
            each.title,
            "Clause",
            each.number,
            f"/clauses/{edition}/{each.number}/",
            clauses.standard(edition),
        )
        for each in found[:limit]
    ]


@contributions.states_needs
def services_named_at_the_start() -> list[Need]:
    """The products and services of the opening questions: what a scope should answer to."""
    return [
        Need(line, "opening questions", "/journey/opening/") for line in opening_lines("services")
    ]


# --- the milestones of the ground ---------------------------------------------------------------


def _words(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}."


@contributions.journey_step(1, order=10)
def understanding(day: date) -> list[Milestone]:
    """The go-ahead, the opening questions, the principles."""
    asked = {each.key for each in guide.questions() if each.required}
    answered = set(OpeningAnswer.objects.values_list("question", flat=True))
    lived = PrincipleAnswer.objects.count()
    wanted = sum(len(each.questions) for each in guide.principles())
    briefing = Briefing.objects.go_ahead().order_by("held_on", "pk").first()
    draft = Briefing.objects.filter(status=Briefing.Status.DRAFT).order_by("-pk").first()
    return [
        Milestone(
            "Opening questions answered",
            asked <= answered,
            f"{len(answered)} of {len(guide.questions())}.",
            "/journey/opening/edit/" if not asked <= answered else "/journey/opening/",
            "Answer them",
            started=bool(answered),
        ),
        Milestone(
            "Go-ahead of top management",
            briefing is not None,
            f"Signed on {briefing.signed_on:%-d %B %Y}." if briefing and briefing.signed_on else "",
            (briefing or draft).get_absolute_url()  # type: ignore[union-attr]
            if briefing or draft
            else "/journey/briefings/new/",
            "Sign the briefing" if draft else "Record the briefing",
            started=draft is not None,
        ),
        Milestone(
            "How we live the seven principles",
            lived >= wanted,
            f"{lived} of {wanted} questions.",
            "/journey/principles/",
            "Answer them",
            started=lived > 0,
        ),
    ]


@contributions.journey_step(2, order=10)
def the_scope(day: date) -> list[Milestone]:
    """Organisation, sites, processes that run, and a scope signed by top management."""
    organisation = Organisation.objects.current()
    sites = Site.objects.filter(status=Site.Status.ACTIVE).count()
    known = Process.objects.exclude(status=Process.Status.RETIRED)
    drafts, running = known.filter(status="draft").count(), known.active().count()
    approved = ScopeStatement.objects.approved().first()
    waiting = (
        ScopeStatement.objects.filter(status__in=["draft", "in_review"]).order_by("-pk").first()
    )
    shown = approved or waiting
    return [
        Milestone(
            "Organisation and sites",
            organisation is not None and sites > 0,
            _words(sites, "site") if organisation else "Not described yet.",
            "/scope/sites/" if organisation else "/start/organisation/",
            "Describe it",
            started=organisation is not None,
        ),
        Milestone(
            "Processes in operation, each with an owner",
            running > 0 and drafts == 0,
            f"{running} in operation{f', {drafts} still drafts' if drafts else ''}.",
            "/scope/processes/?status=draft" if drafts else "/scope/processes/",
            "Activate them" if drafts else "Choose them",
            started=running + drafts > 0,
        ),
        Milestone(
            "Scope approved by top management",
            approved is not None,
            f"{approved.number}." if approved else "",
            shown.get_absolute_url() if shown else "/start/scope/",
            "Finish the scope" if waiting else "Draft the scope",
            started=waiting is not None,
        ),
    ]


@contributions.journey_step(3, order=10)
def the_gaps(day: date) -> list[Milestone]:
    """An assessment completed, and nothing missing without an owner and a day."""
    going = Assessment.objects.filter(status="in_progress").order_by("-pk").first()
    done = Assessment.objects.latest_completed()
    shown = done or going
    # A completed assessment had an action for every gap; only one in progress is asked again.
    bare = len(gaps_without_action(going)) if going and not done else 0
    return [
        Milestone(
            "Every clause assessed once",
            done is not None,
            f"{done.number}." if done else f"{going.number} is in progress." if going else "",
            shown.get_absolute_url() if shown else "/gap/new/",
            "Go on with it" if going else "Start the assessment",
            started=going is not None,
        ),
        Milestone(
            "Every gap with an owner and a day",
            done is not None,
            _words(bare, "gap without an action", "gaps without an action") if bare else "",
            f"{shown.get_absolute_url()}roadmap/" if shown else "",
            "See the roadmap",
            started=shown is not None,
        ),
    ]


@contributions.journey_step(6, order=10)
def the_roles(day: date) -> list[Milestone]:
    """Who leads, who keeps the system, who audits."""
    wanted = (
        ("top_management", "Top management", 1),
        ("quality_manager", "A quality manager", 1),
        ("lead_auditor", "A lead auditor", 1),
    )
    counts = {role: Person.objects.holding(role).count() for role, _title, _least in wanted}
    return [
        Milestone(
            f"{title} named",
            counts[role] >= least,
            f"{counts[role]} {'person' if counts[role] == 1 else 'people'}."
            if counts[role]
            else "",
            f"/people/?role={role}" if counts[role] else "/people/",
            "Give the role",
        )
        for role, title, least in wanted
    ]


@contributions.journey_step(9, order=90)
def the_project(day: date) -> list[Milestone]:
    """The plan's own end is shown, and never keeps a certified organisation from being done."""
    project = Project.objects.current()
    if project is None or project.status == Project.Status.PREPARING:
        return []
    completed = project.status == Project.Status.COMPLETED
    note = "" if completed else f"{project.get_status_display()}."
    return [
        Milestone(
            "The plan worked off",
            completed,
            note,
            project.get_absolute_url(),
            "Open the plan",
            started=True,
        )
    ]


@contributions.momentum("Actions done", url="/actions/", permission="actions.view_action", order=60)
def actions_done(period: Period) -> int:
    """Actions whose owner said in these days that they are done."""
    days = (period.start, period.end)
    return Action.objects.exclude(status=Action.Status.VOID).filter(done_on__range=days).count()
