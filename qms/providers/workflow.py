"""The procedure of external providers (ISO 9001 8.4.1): propose, evaluate, approve, and again.

Nobody is approved without an evaluation that says so, and nobody evaluates the firm they speak for.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.contributions import Step
from qms.files.workflow import attach_all, guards_attaching
from qms.links import set_links
from qms.people.models import Person
from qms.periods import due_in, today
from qms.providers.models import (
    CRITERIA,
    FITTING,
    MOST_CRITERIA,
    Provider,
    ProviderEvaluation,
    ProviderProcess,
    Result,
    Verdict,
)
from qms.recurring import check_day, check_months, check_sooner
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

State = Provider.Status
KEEPERS = ("quality_manager", "top_management")
DECIDE_WITHIN = 14  # days from an evaluation to the decision it asks for


def _text(label: str, **more: Any) -> forms.Field:
    return forms.CharField(
        label=label, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), **more
    )


class ResultsField(forms.CharField):
    """Criteria with results as lines, `Delivery on the agreed day: 3`; cleans to a mapping."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(max_length=5000, **kwargs)

    def clean(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in str(super().clean(value)).splitlines():
            criterion, colon, result = line.rpartition(":")
            if not line.strip():
                continue
            if not colon or result.strip() not in Result.values:
                raise forms.ValidationError(
                    f"“{line.strip()}” has no result. Write the criterion, a colon, and one of"
                    f" {', '.join(Result.values)}."
                )
            found[criterion.strip()] = result.strip()
        return found


# What an evaluation says; a form's entry may say it, too.
EVALUATION: dict[str, forms.Field] = {
    "evaluated_on": forms.DateField(label="Evaluated on", initial=today),
    "results": ResultsField(label="Results", help_text="One criterion a line, as “Delivery: 3”."),
    "verdict": forms.ChoiceField(label="Verdict", choices=[("", "Choose"), *Verdict.choices]),
    "conclusion": _text("Conclusion, and what follows from it"),
    "sooner_on": forms.DateField(
        label="Next one sooner, by",
        required=False,
        help_text="Left empty, the interval of the provider counts.",
    ),
}


# Guards


def only_its_owner(provider: Provider, by: Any) -> str | None:
    if by.pk == provider.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, the quality manager or top management does this."


def owner_works_here(provider: Provider, by: Any) -> str | None:
    if provider.owner.is_active:
        return None
    return f"{provider.owner.name} is no longer active. Edit it and choose another owner first."


def speaks_for(provider: Provider, by: Any) -> bool:
    """Whether this person is the provider's own contact."""
    return is_contact(by, provider.contact, provider.contact_email)


def is_contact(person: Any, contact: str, contact_email: str) -> bool:
    """Whether a contact that was written down is this person."""
    mail, name = contact_email.strip().lower(), contact.strip().casefold()
    return bool(mail and mail == (person.email or "").lower()) or bool(
        name and name == person.name.strip().casefold()
    )


def not_their_contact(provider: Provider, by: Any) -> str | None:
    if speaks_for(provider, by):
        return "Who speaks for a provider neither evaluates nor approves it; ask somebody else."
    return None


def _evaluated_as(provider: Provider, state: str) -> str | None:
    if not provider.verdict:
        return "It was never evaluated. Evaluate it first."
    if provider.verdict not in FITTING[state]:
        said = Verdict(provider.verdict).label.lower()
        return f"The last evaluation found it {said}. Evaluate it again before you decide so."
    return None


def found_suitable(provider: Provider, by: Any) -> str | None:
    return _evaluated_as(provider, "approved")


def not_found_unsuitable(provider: Provider, by: Any) -> str | None:
    return _evaluated_as(provider, "conditional")


def approval_does_not_rest_on_it(evaluation: ProviderEvaluation, by: Any) -> str | None:
    provider = evaluation.provider
    others = provider.evaluations.standing().exclude(pk=evaluation.pk)
    if provider.status in Provider.ALLOWED and not others.exists():
        return "The approval rests on it. Suspend the provider, or evaluate it anew first."
    return None


@guards_attaching(ProviderEvaluation)
@guards_attaching(Provider)
def while_we_work_with_them(record: Any, by: Any) -> str | None:
    provider = record.provider if isinstance(record, ProviderEvaluation) else record
    return "It is ended; nothing is added to it." if provider.is_settled else None


# Factories


@creates(Provider, permission="providers.add_provider")
def propose_provider(
    *,
    by: Person,
    name: str,
    provides: str,
    owner: Person,
    kind: str = Provider.Kind.GOODS,
    weight: str = Provider.Weight.MIDDLE,
    contact: str = "",
    contact_email: str = "",
    criteria: str = CRITERIA,
    certificate: str = "",
    certificate_until: date | None = None,
    every_months: int = 12,
    sooner_on: date | None = None,
    processes: Iterable[Process] = (),
    another: bool = False,
) -> Provider:
    """Propose an external provider. `another` says that one of the same name is not the same."""
    if not name.strip() or not provides.strip():
        raise Refused("Give the name, and say what they provide.", field="provides")
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )
    check_months(every_months)
    twin = Provider.objects.filter(name__iexact=name.strip()).order_by("pk").first()
    if twin is not None and not another:
        raise Refused(
            f"{twin} is there already. If this is another one, tick that and save again.",
            field="another",
        )
    made = Provider(
        name=name.strip(),
        provides=provides.strip(),
        owner=owner,
        kind=kind,
        weight=weight,
        contact=contact.strip(),
        contact_email=contact_email.strip(),
        criteria=criteria.strip(),
        certificate=certificate.strip(),
        certificate_until=certificate_until,
        every_months=every_months,
        sooner_on=sooner_on,
        entered_on=today(),
        created_by=by,
    )
    made.check_criteria()
    made.save()
    _set_processes(made, by=by, processes=processes)
    return made


