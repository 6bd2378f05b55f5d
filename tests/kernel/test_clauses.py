"""The clause catalogue: two editions that never mix, complete and in our own words."""

import subprocess
import sys

import pytest
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from qms import clauses
from qms.clauses import ClauseField, ClauseRef, ClausesField, ClausesFormField
from qms.refusals import Refused

ALL = [c for edition in clauses.EDITIONS for c in clauses.clauses(edition)]
refs = st.sampled_from([c.ref for c in ALL])


@pytest.mark.parametrize("edition", clauses.EDITIONS)
def test_each_edition_has_91_clauses_of_which_65_are_assessable(edition: str) -> None:
    assert len(clauses.clauses(edition)) == 91
    assert len(clauses.clauses(edition, assessable=True)) == 65
    assert len(clauses.clauses(edition, assessable=False)) == 26


def test_same_number_of_two_editions_is_never_the_same_clause() -> None:
    old, new = ClauseRef("2015", "10.1"), ClauseRef("2026", "10.1")
    assert old != new
    assert len({old, new}) == 2
    assert clauses.clause(old).title == "General"
    assert clauses.clause(new).title == "Continual improvement"


def test_clauses_sort_by_number_not_by_letter() -> None:
    numbers = [c.number for c in clauses.clauses("2015")]
    assert numbers.index("9.3.3") < numbers.index("10") < numbers.index("10.2")
    assert ClauseRef("2015", "9.2") < ClauseRef("2015", "9.10")


@given(refs)
def test_a_reference_reads_back_from_both_of_its_spellings(ref: ClauseRef) -> None:
    assert ClauseRef.parse(str(ref)) == ref
    assert ClauseRef.parse(ref.key) == ref


@pytest.mark.parametrize("text", ["9.2.2", "", "2015", "2015:", "2015:9.", "9.2 (2008)", "x:9"])
def test_a_reference_without_its_edition_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refused, match=r"\.$"):
        ClauseRef.parse(text)


def test_an_unknown_clause_is_refused() -> None:
    with pytest.raises(Refused, match=r"Edition 2026 has no clause 10\.3"):
        clauses.clause("2026:10.3")
    assert clauses.clause("2015:10.3").title == "Continual improvement"


@pytest.mark.parametrize("found", ALL, ids=lambda c: c.key)
def test_every_clause_hangs_in_the_tree_and_speaks(found: clauses.Clause) -> None:
    assert found.paraphrase.endswith((".", "?"))
    assert found.commonly_not_applicable in {"no", "sometimes", "often"}
    assert found.certainty in {"A", "B", "C"}
    if found.parent is None:
        assert found.level == 1
    else:
        assert found in clauses.children(found.parent)
    assert found.assessable or clauses.children(found.ref), "a heading has something below it"
    if found.assessable:
        assert found.questions, "an auditor needs at least one question"
        assert found.typical_evidence


def test_every_clause_is_mapped_to_clauses_that_exist_and_back() -> None:
    for found in ALL:
        mapped = clauses.mapping_of(found.ref)
        assert mapped.refs
        assert mapped.kind in clauses.MAPPING_KINDS
        for there in mapped.refs:
            assert there.edition == clauses.other_edition(found.edition)
            assert clauses.clause(there)
            assert found.ref in clauses.mapping_of(there).refs


def test_the_moves_between_editions_are_known() -> None:
    split = clauses.mapping_of("2015:6.1.2")
    assert [r.number for r in split.refs] == ["6.1.2", "6.1.3"]
    assert split.kind == "split"
    assert [r.number for r in clauses.mapping_of("2015:10.3").refs] == ["10.1"]
    merged = clauses.mapping_of("2026:10.1")
    assert [r.number for r in merged.refs] == ["10.1", "10.3"]
    assert merged.kind == "merged"


def test_what_changed_is_said_wherever_the_mapping_says_changed() -> None:
    for found in clauses.clauses("2026"):
        mapped = clauses.mapping_of(found.ref)
        assert mapped.kind == "same" or mapped.note, found.key


