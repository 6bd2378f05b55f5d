"""What is alike is found, and a cause that comes again is noticed (10.2.1 b)."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from capa import workflow
from capa.models import CaseWords, Nonconformity, Repeat
from capa.recurrence import again, alike, keep_words, repeats_of, told_by, told_in_words
from capa.views.repeats import families
from capa.workflow.repeats import look_for_repeats
from qms.people.workflow import place_person, set_outside_access
from qms.periods import today
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.many import multiply, questions

LABELLED = Path(__file__).with_name("labelled_cases.txt")


@dataclass(frozen=True)
class Labelled:
    """A made-up case; cases of one family have the same cause in other words."""

    family: str
    process: str
    product: str
    category: str
    title: str
    statement: str
    cause: str

    @property
    def is_proof(self) -> bool:
        """Whether it belongs to the half that the weights were not chosen by."""
        return self.family != "-" and int(self.family[1:]) % 2 == 1


def labelled() -> list[Labelled]:
    lines = LABELLED.read_text().splitlines()
    return [
        Labelled(*(part.strip() for part in line.split(" | ")))
        for line in lines
        if line and not line.startswith("#")
    ]


def record_all(cases: list[Labelled], by: Any) -> dict[int, Labelled]:
    """The cases as they would stand in the log once their cause is known."""
    from qms.scope.workflow import create_process

    processes: dict[str, Any] = {}
    made = {}
    for at, case in enumerate(cases):
        if case.process not in processes:
            code = f"P{len(processes):02}"
            processes[case.process] = create_process(by=by, code=code, name=case.process, owner=by)
        nc = workflow.raise_nonconformity(
            by=by,
            title=case.title,
            statement=case.statement,
            product=case.product,
            process=processes[case.process],
            detected_on=today() - timedelta(days=400 - at),
        )
        nc.root_cause, nc.category = case.cause, case.category
        nc.save_because("Named its cause.", by=by)
        made[nc.pk] = case
    return made


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.proof
def test_of_300_varied_cases_the_repeats_are_found_and_few_others(record_property: Any) -> None:
    """On the families the weights were not chosen by. Held: 86 of 90, 0.93 and 0.82."""
    known = record_all(labelled(), factories.person("quality_manager"))
    families = defaultdict(set)
    for pk, case in known.items():
        families[case.family].add(pk)
    assert len(known) == 300
    assert len(families) == 61
    shown = asked = hits = flagged = wanted = 0
    everything = Nonconformity.objects.all()
    for pk, case in known.items():
        if not case.is_proof:
            continue
        nc = everything.get(pk=pk)
        others = everything.exclude(pk=pk)
        siblings = families[case.family] - {pk}
        process = nc.process
        typed = told_in_words(nc.title, details=nc.statement, process=process, product=nc.product)
        asked += 1
        shown += bool({each.case.pk for each in alike(typed, others)} & siblings)
        found = again(told_by(nc), others, most=20)
        hits += len({each.case.pk for each in found} & siblings)
        flagged += len(found)
        wanted += len(siblings)
    precision, recall = hits / flagged, hits / wanted
    record_property("shown while typing", f"{shown} of {asked}")
    record_property("repeats", f"precision {precision:.2f}, recall {recall:.2f}")
    assert shown / asked >= 0.95
    assert precision >= 0.75
    assert recall >= 0.75


@pytest.mark.django_db
def test_planted_repeats_are_found_among_5000_cases_with_as_many_questions_as_among_300(
    record_property: Any,
) -> None:
    manager = factories.person("quality_manager")
    planted = record_all([case for case in labelled() if case.family in ("g01", "g17")], manager)
    first = Nonconformity.objects.order_by("pk").last()
    other = workflow.raise_nonconformity(by=manager, title="Something else", statement="Else.")
    few = questions(lambda: alike(told_by(first), Nonconformity.objects.exclude(pk=first.pk)))
    words = (
        "(array['valve','pump','label','invoice','drawing','supplier','pallet','record'])"
        "[1 + mod(n, 8)]"
    )
    faults = "(array['late','broken','missing','wrong','dirty','expired','loose'])[1 + mod(n, 7)]"
    multiply(
        other,
        5_000,
        number="'NC-1990-' || n",
        title=f"initcap({faults}) || ' ' || {words} || ' ' || n",
        statement=f"'The ' || {words} || ' was ' || {faults} || ' on day ' || mod(n * 31, 365)",
    )
    keep_words()
    rows = Nonconformity.objects.exclude(pk=first.pk)
    assert questions(lambda: alike(told_by(first), rows)) == few
    began = time.perf_counter()
    found = {each.case.pk for each in again(told_by(first), rows)}
    record_property("milliseconds among 5,000", round((time.perf_counter() - began) * 1000))
    family = {pk for pk, case in planted.items() if case.family == planted[first.pk].family}
    assert found == family - {first.pk}


@pytest.mark.django_db
def test_words_follow_a_case_that_is_changed() -> None:
    manager = factories.person("quality_manager")
    nc = workflow.raise_nonconformity(by=manager, title="Porosity in fillet welds of a bracket")
    asked = told_in_words("Porosity in welds")
    assert [each.case for each in alike(asked, Nonconformity.objects.all())] == [nc]
    amend(nc, by=manager, changes={"title": "Label without a date"}, reason="Mistaken.")
    assert not alike(asked, Nonconformity.objects.all())
    assert CaseWords.objects.get().version == Nonconformity.objects.get().version


@pytest.mark.django_db(transaction=True)
def test_who_compares_cases_waits_for_nobody_who_does() -> None:
    manager = factories.person("quality_manager")
    asked = told_in_words("Porosity in welds")
    workflow.raise_nonconformity(by=manager, title="Porosity in fillet welds of a bracket")
    compared, done = threading.Event(), threading.Event()

    def compares_and_goes_on() -> None:
        with transaction.atomic():
            alike(asked, Nonconformity.objects.all())
            compared.set()
            done.wait(20)
        connection.close()

    other = threading.Thread(target=compares_and_goes_on)
    other.start()
    try:
        assert compared.wait(20)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '2s'")
            assert len(alike(asked, Nonconformity.objects.all())) == 1
    finally:
        done.set()
        other.join()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["", "'", "\\", "' | !x & (", "a" * 20_000, "the of and", "ß ’ 漢字"]
)
def test_whatever_is_typed_is_compared_without_an_error(text: str) -> None:
    workflow.raise_nonconformity(by=factories.person("quality_manager"), title=f"x {text[:90]} y")
    assert alike(told_in_words(text, details=text), Nonconformity.objects.all()) is not None


class Shop:
    """Two cases of one cause, and who answers for them."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        self.boss = factories.person("top_management")
        self.owner = factories.person("process_owner")
        place_person(self.owner, by=self.quality, manager=self.boss)

    def case(self, cause: str = "Gas hose leaked, the flow of shielding gas was low.") -> Any:
        nc = workflow.raise_nonconformity(
            by=self.quality,
            title="Pores in the welds of brackets",
            statement="Pores in six welds.",
            requirement="No pores.",
            evidence="Photo 7.",
            owner=self.owner,
        )
        workflow.contain(nc, by=self.owner, containment="Sorted.")
        told = {"root_cause": cause, "category": "method", "similar": "None found."}
        return workflow.find_cause(nc, by=self.owner, **told)


