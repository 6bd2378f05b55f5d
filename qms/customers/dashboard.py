"""What the frame, the search and the calendar get from customers (ISO 9001 8.2, 9.1.2)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count

from qms import contributions
from qms.contributions import Entry, Related
from qms.customers.models import Customer
from qms.periods import today

contributions.navigation(
    "Do",
    "Customers",
    "customers:customer_list",
    icon="building-store",
    permission="customers.view_customer",
    order=58,
)
contributions.create_entry(
    "Customer feedback",
    "customers:feedback_create",
    icon="message",
    permission="customers.add_feedback",
    order=30,
)


@contributions.calendar
def days_of_customers(person: Any, start: date, end: date) -> list[Entry]:
    """When customers are asked how satisfied they are."""
    rows = Customer.objects.visible_to(person).open().due_between(start, end)
    return [
        Entry(each.next_due, f"Ask {each}", "Customer", each.get_absolute_url())
        for each in rows.order_by("pk")
    ]


@contributions.owns("Customers", permission="customers.view_customer", order=44)
def customers_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many customers each person answers for."""
    rows = Customer.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.mine("Customers I answer for", order=74)
def my_customers(person: Any) -> list[Related]:
    """The next to be asked first."""
    day = today()
    rows = Customer.objects.visible_to(person).open().filter(owner=person)
    return [
        Related(
            each.name,
            each.number,
            each.get_absolute_url(),
            each.get_verdict_display(),
            "late" if each.is_overdue(day) else "plain",
            day=each.next_due,
        )
        for each in rows.order_by("next_due", "pk")[:20]
    ]
