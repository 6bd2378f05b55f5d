"""Outside evidence has dated samples; what was kept long enough goes by two people only."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.test import Client

from documents import workflow
from documents.content import from_markdown
from documents.models import Disposition, Document, Revision
from qms import clock
from qms.files import storage
from qms.files.models import Attachment
from qms.files.workflow import attach
from qms.outbox.workflow import drain
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope.workflow import set_up_organisation
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast
from tests.many import multiply
from tests.many import questions as asked_of_the_database

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2")]


def test_a_sample_is_a_file_and_each_time_a_new_one() -> None:
    owner = factories.person("process_owner")
    pointer = workflow.point_at_evidence(
        by=owner,
        title="Changes are reviewed",
        system="Repository",
        query="javascript:alert(1)",
        owner=owner,
        retention="Ten years",
        sample_months=3,
    )
    assert (pointer.next_sample, pointer.link) == (today(), "")
    with pytest.raises(Refused, match="Attach the sample first"):
        workflow.take_sample(pointer, by=owner, seen="All of May.")
    attach(pointer, ContentFile(b"a,b\n1,2\n", name="may.csv"), by=owner)
    workflow.take_sample(pointer, by=owner, seen="All of May.")
    assert pointer.next_sample == add_months(today(), 3)
    with pytest.raises(Refused, match="Attach the new sample first"):
        workflow.take_sample(pointer, by=owner, seen="All of June.")
    attach(pointer, ContentFile(b"a,b\n3,4\n", name="june.csv"), by=owner)
    workflow.take_sample(pointer, by=owner, seen="All of June.")


class Old:
    """A procedure with a file, withdrawn two years ago; its kind is kept for one."""

    def __init__(self) -> None:
        self.cast = Cast()
        self.manager = self.cast.approver
        self.boss = factories.person("top_management")
        workflow.change_rule(by=self.manager, kind="procedure", prefix="QP", retention_years=1)
        with time_machine.travel(clock.now() - timedelta(days=800), tick=True):
            draft = self.cast.draft()
            self.file = attach(
                draft, ContentFile(b"the old way", name="old.txt"), by=draft.created_by
            )
            amend(draft, by=draft.created_by, changes={"source": self.file})
            self.cast.approved(draft)
            workflow.withdraw(draft.document, by=self.manager, reason="Merged.")
        self.document = Document.objects.latest("pk")

    def proposed(self) -> Disposition:
        return workflow.propose_disposition(
            by=self.manager, document=self.document, why="Nobody asks for it."
        )


@pytest.mark.slow
def test_what_is_in_use_kept_longer_or_held_stays() -> None:
    old = Old()
    young = old.cast.approved(old.cast.draft()).document
    with pytest.raises(Refused, match="It is in use"):
        workflow.propose_disposition(by=old.manager, document=young, why="x")
    workflow.withdraw(young, by=old.manager, reason="Merged.")
    with pytest.raises(Refused, match="It is kept until"):
        workflow.propose_disposition(by=old.manager, document=young, why="x")
    hold = workflow.place_hold(by=old.boss, title="Claim", why="A customer sues.")
    with pytest.raises(Refused, match="holds it: Claim"):
        old.proposed()
    workflow.lift(hold, by=old.boss, reason="Settled.")
    proposed = old.proposed()
    with pytest.raises(Refused, match="proposed already"):
        old.proposed()
    workflow.place_hold(by=old.boss, title="Recall", why="An authority asks.")
    with pytest.raises(Refused, match="holds it"):
        workflow.dispose(proposed, by=old.boss, proof=factories.proof(old.boss))


def test_the_log_is_narrowed_to_the_days_of_the_organisation_and_says_when_none_fits() -> None:
    old = Old()
    set_up_organisation(by=old.manager, name="Roy", country="AT", time_zone="Europe/Vienna")
    done = workflow.dispose(old.proposed(), by=old.boss, proof=factories.proof(old.boss))
    assert done.done_on
    day, client = done.done_on, Client()
    client.force_login(old.manager, backend="qms.people.access.RoleBackend")

    def log(**asked: Any) -> str:
        answer = client.get("/documents/dispositions/", asked)
        assert answer.status_code == 200
        return answer.content.decode()

    assert done.number in log(since=day, until=day)
    for asked in ({"since": day + timedelta(days=1)}, {"until": day - timedelta(days=1)}):
        page = log(**asked)
        assert done.number not in page
        assert "Nothing matches these filters." in page
        assert 'name="since"' in page, "the filters stay"
    for odd in ("0001-01-01", "9999-12-31", "yesterday"):
        log(since=odd, until=odd)


def test_what_may_go_stands_first_and_the_page_asks_the_same_of_ten_and_of_two_hundred() -> None:
    old = Old()
    known = {"by": old.cast.author, "owner": old.cast.author, "text": from_markdown("Lift.")}
    signs = {"reviewers": [old.cast.reviewer], "approvers": [old.cast.approver]}
    for_good = workflow.create_document(title="Lifting", kind="instruction", **known, **signs)
    old.cast.approved(for_good.revisions.get())
    workflow.withdraw(for_good, by=old.manager, reason="Merged.")
    young = old.cast.approved(old.cast.draft()).document
    workflow.withdraw(young, by=old.manager, reason="Merged.")
    client = Client()
    client.force_login(old.manager, backend="qms.people.access.RoleBackend")

    def shown() -> Any:
        return client.get("/documents/retention/").context["page"]

    told = [(row, row.keeping.stays[:15]) for row, _address, _cells in shown().rows]
    assert told == [(old.document, ""), (young, "It is kept unti"), (for_good, "Documents of th")]
    assert [row.kept_until for row, *_rest in shown().rows] == [
        row.keeping.until for row, *_rest in shown().rows
    ]
    few = asked_of_the_database(lambda: shown())
    multiply(Document.objects.get(pk=young.pk), 200)
    assert shown().count == 203
    assert asked_of_the_database(lambda: shown()) == few
    assert len(shown().rows) == 50
    table = b"".join(client.get("/documents/retention/?format=csv").streaming_content).decode()
    assert table.count("\n") == 204


@pytest.mark.slow
def test_two_people_dispose_and_only_the_log_is_left() -> None:
    old = Old()
    proposed = old.proposed()
    with pytest.raises(PermissionDenied, match="Who proposed it"):
        workflow.dispose(proposed, by=old.manager, proof=factories.proof(old.manager))
    with pytest.raises(Refused, match="password"):
        workflow.dispose(proposed, by=old.boss)
    workflow.dispose(proposed, by=old.boss, proof=factories.proof(old.boss))
    drain("default")
    revision = Revision.objects.get()
    client = Client()
    client.force_login(old.boss, backend="qms.people.access.RoleBackend")
    for address in ("", "pdf/", "compare/", "original.pdf"):
        assert client.get(f"{revision.get_absolute_url()}{address}").status_code == 404
    assert client.get(f"/files/{old.file.pk}/").status_code == 404
    page = client.get(old.document.get_absolute_url()).content.decode()
    assert "Disposed of" in page
    assert "Buy well" not in page
    with pytest.raises(storage.Damaged):
        storage.read(Attachment.objects.get().blob)
    assert (proposed.destroyed, proposed.approved_by) == (1, old.boss)


def test_a_content_that_something_else_has_attached_is_not_destroyed() -> None:
    old = Old()
    other: Any = factories.person("process_owner")
    pointer = workflow.point_at_evidence(
        by=other, title="T", system="S", query="q", owner=other, retention="r"
    )
    attach(pointer, ContentFile(b"the old way", name="same.txt"), by=other)
    workflow.dispose(old.proposed(), by=old.boss, proof=factories.proof(old.boss))
    drain("default")
    assert storage.read(old.file.blob) == b"the old way"
