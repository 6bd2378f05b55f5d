"""The chain of whys: a tree of answers, checked and put in order; and a soft word at its end.

A row is {key, parent, why, evidence, root}: `parent` is the key of the why it answers, 0 for the
event itself. Several rows may answer the same one, so the chain branches.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from qms.refusals import Refused

MOST_ROWS = 40
TOO_MANY = f"Up to {MOST_ROWS} whys; more than that is several cases."
Row = dict[str, Any]


def from_lines(typed: str) -> list[Row]:
    """Rows of typed lines: each line answers the one above, or as deep as its dashes say.

    Lines without any dash are one chain; with dashes a line answers the nearest one above that has
    fewer.
    """
    lines = [line.strip() for line in str(typed).splitlines() if line.strip(" -")]
    if len(lines) > MOST_ROWS:
        raise Refused(TOO_MANY, field="why_chain")
    dashed = any(line.startswith("-") for line in lines)
    rows: list[Row] = []
    above: dict[int, int] = {}
    for key, line in enumerate(lines, start=1):
        depth = len(line) - len(line.lstrip("-")) if dashed else key - 1
        parent = next((above[d] for d in sorted(above, reverse=True) if d < depth), 0)
        above = {d: k for d, k in above.items() if d < depth} | {depth: key}
        rows.append(row(key, parent, line.lstrip("- ")))
    return rows


def row(key: int, parent: int, why: str, evidence: str = "", *, root: bool = False) -> Row:
    return {"key": key, "parent": parent, "why": why, "evidence": evidence, "root": root}


def _is_row(each: Any) -> bool:
    """Whether it has the shape that `row` gives, whoever sent it."""
    if not isinstance(each, dict) or set(each) != {"key", "parent", "why", "evidence", "root"}:
        return False
    numbers = (each["key"], each["parent"])
    words = (each["why"], each["evidence"])
    return (
        all(type(number) is int and 0 <= number < 1000 for number in numbers)
        and each["key"] > 0
        and all(isinstance(word, str) for word in words)
        and isinstance(each["root"], bool)
    )


def check(rows: Sequence[Row]) -> None:
    """Raise Refused where the rows are no tree: another shape, an unknown number, a circle."""
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise Refused(
            "Each why has a key, the parent it answers, why, evidence and whether it is a root.",
            field="whys",
        )
    if len(rows) > MOST_ROWS:
        raise Refused(TOO_MANY, field="whys")
    parents = {each["key"]: each["parent"] for each in rows}
    if len(parents) != len(rows):
        raise Refused("Two whys have the same number.", field="whys")
    for key, parent in parents.items():
        if parent and parent not in parents:
            raise Refused(f"Why {key} answers why {parent}, which is empty.", field="whys")
    for key in parents:
        _refuse_circle(key, parents)


def _refuse_circle(start: int, parents: dict[int, int]) -> None:
    way, at = [start], parents[start]
    while at:
        way.append(at)
        if at in way[:-1]:
            told = " answers ".join(str(each) for each in way[way.index(at) :])
            raise Refused(
                f"The whys go round in a circle: {told}. Say which one answers the event itself.",
                field="whys",
            )
        at = parents[at]


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows branch by branch, each with its `depth` and whether it is the last of its branch."""
    known = list(rows)
    by_parent: dict[int, list[Row]] = {}
    for each in known:
        by_parent.setdefault(each.get("parent", 0), []).append(each)
    found: list[Row] = []

    def walk(parent: int, depth: int) -> None:
        for each in by_parent.get(parent, ()):
            last = each["key"] not in by_parent
            found.append({**each, "depth": depth, "steps": range(depth), "last": last})
            walk(each["key"], depth + 1)

    walk(0, 0)
    return found


def kept(rows: Iterable[Any]) -> list[Row]:
    """Rows as they are stored; what was kept before there were branches is one chain."""
    whole = [each for each in rows if isinstance(each, dict) and each.get("why")]
    return [
        each if "key" in each else row(key, key - 1, str(each["why"]))
        for key, each in enumerate(whole, start=1)
    ]


def roots(rows: Iterable[Row]) -> list[str]:
    """The whys marked as root causes; where none is, the last of each branch."""
    ordered = in_order(rows)
    marked = [each["why"] for each in ordered if each["root"]]
    return marked or [each["why"] for each in ordered if each["last"]]


# People of all three countries write these; matched as whole words, in any case.
PEOPLE_TO_BLAME = (
    r"human (error|mistake|failure|factor)s?",
    r"(operator|user|worker|staff|employee|personnel|fitter|picker|driver|clerk)('s|s')? "
    r"(error|mistake|fault|oversight)s?",
    r"(was|were|being|been) (careless|inattentive|negligent|sloppy|distracted|lazy|tired)",
    r"careless(ness|ly)?",
    r"inattenti(on|ve|veness)",
    r"negligen(ce|t)",
    r"lack of (attention|care|diligence|concentration|discipline|awareness)",
    r"(did|does|do) ?n[o']t pay (enough |proper )?attention",
    r"not pay(ing)? (enough |proper )?attention",
    r"should (have|of|'ve) (paid|been|known|checked|noticed|seen|read|looked|asked)",
    r"should(n't| not) (have|of) (done|forgotten|missed|assumed)",
    r"(forgot|forgotten|forgets|forgetful(ness)?)",
    r"(over|mis)look(ed|ing)",
    r"(did not|didn't|failed to) (follow|read|notice|check|see|look|listen)",
    r"(was|were) not (following|paying|concentrating|looking|careful)",
    r"not (careful|concentrating) enough",
    r"(sloppy|shoddy|slapdash) work(manship)?",
    r"(a |an )?(slip|slip-up|oversight|brain fade|senior moment)",
    r"(somebody|someone|they|he|she|whoever) (made|makes) (a|an)( \w+)? (mistake|error)",
    r"(retrain|re-train|reprimand|talk to|remind|tell off|discipline|write up) (the |him|her|them)",
    r"bad (attitude|habit)s?",
    r"couldn't be (bothered|arsed)",
    r"complacen(cy|t)",
)
_BLAME = re.compile(r"\b(?:" + "|".join(PEOPLE_TO_BLAME) + r")\b", re.IGNORECASE)


def soft_word(said: str) -> str:
    """A hint where the last why ends with a person; empty where it does not. Never a refusal."""
    found = _BLAME.search(said.replace("’", "'"))
    if found is None:
        return ""
    return (
        f"“{found[0]}” says who it happened to, not yet why it could happen. Ask once more: what"
        " made this slip possible, and what would have caught it?"
    )
