"""The procedure of customers (ISO 9001 9.1.2): enter them, ask how satisfied they are, and again.

A review sets the day of the next one; where a customer is not satisfied it says what follows.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms

from qms import contributions
from qms.contributions import Step
from qms.customers.models import Customer, SatisfactionReview, Verdict
from qms.files.workflow import attach_all, guards_attaching
from qms.people.models import Person
from qms.periods import today
from qms.recurring import check_day, check_months, check_sooner
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition, voids

State = Customer.Status
KEEPERS = ("quality_manager", "top_management")


def _text(label: str, **more: Any) -> forms.Field:
    return forms.CharField(
        label=label, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), **more
    )


# What a review says; a form's entry may say it, too.
REVIEW: dict[str, forms.Field] = {
    "reviewed_on": forms.DateField(label="Asked on", initial=today),
    "source": forms.ChoiceField(
        label="How we know", choices=[("", "Choose"), *SatisfactionReview.Source.choices]
    ),
    "verdict": forms.ChoiceField(label="Verdict", choices=[("", "Choose"), *Verdict.choices]),
    "heard": _text("What was heard"),
    "follows": _text("What follows", required=False),
    "sooner_on": forms.DateField(
        label="Next one sooner, by",
        required=False,
        help_text="Left empty, the interval of the customer counts.",
    ),
}


# Guards


def only_its_owner(customer: Customer, by: Any) -> str | None:
    if by.pk == customer.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, the quality manager or top management does this."


@guards_attaching(Customer)
@guards_attaching(SatisfactionReview)
def while_we_deliver(record: Any, by: Any) -> str | None:
    customer = record.customer if isinstance(record, SatisfactionReview) else record
    return "We do not deliver to them any more; nothing is added." if customer.is_settled else None


# Factories


@creates(Customer, permission="customers.add_customer")
def enter_customer(
    *,
    by: Person,
    name: str,
    buys: str,
    owner: Person,
    special: str = "",
    contact: str = "",
    email: str = "",
    every_months: int = 12,
    sooner_on: date | None = None,
    another: bool = False,
) -> Customer:
    """Enter a customer. `another` says that one of the same name is not the same."""
    if not name.strip() or not buys.strip():
        raise Refused("Give the name, and say what they buy.", field="buys")
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )
    check_months(every_months)
    twin = Customer.objects.filter(name__iexact=name.strip()).order_by("pk").first()
    if twin is not None and not another:
        raise Refused(
            f"{twin} is there already. If this is another one, tick that and save again.",
            field="another",
        )
    made = Customer(
        name=name.strip(),
        buys=buys.strip(),
        owner=owner,
        special=special.strip(),
        contact=contact.strip(),
        email=email.strip(),
        every_months=every_months,
        sooner_on=sooner_on,
        entered_on=today(),
        created_by=by,
    )
    made.save()
    return made


@creates(SatisfactionReview, permission="customers.add_satisfactionreview")
def record_review(
    customer: Customer,
    *,
    by: Person,
    reviewed_on: date,
    source: str,
    verdict: str,
    heard: str,
    follows: str = "",
    sooner_on: date | None = None,
    papers: Iterable[Any] = (),
) -> SatisfactionReview:
    """Record how satisfied a customer is. It sets the day of the next review. Raises Refused."""
    locked = Customer._base_manager.select_for_update(of=("self",)).get(pk=customer.pk)
    if locked.is_settled:
        raise Refused("We do not deliver to them any more. Take them up again first.")
    check_day(reviewed_on, locked.last_on, today=today(), what="review", field="reviewed_on")
    check_sooner(reviewed_on, sooner_on)
    if not heard.strip():
        raise Refused("Say what was heard.", field="heard")
    if verdict not in Verdict.values or source not in SatisfactionReview.Source.values:
        raise Refused("Choose a verdict, and how we know.", field="verdict")
    if verdict == Verdict.NOT and not follows.strip():
        raise Refused("They are not satisfied. Say what follows.", field="follows")
    locked.last_on, locked.sooner_on = reviewed_on, sooner_on
    made = SatisfactionReview(
        customer=locked,
        reviewed_on=reviewed_on,
        source=source,
        verdict=verdict,
        heard=heard.strip(),
        follows=follows.strip(),
        next_due=locked.due_again(),
        created_by=by,
    )
    made.save()
    _take_over(locked, by, f"Reviewed with {made.number}.")
    attach_all(made, list(papers), by=by)
    customer.refresh_from_db()
    return made


def _take_over(customer: Customer, by: Any, reason: str) -> None:
    """Write the newest standing review into the customer: its day and verdict."""
    newest = customer.reviews.standing().newest_first().first()
    customer.done(newest.reviewed_on, newest.next_due) if newest else customer.done(None, None)
    customer.verdict = newest.verdict if newest else ""
    customer.save_because(reason, by=by)


# Transitions


@transition(
    Customer,
    source=State.ACTIVE,
    target=State.FORMER,
    permission="customers.change_customer",
    only=only_its_owner,
    reason=True,
    label="End",
    primary=False,
)
def end(customer: Customer, *, by: Any) -> None:
    """We do not deliver to them any more; what was recorded stays."""


@transition(
    Customer,
    source=State.FORMER,
    target=State.ACTIVE,
    permission="customers.change_customer",
    only=only_its_owner,
    reason=True,
    label="Take up again",
)
def take_up_again(customer: Customer, *, by: Any) -> None:
    """We deliver to them again."""


void_review = voids(
    SatisfactionReview,
    source=SatisfactionReview.Status.RECORDED,
    permission="customers.void_satisfactionreview",
)
void_review.then = lambda review, by: _take_over(
    Customer._base_manager.select_for_update(of=("self",)).get(pk=review.customer_id),
    by,
    f"{review.number} was taken back.",
)


# Edits

CUSTOMER_FIELDS = (
    "name",
    "buys",
    "special",
    "contact",
    "email",
    "owner",
    "every_months",
    "sooner_on",
)
amendment(
    Customer,
    permission="customers.change_customer",
    fields=CUSTOMER_FIELDS,
    only=only_its_owner,
    states=[State.ACTIVE],
)


# Work, hand-over, forms


@contributions.work(Customer)
def next_of_customer(customer: Customer) -> list[Step]:
    """The owner asks how satisfied they are."""
    if customer.is_settled:
        return []
    if not customer.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager")]
    return [Step("review", "Ask how satisfied", person=customer.owner, due=customer.next_due)]


@contributions.hand_over("Customers", order=83)
def customers_of(person: Any) -> list[contributions.Holding]:
    """Customers somebody answers for."""
    rows = Customer.objects.open().filter(owner=person).order_by("number")
    return contributions.held(rows, "owner")


def _found(person: Any, query: str, limit: int) -> Iterable[Any]:
    rows = Customer.objects.visible_to(person).open().known_as(query)
    return rows.order_by("number")[:limit]


@contributions.form_subject("customer", "Customer", Customer, find=_found, takes=REVIEW)
def entry_reviews(customer: Customer, *, by: Person, **values: Any) -> SatisfactionReview:
    """A form filled in about a customer says how satisfied they are."""
    made: SatisfactionReview = record_review(customer, by=by, **values)
    return made
