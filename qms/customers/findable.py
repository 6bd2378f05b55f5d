"""What is found of customers, surveys and feedback."""

from qms.customers.models import Customer, Feedback, Survey
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


@findable(Survey, "Surveys", order=59)
def describe_survey(survey: Survey) -> Text:
    """A survey by number, title, what it is about and what it asks."""
    return Text(
        title=survey.title,
        number=survey.number,
        words=f"{survey.about}\n{survey.questions}".strip(),
        note=survey.get_status_display(),
    )


@findable(Feedback, "Feedback", order=59)
def describe_feedback(feedback: Feedback) -> Text:
    """Feedback by number, what was said of what, and what followed."""
    return Text(
        title=feedback.title,
        number=feedback.number,
        words=f"{feedback.words}\n{feedback.about}\n{feedback.follows}".strip(),
        note=feedback.get_kind_display(),
    )
