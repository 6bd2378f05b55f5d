"""A new organisation sets itself up by hand in a real browser: from empty to a plan (4.1 to 6.2).

The administrator's first sign-in finds an empty installation; the path leads from the organisation
to a scope draft, processes, first documents and a dated plan. The first assessment follows, and
each gap becomes a line of the roadmap. A dozen clauses are answered one after the other by mouse
and keyboard; those after them are sent as the same form by the same person, without the pictures.
"""

import re
from datetime import timedelta
from typing import Any

import pytest

from documents.models import Document
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
BY_HAND = 12  # clauses answered on their pages
# The gaps among them: how far it is, and what will be done.
GAPS = {
    0: ("Partly", "Write the context anew"),
    4: ("Not started", "Draw how the processes meet"),
    9: ("Largely", "Tell everybody the policy"),
}
CLICKS = 18  # from the first page to the summary, beside the typing


@pytest.fixture
def _one_by_one(settings: Any) -> None:
    """A stop writes dozens of records, each with its own checks and history: that is no list."""
    settings.ZEAL_NPLUSONE_THRESHOLD = 80


@pytest.mark.usefixtures("_one_by_one")
def test_a_new_organisation_sets_itself_up(transactional_db: None, sits_down: Any) -> None:
    admin = person("administrator", name="Ada First")
    desk: Desk = sits_down(admin, by_page=True)
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
    answers = sorted(assessment.answers.all(), key=lambda each: each.ref)
    desk.open_record(answers[0])
    desk.write("main", rating=["In place"])
    desk.confirm()
    desk.reads("Not saved yet")  # in place is refused without evidence
    for at, following in enumerate(answers[1 : BY_HAND + 1]):
        one_clause_is_answered(desk, *GAPS.get(at, ("In place", "")))
        desk.page.wait_for_url(f"**{following.get_absolute_url()}")
    the_rest_is_sent(desk, answers[BY_HAND:])
    desk.open_record(assessment)
    desk.reads(f"{len(answers)} of {len(answers)}")
    desk.press("Complete", within=".next-steps")
    desk.reads("Completed")
    assessment.refresh_from_db()
    assert assessment.status == Assessment.Status.COMPLETED
    assert assessment.answers.filter(rating="in_place").count() == len(answers) - len(GAPS)
    return assessment


def one_clause_is_answered(desk: Desk, rating: str, plan: str) -> None:
    """Rate the clause of the page, say why, plan what is missing, and go on to the next."""
    desk.write("main", rating=[rating])
    if not plan:
        desk.write("main", evidence="Seen at the bench.")
    else:
        due = str(today() + timedelta(days=40))
        desk.write("main", note="Half of it.", plan=plan, owner="Ada First", due=due)
    desk.confirm()


def the_rest_is_sent(desk: Desk, answers: list[Any]) -> None:
    """The same form by the same person, clause after clause."""
    token = desk.page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    for each in answers:
        url = f"{desk.host}{each.get_absolute_url()}"
        body = {"csrfmiddlewaretoken": token, "version": each.version, "links_shown": 1}
        body |= {"rating": "in_place", "evidence": "Seen at the bench."}
        sent = desk.context.request.post(url, form=body, max_redirects=0)
        assert sent.status == 303, f"{each}: {sent.status}"


def the_roadmap_shows_it(desk: Desk, assessment: Assessment) -> None:
    desk.open(f"{assessment.get_absolute_url()}roadmap/")
    for _rating, plan in GAPS.values():
        desk.reads(plan)


def the_journey_knows(desk: Desk) -> None:
    desk.open("/journey/")
    desk.reads("Ten steps to a system that works")
    assert "2 of 2" in desk.page.inner_text("#step-3")
    shown = desk.page.inner_text("#step-2")
    assert "1 site" in shown and "still drafts" in shown
    desk.open("/")
    desk.page.wait_for_selector("text=Steps done")
