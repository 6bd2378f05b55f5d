"""The procedure of risks and opportunities (ISO 9001 6.1): see, evaluate, decide, act, judge.

Nothing is treated before it is evaluated, nothing accepted without a reason, and whether a
treatment worked is said by somebody who neither owns it nor did its actions.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import ActionDone, promise
from qms.contributions import Step
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import add_months, today
from qms.picking import set_any_links
from qms.refusals import Refused
from qms.risks.models import (
    LEAST,
    MOST,
    PARTS,
    Opportunity,
    OpportunityEvaluation,
    Outlook,
    Risk,
    RiskEvaluation,
)
from qms.scope.models import Process
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition

REVIEW_MONTHS = 12
Status = Outlook.Status
KEEPERS = ("quality_manager", "top_management")
ACTING = {Risk.Decision.REDUCE, Risk.Decision.AVOID, Risk.Decision.SHARE}


def _text(label: str, *, required: bool = True, rows: int = 3, help_text: str = "") -> forms.Field:
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def scale_fields(kind: type[Outlook]) -> dict[str, forms.Field]:
    """The two scales with their words, and the reason."""
    return {
        "first": _scale(kind.SCALES[0], kind.FIRST),
        "second": _scale(kind.SCALES[1], kind.SECOND),
        "why": _text("Why", rows=2, help_text="What you know, and from where."),
    }


def _scale(label: str, words: Mapping[int, str]) -> forms.Field:
    beyond = f"{label} is a number from {LEAST} to {MOST}."
    return forms.IntegerField(
        label=label,
        min_value=LEAST,
        max_value=MOST,
        widget=forms.Select(
            choices=[("", "Choose"), *((n, f"{n} – {text}") for n, text in words.items())]
        ),
        error_messages={"min_value": beyond, "max_value": beyond, "invalid": beyond},
    )


# Guards


def only_its_owner(record: Outlook, by: Any) -> str | None:
    if by.pk == record.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, the quality manager or top management does this."


def owner_works_here(record: Outlook, by: Any) -> str | None:
    if record.owner.is_active:
        return None
    return f"{record.owner.name} is no longer active. Edit it and choose another owner first."


def actions_of(record: Outlook) -> Any:
    """Its treatment actions that were not taken back."""
    return Action.objects.raised_from(record).exclude(status=Action.Status.VOID)


def actions_are_done(record: Outlook, by: Any) -> str | None:
    waiting = actions_of(record).open().count()
    if waiting:
        return f"{waiting} of its actions {'is' if waiting == 1 else 'are'} still open."
    return None


def evaluated_again(record: Outlook, by: Any) -> str | None:
    """What is left is judged on an evaluation made after the decision."""
    evaluation, _link, side = PARTS[type(record)]
    if evaluation.objects.filter(**{side: record}, after=True).filter(
        evaluated_on__gte=record.decided_on
    ):
        return None
    return "Evaluate it again first, now that the treatment is in place."


def judged_by_another(record: Outlook, by: Any) -> str | None:
    if by.pk == record.owner_id:
        return "Its owner does not judge the effectiveness; ask somebody else."
    if actions_of(record).worked_on_by(by).exists():
        return "Who did one of the actions does not judge their effectiveness."
    return None


@guards_attaching(Risk)
@guards_attaching(Opportunity)
def while_it_is_open(record: Outlook, by: Any) -> str | None:
    return "It is closed; nothing is added to it." if record.is_settled else None


# Factories


def _identified(kind: type[Any], *, by: Person, owner: Person, origin: Any, **said: Any) -> Any:
    touches: Iterable[Any] = said.pop("touches")
    if not said["title"].strip():
        raise Refused("Say in a line what it is.", field="title")
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )
    said["review_on"] = said["review_on"] or add_months(today(), REVIEW_MONTHS)
    record = kind(owner=owner, created_by=by, **said)
    if origin is not None:
        record.origin = origin
    record.save()
    _touch(record, by=by, touches=touches)
    return record


def _touch(record: Any, *, by: Person, touches: Iterable[Any]) -> None:
    _evaluation, link, side = PARTS[type(record)]
    set_any_links(link, owner={side: record}, records=touches, by=by)


@creates(Risk, permission="risks.add_risk")
def identify_risk(
    *,
    by: Person,
    title: str,
    owner: Person,
    description: str = "",
    process: Process | None = None,
    review_on: date | None = None,
    touches: Iterable[Any] = (),
    origin: Any = None,
) -> Risk:
    """Write down a risk. `touches` are records it bears on, `origin` the one it was found in."""
    found: Risk = _identified(
        Risk,
        by=by,
        title=title,
        owner=owner,
        description=description,
        process=process,
        review_on=review_on,
        touches=touches,
        origin=origin,
    )
    return found


@creates(Opportunity, permission="risks.add_opportunity")
def identify_opportunity(
    *,
    by: Person,
    title: str,
    owner: Person,
    description: str = "",
    process: Process | None = None,
    review_on: date | None = None,
    touches: Iterable[Any] = (),
    origin: Any = None,
) -> Opportunity:
    """Write down an opportunity. `touches` are records it bears on, `origin` where it was seen."""
    found: Opportunity = _identified(
        Opportunity,
        by=by,
        title=title,
        owner=owner,
        description=description,
        process=process,
        review_on=review_on,
        touches=touches,
        origin=origin,
    )
    return found


def _append(record: Any, *, by: Person, first: int, second: int, why: str) -> Any:
    """Keep an evaluation as a row of its own and write it into the record, which is not saved."""
    for value, label in zip((first, second), record.SCALES, strict=True):
        if not LEAST <= value <= MOST:
            raise Refused(f"{label} is a number from {LEAST} to {MOST}.")
    if not why.strip():
        raise Refused("Say what you know, and from where.", field="why")
    evaluation, _link, side = PARTS[type(record)]
    row = evaluation(
        **{side: record},
        first=first,
        second=second,
        score=first * second,
        why=why.strip(),
        after=record.decided_on is not None and record.status in (Status.TREATED, Status.EFFECTIVE),
        evaluated_on=today(),
        created_by=by,
    )
    row.save()
    record.first, record.second, record.score = first, second, first * second
    record.evaluated_on = today()
    return row


def _again(record: Any, permission: str, *, by: Person, **said: Any) -> Any:
    if not by.has_perm(permission) or only_its_owner(record, by):
        raise PermissionDenied("Only its owner, the quality manager or top management does this.")
    locked = type(record)._base_manager.select_for_update(of=("self",)).get(pk=record.pk)
    if locked.status == Status.CLOSED:
        raise Refused("It is closed. Reopen it first.")
    if locked.status == Status.IDENTIFIED:
        raise Refused("It was not evaluated before. Use “Evaluate”.")
    row = _append(locked, by=by, **said)
    locked.review_on = max(locked.review_on, add_months(today(), REVIEW_MONTHS))
    locked.save_because(f"Evaluated again: {locked.scores_in_words}.", by=by)
    record.refresh_from_db()
    return row


@creates(RiskEvaluation, permission="risks.change_risk")
def evaluate_risk_again(
    *, by: Person, risk: Risk, first: int, second: int, why: str
) -> RiskEvaluation:
    """Evaluate a risk anew; the earlier evaluations stay, the next look is in a year."""
    row: RiskEvaluation = _again(
        risk, "risks.change_risk", by=by, first=first, second=second, why=why
    )
    return row


@creates(OpportunityEvaluation, permission="risks.change_opportunity")
def evaluate_opportunity_again(
    *, by: Person, opportunity: Opportunity, first: int, second: int, why: str
) -> OpportunityEvaluation:
    """Evaluate an opportunity anew; the earlier evaluations stay, the next look is in a year."""
    row: OpportunityEvaluation = _again(
        opportunity, "risks.change_opportunity", by=by, first=first, second=second, why=why
    )
    return row


def plan_treatment(record: Any, *, by: Person, title: str, owner: Person, due: date) -> Action:
    """Promise one more action of the treatment."""
    verb = "change_risk" if isinstance(record, Risk) else "change_opportunity"
    if not by.has_perm(f"risks.{verb}") or only_its_owner(record, by):
        raise PermissionDenied("Only its owner, the quality manager or top management does this.")
    with db.atomic():
        locked = type(record)._base_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if locked.status not in (Status.EVALUATED, Status.TREATED):
            raise Refused("Actions are planned while it is evaluated or its treatment runs.")
        made = promise(
            by=by, title=title, owner=owner, due=due, origin=locked, kind=Action.Kind.IMPROVEMENT
        )
        refresh(locked)
        return made


def touch(record: Any, *, by: Person, touches: Iterable[Any]) -> Any:
    """Say which records it bears on; what the person does not see stays."""
    declared = editing_risk if isinstance(record, Risk) else editing_opportunity
    if not declared.permitted(record, by):
        raise PermissionDenied("Your role does not allow you to edit this.")
    with db.atomic():
        locked = type(record)._base_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if why := declared.obstacles(locked, by):
            raise Refused(" ".join(why))
        _touch(locked, by=by, touches=touches)
    return record


# Transitions of a risk


def _first_action(action: str, owner: Any, due: date | None) -> None:
    if not (action.strip() and owner and due):
        raise Refused("Plan its first action: what, who, by when.", field="action")


def _decide(record: Any, by: Any, decision: str, because: str) -> None:
    record.decision, record.because = decision, because.strip()
    record.decided_by, record.decided_on = by, today()
    record.verdict, record.judged_by, record.judged_on = "", None, None


def _action_fields() -> dict[str, forms.Field]:
    return {
        "action": forms.CharField(label="First action", required=False, max_length=200),
        "action_owner": forms.ModelChoiceField(
            Person.objects.people(), label="Done by", required=False
        ),
        "action_due": forms.DateField(label="Due", required=False),
    }


@transition(
    Risk,
    source=Status.IDENTIFIED,
    target=Status.EVALUATED,
    permission="risks.change_risk",
    only=only_its_owner,
    guards=[owner_works_here],
    details=scale_fields(Risk),
    label="Evaluate",
)
def evaluate_risk(risk: Risk, *, by: Any, first: int, second: int, why: str) -> None:
    """Say how likely it is and how grave it would be."""
    _append(risk, by=by, first=first, second=second, why=why)


@transition(
    Risk,
    source=Status.EVALUATED,
    target=Status.TREATED,
    permission="risks.change_risk",
    only=only_its_owner,
    guards=[owner_works_here],
    details={
        "decision": forms.ChoiceField(
            label="Treatment", choices=[("", "Choose"), *Risk.Decision.choices]
        ),
        "because": _text(
            "Why", required=False, rows=2, help_text="Needed where the risk is accepted."
        ),
        **_action_fields(),
    },
    label="Decide the treatment",
)
def treat_risk(
    risk: Risk,
    *,
    by: Any,
    decision: str,
    because: str = "",
    action: str = "",
    action_owner: Any = None,
    action_due: date | None = None,
) -> None:
    """Decide what is done about it: reduce, avoid, share or accept."""
    if decision == Risk.Decision.ACCEPT:
        if not because.strip():
            grave = f"a {risk.level.lower()} risk" if risk.is_high else "a risk"
            raise Refused(f"Say why you accept {grave}; the reason is kept.", field="because")
        if risk.is_high and not by.holds(*KEEPERS):
            raise Refused(
                "A high risk is accepted by top management or the quality manager. Ask them, or "
                "choose another treatment.",
                field="decision",
            )
    elif not actions_of(risk).exists():
        _first_action(action, action_owner, action_due)
    _decide(risk, by, decision, because)
    if action.strip() and decision != Risk.Decision.ACCEPT:
        _promise(risk, by, action, action_owner, action_due)


def _promise(record: Any, by: Any, action: str, owner: Any, due: date | None) -> None:
    _first_action(action, owner, due)
    assert due is not None  # noqa: S101 - said so above
    promise(by=by, title=action, owner=owner, due=due, origin=record, kind=Action.Kind.IMPROVEMENT)


VERDICT = {"verdict": _text("What shows it, against what was wanted")}


def _judge(record: Any, by: Any, verdict: str) -> None:
    record.verdict, record.judged_by, record.judged_on = verdict.strip(), by, today()


@transition(
    Risk,
    source=Status.TREATED,
    target=Status.EFFECTIVE,
    permission="risks.judge_risk",
    guards=[actions_are_done, evaluated_again, judged_by_another],
    details=VERDICT,
    label="Effective",
)
def risk_is_treated(risk: Risk, *, by: Any, verdict: str) -> None:
    """The treatment worked: what is left of the risk is what was wanted."""
    _judge(risk, by, verdict)


@transition(
    Risk,
    source=Status.TREATED,
    target=Status.EVALUATED,
    permission="risks.judge_risk",
    reason=True,
    label="Decide anew",
    primary=False,
)
def risk_not_treated(risk: Risk, *, by: Any) -> None:
    """The treatment does not do; decide anew."""


OPEN = (Status.IDENTIFIED, Status.EVALUATED, Status.TREATED, Status.EFFECTIVE)
ENDED = (Status.EFFECTIVE, Status.CLOSED)


@transition(
    Risk,
    source=OPEN,
    target=Status.CLOSED,
    permission="risks.change_risk",
    only=only_its_owner,
    guards=[actions_are_done],
    reason=True,
    label="Close",
    primary=False,
)
def close_risk(risk: Risk, *, by: Any) -> None:
    """It is there no longer; the reason is kept."""
    risk.closed_on = today()


@transition(
    Risk,
    source=ENDED,
    target=Status.IDENTIFIED,
    permission="risks.change_risk",
    only=only_its_owner,
    reason=True,
    label="Reopen",
    primary=False,
)
def reopen_risk(risk: Risk, *, by: Any) -> None:
    """It is there again: evaluate it anew."""
    risk.closed_on = None


# Transitions of an opportunity


@transition(
    Opportunity,
    source=Status.IDENTIFIED,
    target=Status.EVALUATED,
    permission="risks.change_opportunity",
    only=only_its_owner,
    guards=[owner_works_here],
    details=scale_fields(Opportunity),
    label="Evaluate",
)
def evaluate_opportunity(
    opportunity: Opportunity, *, by: Any, first: int, second: int, why: str
) -> None:
    """Say how useful it would be and how feasible it is."""
    _append(opportunity, by=by, first=first, second=second, why=why)


@transition(
    Opportunity,
    source=Status.EVALUATED,
    target=Status.TREATED,
    permission="risks.change_opportunity",
    only=only_its_owner,
    guards=[owner_works_here],
    details={
        "decision": forms.ChoiceField(
            label="Decision", choices=[("", "Choose"), *Opportunity.Decision.choices]
        ),
        "because": _text(
            "Why", required=False, rows=2, help_text="Needed where it is deferred or declined."
        ),
        **_action_fields(),
    },
    label="Decide",
)
def treat_opportunity(
    opportunity: Opportunity,
    *,
    by: Any,
    decision: str,
    because: str = "",
    action: str = "",
    action_owner: Any = None,
    action_due: date | None = None,
) -> None:
    """Decide whether it is pursued, deferred or declined."""
    if decision != Opportunity.Decision.PURSUE:
        if not because.strip():
            verb = Opportunity.Decision(decision).label.lower()
            raise Refused(f"Say why you {verb}; the reason is kept.", field="because")
    elif not actions_of(opportunity).exists():
        _first_action(action, action_owner, action_due)
    _decide(opportunity, by, decision, because)
    if action.strip() and decision == Opportunity.Decision.PURSUE:
        _promise(opportunity, by, action, action_owner, action_due)


@transition(
    Opportunity,
    source=Status.TREATED,
    target=Status.EFFECTIVE,
    permission="risks.judge_opportunity",
    guards=[actions_are_done, evaluated_again, judged_by_another],
    details=VERDICT,
    label="It paid",
)
def opportunity_paid(opportunity: Opportunity, *, by: Any, verdict: str) -> None:
    """What was hoped for is there."""
    _judge(opportunity, by, verdict)


@transition(
    Opportunity,
    source=Status.TREATED,
    target=Status.EVALUATED,
    permission="risks.judge_opportunity",
    reason=True,
    label="Decide anew",
    primary=False,
)
def opportunity_not_paid(opportunity: Opportunity, *, by: Any) -> None:
    """It did not bring what was hoped for; decide anew."""


@transition(
    Opportunity,
    source=OPEN,
    target=Status.CLOSED,
    permission="risks.change_opportunity",
    only=only_its_owner,
    guards=[actions_are_done],
    reason=True,
    label="Close",
    primary=False,
)
def close_opportunity(opportunity: Opportunity, *, by: Any) -> None:
    """It is gone, or taken; the reason is kept."""
    opportunity.closed_on = today()


@transition(
    Opportunity,
    source=ENDED,
    target=Status.IDENTIFIED,
    permission="risks.change_opportunity",
    only=only_its_owner,
    reason=True,
    label="Reopen",
    primary=False,
)
def reopen_opportunity(opportunity: Opportunity, *, by: Any) -> None:
    """It is there again: evaluate it anew."""
    opportunity.closed_on = None


FIELDS = ("title", "description", "process", "owner", "review_on")
editing_risk = amendment(
    Risk, permission="risks.change_risk", fields=FIELDS, only=only_its_owner, states=OPEN
)
editing_opportunity = amendment(
    Opportunity,
    permission="risks.change_opportunity",
    fields=FIELDS,
    only=only_its_owner,
    states=OPEN,
)


# What is next


def _next(record: Any, evaluate: str, treat: str, judge: str) -> list[Step]:
    if record.status == Status.CLOSED:
        return []
    if not record.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager", due=record.review_on)]
    first = {
        "identified": (evaluate, "Evaluate"),
        "evaluated": (treat, "Decide the treatment"),
    }.get(record.status)
    if first is not None:
        return [Step(*first, person=record.owner, due=record.review_on)]
    look = Step("review", "Evaluate again", person=record.owner, due=record.review_on)
    acted = record.decision in {*ACTING, Opportunity.Decision.PURSUE}
    if record.status == Status.TREATED and acted and not actions_of(record).open().exists():
        if evaluated_again(record, None):
            return [Step("review", "Evaluate again", person=record.owner, due=today())]
        return [look, Step(judge, "Judge the effectiveness", role="quality_manager")]
    return [look]


@contributions.work(Risk)
def next_of_risk(risk: Risk) -> list[Step]:
    """Evaluate, decide, look again; the quality manager judges when the actions are done."""
    return _next(risk, "evaluate_risk", "treat_risk", "risk_is_treated")


@contributions.work(Opportunity)
def next_of_opportunity(opportunity: Opportunity) -> list[Step]:
    """Evaluate, decide, look again; the quality manager judges when the actions are done."""
    return _next(opportunity, "evaluate_opportunity", "treat_opportunity", "opportunity_paid")


@handles(ActionDone, order=60)
def the_treatment_may_be_judged(event: ActionDone) -> None:
    """With its last action done, the record asks for its second evaluation."""
    origin = event.action.origin
    if isinstance(origin, Outlook):
        refresh(origin)
