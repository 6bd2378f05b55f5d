"""Read and understood: who is asked, once each, and nobody says it for another."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from zeal import zeal_ignore

from documents import questions, workflow
from documents.models import Audience, Document, ReadingTask, Revision
from documents.workflow import Readers
from qms import clock
from qms.people import workflow as people
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope.workflow import activate, create_process, staff_process
from qms.work.models import WorkItem
from qms.work.tasks import remind_on
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast
from tests.kernel.test_workflow import at_once
from tests.many import multiply
from tests.many import questions as asked_of_the_database

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.3")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def read_by(cast: Cast, *readers: Person, **more: Any) -> Revision:
    """A document in force that these people are asked to read."""
    revision = cast.approved(cast.draft())
    chosen = Readers(people=readers, **more)
    workflow.set_audience(revision.document, chosen, by=cast.approver)
    return revision


def revised(cast: Cast, document: Document, **more: Any) -> Revision:
    following = workflow.start_revision(document, by=cast.author, change_summary="Clearer.", **more)
    return cast.approved(following)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.mark.slow
def test_a_major_revision_is_asked_for_and_a_minor_one_counts_with_it(cast: Cast) -> None:
    reader = factories.person()
    first = read_by(cast, reader)
    task = ReadingTask.objects.get()
    assert (task.person, task.revision, task.due) == (reader, first, today() + timedelta(days=14))
    minor = revised(cast, first.document, is_minor=True)
    task.refresh_from_db()
    assert task.status == "open"
    workflow.acknowledge(task, by=reader, read=minor)
    assert (task.read, task.content_hash) == (minor, minor.content_hash)
    revised(cast, first.document, is_minor=True)
    assert ReadingTask.objects.count() == 1
    second = revised(cast, first.document)
    assert [t.revision for t in ReadingTask.objects.open()] == [second]
    revised(cast, first.document)
    lapsed = ReadingTask.objects.get(revision=second)
    assert (lapsed.status, lapsed.why_ended) == ("lapsed", "Revision 3 took effect.")
    assert lapsed.history.first().history_change_reason == "Revision 3 took effect."


def test_who_becomes_an_outside_auditor_is_asked_to_read_no_more(cast: Cast) -> None:
    keeper = factories.person("administrator", "quality_manager")
    read_by(cast, everyone=True)
    guest = people.add_person(by=keeper, name="Ffion", email="ffion@example.com")
    assert ReadingTask.objects.of(guest).open().count() == 1
    people.set_outside_access(guest, by=keeper, until=today(), reason="For one audit.")
    assert not ReadingTask.objects.of(guest).open().exists()
    people.set_outside_access(guest, by=keeper, until=None, reason="Joined us.")
    assert ReadingTask.objects.of(guest).open().count() == 1


@pytest.mark.slow
def test_who_joins_a_role_or_a_process_or_the_house_gets_theirs(cast: Cast) -> None:
    keeper = factories.person("administrator", "quality_manager")
    process = create_process(by=keeper, code="BUY", name="Buying", owner=cast.author)
    activate(process, by=keeper)
    of_role = read_by(cast, roles=("auditor",))
    of_process = read_by(cast, processes=(process,))
    of_all = read_by(cast, everyone=True)

    def asked(person: Person) -> set[int]:
        return set(ReadingTask.objects.of(person).open().values_list("document_id", flat=True))

    new = people.add_person(by=keeper, name="New Starter", email="new@example.com")
    assert asked(new) == {of_all.document_id}
    people.give_role(new, "auditor", by=keeper)
    staff_process(process, by=keeper, members=[new], sites=[])
    assert asked(new) == {of_role.document_id, of_process.document_id, of_all.document_id}
    assert of_process.document_id in asked(cast.author)
    amend(process, by=keeper, changes={"owner": keeper}, reason="Moved on.")
    assert of_process.document_id in asked(keeper)
    assert of_process.document_id not in asked(cast.author)
    staff_process(process, by=keeper, members=[], sites=[])
    assert of_process.document_id not in asked(new)
    people.deactivate(new, by=keeper, reason="Left.")
    ended = ReadingTask.objects.of(new)
    assert {t.status for t in ended} == {"ended"}
    assert "Left the organisation." in {t.why_ended for t in ended}
    people.reactivate(new, by=keeper, reason="Came back.")
    assert asked(new) == {of_role.document_id, of_all.document_id}
    assert ReadingTask.objects.of(new).count() == 3


def test_the_night_makes_good_what_nobody_told_and_twice_is_once(cast: Cast) -> None:
    reader = factories.person()
    revision = read_by(cast, everyone=True)
    before = ReadingTask.objects.count()
    Person.objects.get(pk=reader.pk)
    late = factories.person()  # made without a word to anybody
    assert workflow.settle_reading().asked == 1
    assert ReadingTask.objects.of(late).open().count() == 1
    assert workflow.settle_reading() == type(workflow.settle_reading())()
    assert ReadingTask.objects.count() == before + 1
    workflow.withdraw(revision.document, by=cast.approver, reason="Merged.")
    assert not ReadingTask.objects.open().exists()
    assert {t.why_ended for t in ReadingTask.objects.all()} == {"The document was withdrawn."}


@pytest.mark.slow
def test_nobody_acknowledges_for_another_or_an_old_revision_on_any_route(cast: Cast) -> None:
    reader, other = factories.person(), factories.person("quality_manager")
    first = read_by(cast, reader)
    task = ReadingTask.objects.get()
    with pytest.raises(PermissionDenied):
        workflow.acknowledge(task, by=other, read=first)
    for name in ("read", "do/acknowledge"):
        answer = signed_in(other).post(
            f"{task.get_absolute_url()}{name}/", {"version": 1, "read": first.pk}
        )
        assert answer.status_code == 403
    answer = signed_in(factories.person()).post(f"{task.get_absolute_url()}read/")
    assert answer.status_code == 404
    revised(cast, first.document)
    task.refresh_from_db()
    for refused in (
        lambda: workflow.acknowledge(task, by=reader, read=first),
        lambda: workflow.ask_again(task, by=Person.objects.system(), reason="x"),
    ):
        with pytest.raises(Refused):
            refused()
    said = {"version": task.version, "read": first.pk}
    page = signed_in(reader).post(f"{task.get_absolute_url()}read/", said)
    assert page.status_code == 422
    assert "it is already lapsed" in page.content.decode()
    assert not ReadingTask.objects.acknowledged().exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        ReadingTask(
            document=first.document, revision=first, person=reader, due=today(), created_by=other
        ).save()


def test_three_clicks_from_the_mail(cast: Cast, mailoutbox: Any) -> None:
    reader = factories.person()
    read_by(cast, reader)
    with time_machine.travel(clock.now() + timedelta(days=8), tick=True):
        assert remind_on(today()) == 1
        item = WorkItem.objects.get(person=reader)
        client = signed_in(reader)
        page = client.get(item.url)  # 1: the link in the mail
        assert "I have read and understood it" in page.content.decode()
        said = {"version": page.context["record"].version, "read": page.context["revision"].pk}
        done = client.post(f"{item.url}read/", said)  # 2: the button
        assert (done.status_code, done["Location"]) == (303, "/")
    assert not WorkItem.objects.filter(person=reader).exists()
    assert ReadingTask.objects.get().status == "acknowledged"


@pytest.mark.slow
def test_questions_are_answered_first_and_every_try_is_kept(cast: Cast) -> None:
    reader = factories.person()
    draft = cast.draft()
    typed = "Who orders?\n+ The buyer\n- Anybody\n\nWhat is checked?\n+ Price\n+ Date\n- Weather"
    form = {"questions": questions.from_lines(typed)}
    amend(draft, by=cast.author, changes=form)
    assert questions.to_lines(draft.questions) == typed
    cast.approved(draft)
    workflow.set_audience(draft.document, Readers(people=(reader,)), by=cast.approver)
    task = ReadingTask.objects.get()
    with pytest.raises(Refused, match="Answer the questions first"):
        workflow.acknowledge(task, by=reader, read=draft)
    client, url = signed_in(reader), f"{task.get_absolute_url()}read/"
    said = {"read": draft.pk}
    with zeal_ignore():
        wrong = client.post(url, said | {"version": 1, "q0": "1", "q1": ["0"]})
    assert wrong.status_code == 422
    assert "Questions 1, 2 are not right." in wrong.content.decode()
    with zeal_ignore():
        half = client.post(url, said | {"version": 2, "q0": "0", "q1": ["0"]})
    assert "Question 2 is not right." in half.content.decode()
    task.refresh_from_db()
    assert (task.status, len(task.tries)) == ("open", 2)
    with zeal_ignore():  # the try and the acknowledgement are two moves of one record
        right = client.post(url, said | {"version": 3, "q0": "0", "q1": ["0", "1"]})
    assert right.status_code == 303
    task.refresh_from_db()
    assert task.status == "acknowledged"
    assert [[a["right"] for a in t["answers"]] for t in task.tries] == [
        [False, False],
        [True, False],
        [True, True],
    ]
    assert task.tries[-1]["answers"][1]["chosen"] == ["Price", "Date"]


def test_what_cannot_be_asked_is_refused_with_its_line() -> None:
    for typed, words in {
        "- A choice": "Line 1 is a choice without a question",
        "Who?\n- a": "needs 2 to 8 choices",
        "Who?\n- a\n- b": "no right answer",
        "Who?\n+ a\n+ b": "only right answers",
        "Who?\n+ a\n- A": "same choice twice",
        "Who?\n+ \n- b": "Line 2 is a choice without words",
        "x" * 400 + "\n+ a\n- b": "more than 300 characters",
    }.items():
        with pytest.raises(Refused, match=words):
            questions.from_lines(typed)


def test_hostile_answers_count_as_wrong() -> None:
    asked = questions.from_lines("Who?\n+ a\n- b")
    for answers in (None, {}, "x", [[1]], [["0"]], [[True]], [[0, 1]], [[9]], [{}], []):
        assert questions.wrong_in(asked, answers) == [1]
    assert questions.wrong_in(asked, [[0]]) == []


def test_two_who_choose_the_readers_do_not_undo_each_other(cast: Cast) -> None:
    revision = read_by(cast, cast.author)
    url = f"/documents/{revision.document_id}/readers/"
    client = signed_in(cast.approver)
    seen = client.get(url).context["form"].initial["seen"]
    workflow.set_audience(revision.document, Readers(everyone=True), by=cast.approver)
    with pytest.raises(Stale):
        workflow.set_audience(revision.document, Readers(), by=cast.approver, seen=seen)
    answer = client.post(url, {"seen": seen, "people": [cast.reviewer.pk]})
    assert answer.status_code == 409
    assert Audience.objects.live().get().everyone
    with pytest.raises(Refused, match="does not work here"):
        gone = factories.person()
        gone.is_active = False
        gone.save_because("Left.", by=None)
        workflow.set_audience(revision.document, Readers(people=(gone,)), by=cast.approver)


def test_a_restricted_document_is_seen_by_who_is_asked_to_read_it(cast: Cast) -> None:
    reader, other = factories.person(), factories.person()
    secret = cast.approved(cast.document(confidentiality="restricted").revisions.get())
    workflow.set_audience(secret.document, Readers(people=(reader,)), by=cast.approver)
    task = ReadingTask.objects.get()
    assert signed_in(reader).get(task.get_absolute_url()).status_code == 200
    assert signed_in(other).get(task.get_absolute_url()).status_code == 404
    assert not Document.objects.visible_to(other).exists()


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    moves=st.lists(
        st.sampled_from(["everyone", "role", "people", "none", "major", "minor", "night"]),
        min_size=1,
        max_size=6,
    )
)
def test_whoever_is_in_the_audience_has_exactly_one_task(moves: list[str]) -> None:
    with transaction.atomic():
        cast = Cast()
        staff = [factories.person("auditor"), factories.person()]
        document = cast.approved(cast.draft()).document
        for move in moves:
            chosen = {
                "everyone": Readers(everyone=True),
                "role": Readers(roles=("auditor",)),
                "people": Readers(people=tuple(staff)),
                "none": Readers(),
            }.get(move)
            if chosen is not None:
                workflow.set_audience(document, chosen, by=cast.approver)
            elif move == "night":
                workflow.settle_reading()
            else:
                revised(cast, document, is_minor=move == "minor")
            if open_one := ReadingTask.objects.open().order_by("pk").first():
                read = workflow.in_force_for(open_one)
                workflow.acknowledge(open_one, by=open_one.person, read=read)
        asked = workflow.asked_revisions()[document.pk]
        standing = ReadingTask.objects.filter(
            document=document, status__in=("open", "acknowledged"), revision=asked
        )
        pairs = [(task.document_id, task.person_id) for task in standing]
        wanted = workflow.readers_wanted()
        assert len(pairs) == len(set(pairs))
        assert wanted <= set(pairs)
        still = ReadingTask.objects.open().values_list("document_id", "person_id")
        assert set(still) <= wanted
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_of_two_acknowledgements_at_once_one_counts() -> None:
    cast, reader = Cast(), factories.person()
    read = read_by(cast, reader)
    task = ReadingTask.objects.get()

    def one() -> None:
        workflow.acknowledge(ReadingTask.objects.get(pk=task.pk), by=reader, read=read)

    outcomes = at_once(*[one] * 4)
    assert outcomes.count("ok") == 1
    assert task.history.filter(status="acknowledged").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_settled_at_once_everybody_is_asked_once() -> None:
    cast = Cast()
    readers = [factories.person() for _ in range(3)]
    revision = cast.approved(cast.draft())
    workflow.set_audience(revision.document, Readers(everyone=True), by=cast.approver)
    newer = [factories.person() for _ in range(3)]
    outcomes = at_once(*[workflow.settle_reading] * 4)
    assert outcomes == ["ok"] * 4
    assert ReadingTask.objects.filter(person__in=[*readers, *newer]).count() == 6


@pytest.mark.slow
def test_the_matrix_asks_the_same_for_few_and_for_many(cast: Cast) -> None:
    manager = factories.person("quality_manager")
    client = signed_in(manager)
    first = read_by(cast, cast.author, cast.reviewer)
    url = "/documents/reading/"
    client.get(url)
    few = asked_of_the_database(lambda: client.get(url))
    for _ in range(3):
        read_by(cast, cast.author, cast.reviewer)
    multiply(first.document, 20, number="r.number || n")
    many = asked_of_the_database(lambda: client.get(url))
    assert many == few <= 16
    page = client.get(url).content.decode()
    assert first.document.number in page
    table = b"".join(client.get(f"{url}?format=csv")).decode()
    assert "not asked" in table
    assert client.get(f"{url}?department=x&process=9").status_code == 200


def test_the_page_of_a_document_says_who_has_read_it(cast: Cast) -> None:
    reader = factories.person()
    revision = read_by(cast, reader, cast.author)
    task = ReadingTask.objects.of(reader).get()
    workflow.acknowledge(task, by=reader, read=revision)
    page = signed_in(cast.author).get(revision.document.get_absolute_url()).content.decode()
    assert "1 of 2 have read it" in page
    assert "Read and acknowledge" in page
