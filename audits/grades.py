"""The grades of findings as the organisation words them; what each means is fixed in code."""

from collections.abc import Iterable
from dataclasses import dataclass

from audits.models import Addendum, Finding, FindingGrade

DEFINITIONS = {
    "major": "A requirement is not met in a way that puts in doubt whether the process reaches "
    "its intended results, or the same is wrong in many places.",
    "minor": "A requirement is not met, without that effect.",
    "observation": "A weakness that may become a nonconformity; no requirement is broken yet.",
    "opportunity": "An idea for doing better. It never stands in for a nonconformity.",
    "conformity": "The evidence shows that a requirement is met.",
    "good": "A strength others can learn from.",
}
MEANINGS = {
    "major": "Raises a nonconformity when it is released.",
    "minor": "Raises a nonconformity when it is released.",
    "observation": "Its owner accepts or declines it within 30 days.",
    "opportunity": "Asks for no answer.",
    "conformity": "Asks for no answer.",
    "good": "Asks for no answer.",
}


@dataclass(frozen=True)
class Wording:
    """A grade: its word here, its definition, whether auditors use it, and its fixed meaning."""

    grade: str
    label: str
    definition: str
    is_used: bool
    meaning: str


def wordings() -> dict[str, Wording]:
    """Every grade in order, the gravest first, with the organisation's words where it has some."""
    own = {each.grade: each for each in FindingGrade.objects.all()}
    found = {}
    for grade in Finding.Grade:
        said = own.get(grade.value)
        found[grade.value] = Wording(
            grade.value,
            said.label if said else str(grade.label),
            said.definition if said else DEFINITIONS[grade.value],
            said.is_used if said else True,
            MEANINGS[grade.value],
        )
    return found


def labels() -> dict[str, str]:
    """What each grade is called here."""
    return {grade: each.label for grade, each in wordings().items()}


def regraded(addenda: Iterable[Addendum]) -> list[Addendum]:
    """The addenda, each with the words of both grades as `before` and `after`."""
    words = labels()
    found = list(addenda)
    for each in found:
        each.before = words.get(each.grade_before, "")  # type: ignore[attr-defined]
        each.after = words.get(each.grade_after, "")  # type: ignore[attr-defined]
    return found


def choices(*present: str) -> list[tuple[str, str]]:
    """The grades auditors use, and those a finding bears already."""
    return [
        (each.grade, each.label)
        for each in wordings().values()
        if each.is_used or each.grade in present
    ]


def named(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each with the words of its grades as `grade_name` and `standing_name`."""
    words = labels()
    found = list(findings)
    for each in found:
        each.grade_name = words[each.grade]  # type: ignore[attr-defined]
        each.standing_name = words[each.standing_grade]  # type: ignore[attr-defined]
        each.softened_name = words.get(each.softened_from, "")  # type: ignore[attr-defined]
    return found
