"""Questions to the reader of a revision: written as lines, answered by choosing, graded in words.

A question is a mapping: `question`, its `choices`, and `right`, the places (from 0) of the right
ones. They are part of what is signed with the revision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from qms.refusals import Refused

MOST, MOST_CHOICES, LONGEST = 20, 8, 300
HELP = (
    "Optional. A question on a line of its own, its choices below it: each begins with -, the right"
    " ones with +. The reader answers before acknowledging."
)
Question = dict[str, Any]


def from_lines(typed: str) -> list[Question]:
    """The questions as typed; raises Refused with what is wrong in which line."""
    found: list[Question] = []
    for number, raw in enumerate(typed.splitlines(), start=1):
        line = " ".join(raw.split())
        if not line:
            continue
        if line[0] not in "+-":
            found.append({"question": line, "choices": [], "right": []})
            continue
        if not found:
            raise Refused(f"Line {number} is a choice without a question above it.")
        _add_choice(found[-1], line, number)
    return check(found)


def _add_choice(question: Question, line: str, number: int) -> None:
    words = line[1:].strip()
    if not words:
        raise Refused(f"Line {number} is a choice without words.")
    if line[0] == "+":
        question["right"].append(len(question["choices"]))
    question["choices"].append(words)


def to_lines(questions: Sequence[Mapping[str, Any]]) -> str:
    """The questions as they are typed."""
    parts = []
    for each in questions:
        marks = ("+" if place in each["right"] else "-" for place in range(len(each["choices"])))
        choices = [f"{mark} {words}" for mark, words in zip(marks, each["choices"], strict=True)]
        parts.append("\n".join([each["question"], *choices]))
    return "\n\n".join(parts)


def check(questions: Any) -> list[Question]:
    """The questions if they can be asked; raises Refused where they cannot."""
    if len(questions) > MOST:
        raise Refused(f"These are {len(questions)} questions. Ask at most {MOST}.")
    for number, each in enumerate(questions, start=1):
        if why := _unfit(each):
            raise Refused(f"Question {number} {why}")
    return list(questions)


def _unfit(each: Mapping[str, Any]) -> str:
    choices = each["choices"]
    if max(map(len, [each["question"], *choices])) > LONGEST:
        return f"has a line of more than {LONGEST} characters. Shorten it."
    if not 2 <= len(choices) <= MOST_CHOICES:
        return f"needs 2 to {MOST_CHOICES} choices, each on a line that begins with - or +."
    if len({words.casefold() for words in choices}) < len(choices):
        return "has the same choice twice."
    if not each["right"]:
        return "has no right answer. Begin the right choice with +."
    return "" if len(each["right"]) < len(choices) else "has only right answers. Add a wrong one."


def wrong_in(questions: Sequence[Mapping[str, Any]], answers: Any) -> list[int]:
    """The numbers (from 1) of the questions that were not answered rightly."""
    given = answers if isinstance(answers, list) else []
    return [
        number
        for number, each in enumerate(questions, start=1)
        if _chosen(given, number - 1) != sorted(each["right"])
    ]


def _chosen(answers: list[Any], place: int) -> list[int]:
    """The places chosen for one question; whatever else was sent counts as none."""
    chosen = answers[place] if place < len(answers) else []
    if not isinstance(chosen, list):
        return []
    return sorted({each for each in chosen if isinstance(each, int) and not isinstance(each, bool)})


def told(questions: Sequence[Mapping[str, Any]], answers: Any) -> list[dict[str, Any]]:
    """What was answered, in words, to be kept: the question, what was chosen, whether rightly."""
    wrong = wrong_in(questions, answers)
    return [
        {
            "question": each["question"],
            "chosen": [
                words
                for place, words in enumerate(each["choices"])
                if place in _chosen(answers, number - 1)
            ],
            "right": number not in wrong,
        }
        for number, each in enumerate(questions, start=1)
    ]


def in_words(wrong: Sequence[int], of: int) -> str:
    """What is said to who answered wrongly."""
    which = ", ".join(map(str, wrong))
    words = f"Question {which} is" if len(wrong) == 1 else f"Questions {which} are"
    if of == 1:
        words = "Your answer is"
    return f"{words} not right. Read that part again, then answer once more."


class QuestionsField(forms.CharField):
    """Questions as lines; cleans to the list that is kept."""

    widget = forms.Textarea(attrs={"rows": 6})

    def clean(self, value: Any) -> Any:
        try:
            return check(value) if isinstance(value, list) else from_lines(super().clean(value))
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def prepare_value(self, value: Any) -> Any:
        return to_lines(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != (initial or []))
