"""The tabs above the lists of customers."""

from typing import Any

from django.urls import reverse

TABS = (
    ("Customers", "customers:customer_list", "customers.view_customer"),
    ("Satisfaction", "customers:review_list", "customers.view_satisfactionreview"),
    ("Surveys", "customers:survey_list", "customers.view_survey"),
    ("Results", "customers:results", "customers.view_surveyanswer"),
    ("Feedback", "customers:feedback_list", "customers.view_feedback"),
)


def tabs(person: Any, current: str) -> list[tuple[str, str, bool]]:
    """(label, address, whether it is this one) of those the person may open."""
    return [
        (label, reverse(name), name == current)
        for label, name, permission in TABS
        if person.has_perm(permission)
    ]