@pytest.mark.django_db
def test_a_cause_that_comes_again_is_decided_and_told_one_level_up() -> None:
    shop = Shop()
    first, second = shop.case(), shop.case()
    repeat = Repeat.objects.get()
    assert (repeat.nonconformity, repeat.earlier) == (second, first)
    assert repeat.manager == shop.boss
    with pytest.raises(PermissionDenied):
        workflow.confirm_repeat(repeat, by=shop.owner)
    workflow.confirm_repeat(repeat, by=shop.quality)
    [waiting] = WorkItem.objects.filter(record_id=repeat.pk, record_type__model="repeat")
    assert waiting.person == shop.boss
    with pytest.raises(PermissionDenied, match="manager of the case's owner"):
        workflow.note_repeat(repeat, by=shop.owner, follows="Nothing.")
    workflow.note_repeat(repeat, by=shop.boss, follows="Hoses are changed each year.")
    assert repeat.noted_by == shop.boss


@pytest.mark.django_db
def test_another_cause_is_no_repeat_and_what_was_dismissed_is_not_found_again() -> None:
    shop = Shop()
    shop.case()
    shop.case("The drawing was printed before its release, nobody compared the revision.")
    assert not Repeat.objects.exists()
    again = shop.case()
    repeat = Repeat.objects.get()
    workflow.dismiss_repeat(repeat, by=shop.quality, reason="Another machine.")
    look_for_repeats(again, shop.owner)
    assert Repeat.objects.count() == 1


