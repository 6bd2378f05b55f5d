"""What a start leaves behind: a collector at work, and nothing of the program for it to look at."""

import gc

from qms.people.models import Person


def test_the_collector_works_and_rests_on_what_the_start_made() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000


def test_the_managers_of_a_history_are_of_one_class() -> None:
    assert type(Person().history) is type(Person.history)
    assert Person.history.model is Person().history.model
