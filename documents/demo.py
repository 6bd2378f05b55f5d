"""The documents of a demo company: written, reviewed, approved, revised."""

from datetime import timedelta
from functools import partial
from typing import Any

from documents import workflow
from documents.models import Document, Revision
from qms.demo.life import Life, stage

REVIEWERS = ["operations", "quality", "engineering", "production"]
APPROVERS = ["quality", "ceo", "operations"]
CHANGES = [
    "Clearer steps after the internal audit.",
    "Taken over what the corrective action decided.",
    "New form and new record.",
    "The warehouse in Mississauga is covered.",
    "Shorter: two pages left out that nobody used.",
    "Wording of the 2026 edition.",
]


@stage(40)
def documents_are_written(life: Life) -> None:
    """Each document of the company's list comes in its month, with its revisions."""
    for index, told in enumerate(life.told["documents"]):
        months = told[5]
        day = life.month(months[0])
        life.on(day, partial(_write, life, told, index))


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
        body=text_of(life, told, 1),
        reviewer=reviewer,
        approver=approver,
    )
    _see_through(life, document.revisions.get(number=1))
    for number, month in enumerate(months[1:], start=2):
        day = life.month(month)
        life.on(day, partial(_revise, life, document, told, number))


def _signers(life: Life, author: Any, index: int) -> tuple[Any, Any]:
    """A reviewer and an approver who did not write it."""
    reviewers = [life.who(key) for key in REVIEWERS if life.who(key) != author]
    approvers = [life.who(key) for key in APPROVERS if life.who(key) != author]
    reviewer = reviewers[index % len(reviewers)]
    approver = next(each for each in approvers if each != reviewer)
    return reviewer, approver


def _revise(life: Life, document: Document, told: list[Any], number: int) -> None:
    author = life.who(told[3])
    revision = workflow.start_revision(
        document, by=author, change_summary=life.pick(CHANGES), body=text_of(life, told, number)
    )
    _see_through(life, revision)


def _see_through(life: Life, revision: Revision) -> None:
    """Submit, review and approve, some days apart; now and then it is sent back once."""
    life.after(life.chance.randint(1, 6), lambda: _submit(life, revision))


def _submit(life: Life, revision: Revision) -> None:
    workflow.submit(revision, by=revision.created_by)
    if life.often(0.12):
        life.after(2, lambda: _send_back(life, revision))
    else:
        life.after(life.chance.randint(1, 4), lambda: _review(life, revision))


def _send_back(life: Life, revision: Revision) -> None:
    reason = life.pick(
        ["Step 3 cannot be done as written.", "The form is not named.", "Who decides is missing."]
    )
    workflow.send_back(revision, by=revision.reviewer, reason=reason)
    life.after(4, lambda: _submit(life, revision))


def _review(life: Life, revision: Revision) -> None:
    workflow.review(revision, by=revision.reviewer, proof=life.sign(revision.reviewer))
    life.after(life.chance.randint(1, 5), lambda: _approve(life, revision))


def _approve(life: Life, revision: Revision) -> None:
    later = life.day() + timedelta(days=14) if life.often(0.25) else None
    workflow.approve(
        revision,
        by=revision.approver,
        proof=life.sign(revision.approver),
        effective_from=later,
    )
    if later:
        life.at(life.moment(later, 6), lambda: workflow.make_due_revisions_effective(life.day()))


def text_of(life: Life, told: list[Any], number: int) -> str:
    """The text of a document, from what the company's file tells about its process."""
    kind, title, code, _owner, _numbers, _months = told
    process = life.told["processes"][code]
    if kind == "policy":
        return POLICY.format(name=life.told["organisation"]["name"], number=number)
    problems = [each for each in life.told["problems"] if each[0] == code]
    rules = "\n".join(f"- {each[2]}" for each in problems[:6]) or "- Work as the plan says."
    steps = "\n".join(
        f"{at}. {step}" for at, step in enumerate(STEPS[kind if kind in STEPS else "form"], start=1)
    )
    return TEXT.format(
        title=title,
        purpose=process["purpose"],
        process=process["name"],
        rules=rules,
        steps=steps,
        number=number,
    )


POLICY = """# Quality policy

{name} makes valves people can rely on for decades.

- We understand what our customers need before we promise it.
- We do things right the first time and stop when we cannot.
- We say what went wrong, find out why, and mend it for good.
- We keep to the law and to what we have promised.
- We measure what matters and get better every year.

Everybody may stop the work for quality, and nobody is blamed for it.

*Issue {number}.*
"""
TEXT = """# {title}

## Purpose

{purpose}

## Where it applies

In the process *{process}*, at every site and in every shift.

## What holds

{rules}

## How it is done

{steps}

## Records

What is named above is kept for ten years after delivery, in the system.

## If it does not work

Stop, tell your supervisor, and report the problem in the system. Issue {number}.
"""
STEPS = {
    "procedure": [
        "The process owner plans the work and names who does it.",
        "The work is done as the instructions say, with the forms in force.",
        "Results are recorded when they arise, by the person who got them.",
        "What does not conform is marked, kept apart and reported the same day.",
        "The process owner looks at the figures every month and acts on them.",
    ],
    "instruction": [
        "Check that you have the current instruction and the right tools.",
        "Check the first piece and write the values down.",
        "Work in the order of the traveller; do not skip a step.",
        "Check every tenth piece, and every piece after a change of tool.",
        "Clean up, count, sign the traveller and hand the crate on.",
    ],
    "form": [
        "Fill in the head before you begin.",
        "Write values with their unit; strike out what does not apply.",
        "Sign with name and date, and scan it into the system.",
    ],
}
