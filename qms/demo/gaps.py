"""The gap assessments of a demo company: at the start, two years later, and for the new edition.

The company begins with the 2015 edition, because there was no other, and looks at what the 2026
edition changes once it is published; what it found before is taken over.
"""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from qms import clauses
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.clauses import ClauseRef
from qms.demo.life import Life, stage
from qms.gap import workflow as gap
from qms.gap.models import Assessment, GapAnswer

SHOWN = [
    "Shown in the process, three records seen.",
    "Written and in use.",
    "Lived, and known to all.",
    "Seen at work, with three examples.",
    "Explained by the owner, with records.",
]
PUBLISHED = date(2026, 9, 16)  # the 2026 edition
DELTA_BEFORE_TODAY = 1.7  # months
SECOND_MONTH = 25
# What the new edition asks and the company has not got yet: clause, how far, seen, plan, days.
NEW = [
    (
        "5.1.1",
        "partly",
        "Leadership talks about quality at every town hall.",
        "Say what quality culture and ethical conduct mean here, and who shows them.",
        3,
    ),
    (
        "6.1.3",
        "partly",
        "Opportunities stand among the ideas.",
        "Plan opportunities on their own, apart from risks.",
        4,
    ),
    (
        "6.3",
        "largely",
        "Changes are planned with owner and day.",
        "Add how a change is told and how its effect is looked at.",
        2,
    ),
    (
        "7.3",
        "largely",
        "Policy and objectives are known.",
        "Bring quality culture and ethical conduct into the briefing of every team.",
        2,
    ),
    (
        "9.3.2",
        "largely",
        "All inputs of the review are compiled.",
        "Add what has changed in the needs of interested parties.",
        1,
    ),
]
CHECKED = "Read side by side with our copy of the standard; the same is asked."


@stage(30)
def where_they_stand(life: Life) -> None:
    """The quality manager goes through the clauses; every gap becomes somebody's work."""
    life.on(life.month(0.5), lambda: _assess(life, first=True))
    delta = life.months - DELTA_BEFORE_TODAY
    if delta - SECOND_MONTH > 2:
        life.on(life.month(SECOND_MONTH), lambda: _assess(life, first=False))
    life.on(max(life.month(delta), PUBLISHED + timedelta(days=5)), lambda: _delta(life))