def test_review_inputs_are_12_rows_in_2015_and_13_in_2026() -> None:
    assert len(clauses.review_inputs("2015")) == 12
    assert len(clauses.review_inputs("2026")) == 13
    assert sum(item.trend for item in clauses.review_inputs("2015")) == 7
    assert sum(item.trend for item in clauses.review_inputs("2026")) == 7
    assert {i.clause for i in clauses.review_inputs("2026")} == {"9.3.2"}


def test_checklists_have_unique_lines_and_real_clauses() -> None:
    for name in (
        "management_review_outputs",
        "process_definition_fields",
        "objective_plan_fields",
        "corrective_action_steps",
        "document_control_controls",
        "audit_report_content",
    ):
        found = clauses.checklist(name)
        assert len({i.id for i in found}) == len(found) > 3
        for item in found:
            assert item.source or clauses.clause(ClauseRef("2015", item.clause))
    with pytest.raises(KeyError):
        clauses.checklist("unknown")


def test_certification_rules_carry_their_numbers() -> None:
    rules = clauses.certification_rules()
    assert rules["first_surveillance"].params["months_max"] == 12
    assert rules["transition_2026_end"].certainty == "C"


def test_search_puts_the_number_first_then_titles() -> None:
    assert clauses.search("9.2.2", "2015")[0].number == "9.2.2"
    hits = clauses.search("climate", "2026")
    assert "4.1" in [c.number for c in hits]
    assert clauses.search("Competence", "2015")[0].number == "7.2"
    assert clauses.search("", "2015") == ()
    assert clauses.search("zzzz", "2015") == ()


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        clauses.clause("2015:4.1").title = "Mine"  # type: ignore[misc]
    with pytest.raises(TypeError):
        clauses.certification_rules()["mine"] = None  # type: ignore[index]


def test_importing_the_catalogue_reads_nothing() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, qms.clauses; print('yaml' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "", "PATH": ""},
    )
    assert seen.stdout.strip() == "False"


def test_a_clause_field_keeps_one_spelling_and_refuses_what_is_no_clause() -> None:
    field = ClauseField()
    assert field.clean("9.2.2 (2026)", None) == "2026:9.2.2"
    assert field.get_prep_value(ClauseRef("2015", "4.1")) == "2015:4.1"
    for wrong in ("9.2.2", "2026:10.3", "2015:99"):
        with pytest.raises(ValidationError):
            field.clean(wrong, None)


def test_a_clauses_field_is_sorted_and_without_doubles() -> None:
    field = ClausesField(blank=True)
    mixed = ["2026:10.1", "2015:9.2.2", "2015:9.2.1", "9.2.1 (2015)"]
    assert field.clean(mixed, None) == ["2015:9.2.1", "2015:9.2.2", "2026:10.1"]
    with pytest.raises(ValidationError):
        field.clean(["2015:99"], None)


def test_clause_fields_survive_migrations() -> None:
    for field in (ClauseField(), ClausesField(blank=True)):
        _, path, args, kwargs = field.deconstruct()
        assert path == f"qms.clauses.{type(field).__name__}"
        assert type(field)(*args, **kwargs).deconstruct()[1:] == (path, args, kwargs)


def test_the_form_offers_one_edition_and_takes_no_other() -> None:
    class Form(forms.Form):
        clauses = ClausesFormField(edition="2026", assessable=True)

    good = Form({"clauses": ["2026:9.2.2", "2026:4.1"]})
    assert good.is_valid()
    assert good.cleaned_data["clauses"] == ["2026:4.1", "2026:9.2.2"]
    for wrong in ("2015:9.2.2", "2026:9.2", "2026:10.3"):
        bad = Form({"clauses": [wrong]})
        assert bad.errors["clauses"] == ["Choose clauses from the list."]


def test_the_form_field_of_a_model_field_is_ours() -> None:
    assert isinstance(ClauseField().formfield(), clauses.ClauseFormField)
    assert isinstance(ClausesField(blank=True).formfield(), ClausesFormField)
    assert ClausesField(blank=True).formfield().clean([]) == []
