"""What is found of the scope, its processes and its context."""

from qms.finding.workflow import Text, findable
from qms.scope.models import (
    InterestedParty,
    Issue,
    PartyRequirement,
    PlannedExtension,
    Process,
    Requirement,
    ScopeStatement,
    Site,
)


@findable(Process, "Processes", order=15)
def describe_process(process: Process) -> Text:
    """A process by code, name, purpose and criteria."""
    return Text(
        title=process.name,
        number=process.code,
        words=f"{process.purpose}\n{process.criteria}".strip(),
        note=process.get_status_display(),
    )


@findable(ScopeStatement, "Scope statements", order=16)
def describe_statement(statement: ScopeStatement) -> Text:
    """A scope statement by number and words."""
    parts = (statement.statement, statement.products_and_services, statement.boundaries)
    return Text(
        title=statement.title,
        number=statement.number,
        words="\n".join(filter(None, parts)),
        note=statement.get_status_display(),
    )


@findable(Requirement, "Requirements", order=18)
def describe_requirement(requirement: Requirement) -> Text:
    """A requirement by number, words, source and how it is met."""
    return Text(
        title=requirement.what,
        number=requirement.number,
        keywords=requirement.source,
        words=requirement.how_met,
        note=requirement.source,
    )


@findable(Issue, "Context", order=19)
def describe_issue(issue: Issue) -> Text:
    """An issue by its words, why it matters and what it does."""
    return Text(
        title=issue.what,
        words=f"{issue.why}\n{issue.effect}".strip(),
        note=issue.get_category_display(),
    )


@findable(InterestedParty, "Context", order=19)
def describe_party(party: InterestedParty) -> Text:
    """An interested party by name and why it matters."""
    return Text(title=party.name, words=party.why, note=party.get_kind_display())


@findable(PartyRequirement, "Context", order=19)
def describe_need(need: PartyRequirement) -> Text:
    """What a party requires, by its words."""
    return Text(title=need.what, words=need.how, note=need.party.name)


@findable(Site, "Sites", order=75)
def describe_site(site: Site) -> Text:
    """A site by name and address."""
    return Text(title=site.name, keywords=site.address, note=site.address)


@findable(PlannedExtension, "Planned extensions", order=77)
def describe_extension(extension: PlannedExtension) -> Text:
    """What the scope takes in later, by its words."""
    return Text(
        title=extension.what, words=extension.why_later, note=extension.get_status_display()
    )
