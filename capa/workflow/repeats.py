"""A cause that comes again: found when a cause is named, decided, and told one level up.

The quality manager says whether it is the same cause; then the manager of who owns the case takes
note of it, in words, because what was done before did not last.
"""

from decimal import Decimal
from typing import Any

from capa.models import Nonconformity, Repeat
from capa.recurrence import keep_words, repeats_of
from capa.workflow.details import another_role, days, text
from qms import contributions
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import RecordSaved, passed_on_by
from qms.workflow import transition

Status = Repeat.Status
DECIDE_WITHIN = 7  # days


@handles(RecordSaved, order=94)
def keep_words_of_a_case(event: RecordSaved) -> None:
    """A case is found by what it says now as soon as it is saved."""
    if isinstance(event.record, Nonconformity):
        keep_words(event.record)


def look_for_repeats(nc: Nonconformity, by: Any) -> None:
    """Record every earlier case whose cause seems to have come again in this one."""
    known = set(Repeat.objects.filter(nonconformity=nc).values_list("earlier_id", flat=True))
    manager = nc.owner.manager if nc.owner else None
    for each in repeats_of(nc, months=days("repeat_months")):
        if each.case.pk in known:
            continue
        Repeat(
            nonconformity=nc,
            earlier=each.case,
            likeness=Decimal(str(each.likeness)),
            in_common=each.why[:300],
            manager=manager if manager is not None and manager.is_active else None,
            due=due_in(DECIDE_WITHIN, today()),
            created_by=Person.objects.system(),
        ).save()


def only_who_is_told(repeat: Repeat, by: Any) -> str | None:
    if by.pk == repeat.manager_id or by.holds("top_management"):
        return None
    return "The manager of the case's owner, or top management, takes note of it."


def not_the_owner(repeat: Repeat, by: Any) -> str | None:
    nc = repeat.nonconformity
    if by.pk in {nc.owner_id, *passed_on_by(nc)}:
        return "The owner of the case does not decide whether its cause came again."
    return None


@transition(
    Repeat,
    source=Status.FOUND,
    target=Status.CONFIRMED,
    permission="capa.decide_repeat",
    guards=[not_the_owner],
    label="The same cause",
)
def confirm_repeat(repeat: Repeat, *, by: Any) -> None:
    """Decide that the cause came again; the owner's manager is told."""
    repeat.due = due_in(DECIDE_WITHIN, today())


@transition(
    Repeat,
    source=Status.FOUND,
    target=Status.DISMISSED,
    permission="capa.decide_repeat",
    guards=[not_the_owner],
    reason=True,
    label="Another cause",
    primary=False,
)
def dismiss_repeat(repeat: Repeat, *, by: Any) -> None:
    """Decide that it is another cause; the reason is kept."""


@transition(
    Repeat,
    source=Status.CONFIRMED,
    target=Status.NOTED,
    permission="capa.note_repeat",
    only=only_who_is_told,
    label="Take note",
    details={"follows": text("What follows from it", rows=2)},
)
def note_repeat(repeat: Repeat, *, by: Any, follows: str) -> None:
    """Take note that an earlier action did not last, and say what follows from it."""
    repeat.follows, repeat.noted_by = follows, by


@contributions.work(Repeat)
def who_decides_repeats(repeat: Repeat) -> list[Step]:
    """The quality manager decides, or top management where it is their own; then it is noted."""
    if repeat.status == Status.FOUND:
        nc = repeat.nonconformity
        role = another_role(nc.owner, passed_on_by(nc))
        return [Step("decide", "Same cause?", role=role, due=repeat.due)]
    if repeat.status == Status.CONFIRMED and repeat.manager is not None:
        return [Step("note", "Take note", person=repeat.manager, due=repeat.due)]
    if repeat.status == Status.CONFIRMED:
        return [Step("note", "Take note", role="top_management", due=repeat.due)]
    return []
