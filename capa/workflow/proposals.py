"""What entries of forms propose: taken up as a nonconformity, or declined with a reason."""

from typing import Any

from django import forms

from capa.models import Nonconformity, Proposal
from capa.workflow.details import days
from capa.workflow.nonconformities import raise_nonconformity
from documents.models import Entry
from documents.workflow import EntryTakenBack, LimitExceeded
from qms import contributions
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import day_of, due_in, today
from qms.workflow import transition


def only_who_decides(proposal: Proposal, by: Any) -> str | None:
    if by.pk == proposal.owner_id or by.holds("quality_manager"):
        return None
    return "The owner of the form or process, or the quality manager decides it."


@transition(
    Proposal,
    source=Proposal.Status.OPEN,
    target=Proposal.Status.TAKEN_UP,
    permission="capa.decide_proposal",
    only=only_who_decides,
    label="Raise a nonconformity",
    details={
        "grade": forms.ChoiceField(
            label="Grade",
            choices=Nonconformity.Grade.choices,
            initial=Nonconformity.Grade.MINOR,
            required=False,
        )
    },
)
def take_up(proposal: Proposal, *, by: Any, grade: str = "") -> None:
    """Raise a nonconformity with the entry as its evidence."""
    entry = proposal.entry
    raise_nonconformity(
        by=by,
        title=proposal.title[:200],
        statement=proposal.found,
        requirement=f"The limits of {entry.form.called_outside}, revision {entry.revision.label}.",
        clause=next(iter(entry.form.clauses), ""),
        evidence=f"{entry.called_outside}.",
        source=Nonconformity.Source.PROCESS,
        grade=grade or Nonconformity.Grade.MINOR,
        process=entry.form.process,
        owner=proposal.owner,
        detected_on=day_of(entry.happened_at),
        origin=entry,
    )


@transition(
    Proposal,
    source=Proposal.Status.OPEN,
    target=Proposal.Status.DECLINED,
    permission="capa.decide_proposal",
    only=only_who_decides,
    reason=True,
    label="No nonconformity",
    primary=False,
)
def decline(proposal: Proposal, *, by: Any) -> None:
    """It is no nonconformity; the reason is kept."""


@transition(
    Proposal,
    source=Proposal.Status.OPEN,
    target=Proposal.Status.LAPSED,
    permission="capa.lapse_proposal",
    guards=[lambda proposal, by: its_entry_no_longer_counts(proposal)],
    reason=True,
    label="Let it lapse",
    primary=False,
)
def lapse(proposal: Proposal, *, by: Any) -> None:
    """Its entry was corrected or voided, so there is nothing to decide."""


def raised_of(proposal: Proposal, person: Any) -> Nonconformity | None:
    """The nonconformity a proposal was taken up as, if the person may see it."""
    rows = Nonconformity.objects.visible_to(person).raised_from(proposal.entry)
    found: Nonconformity | None = rows.order_by("pk").first()
    return found if proposal.status == Proposal.Status.TAKEN_UP else None


def its_entry_no_longer_counts(proposal: Proposal) -> str | None:
    if proposal.entry.status in ("corrected", "void"):
        return None
    return "Its entry still counts."


@handles(LimitExceeded, order=50)
def propose_a_nonconformity(event: LimitExceeded) -> None:
    """A value beyond a limit is looked at by who answers for the process, or for the form."""
    entry = event.entry
    process = entry.form.process
    owners = [process.owner if process else None, entry.form.owner]
    owner = next((each for each in owners if each is not None and each.is_active), None)
    Proposal(
        entry=entry,
        found="\n".join(event.found),
        owner=owner or entry.created_by,
        due=due_in(days("containment_days"), today()),
        created_by=Person.objects.system(),
    ).save()


@handles(EntryTakenBack, order=50)
def nothing_to_decide(event: EntryTakenBack) -> None:
    """What was proposed for an entry that no longer counts is not waited for."""
    for each in Proposal.objects.open().filter(entry=event.entry):
        lapse(each, by=Person.objects.system(), reason=event.why)


@contributions.work(Proposal)
def decide_it(proposal: Proposal) -> list[Step]:
    """Its owner says whether it is a nonconformity."""
    if proposal.is_settled:
        return []
    return [Step("decide", "Decide", person=proposal.owner, due=proposal.due)]


@contributions.record_panel
def proposal_panel(record: Any, person: Any) -> contributions.Panel | None:
    """On the page of the entry: what was proposed, and what came of it."""
    if not isinstance(record, Entry):
        return None
    rows = Proposal.objects.visible_to(person).filter(entry=record)
    found = rows.select_related("owner", "entry").first()
    if found is None:
        return None
    context = {"proposal": found, "nonconformity": raised_of(found, person)}
    return contributions.Panel("capa/proposal_panel.html", context, order=10)
