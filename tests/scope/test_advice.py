"""A scope is compared, sized and held against certificates; ownership is spread; plans are kept."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qms import contributions
from qms.contributions import CertifiedScope, Need
from qms.periods import today
from qms.refusals import Refused
from qms.scope import advice, compare, spread, workflow
from qms.scope.spread import Act, Share
from qms.workflow import amend
from tests import factories
from tests.scope.test_pages import as_
from tests.scope.test_workflow import WHY, Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.3")]


@pytest.fixture
def firm() -> Firm:
    return Firm()


# Comparing


@given(st.text(max_size=80), st.text(max_size=80))
def test_both_sides_of_a_comparison_are_the_whole_texts(before: str, after: str) -> None:
    left, right = compare.words_of(before, after)
    assert "".join(piece.words for piece in left) == before
    assert "".join(piece.words for piece in right) == after
    assert [p.words for p in left if p.kind == "same"] == [
        p.words for p in right if p.kind == "same"
    ]


def test_two_statements_stand_side_by_side(firm: Firm) -> None:
    first = firm.approved()
    other = workflow.revise_statement(first, by=firm.manager)
    site = workflow.add_site(by=firm.manager, name="Warehouse")
    amend(other, by=firm.manager, changes={"statement": "Machined parts for trains."})
    workflow.cover(other, by=firm.manager, processes=[firm.process], sites=[site])
    workflow.leave_out(other, by=firm.manager, clause="2026:9.2.1", justification=WHY)
    rows = {each.label: each for each in compare.members(first, other)}
    assert (rows["Sites"].came, rows["Sites"].went) == (["Warehouse"], ["Main plant"])
    assert rows["Processes"].stayed == ["PR Production"]
    assert len(rows["Not applicable"].came) == 1
    client = as_(factories.person())
    for address in (
        f"/scope/statements/{other.pk}/compare/",
        f"/scope/statements/{first.pk}/compare/?with={other.pk}",
    ):
        page = client.get(address).content.decode()
        assert "<ins>trains.</ins>" in page and "<del>Main plant</del>" in page
    assert client.get(f"/scope/statements/{other.pk}/compare/?with=999999").status_code == 404
    assert client.get(f"/scope/statements/{other.pk}/compare/?with=x").status_code == 200


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("2026:4.1", "context"),
        ("2026:5.1.1", "led by somebody"),
        ("2026:7.2", "competence"),
        ("2026:9.2.1", "Without measuring"),
        ("2026:8.3.1", ""),
    ],
)
def test_what_everybody_meets_is_warned_of_in_words_of_its_own(
    firm: Firm, clause: str, said: str
) -> None:
    draft = firm.draft(not_applicable=[(clause, WHY)])
    [line] = draft.left_out()
    assert (said in line.warning) if said else line.warning == ""
    page = as_(firm.manager).get(draft.get_absolute_url()).content.decode()
    assert line.warning in page.replace("&#x27;", "'")


# Advice


def test_hours_follow_the_rule_that_is_shown(firm: Firm) -> None:
    load = advice.Load(firm.process, audits=2, documents=3, indicators=1, people=2)
    assert load.hours == 2 * 12 + 3 * 2 + 4 + 2 * 6 == 46
    for number in (12, 2, 4, 6):
        assert str(number) in advice.RULE


def test_too_broad_and_too_narrow_are_said_with_their_figures(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = workflow.create_process(by=firm.manager, code="HR", name="People")
    runs = workflow.create_process(by=firm.manager, code="IT", name="Systems", owner=firm.owner)
    workflow.activate(runs, by=firm.manager)
    workflow.add_site(by=firm.manager, name="Warehouse")
    draft = firm.draft(processes=[firm.process, bare])
    needs = [Need("Repairs on site", "opening questions", "/x/"), Need("Turned parts")]
    monkeypatch.setattr(contributions, "_needs", [lambda: needs])
    found = advice.advise(draft)
    assert [(load.process.code, load.hours) for load in found.loads] == [("PR", 18), ("HR", 12)]
    assert [point.sentence for point in found.broad] == [
        "HR People has neither an owner nor a document. Describe it now, or plan it for a later"
        " cycle."
    ]
    said = [point.sentence for point in found.narrow]
    assert said == [
        "IT Systems runs, and the scope does not cover it.",
        "Warehouse is a site, and the scope does not name it.",
        "“Repairs on site” was named (opening questions); the scope does not speak of it.",
    ]
    page = as_(firm.manager).get(f"/scope/statements/{draft.pk}/advice/").content.decode()
    assert "Repairs on site" in page and advice.RULE in page


def test_a_certificate_that_says_something_else_is_named(firm: Firm) -> None:
    certified = CertifiedScope("C-1", "Machined parts and castings.", "/c/", frozenset())
    said = advice.disagreements("Machined parts for vehicles.", [firm.site], [certified])
    assert [point.sentence for point in said] == [
        "C-1 speaks of “castings”; this statement does not.",
        "Main plant was not audited since C-1 was decided.",
    ]
    same = CertifiedScope("C-1", "Machining of part for vehicle", "/c/")
    assert advice.disagreements("Machined parts for vehicles.", [firm.site], [same]) == []


@pytest.mark.parametrize(
    ("need", "text", "missing"),
    [
        ("Spare parts", "Parts and spares for pumps", False),
        ("Repair on site", "Parts for pumps", True),
        ("the new products", "Anything", False),
    ],
)
def test_a_need_is_named_when_half_its_words_are(need: str, text: str, missing: bool) -> None:
    assert advice.unnamed(need, text) is missing


# Planned extensions


def test_an_extension_is_done_when_the_scope_in_force_covers_it(firm: Firm) -> None:
    site = workflow.add_site(by=firm.manager, name="Warehouse")
    plan = workflow.plan_extension(
        by=firm.manager,
        what="The warehouse",
        why_later="It opens in May.",
        site=site,
        target_on=today() + timedelta(days=200),
    )
    with pytest.raises(Refused, match="No scope statement is approved"):
        workflow.take_in(plan, by=firm.boss)
    firm.approved()
    with pytest.raises(Refused, match="does not cover Warehouse"):
        workflow.take_in(plan, by=firm.boss)
    firm.approved(sites=[firm.site, site])
    assert workflow.take_in(plan, by=firm.boss).status == "done"


def test_an_extension_says_what_why_and_when(firm: Firm) -> None:
    for fields, said in (({"what": " "}, "what comes in"), ({"why_later": ""}, "why it is not")):
        with pytest.raises(Refused, match=said):
            workflow.plan_extension(
                by=firm.manager, **{"what": "X", "why_later": "Y", "target_on": today(), **fields}
            )
    client = as_(firm.manager)
    form = {"what": "Repairs", "why_later": "No people yet.", "target_on": "2030-01-31"}
    assert client.post("/scope/extensions/new/", form).status_code == 303
    assert "Repairs" in client.get("/scope/extensions/").content.decode()
    assert as_(factories.person()).post("/scope/extensions/new/", form).status_code == 403


# Ownership


def test_shares_are_counted_by_group_and_too_much_is_said() -> None:
    counts = {"Documents": {1: 3, 2: 1, 3: 1}, "Actions": {1: 1, 9: 5}}
    rows = spread.shares(counts, {1: "Quality", 2: "Quality", 3: "Sales"})
    assert rows == [
        Share("Quality", {"Documents": 4, "Actions": 1}, 5),
        Share("Sales", {"Documents": 1}, 1),
    ]
    [said] = spread.too_much(rows)
    assert said.startswith("Quality answers for 4 of 5 documents.")


@given(st.dictionaries(st.integers(1, 9), st.integers(0, 50), max_size=9))
def test_nothing_is_lost_between_people_and_groups(owned: dict[int, int]) -> None:
    groups = {person: str(person % 3) for person in range(1, 10)}
    rows = spread.shares({"Documents": owned}, groups)
    assert sum(row.total for row in rows) == sum(owned.values())
    assert len(spread.too_much(rows)) <= 1


@pytest.mark.clause("5.1.1")
def test_a_silent_quarter_of_leadership_is_said() -> None:
    day = date(2026, 11, 1)
    assert "Nobody holds the role" in spread.silence([], day)
    assert "has not acted" in spread.silence([Act("Bo", None)], day)
    late = [Act("Bo", day - timedelta(days=93)), Act("Cy", None)]
    assert "more than a quarter ago" in spread.silence(late, day)
    assert spread.silence([*late, Act("Di", day - timedelta(days=92))], day) == ""


@pytest.mark.clause("5.1.1")
def test_the_last_act_of_leadership_is_read_from_the_history(firm: Firm) -> None:
    assert spread.acts_of_leadership() == [Act("Bo Boss", None)]
    firm.approved()
    [act] = spread.acts_of_leadership()
    assert (act.day, act.what) == (today(), "scope statement")


def test_a_small_organisation_hears_what_it_may_combine_and_what_not() -> None:
    said = spread.right_size(6, 9)
    assert "6 people" in said and "9 processes" in said and "do not audit their own work" in said
    assert spread.right_size(11, 9) == ""


def test_the_page_of_ownership_shows_people_until_departments_are_told(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = as_(firm.manager).get("/scope/processes/ownership/").content.decode()
    assert "By person" in page and "Ola Owner" in page and "By department" not in page
    monkeypatch.setattr(contributions, "_departments", [lambda ids: dict.fromkeys(ids, "Works")])
    page = as_(firm.manager).get("/scope/processes/ownership/").content.decode()
    assert "By department" in page and "Works" in page
    assert as_(factories.person()).get("/scope/processes/ownership/").status_code == 403
