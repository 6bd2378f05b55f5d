"""What is found of customers."""

from qms.customers.models import Customer
from qms.finding.workflow import Text, findable


@findable(Customer, "Customers", order=58)
def describe(customer: Customer) -> Text:
    """A customer by number, name, what they buy and what they ask for in particular."""
    return Text(
        title=customer.name,
        number=customer.number,
        words=f"{customer.buys}\n{customer.special}".strip(),
        note=customer.get_status_display(),
    )