def _assess(life: Life, *, first: bool) -> None:
    quality = life.who("quality")
    assessment = gap.start_assessment(by=quality, edition="2015")
    answers = list(assessment.answers.order_by("pk"))
    told = _told_in_2015(life) if first else {}
    size = max(1, len(answers) // 8)
    for at in range(0, len(answers), size):
        part = answers[at : at + size]
        life.after(at // size + 0.1, partial(_rate, life, part, told))
    if first:
        life.after(len(answers) // size + 1, lambda: _order(life, assessment))
    life.after(len(answers) // size + 3, lambda: _complete(life, assessment))


def _told_in_2015(life: Life) -> dict[str, list[Any]]:
    """The company's gaps by clause of 2015; its file may name them by the edition it works to."""
    edition = life.told["organisation"]["edition"]
    found: dict[str, list[Any]] = {}
    for each in life.told["gaps"]:
        ref = ClauseRef(edition, each[0])
        old = ref if edition == "2015" else clauses.mapping_of(ref).refs[0]
        found[old.key] = each
    return found


def _rate(life: Life, part: list[GapAnswer], told: dict[str, list[Any]]) -> None:
    quality = life.who("quality")
    for each in part:
        if each.clause in told:
            _number, rating, evidence, plan, owner = told[each.clause]
            due = life.day() + timedelta(days=life.chance.choice([30, 45, 60, 90, 120]))
            gap.answer(
                each,
                by=quality,
                rating=rating,
                evidence=evidence,
                note=f"Missing so far: {plan[0].lower()}{plan[1:]}",
                plan=plan,
                owner=life.who(owner),
                due=due,
                effort=Decimal(life.chance.choice([1, 2, 3, 4, 5, 8])),
            )
            late = life.chance.choice([-10, -4, -1, 0, 5, 15])
            life.on(due + timedelta(days=late), partial(_act, life, each))
        else:
            gap.answer(
                each,
                by=quality,
                rating="in_place",
                evidence=life.pick(SHOWN),
                links=_serving(life, each),
            )


def _serving(life: Life, answer: GapAnswer) -> list[Any]:
    """The processes that serve a clause, as evidence; they are there from the first week on."""
    refs = {answer.ref.key, *(ref.key for ref in answer.mapped.refs)}
    found = [each for each in life.processes.values() if refs & set(each.clauses)]
    return found[:2] if life.often(0.6) else []


def _order(life: Life, assessment: Assessment) -> None:
    """What is promised later in a chapter waits for the first promise of that chapter."""
    quality = life.who("quality")
    by_chapter: dict[str, list[Action]] = {}
    gaps = list(assessment.answers.gaps().order_by("pk"))
    planned = gap.actions_by_answer(gaps)
    for each in sorted(gaps, key=lambda one: one.ref):
        for action in planned.get(each.pk, []):
            by_chapter.setdefault(each.ref.number.partition(".")[0], []).append(action)
    for chain in by_chapter.values():
        first, *others = sorted(chain, key=lambda one: (one.due, one.pk))
        for action in others[:2]:
            if first.status == action.status == Action.Status.OPEN:
                actions.wait_for(action, by=quality, needs=[first])


def _act(life: Life, answer: GapAnswer) -> None:
    quality = life.who("quality")
    for action in Action.objects.raised_from(answer).open():
        actions.complete(action, by=action.owner, result="Done and in use.")
        judges = (quality, life.people.get("operations", quality), life.who("ceo"))
        judge = next(each for each in judges if each != action.owner)
        life.after(3, partial(actions.verify, action, by=judge))


def _complete(life: Life, assessment: Assessment) -> None:
    quality = life.who("quality")
    for each in gap.gaps_without_action(assessment):
        # Taken over as a gap, and closed since: somebody looks before it is called in place.
        evidence = "Looked at again: what was missing is done and in use."
        gap.answer(each, by=quality, rating="in_place", evidence=evidence)
    gap.complete(assessment, by=quality)


def _delta(life: Life) -> None:
    """What the 2026 edition changes: the earlier answers in hand, shared out among two."""
    earlier = Assessment.objects.latest_completed("2015")
    if earlier is None:
        return
    quality = life.who("quality")
    assessment = gap.start_delta(by=quality, earlier=earlier)
    second = life.people.get("operations", quality)
    gap.assign(assessment, by=quality, person=second, parts=["2026:8", "2026:10"])
    order = list(assessment.answers.filter(rating="open").order_by("pk"))
    told = {f"2026:{each[0]}": each for each in NEW}
    for at, each in enumerate(order):
        life.after(2 + at * 0.8, partial(_rate_new, life, each, told))
    life.after(4 + len(order) * 0.8, lambda: _order(life, assessment))
    life.after(6 + len(order) * 0.8, lambda: _look_again(life, assessment))


def _look_again(life: Life, assessment: Assessment) -> None:
    """A gap taken over may be closed by now: its action is done, so it is looked at, and kept."""
    for each in gap.gaps_without_action(assessment):
        before = Action.objects.raised_from(each.earlier) if each.earlier else None
        done = before.order_by("pk").last() if before is not None else None
        gap.answer(
            each,
            by=life.who("quality"),
            rating="in_place",
            evidence=f"Closed by {done.number}, seen in use." if done else life.pick(SHOWN),
            copy_checked=True,
        )
    _complete(life, assessment)


def _rate_new(life: Life, answer: GapAnswer, told: dict[str, tuple[Any, ...]]) -> None:
    by = answer.assessor or life.who("quality")
    answer.refresh_from_db()
    if answer.clause not in told:
        gap.answer(answer, by=by, rating="in_place", evidence=CHECKED, copy_checked=True)
        return
    _number, rating, evidence, plan, effort = told[answer.clause]
    quality = life.who("quality")
    owners = [life.people.get(key, quality) for key in ("quality", "ceo", "operations")]
    owner = owners[effort % len(owners)]
    due = life.day() + timedelta(days=life.chance.choice([40, 60, 75, 100]))
    gap.answer(
        answer,
        by=by,
        rating=rating,
        evidence=evidence,
        note=f"New in this edition: {plan[0].lower()}{plan[1:]}",
        copy_checked=True,
        plan=plan,
        owner=owner,
        due=due,
        effort=Decimal(effort),
    )
