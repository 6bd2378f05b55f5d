"""The documents of a demo company: written, reviewed, approved, revised."""

from datetime import timedelta
from functools import partial
from typing import Any

from documents import demo_keeping, workflow  # noqa: F401 - importing registers stages
from documents.content import from_markdown
from documents.demo_forms import fields_of
from documents.models import ControlledCopy, Document, ReadingTask, Revision
from qms.demo.life import Life, stage


@stage(40)
def documents_are_written(life: Life) -> None:
    """Each document of the company's list comes in its month, with its revisions."""
    for index, told in enumerate(life.told["documents"]):
        months = told[5]
        day = life.month(months[0])
        life.on(day, partial(_write, life, told, index))


@stage(41)
def documents_are_read(life: Life) -> None:
    """Once a week people read what they are asked to; a few take their time."""
    for week in range(life.months * 4):
        life.on(life.month(week / 4), partial(_read, life))


@stage(42)
def copies_are_out(life: Life) -> None:
    """A few work instructions hang at the bench, and are exchanged with each revision."""
    for months in range(2, life.months, 2):
        life.on(life.month(months), partial(_keep_copies, life))


def _keep_copies(life: Life) -> None:
    for copy in ControlledCopy.objects.filter(status="recalled").select_related("document"):
        workflow.return_copy(copy, by=copy.document.owner)
        workflow.issue_copy(
            copy.document,
            by=copy.document.owner,
            holder=copy.holder,
            place=copy.place,
            replaces=copy,
        )
    in_force = Document.objects.current().filter(kind="instruction").exclude(next_review=None)
    bare = in_force.filter(copies=None).select_related("owner").order_by("number").first()
    if bare is not None:
        workflow.issue_copy(bare, by=bare.owner, place=life.pick(["Bench 3", "Goods in", "Gate"]))


def _read(life: Life) -> None:
    tasks = ReadingTask.objects.open().select_related("document", "person")
    for task in tasks.order_by("pk"):
        if life.often(0.75):
            workflow.note_opened(task.document_id, by=task.person)
            workflow.acknowledge(task, by=task.person, read=workflow.in_force_for(task))


def _write(life: Life, told: list[Any], index: int) -> None:
    kind, title, code, owner, numbers, months = told
    edition = life.told["organisation"]["edition"]
    author = life.who(owner)
    reviewer, approver = _signers(life, author, index)
    document = workflow.create_document(
        by=author,
        title=title,
        kind=kind,
        owner=author,
        process=life.processes[code],
        clauses=[f"{edition}:{number}" for number in numbers],
        review_months=36 if len(months) == 1 and index % 6 else 24,
        text=from_markdown(text_of(life, told, 1)),
        fields=fields_of(life, kind, title),
        reviewers=[reviewer],
        approvers=[approver],
    )
    readers = (
        workflow.Readers(everyone=True)
        if kind == "policy"
        else workflow.Readers(processes=(life.processes[code],))
    )
    workflow.set_audience(document, readers, by=author)
    _see_through(life, document.revisions.get(number=1))
    for number, month in enumerate(months[1:], start=2):
        day = life.month(month)
        life.on(day, partial(_revise, life, document, told, number))


def _signers(life: Life, author: Any, index: int) -> tuple[Any, Any]:
    """A reviewer and an approver who did not write it."""
    reviewers = [each for each in life.cast("reviewers") if each != author]
    approvers = [each for each in life.cast("approvers") if each != author]
    reviewer = reviewers[index % len(reviewers)]
    approver = next(each for each in approvers if each != reviewer)
    return reviewer, approver


def _revise(life: Life, document: Document, told: list[Any], number: int) -> None:
    author = life.who(told[3])
    revision = workflow.start_revision(
        document,
        by=author,
        change_summary=life.pick(life.voice("documents")["changes"]),
        text=from_markdown(text_of(life, told, number)),
    )
    _see_through(life, revision)


def _see_through(life: Life, revision: Revision) -> None:
    """Submit, review and approve, some days apart; now and then it is sent back once."""
    life.after(life.chance.randint(1, 6), lambda: _submit(life, revision))


def _signer(revision: Revision, part: str) -> Any:
    return workflow.signatories_of(revision, part).next[0].person


def _submit(life: Life, revision: Revision) -> None:
    workflow.submit(revision, by=revision.created_by)
    if life.often(0.12):
        life.after(2, lambda: _send_back(life, revision))
    else:
        life.after(life.chance.randint(1, 4), lambda: _review(life, revision))


def _send_back(life: Life, revision: Revision) -> None:
    reason = life.pick(life.voice("documents")["sent_back"])
    workflow.send_back(revision, by=_signer(revision, "review"), reason=reason)
    life.after(4, lambda: _submit(life, revision))


def _review(life: Life, revision: Revision) -> None:
    reviewer = _signer(revision, "review")
    workflow.review(revision, by=reviewer, proof=life.sign(reviewer))
    life.after(life.chance.randint(1, 5), lambda: _approve(life, revision))


def _approve(life: Life, revision: Revision) -> None:
    later = life.day() + timedelta(days=14) if life.often(0.25) else None
    approver = _signer(revision, "approval")
    workflow.approve(
        revision,
        by=approver,
        proof=life.sign(approver),
        effective_from=later,
    )
    if later:
        life.at(life.moment(later, 6), lambda: workflow.make_due_revisions_effective(life.day()))


def text_of(life: Life, told: list[Any], number: int) -> str:
    """The text of a document, from what the company's file tells about its process."""
    kind, title, code, _owner, _numbers, _months = told
    process, voice = life.told["processes"][code], life.voice("documents")
    if kind == "policy":
        policy = voice["policy"]
        promises = "\n".join(f"- {each}" for each in policy["promises"])
        opening, ending = policy["opening"], policy["ending"]
        return POLICY.format(opening=opening, promises=promises, ending=ending, number=number)
    problems = [each for each in life.told["problems"] if each[0] == code]
    rules = "\n".join(f"- {each[2]}" for each in problems[:6]) or f"- {voice['rule']}"
    lines = voice["steps"].get(kind, voice["steps"]["form"])
    return TEXT.format(
        title=title,
        purpose=process["purpose"],
        where=voice["where"].format(process=process["name"]),
        rules=rules,
        steps="\n".join(f"{at}. {step}" for at, step in enumerate(lines, start=1)),
        keep=voice["keep"],
        stop=voice["stop"],
        number=number,
    )


POLICY = """# Quality policy

{opening}

{promises}

{ending}

*Issue {number}.*
"""
TEXT = """# {title}

## Purpose

{purpose}

## Where it applies

{where}

## What holds

{rules}

## How it is done

{steps}

## Records

{keep}

## If it does not work

{stop} Issue {number}.
"""
