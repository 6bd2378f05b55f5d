"""The forms of a demo company, filled in through its months: checked, measured, trained, corrected.

The company's file says which form is of which kind, who fills it in and how often. It draws from a
chance of its own, so that the other chapters live the same life with it and without it.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from documents import design, workflow
from documents.models import Document, Entry
from documents.starters import starter_form
from documents.subjects import Register, register_of
from qms.demo.life import Life, fills_in_forms, stage
from qms.equipment.models import Equipment
from qms.providers.models import Provider
from qms.workflow import amend

HOURS = (8.25, 9.5, 10.75, 13.25, 14.0, 15.5)
FIRST = 45  # days from the first draft of a form to its first entry
CHECKED = design.check(
    [
        {"key": "case", "kind": "text", "label": "Order or case", "required": True},
        {
            "key": "checked",
            "kind": "choices",
            "label": "What was checked",
            "choices": ["Complete", "Agreed with who asked", "Dates can be kept"],
            "required": True,
        },
        {
            "key": "minutes",
            "kind": "number",
            "label": "Time it took",
            "unit": "min",
            "decimals": 0,
            "warn_high": "60",
        },
        {
            "key": "decision",
            "kind": "choice",
            "label": "Decision",
            "choices": ["Accepted", "Accepted with changes", "Not accepted"],
            "required": True,
        },
        {"key": "remarks", "kind": "long_text", "label": "Remarks"},
    ]
)


def fields_of(life: Life, kind: str, title: str) -> list[design.Part]:
    """What a form of the company asks; other documents ask nothing."""
    if kind != Document.Kind.FORM:
        return []
    starter = starter_form(life.told.get("forms", {}).get(title, {}).get("starter", ""))
    return starter.fields if starter else CHECKED


@stage(45)
def forms_are_filled_in(life: Life) -> None:
    """Every so many days each form is filled in, from soon after it came into force."""
    months = {told[1]: told[5][0] for told in life.told["documents"]}
    for title, told in life.told.get("forms", {}).items():
        if "every" not in told:
            continue
        chance = random.Random(f"{life.name} {title}")  # noqa: S311 - the same entries every time
        day = life.month(months[title]) + timedelta(days=FIRST)
        while day < life.today:
            hour = chance.choice(HOURS)
            life.at(life.moment(day, hour), partial(_fill_in, life, title, told, chance))
            day += timedelta(days=told["every"] + chance.randint(-2, 3))


def _fill_in(life: Life, title: str, told: dict[str, Any], chance: random.Random) -> None:
    form = Document.objects.filter(title=title).first()
    if form is None or workflow.in_force(form) is None:
        return
    by = life.who(chance.choice(told["by"]))
    values = SAY.get(told.get("starter", ""), _checked)(life, chance)
    entry = workflow.start_entry(
        by=by,
        form=form,
        happened_at=life.now - timedelta(minutes=chance.randint(5, 180)),
        values=values,
    )
    if life.today - life.day() < timedelta(days=1):
        return  # begun this morning
    workflow.submit_entry(entry, by=by)
    for part in design.of_kind(entry.parts, "signature"):
        who = by if part["signer"] == "author" else form.owner
        if part["signer"] == "author" or who != by:
            workflow.sign_entry(entry, by=who, proof=life.sign(who))
    if told.get("corrected") and Entry.objects.filter(form=form).count() == told["corrected"]:
        life.after(1, partial(_correct, entry))


def _correct(entry: Entry) -> None:
    """Somebody read the wrong line; the next day it is put right."""
    by = entry.created_by
    why = "The number was read from the line before."
    correction = workflow.correct_entry(entry, by=by, why=why)
    key = design.of_kind(entry.parts, "number")[0]["key"]
    right = str(int(str(entry.values[key])) + 8)
    amend(correction, by=by, changes={"values": correction.values | {key: right}})
    workflow.submit_entry(correction, by=by)


@fills_in_forms
def an_entry_about(life: Life, about: Any, *, by: Any, values: dict[str, Any]) -> Any:
    """What a register makes of the company's form about one of its rows, once it is in force."""
    register = register_of(type(about))
    for title, told in life.told.get("forms", {}).items():
        parts = fields_of(life, Document.Kind.FORM, title) if "starter" in told else []
        part = design.subject_of(parts)
        if register is None or part is None or part["of"] != register.kind:
            continue
        form = Document.objects.filter(title=title).first()
        if form is None or workflow.in_force(form) is None:
            continue
        entry = workflow.start_entry(
            by=by,
            form=form,
            happened_at=life.now - timedelta(minutes=20),
            values={part["key"]: about.pk} | _told(register, parts, values),
        )
        workflow.submit_entry(entry, by=by)
        return entry.outcome
    return None


