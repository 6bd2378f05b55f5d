"""A new organisation sets itself up by hand in a real browser: from empty to a plan (4.1 to 6.2).

The administrator's first sign-in finds an empty installation; the path leads from the organisation
to a scope draft, processes, first documents and a dated plan. The first assessment follows, and
each gap becomes a line of the roadmap. What would only repeat itself is done by the domain calls.
"""

import re
from datetime import timedelta
from typing import Any

import pytest

from documents.models import Document
from qms.gap import workflow as gap
from qms.gap.models import Assessment
from qms.journey.models import OpeningAnswer, Project
from qms.people.models import Person
from qms.periods import today
from qms.scope.models import Flow, Organisation, Process, ScopeStatement, Site
from tests.factories import person
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
CLICKS = 18  # from the first page to the summary, beside the typing


@pytest.fixture
def _one_by_one(settings: Any) -> None:
    """A stop writes dozens of records, each with its own checks and history: that is no list."""
    settings.ZEAL_NPLUSONE_THRESHOLD = 80


@pytest.mark.usefixtures("_one_by_one")
def test_a_new_organisation_sets_itself_up(transactional_db: None, sits_down: Any) -> None:
    admin = person("administrator", name="Ada First")
    desk: Desk = sits_down(admin)
    with desk.counted("From an empty installation to scope, processes, documents and plan", CLICKS):
        the_path_is_walked(desk)
    it_is_all_there(admin)
    what_was_left_can_be_taken_up(desk)
    assessment = the_first_assessment(desk)
    the_roadmap_shows_it(desk, assessment)
    the_journey_knows(desk)


def the_path_is_walked(desk: Desk) -> None:
    desk.reads("Nothing is set up yet")
    desk.press("Begin", within="main")
    desk.press("Begin", within="main")
    desk.write(
        name="Moor Tools",
        country="United Kingdom",
        time_zone="London",
        headcount="9",
    )
    desk.confirm()
    desk.press("I am quality manager, too")
    desk.write(name="Bo Leader", email="bo@example.com", job_title="Director")
    desk.write(roles=["Top management"])
    desk.confirm()
    desk.reads("Bo Leader is added")
    desk.press("Go on", within=".start-ways")
    desk.write(name="Moor Lane works", address="Moor Lane, Halifax")
    desk.confirm()
    desk.press("Go on", within=".start-ways")
    desk.write(
        services="Hand tools for masons\nSharpening",
        processes="Forging\nGrinding",
        problems="Handles that come loose",
        customers="Tools that hold",
    )
    desk.confirm()
    desk.press("Begin with manufacturing")
    desk.confirm()
    desk.reads("Your processes")
    desk.press("Go on", within=".start-ways")
    desk.reads("Documents")
    desk.confirm()
    desk.confirm()  # the scope, as it is proposed
    desk.write(months="6")
    desk.confirm()
    desk.reads("Your system has begun")


def it_is_all_there(admin: Person) -> None:
    organisation, site = Organisation.objects.get(), Site.objects.get()
    assert (organisation.name, site.name) == ("Moor Tools", "Moor Lane works")
    assert OpeningAnswer.objects.get(question="services").lines[1] == "Sharpening"
    codes = set(Process.objects.values_list("code", flat=True))
    assert {"SA", "PR", "IN", "MG", "IM", "HR"} <= codes
    assert Flow.objects.live().count() > len(codes)
    assert Process.objects.filter(owner=None).count() == 0
    statement = ScopeStatement.objects.get()
    assert statement.status == "draft" and "hand tools for masons" in statement.statement
    assert len(statement.processes()) == len(codes)
    assert Document.objects.count() >= 6
    project = Project.objects.get()
    assert (project.status, project.months, project.starter) == ("running", 6, "manufacturing")


def what_was_left_can_be_taken_up(desk: Desk) -> None:
    """Going back shows what was entered; the path itself is never in the way."""
    desk.open("/start/questions/")
    assert "Sharpening" in desk.page.input_value("[name=services]")
    desk.open("/start/")
    desk.reads("See the summary")


def the_first_assessment(desk: Desk) -> Assessment:
    desk.open("/gap/new/")
    desk.confirm()
    desk.page.wait_for_url(re.compile(r"/gap/\d+/"))
    assessment = Assessment.objects.get()
    manager = Person.objects.get(pk=desk.who.pk)
    answers = sorted(assessment.answers.all(), key=lambda each: each.ref)
    for each in answers[1:]:
        gap.answer(each, by=manager, rating="in_place", evidence="Seen at the bench.")
    desk.open_record(answers[0])
    desk.write("main", rating=["Partly"], evidence="A page of last year.")
    desk.write("main", note="Nothing about climate.")
    desk.write(
        "main",
        plan="Write the context anew",
        owner="Ada First",
        due=str(today() + timedelta(days=40)),
    )
    desk.confirm()
    return assessment


def the_roadmap_shows_it(desk: Desk, assessment: Assessment) -> None:
    desk.open(f"{assessment.get_absolute_url()}roadmap/")
    desk.reads("Write the context anew")


def the_journey_knows(desk: Desk) -> None:
    desk.open("/journey/")
    desk.reads("Ten steps to a system that works")
    desk.reads("is in progress")
    shown = desk.page.inner_text("#step-2")
    assert "1 site" in shown and "still drafts" in shown
    desk.open("/")
    desk.page.wait_for_selector("text=Steps done")
