"""Planned extensions: what the scope takes in later, and that it really did (ISO 9001 4.3)."""

from datetime import date
from typing import Any

from qms import contributions
from qms.contributions import Step
from qms.people.models import Person
from qms.refusals import Refused
from qms.scope.models import PlannedExtension, Process, ScopeStatement, Site
from qms.workflow import amendment, creates, transition

State = PlannedExtension.Status
EXTENSION_FIELDS = ("what", "why_later", "process", "site", "cycle", "target_on")


def the_scope_covers_it(extension: PlannedExtension, by: Any) -> str | None:
    """Done means approved: the statement in force names what was planned."""
    statement = ScopeStatement.objects.approved().first()
    if statement is None:
        return "No scope statement is approved. Take it into a statement first."
    missing = _missing(extension, statement)
    if missing:
        return f"{statement.number} does not cover {missing}. Take it into the next statement."
    if extension.process_id is None and extension.site_id is None and _older(extension, statement):
        return f"{statement.number} was approved before this was planned. Approve the next one."
    return None


def _missing(extension: PlannedExtension, statement: ScopeStatement) -> str:
    process, site = extension.process, extension.site
    if process is not None and process.pk not in {each.pk for each in statement.processes()}:
        return str(process)
    if site is not None and site.pk not in {each.pk for each in statement.sites()}:
        return str(site)
    return ""


def _older(extension: PlannedExtension, statement: ScopeStatement) -> bool:
    return statement.recorded_at < extension.recorded_at


@creates(PlannedExtension, permission="scope.add_plannedextension")
def plan_extension(
    *,
    by: Person,
    what: str,
    why_later: str,
    target_on: date,
    process: Process | None = None,
    site: Site | None = None,
    cycle: int | None = None,
) -> PlannedExtension:
    """What the scope shall cover later, why not now, and when."""
    if not what.strip():
        raise Refused("Say what comes in later.", field="what")
    if not why_later.strip():
        raise Refused("Say why it is not covered now; an auditor asks.", field="why_later")
    made = PlannedExtension(
        what=what.strip(),
        why_later=why_later.strip(),
        process=process,
        site=site,
        cycle=cycle,
        target_on=target_on,
        created_by=by,
    )
    made.save()
    return made


@transition(
    PlannedExtension,
    source=State.PLANNED,
    target=State.DONE,
    permission="scope.change_plannedextension",
    guards=[the_scope_covers_it],
    label="It is covered now",
)
def take_in(extension: PlannedExtension, *, by: Any) -> None:
    """The scope in force covers it."""


@transition(
    PlannedExtension,
    source=State.PLANNED,
    target=State.DROPPED,
    permission="scope.change_plannedextension",
    reason=True,
    label="Drop",
    primary=False,
)
def drop(extension: PlannedExtension, *, by: Any) -> None:
    """It will not come in; the reason is kept."""


@transition(
    PlannedExtension,
    source=State.DROPPED,
    target=State.PLANNED,
    permission="scope.change_plannedextension",
    reason=True,
    label="Plan it again",
)
def plan_again(extension: PlannedExtension, *, by: Any) -> None:
    """It comes in after all."""


editing_extension = amendment(
    PlannedExtension,
    permission="scope.change_plannedextension",
    fields=EXTENSION_FIELDS,
    states=(State.PLANNED,),
)


@contributions.work(PlannedExtension)
def what_comes_in(extension: PlannedExtension) -> list[Step]:
    """Whoever planned it takes it up when its day comes."""
    if extension.status != State.PLANNED:
        return []
    return [
        Step("take_in", "Extend the scope", person=extension.created_by, due=extension.target_on)
    ]