def _told(register: Register, parts: list[design.Part], values: dict[str, Any]) -> dict[str, Any]:
    """What a register takes, as the fields of a form that give it say it."""
    asked = register.subject.takes if register.subject else {}
    said = {}
    for part in parts:
        value = values.get(part.get("gives", ""))
        if isinstance(value, dict):  # one field for each of several
            value = value[part["label"]]
        if value is not None:
            said[part["key"]] = dict(getattr(asked[part["gives"]], "choices", ())).get(value, value)
    return said


# What is said in each


def _order(chance: random.Random) -> str:
    return f"{chance.randint(4100, 9800)}"


def _checked(life: Life, chance: random.Random) -> dict[str, Any]:
    decision = chance.choices(("Accepted", "Accepted with changes", "Not accepted"), (80, 16, 4))[0]
    return {
        "case": _order(chance),
        "checked": CHECKED[1]["choices"][: chance.randint(2, 3)],
        "minutes": str(chance.choice((10, 15, 20, 20, 25, 30, 40, 75))),
        "decision": decision,
    } | ({"remarks": "The date was moved by a week."} if "changes" in decision else {})


def _delivery(life: Life, chance: random.Random) -> dict[str, Any]:
    pieces = chance.choice((12, 20, 24, 40, 60, 100, 120))
    wrong = chance.choices((0, 1, 2, 4, 9), (78, 10, 6, 3, 3))[0]
    conceded = "Accepted with a concession" if wrong > 2 else "Accepted"
    decision = "Sent back" if wrong > 5 else conceded
    providers = list(Provider.objects.filter(kind="goods").open().order_by("pk"))
    said = {
        "delivered_by": chance.choice(providers).pk,
        "order": _order(chance),
        "promised_for": str(life.day() - timedelta(days=chance.choice((0, 0, 0, 1, 4)))),
        "pieces_delivered": str(pieces),
        "pieces_not_as_ordered": str(wrong),
        "what_was_checked": ["Identity and quantity", "Packaging", "Certificates"],
        "decision": decision,
    }
    return said | ({"remarks": "Told to the provider by telephone."} if wrong else {})


MADE = ("Ball valves DN 50", "Manifolds", "Gate valves DN 80")
FEATURES = (("Bore", "50.00", 5000), ("Face to face", "178.0", 17800), ("Seat", "62.50", 6250))


def _inspection(life: Life, chance: random.Random) -> dict[str, Any]:
    decision = chance.choices(("Released", "Released after rework", "Not released"), (88, 9, 3))[0]
    rows = [
        {
            "feature": feature,
            "nominal": nominal,
            "measured": f"{(hundredths + chance.randint(-2, 2)) / 100:.2f}",
            "result": "Good",
        }
        for feature, nominal, hundredths in FEATURES[: chance.randint(2, 3)]
    ]
    if decision != "Released":
        rows[0]["result"] = "Rework" if decision != "Not released" else "Scrap"
    instruments = list(Equipment.objects.in_use().filter(unit="mm").order_by("pk"))
    said: dict[str, Any] = {
        "order_or_lot": _order(chance),
        "what_was_inspected": chance.choice(MADE),
        "pieces_inspected": str(chance.randint(8, 32)),
        "measurements": rows,
        "decision": decision,
    }
    if instruments:
        said["measured_with"] = chance.choice(instruments).pk
    return said


TOPICS = (
    "Working instruction at the new place",
    "Reading of drawings",
    "Safe lifting",
    "What a nonconformity is and how to report it",
    "First aid",
)


def _training(life: Life, chance: random.Random) -> dict[str, Any]:
    staff = [key for key, each in life.told["people"].items() if each["roles"] == ["employee"]]
    return {
        "who_was_trained": life.who(chance.choice(staff)).pk,
        "what_was_trained": chance.choice(TOPICS),
        "how": chance.choice(("At the workplace", "In a course", "By a colleague")),
        "hours": chance.choice(("1", "1.5", "2", "4", "8")),
        "how_it_was_checked_that_it_works": "Did the work twice while the trainer watched.",
        "may_do_the_work_alone": True,
    }


def _concession(life: Life, chance: random.Random) -> dict[str, Any]:
    return {
        "order_or_lot": _order(chance),
        "what_is_not_as_specified": "A scratch outside of the sealing face, 0.1 mm deep.",
        "pieces": str(chance.randint(1, 6)),
        "why_it_may_be_used_all_the_same": "It does not seal there, and it is coated.",
        "valid_until": str(life.day() + timedelta(days=30)),
    }


SAY: dict[str, Callable[[Life, random.Random], dict[str, Any]]] = {
    "delivery_check": _delivery,
    "inspection_report": _inspection,
    "training_record": _training,
    "concession": _concession,
}
