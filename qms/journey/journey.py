"""What the opening answers propose to the registers, so that nothing is asked twice (4.2, 6.1).

Each line of an answer is proposed on the page of the register it fits; a person takes it up there.
"""

from qms import contributions
from qms.contributions import Need
from qms.journey.workflow import opening_lines


def _lines(question: str) -> list[Need]:
    return [
        Need(line, "opening questions", "/journey/opening/") for line in opening_lines(question)
    ]


@contributions.proposes("party")
def parties_named_at_the_start() -> list[Need]:
    """Lines such as “Insurer: no recall”: who, and what they require."""
    return _lines("parties")


@contributions.proposes("need")
def needs_of_customers() -> list[Need]:
    """What customers were said to care about."""
    return _lines("customers")


@contributions.proposes("requirement")
def rules_named_at_the_start() -> list[Need]:
    """Laws, regulations and codes."""
    return _lines("rules")


@contributions.proposes("risk")
def problems_named_at_the_start() -> list[Need]:
    """Where quality problems were known to occur."""
    return _lines("problems")
