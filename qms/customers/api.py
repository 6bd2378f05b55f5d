"""Customers and satisfaction reviews under `/api/v1/`."""

from qms.api import Resource
from qms.customers import workflow
from qms.customers.forms import CustomerForm, NewCustomerForm, ReviewEntryForm
from qms.customers.models import Customer, SatisfactionReview

customers = Resource(
    "customers",
    Customer,
    fields=("number", *workflow.CUSTOMER_FIELDS, "status", "last_on", "next_due", "verdict"),
    form=NewCustomerForm,
    edit_form=CustomerForm,
    create=workflow.enter_customer,
)
reviews = Resource(
    "satisfaction-reviews",
    SatisfactionReview,
    fields=(
        "number",
        "customer",
        "reviewed_on",
        "source",
        "verdict",
        "heard",
        "follows",
        "next_due",
        "status",
    ),
    form=ReviewEntryForm,
    create=workflow.record_review,
)