def _set_processes(provider: Provider, *, by: Person, processes: Iterable[Process]) -> bool:
    return set_links(
        ProviderProcess,
        owner={"provider": provider},
        target="process",
        targets=processes,
        by=by,
    )


def serve_processes(provider: Provider, *, by: Person, processes: Iterable[Process]) -> Provider:
    """Say which processes they serve; what was there before is ended, not deleted."""
    if not editing_provider.permitted(provider, by):
        raise PermissionDenied("Your role does not allow you to edit this provider.")
    with db.atomic():
        locked = Provider._base_manager.select_for_update(of=("self",)).get(pk=provider.pk)
        if why := editing_provider.obstacles(locked, by):
            raise Refused(" ".join(why))
        _set_processes(locked, by=by, processes=processes)
    return provider


@creates(ProviderEvaluation, permission="providers.add_providerevaluation")
def record_evaluation(
    provider: Provider,
    *,
    by: Person,
    evaluated_on: date,
    results: Mapping[str, str],
    verdict: str,
    conclusion: str,
    sooner_on: date | None = None,
    papers: Iterable[Any] = (),
) -> ProviderEvaluation:
    """Record how a provider was found. It sets the day of the next evaluation.

    `results` are criterion → one of `Result`; `papers` are attached as evidence. Raises Refused.
    """
    locked = Provider._base_manager.select_for_update(of=("self",)).get(pk=provider.pk)
    if locked.is_settled:
        raise Refused("It is ended. Take it up again before you evaluate it.")
    if why := not_their_contact(locked, by):
        raise Refused(why)
    check_day(evaluated_on, locked.last_on, today=today(), what="evaluation", field="evaluated_on")
    check_sooner(evaluated_on, sooner_on)
    if not conclusion.strip():
        raise Refused("Say what you conclude.", field="conclusion")
    if verdict not in Verdict.values:
        raise Refused("Choose a verdict.", field="verdict")
    pairs = _checked(results)
    locked.last_on, locked.sooner_on = evaluated_on, sooner_on
    made = ProviderEvaluation(
        provider=locked,
        evaluated_on=evaluated_on,
        results=pairs,
        score=mean_of(pairs),
        verdict=verdict,
        conclusion=conclusion.strip(),
        next_due=locked.due_again(),
        created_by=by,
    )
    made.save()
    _take_over(locked, by, f"Evaluated with {made.number}.")
    attach_all(made, list(papers), by=by)
    provider.refresh_from_db()
    return made


def _checked(results: Mapping[str, str]) -> list[list[str]]:
    """Pairs of criterion and result; at least one, and no result we do not know."""
    if not results:
        raise Refused("Say how at least one criterion was met.", field="results")
    if len(results) > MOST_CRITERIA:
        raise Refused(f"Give results for at most {MOST_CRITERIA} criteria.", field="results")
    for criterion, result in results.items():
        if result not in Result.values or not criterion.strip():
            raise Refused(f"“{criterion}: {result}” is no result of a criterion.", field="results")
    return [[criterion.strip(), result] for criterion, result in results.items()]


def mean_of(results: Iterable[list[str]]) -> Decimal | None:
    """The mean of what was scored, to the hundredth; None where nothing was."""
    scores = [Decimal(result) for _criterion, result in results if result.isdigit()]
    return round(sum(scores, Decimal()) / len(scores), 2) if scores else None


def _take_over(provider: Provider, by: Any, reason: str) -> None:
    """Write the newest standing evaluation into the provider: its day, verdict and score."""
    newest = provider.evaluations.standing().newest_first().first()
    provider.done(newest.evaluated_on, newest.next_due) if newest else provider.done(None, None)
    provider.verdict = newest.verdict if newest else ""
    provider.score = newest.score if newest else None
    provider.save_because(reason, by=by)


# Transitions


def _approved(provider: Provider, by: Any, conditions: str) -> None:
    provider.approved_by, provider.approved_on = by, today()
    provider.conditions = conditions