@pytest.mark.django_db
def test_a_case_longer_ago_than_the_organisation_counts_is_no_repeat() -> None:
    shop = Shop()
    first, second = shop.case(), shop.case()
    assert [each.case for each in repeats_of(second, months=24)] == [first]
    old = today() - timedelta(days=31 * 7)
    amended = Nonconformity.objects.get(pk=first.pk)
    amended.detected_on = old
    amended.save_because("Detected earlier.", by=shop.quality)
    assert not repeats_of(second, months=6)
    assert repeats_of(second, months=8)


def test_pairs_that_share_a_case_make_one_family() -> None:
    assert sorted(map(sorted, families([(2, 1), (5, 4), (3, 2), (9, 8), (8, 5)]))) == [
        [1, 2, 3],
        [4, 5, 8, 9],
    ]
    assert families([]) == []


@pytest.mark.django_db
def test_the_page_of_recurring_causes_asks_as_much_for_many_families_as_for_one(
    client: Any,
) -> None:
    shop = Shop()
    shop.case()
    shop.case()
    client.force_login(shop.quality)
    few = questions(lambda: client.get("/nonconformities/recurring/"))
    for _ in range(4):
        shop.case()
    page = client.get("/nonconformities/recurring/")
    assert "6 cases" in page.content.decode()
    assert questions(lambda: client.get("/nonconformities/recurring/")) == few


@pytest.mark.django_db
@pytest.mark.slow
def test_a_thousand_repeats_are_asked_for_like_two(client: Any) -> None:
    shop = Shop()
    first, second, last = shop.case(), shop.case(), shop.case()
    client.force_login(shop.quality)
    pages = ("/nonconformities/recurring/", "/nonconformities/repeats/")

    def asked() -> list[int]:
        return [questions(lambda page=page: client.get(page)) for page in pages]  # type: ignore[misc]

    asked()
    few = asked()
    multiply(last, 1_000)
    repeat = Repeat.objects.filter(nonconformity=second, earlier=first).get()
    multiply(repeat, 1_000, nonconformity_id=f"{last.pk} + n")
    assert Repeat.objects.counted().count() > 1_000
    assert asked() == few
    assert all(count <= 16 for count in few)


@pytest.mark.django_db
def test_while_somebody_reports_only_cases_they_may_see_are_proposed(client: Any) -> None:
    shop = Shop()
    shop.case()
    client.force_login(factories.person())
    address = "/nonconformities/alike/?title=Pores+in+welds"
    assert "Pores in the welds of brackets" in client.get(address).content.decode()
    outsider = set_outside_access(
        factories.person(),
        by=factories.person("administrator"),
        until=today(),
        reason="Contract 7.",
    )
    client.force_login(outsider)
    assert "Pores in the welds of brackets" not in client.get(address).content.decode()
    assert client.get("/nonconformities/alike/?title=a+b&process=abc").status_code in (200, 403)
