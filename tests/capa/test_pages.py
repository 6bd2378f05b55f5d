"""Pages of cases: one page answers, causes are drawn, reports print, the bundle holds it all."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from zeal import zeal_ignore

from capa import fishbone, whys, workflow
from capa.models import CauseAnalysis, CorrectiveAction, EightD, Nonconformity
from capa.prints import TEMPLATE, nc_context
from qms.files.workflow import attach_all
from qms.pdf import html_of
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from tests import factories
from tests.many import questions

pytestmark = [pytest.mark.django_db, pytest.mark.clause("10.2.1")]


class Shop:
    """A case, its owner, and a browser of theirs."""

    def __init__(self, client: Client) -> None:
        self.owner = factories.person("process_owner", name="Ola Owner")
        self.manager = factories.person("quality_manager", name="Mia Manager")
        self.nc = workflow.raise_nonconformity(
            by=factories.person(),
            title="Gasket leaks",
            statement="It leaks at 10 bar.",
            requirement="Drawing 12.",
            evidence="Test 7.",
            owner=self.owner,
        )
        self.client = client
        factories.sign_in(client, self.owner)

    def at(self, page: str = "") -> str:
        return f"/nonconformities/{self.nc.pk}/{page}"

    def posts(self, page: str, said: dict[str, Any]) -> Any:
        with zeal_ignore():  # an answer is several steps of one record: one write each
            return self.client.post(self.at(page), said)

    def signs_in(self, person: Person) -> None:
        factories.sign_in(self.client, person)


@pytest.fixture
def shop(client: Client) -> Shop:
    return Shop(client)


WHOLE = {
    "containment": "Stock is blocked.",
    "correction": "Replaced.",
    "delivered": "Nothing.",
    "why_chain": "It was soft\n- The material is not ordered by name\n- Nobody tests it",
    "root_cause": "The order names no material.",
    "category": "method",
    "similar": "Looked at all gaskets: none.",
    "action": "Name the material in the order",
    "effectiveness_criterion": "No wrong gasket in 50 orders.",
}


def test_one_submission_answers_a_simple_finding(shop: Shop) -> None:
    assert b"Answer on one page" in shop.client.get(shop.at()).content
    sent = shop.posts("answer/", WHOLE)
    assert (sent.status_code, sent["Location"]) == (303, shop.at())
    shop.nc.refresh_from_db()
    assert (shop.nc.status, shop.nc.delivered) == ("planned", "Nothing.")
    [action] = CorrectiveAction.objects.serving(shop.nc)
    assert (action.owner, action.cause) == (shop.owner, "The order names no material.")
    assert [(each["why"], each["parent"]) for each in shop.nc.whys] == [
        ("It was soft", 0),
        ("The material is not ordered by name", 1),
        ("Nobody tests it", 1),
    ]
    page = shop.client.get(shop.at()).content.decode()
    assert action.number in page
    assert "Nobody tests it" in page


def test_it_may_be_answered_step_by_step_on_the_same_page(shop: Shop) -> None:
    first = {name: WHOLE[name] for name in ("containment", "correction")}
    assert shop.posts("answer/", first).status_code == 303
    page = shop.client.get(shop.at("answer/")).content.decode()
    assert 'name="containment"' not in page
    assert 'name="root_cause"' in page


def test_what_was_written_stays_when_a_part_in_between_is_missing(shop: Shop) -> None:
    gap = WHOLE | {"root_cause": ""}
    answer = shop.posts("answer/", gap)
    assert answer.status_code == 422
    assert "“Root cause” – Fill this in." in answer.content.decode()
    assert "Stock is blocked." in answer.content.decode()
    long = WHOLE | {"containment": "x" * 10_001}
    answer = shop.posts("answer/", long)
    assert answer.status_code == 422
    assert "x" * 10_001 in answer.content.decode()
    shop.nc.refresh_from_db()
    assert shop.nc.status == "open"
    exactly = WHOLE | {"containment": "x" * 10_000}
    assert shop.posts("answer/", exactly).status_code == 303


def test_of_two_who_answer_at_once_the_second_is_told(shop: Shop) -> None:
    seen = shop.nc.version
    first = {"containment": "Blocked.", "seen": seen}
    assert shop.posts("answer/", first).status_code == 303
    late = shop.client.post(
        shop.at("answer/"),
        {"root_cause": "x", "category": "method", "similar": "none", "seen": seen},
    )
    assert late.status_code == 409
    assert "Someone changed this meanwhile" in late.content.decode()


def test_a_report_without_requirement_is_completed_with_the_answer(shop: Shop) -> None:
    shop.nc = workflow.raise_nonconformity(by=shop.manager, title="Noise", owner=shop.owner)
    assert 'name="requirement"' in shop.client.get(shop.at("answer/")).content.decode()
    answer = shop.posts("answer/", {"containment": "Stopped."})
    assert "which requirement is not met" in answer.content.decode()
    said = {"requirement": "85 dB.", "evidence": "Meter.", "statement": "It is too loud."}
    assert shop.posts("answer/", {"containment": "Stopped."} | said).status_code == 303
    shop.nc.refresh_from_db()
    assert (shop.nc.requirement, shop.nc.status) == ("85 dB.", "contained")


def test_only_who_answers_sees_the_page(shop: Shop) -> None:
    shop.signs_in(factories.person("process_owner"))
    assert shop.client.get(shop.at("answer/")).status_code == 403
    assert shop.posts("answer/", WHOLE).status_code == 403


# Looking for the cause


def test_whys_branch_and_bear_evidence(shop: Shop) -> None:
    said = {
        "why_1": "It was soft",
        "parent_1": 0,
        "evidence_1": "Hardness 40",
        "why_2": "Wrong material",
        "parent_2": 1,
        "why_3": "No test on receipt",
        "parent_3": 1,
        "root_3": "on",
        "scheme": "classic",
        "bone_material": "Soft lot\nMixed bin",
        "is_0": "Size 40",
        "is_not_0": "Size 50",
        "so_0": "Other supplier",
    }
    assert shop.client.post(shop.at("cause/"), said).status_code == 303
    analysis = CauseAnalysis.objects.get()
    assert whys.roots(analysis.whys) == ["No test on receipt"]
    page = shop.client.get(shop.at()).content.decode()
    assert "Hardness 40" in page
    assert "<svg" in page
    assert "Mixed bin" in page
    assert "Other supplier" in page
    again = shop.client.get(shop.at("cause/")).content.decode()
    assert "Wrong material" in again


def test_a_circle_of_whys_is_refused_and_nothing_is_lost(shop: Shop) -> None:
    said = {"why_1": "A soft seal", "parent_1": 2, "why_2": "A hard seal", "parent_2": 1}
    answer = shop.client.post(shop.at("cause/"), said)
    assert answer.status_code == 422
    assert "go round in a circle: 1 answers 2 answers 1" in answer.content.decode()
    assert "A hard seal" in answer.content.decode()
    assert not CauseAnalysis.objects.exists()
    with pytest.raises(Refused, match="which is empty"):
        whys.check([whys.row(1, 7, "x")])


def test_a_cause_in_a_category_that_is_not_drawn_is_not_lost(shop: Shop) -> None:
    said = {"scheme": "classic", "bone_policy": "Promised too early"}
    answer = shop.client.post(shop.at("cause/"), said)
    assert answer.status_code == 422
    assert "Policy is not in these categories" in answer.content.decode()
    assert "Promised too early" in answer.content.decode()
    assert shop.client.post(shop.at("cause/"), said | {"scheme": "service"}).status_code == 303


@pytest.mark.parametrize(
    "said",
    [
        "Human error.",
        "The operator was careless",
        "He should have paid attention.",
        "The fitter didn't pay attention",
        "She forgot to sign the traveller",
        "Operator’s mistake",
        "They couldn't be arsed",
        "Lack of attention on the night shift",
        "Retrain the operator",
    ],
)
def test_blaming_somebody_gets_a_soft_word_and_no_refusal(shop: Shop, said: str) -> None:
    assert "what made this slip possible" in whys.soft_word(said)
    workflow.contain(shop.nc, by=shop.owner, containment="Blocked.")
    workflow.find_cause(shop.nc, by=shop.owner, root_cause=said, category="people", similar="None.")
    assert "says who it happened to" in shop.client.get(shop.at()).content.decode()


@pytest.mark.parametrize(
    "said",
    [
        "The traveller has no field for the torque.",
        "The limit of the gauge is not on the card.",
        "The training was never planned for the night shift.",
        "The supplier changed the alloy.",
    ],
)
def test_a_cause_in_the_system_gets_none(said: str) -> None:
    assert whys.soft_word(said) == ""


def test_the_picture_holds_every_cause_inside_its_frame() -> None:
    branches = [
        (f"Category {n}", [f"A cause of {n} that is longer than one line"] * n) for n in range(6)
    ]
    drawn = fishbone.draw(
        "A very long effect that needs more than a single line of the head", branches
    )
    assert sum(cause.first for bone in drawn.bones for cause in bone.causes) == 15
    for bone in drawn.bones:
        for cause in bone.causes:
            assert 0 < cause.x < drawn.head_x
            assert 0 < cause.y < drawn.height
        assert 0 < bone.label_y < drawn.height


def test_whys_of_lines_without_dashes_are_one_chain() -> None:
    rows = whys.from_lines("One\n\nTwo\nThree")
    assert [(each["key"], each["parent"]) for each in rows] == [(1, 0), (2, 1), (3, 2)]
    whys.check(rows)
    deep = whys.from_lines("Event\n- a\n-- b\n- c")
    assert [each["parent"] for each in deep] == [0, 1, 2, 1]


# The full 8D, reports and the bundle


@pytest.mark.slow
def test_a_serious_case_unfolds_the_8d_and_closes_only_with_it(shop: Shop) -> None:
    page = shop.client.get(shop.at()).content.decode()
    assert "Answer as 8D" in page
    assert "Begin the 8D" not in page
    shop.nc.severity = "serious"
    shop.nc.save_because("A customer stands still.", by=shop.manager)
    assert "Begin the 8D" in shop.client.get(shop.at()).content.decode()
    said = {"leader": shop.owner.pk, "members": [shop.manager.pk], "prevention": "All drawings."}
    assert shop.client.post(shop.at("8d/"), said).status_code == 303
    eight_d = EightD.objects.get()
    assert workflow.team_of(eight_d) == [shop.owner, shop.manager]
    assert "the thanks to the team (D8)" in eight_d.lacking()
    more = said | {"recognition": "Lunch.", "version": eight_d.version}
    assert shop.client.post(shop.at("8d/"), more).status_code == 303
    shop.posts("answer/", WHOLE | {"action_due": today(), "check_on": today()})
    shop.nc.refresh_from_db()
    [action] = CorrectiveAction.objects.serving(shop.nc)
    from qms.actions.workflow import complete

    [task] = workflow.tasks_of(action)
    complete(task, by=shop.owner, result="Named.")
    workflow.implement_action(action, by=shop.owner)
    workflow.judge_effective(
        action, by=shop.manager, proof=factories.proof(shop.manager), verdict="50, none."
    )
    shop.nc.refresh_from_db()
    with pytest.raises(Refused, match="Its 8D lacks the problem"):
        workflow.close(shop.nc, by=shop.manager)
    eight_d.refresh_from_db()
    for name in ("description", "chosen", "validated"):
        setattr(eight_d, name, "Said.")
    eight_d.save_because("Finished.", by=shop.owner)
    assert workflow.close(shop.nc, by=shop.manager).status == "closed"
    shut = shop.client.get(shop.at("8d/"))
    assert (shut.status_code, "open it again before" in shut.content.decode()) == (422, True)


@pytest.mark.slow
def test_reports_print_and_the_bundle_holds_them_with_the_evidence(shop: Shop) -> None:
    shop.posts("answer/", WHOLE)
    workflow.begin_8d(Nonconformity.objects.get(), by=shop.owner, leader=shop.owner)
    [action] = CorrectiveAction.objects.all()
    [task] = workflow.tasks_of(action)
    attach_all(task, [ContentFile(b"Order 12: NBR 70", name="order.txt")], by=shop.owner)
    for page in ("pdf/", "8d/pdf/"):
        answer = shop.client.get(shop.at(page))
        assert answer.content.startswith(b"%PDF")
    answer = shop.client.get(shop.at("bundle/"))
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    number = shop.nc.number
    assert names == [f"{number}.pdf", f"{number}-8D.pdf", "evidence/01-order.txt"]


def test_every_part_of_a_report_stands_under_its_heading(shop: Shop) -> None:
    shop.posts("answer/", WHOLE)
    words = html_of(TEMPLATE, nc_context(Nonconformity.objects.get()))
    parts = ["What is wrong</h2>", "Requirement", "Answer</h2>", "Containment", "Causes</h2>"]
    parts += ["Root cause", "Corrective action</h2>", "Effective when"]
    places = [words.index(each) for each in parts]
    assert places == sorted(places)


# Corrective actions


@pytest.mark.slow
def test_a_corrective_action_is_planned_on_its_own_page(shop: Shop) -> None:
    first = {n: WHOLE[n] for n in ("containment", "root_cause", "category", "similar")}
    shop.posts("answer/", first)
    made = shop.client.post(
        "/nonconformities/corrective-actions/new/",
        {
            "title": "Materials by name",
            "owner": shop.owner.pk,
            "cause": "No name.",
            "criterion": "None in 50.",
            "nonconformities": [shop.nc.pk],
        },
    )
    assert made.status_code == 303
    action = CorrectiveAction.objects.get()
    due = today() + timedelta(days=5)
    task = {"title": "Change the form", "owner": shop.owner.pk, "due": due}
    assert shop.client.post(f"{action.get_absolute_url()}task/", task).status_code == 303
    assert shop.client.post(f"{action.get_absolute_url()}do/start_plan/", {}).status_code == 303
    shop.nc.refresh_from_db()
    assert shop.nc.status == "planned"
    assert shop.nc.number in shop.client.get(action.get_absolute_url()).content.decode()
    listed = shop.client.get("/nonconformities/corrective-actions/").content.decode()
    assert "Materials by name" in listed


@pytest.mark.slow
def test_the_page_of_a_case_asks_as_much_for_thirty_tasks_as_for_two(shop: Shop) -> None:
    shop.posts("answer/", WHOLE | {"action_due": today(), "check_on": today()})
    [action] = CorrectiveAction.objects.all()

    def more(count: int) -> None:
        for number in range(count):
            owner = factories.person("process_owner")
            title = f"Task {number}"
            workflow.add_task(action, by=shop.owner, title=title, owner=owner, due=today())

    more(1)
    pages = (shop.at(), action.get_absolute_url(), shop.at("pdf/"))
    few = [questions(lambda page=page: shop.client.get(page)) for page in pages]  # type: ignore[misc]
    more(28)
    assert [questions(lambda page=page: shop.client.get(page)) for page in pages] == few  # type: ignore[misc]


@pytest.mark.slow
def test_a_case_with_several_corrective_actions_asks_few_questions_for_each(shop: Shop) -> None:
    first = {n: WHOLE[n] for n in ("containment", "root_cause", "category", "similar")}
    shop.posts("answer/", first)
    shop.nc.refresh_from_db()

    def one_more() -> None:
        action = workflow.raise_corrective_action(
            by=shop.manager,
            title="Another",
            owner=shop.owner,
            cause="No name.",
            criterion="None in 50.",
            nonconformities=[shop.nc],
        )
        workflow.add_task(action, by=shop.owner, title="Do", owner=shop.owner, due=today())

    one_more()
    factories.sign_in(shop.client, shop.manager)
    one = questions(lambda: shop.client.get(shop.at()))
    one_more()
    two = questions(lambda: shop.client.get(shop.at()))
    assert two - one <= 6


# Two tabs, the back button

EDITED = {
    "title": "My better title",
    "statement": "It leaks at 10 bar.",
    "detected_on": "2026-01-05",
    "source": "process",
    "grade": "minor",
    "reason": "Clearer.",
}


@pytest.mark.parametrize(
    ("page", "said", "typed"),
    [
        ("do/contain/", {"containment": "My long words."}, "My long words."),
        ("edit/", EDITED, "My better title"),
        ("answer/", {"containment": "My whole answer.", "correction": "So."}, "My whole answer."),
    ],
)
def test_a_form_of_another_tab_is_409_and_keeps_what_was_typed_after_the_case_moved_on(
    shop: Shop, page: str, said: dict[str, Any], typed: str
) -> None:
    seen = shop.nc.version
    workflow.contain(shop.nc, by=shop.manager, containment="Blocked by somebody faster.")
    late = shop.posts(page, said | {"version": seen, "seen": seen})
    assert late.status_code == 409
    assert typed in late.content.decode()
    shop.nc.refresh_from_db()
    assert (shop.nc.status, shop.nc.containment) == ("contained", "Blocked by somebody faster.")
    assert shop.nc.title == "Gasket leaks"


def test_a_whole_answer_that_comes_too_late_is_shown_again(shop: Shop) -> None:
    seen = shop.nc.version
    shop.posts("answer/", WHOLE)
    mine = WHOLE | {"root_cause": "My other cause.", "seen": seen}
    late = shop.posts("answer/", mine)
    assert late.status_code == 409
    for words in ("My other cause.", "Stock is blocked.", "Name the material in the order"):
        assert words in late.content.decode()
    assert CorrectiveAction.objects.count() == 1
    assert shop.client.get(shop.at("answer/")).status_code == 422


def test_the_same_form_sent_twice_is_done_once(shop: Shop) -> None:
    seen = {"containment": "Blocked.", "version": shop.nc.version}
    assert shop.posts("do/contain/", seen).status_code == 303
    again = shop.posts("do/contain/", seen)
    assert again.status_code == 409
    assert "it is already cause analysis" in again.content.decode()
    assert shop.nc.history.count() == 2