@transition(
    Provider,
    source=[State.PROPOSED, State.CONDITIONAL, State.SUSPENDED],
    target=State.APPROVED,
    permission="providers.approve_provider",
    guards=[found_suitable, not_their_contact, owner_works_here],
    label="Approve",
)
def approve(provider: Provider, *, by: Any) -> None:
    """Approve the provider: they may be ordered from."""
    _approved(provider, by, "")


@transition(
    Provider,
    source=[State.PROPOSED, State.APPROVED, State.SUSPENDED],
    target=State.CONDITIONAL,
    permission="providers.approve_provider",
    guards=[not_found_unsuitable, not_their_contact, owner_works_here],
    details={"conditions": _text("On what conditions")},
    label="Approve with conditions",
    primary=False,
)
def approve_with_conditions(provider: Provider, *, by: Any, conditions: str) -> None:
    """Approve the provider on conditions, which say what is checked or limited."""
    _approved(provider, by, conditions.strip())


@transition(
    Provider,
    source=[State.APPROVED, State.CONDITIONAL],
    target=State.SUSPENDED,
    permission="providers.approve_provider",
    reason=True,
    label="Suspend",
    primary=False,
)
def suspend(provider: Provider, *, by: Any) -> None:
    """Order nothing from them for the time being."""


@transition(
    Provider,
    source=[State.PROPOSED, State.APPROVED, State.CONDITIONAL, State.SUSPENDED],
    target=State.ENDED,
    permission="providers.approve_provider",
    reason=True,
    label="End",
    primary=False,
)
def end(provider: Provider, *, by: Any) -> None:
    """Work with them no longer; what was recorded stays."""
    provider.approved_by = provider.approved_on = None


@transition(
    Provider,
    source=State.ENDED,
    target=State.PROPOSED,
    permission="providers.add_provider",
    reason=True,
    label="Take up again",
)
def take_up_again(provider: Provider, *, by: Any) -> None:
    """Propose them again; the last evaluation still counts."""


void_evaluation = voids(
    ProviderEvaluation,
    source=ProviderEvaluation.Status.RECORDED,
    permission="providers.void_providerevaluation",
    guards=[approval_does_not_rest_on_it],
)
void_evaluation.then = lambda evaluation, by: _take_over(
    Provider._base_manager.select_for_update(of=("self",)).get(pk=evaluation.provider_id),
    by,
    f"{evaluation.number} was taken back.",
)


# Edits

PROVIDER_FIELDS = (
    "name",
    "kind",
    "provides",
    "weight",
    "owner",
    "contact",
    "contact_email",
    "criteria",
    "every_months",
    "sooner_on",
    "certificate",
    "certificate_until",
)
editing_provider = amendment(
    Provider,
    permission="providers.change_provider",
    fields=PROVIDER_FIELDS,
    only=only_its_owner,
    states=(State.PROPOSED, State.APPROVED, State.CONDITIONAL, State.SUSPENDED),
)


# Work, hand-over, forms


@contributions.work(Provider)
def next_of_provider(provider: Provider) -> list[Step]:
    """Evaluate, decide, ask for the next certificate: whose turn it is."""
    if provider.is_settled:
        return []
    if not provider.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager")]
    steps = [_deciding(provider)] if _waits_for_decision(provider) else []
    if provider.last_on is not None or not steps:
        steps.append(Step("evaluate", "Evaluate", person=provider.owner, due=provider.next_due))
    if provider.certificate_until is not None:
        asked = "Ask for the next certificate"
        steps.append(
            Step("certificate", asked, person=provider.owner, due=provider.certificate_until)
        )
    return steps


def _waits_for_decision(provider: Provider) -> bool:
    """Evaluated and not decided, or found worse than it is approved."""
    if not provider.verdict or provider.status == State.SUSPENDED:
        return False
    wanted = FITTING.get(provider.status)
    return wanted is None or provider.verdict not in wanted


def _deciding(provider: Provider) -> Step:
    day = provider.last_on or provider.entered_on
    name = (
        "Decide on approval" if provider.status == State.PROPOSED else "Decide whether it goes on"
    )
    return Step("decide", name, role="quality_manager", due=due_in(DECIDE_WITHIN, day))


@contributions.hand_over("External providers", order=82)
def providers_of(person: Any) -> list[contributions.Holding]:
    """Providers somebody answers for."""
    rows = Provider.objects.open().filter(owner=person).order_by("number")
    return contributions.held(rows, "owner", permission="providers.add_providerevaluation")


def _found(person: Any, query: str, limit: int) -> Iterable[Any]:
    rows = Provider.objects.visible_to(person).open().known_as(query)
    return rows.order_by("number")[:limit]


@contributions.form_subject(
    "provider", "External provider", Provider, find=_found, takes=EVALUATION
)
def entry_evaluates(provider: Provider, *, by: Person, **values: Any) -> ProviderEvaluation:
    """A form filled in about a provider is an evaluation."""
    made: ProviderEvaluation = record_evaluation(provider, by=by, **values)
    return made
