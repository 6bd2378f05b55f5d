"""How a form is filled in: a draft that keeps anything, a submission that holds (ISO 9001 7.5.3).

A submitted entry never changes. Who finds a mistake corrects it by a new entry that says why. An
entry about a provider, an instrument or a customer is handed to its register in the same
transaction, and a value beyond a limit is told to whoever listens.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import PermissionDenied

from documents import answers, design
from documents.content import from_markdown
from documents.models import Document, Entry, Revision
from documents.starters import StarterForm
from documents.subjects import registers
from documents.workflow.documents import create_document
from qms import clock, contributions
from qms.contributions import FormSubject, Step
from qms.equipment.models import Equipment
from qms.events import publish
from qms.files.models import Attachment
from qms.files.workflow import guards_attaching
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import EARLIEST, LATEST, day_of, start_of, today
from qms.refusals import Refused
from qms.scope.models import Organisation
from qms.workflow import amendment, creates, transition, voids

State = Entry.Status
GRACE = 14  # days in which a draft on the revision before may still be submitted
MOST_CHARACTERS = 400_000
SIGNED = "Signed"


@dataclass(frozen=True)
class EntrySubmitted:
    """An entry became evidence."""

    entry: Entry


@dataclass(frozen=True)
class LimitExceeded:
    """Something in an entry lies beyond a limit of its form; `found` says what, in sentences."""

    entry: Entry
    found: tuple[str, ...]


@dataclass(frozen=True)
class EntryTakenBack:
    """An entry no longer counts: it was corrected by another one, or voided."""

    entry: Entry
    why: str


# Questions


def in_force(form: Document) -> Revision | None:
    """The revision people fill in now."""
    found: Revision | None = Revision.objects.effective().filter(document=form).first()
    return found


def why_not_filled_in(form: Document, revision: Revision | None) -> str:
    """Why nobody can fill in this form now; empty when they can."""
    if form.kind != Document.Kind.FORM:
        return "Only a form is filled in."
    if form.status != Document.Status.ACTIVE:
        return "The form was withdrawn; it takes no more entries."
    if revision is None:
        return "No revision of the form is in force yet."
    return "" if revision.fields else "The form has no fields. It is filled in on paper."


def problems_of(entry: Entry, by: Any) -> dict[str, str]:
    """Why the entry cannot be submitted yet, by the key of the field."""
    found = answers.problems(entry.parts, entry.values)
    for part in entry.parts:
        if part["key"] not in found and (why := _unfit(entry, part, by)):
            found[part["key"]] = why
    return found


def _unfit(entry: Entry, part: design.Part, by: Any) -> str:
    """Why a person, a record or a file that was chosen cannot stand."""
    value, _why = answers.read(part, entry.values.get(part["key"]))
    if answers.is_empty(value):
        return ""
    if part["kind"] == "person" and not Person.objects.people().filter(pk=value).exists():
        return "This person is not known. Choose another."
    if part["kind"] == "record":
        register = registers().get(part["of"])
        if register is None or register.found(value, by) is None:
            return "It was not found in its register. Choose another."
    if part["kind"] in design.UPLOADS:
        sources = [entry] if entry.corrects is None else [entry, entry.corrects]
        known = Attachment.objects.of(*sources).kept().filter(pk__in=value)
        if known.count() != len(value):
            return "A file is no longer attached to it. Attach it again."
    return ""


# Guards


def only_its_author(entry: Entry, by: Any) -> str | None:
    if by.pk == entry.created_by_id:
        return None
    return "Only who began the entry goes on with it."


def author_or_keeper(entry: Entry, by: Any) -> str | None:
    if by.pk == entry.created_by_id or by.holds("quality_manager"):
        return None
    return "Only who began the entry or the quality manager discards it."


def the_form_takes_it(entry: Entry, by: Any) -> str | None:
    """The form is in use, and its revision is in force or was until a few days ago."""
    revision, now = entry.revision, in_force(entry.form)
    if why := why_not_filled_in(entry.form, now):
        return why
    if now is None or revision.pk == now.pk:
        return None
    until = revision.ended_on + timedelta(days=GRACE) if revision.ended_on else today()
    if today() <= until:
        return None
    return (
        f"Revision {revision.label} gave way to revision {now.label}, and entries on it were taken"
        f" until {until:%-d %B %Y}. Move it over; what fits is kept."
    )


def it_is_whole(entry: Entry, by: Any) -> str | None:
    problems = problems_of(entry, by)
    if not problems:
        return None
    labels = {part["key"]: part["label"] for part in entry.parts}
    told = [f"{labels[key]}: {why}" for key, why in problems.items()]
    more = f" And {len(told) - 3} more." if len(told) > 3 else ""
    return " ".join(told[:3]) + more


def it_has_happened(entry: Entry, by: Any) -> str | None:
    if entry.happened_at > clock.now() + timedelta(minutes=5):
        return "It cannot have happened in the future. Say when it happened."
    return None


def a_newer_revision(entry: Entry) -> Revision | None:
    """The revision in force, where a draft is on another one."""
    if entry.status != State.DRAFT:
        return None
    now = in_force(entry.form)
    return None if now is None or now.pk == entry.revision_id else now


def a_newer_revision_is_in_force(entry: Entry, by: Any) -> str | None:
    if a_newer_revision(entry) is None:
        return "It is on the revision in force already."
    return None


def what_it_became_is_taken_back(entry: Entry, by: Any) -> str | None:
    """What a register made of the entry counts on its own; it goes first."""
    made = entry.outcome
    if made is None or getattr(made, "status", "") == "void":
        return None
    return f"{made} was made of it. Void that first."


def something_stands_in_its_place(entry: Entry, by: Any) -> str | None:
    """A correction is not taken away from above what was said to be wrong: nothing would stand.

    The wrong one does not come back by itself, because somebody said that it is wrong, and what a
    register made of it is void. Who means that nothing of it happened voids the wrong one first.
    """
    wrong = entry.corrects
    while wrong is not None and wrong.status == State.VOID:
        wrong = wrong.corrects
    if wrong is None or entry.status == State.CORRECTED:
        return None
    return (
        f"It stands in the place of {wrong.number}, which is wrong; without it nothing would stand."
        f" Correct it by a new entry. If nothing of it happened, void {wrong.number} first."
    )


def takes_its_place(entry: Entry) -> Entry | None:
    """The entry that corrects it; where that one was voided, the one that corrects that in turn."""
    wrong = [entry.pk]
    while wrong:
        rows = list(Entry.objects.filter(corrects__in=wrong).select_related("form"))
        found: Entry | None = next((each for each in rows if each.status != State.VOID), None)
        if found is not None:
            return found
        wrong = [each.pk for each in rows]
    return None


def whose_turn_it_is(entry: Entry, by: Any) -> str | None:
    if not entry.unsigned:
        return "Everything is signed."
    if _next_to_sign(entry, by) is not None:
        return None
    if by.pk == entry.created_by_id:
        return "Somebody else signs it now."
    if by.pk in entry.signers and any(part["signer"] == "another" for part in entry.unsigned):
        return "You signed it already. The form asks two different people; somebody else signs now."
    return "Who filled it in signs first."


def _next_to_sign(entry: Entry, by: Any) -> design.Part | None:
    """The signature field that is this person's to sign: one of the author's, or one of others'."""
    is_author = by.pk == entry.created_by_id
    if not is_author and by.pk in entry.signers:
        return None
    signer = "author" if is_author else "another"
    return next((part for part in entry.unsigned if part["signer"] == signer), None)


def a_correction_was_submitted(entry: Entry, by: Any) -> str | None:
    if Entry.objects.standing().filter(corrects=entry).exists():
        return None
    return "It is corrected by another entry, which is submitted first."


@guards_attaching(Entry)
def only_its_author_attaches(entry: Entry, by: Any) -> str | None:
    """What was submitted stands with everything attached to it."""
    if entry.status != State.DRAFT:
        return "It was submitted and stands as it is. Correct it instead."
    return only_its_author(entry, by)


# Factories


def begin_form(starter: StarterForm, *, by: Person, **more: Any) -> Document:
    """A form from a ready one, as a draft; `more` as of `create_document`."""
    edition = Organisation.objects.edition()
    return create_document(
        by=by,
        title=starter.title,
        kind=Document.Kind.FORM,
        fields=starter.fields,
        text=from_markdown(starter.purpose),
        clauses=[f"{edition}:{number}" for number in starter.clauses],
        **{"owner": by, **more},
    )


@creates(Entry, permission="documents.add_entry")
def start_entry(
    *,
    by: Person,
    form: Document,
    happened_at: datetime | None = None,
    values: Mapping[str, Any] | None = None,
    once: UUID | None = None,
) -> Entry:
    """Begin to fill in the form in force. The same `once` gives the same entry again."""
    if not is_visible(form, by):
        raise PermissionDenied("You may not see this form.")
    known = Entry.objects.filter(once=once, created_by=by).first() if once else None
    if known is not None:
        return known  # type: ignore[no-any-return]
    revision = in_force(form)
    if why := why_not_filled_in(form, revision):
        raise Refused(why)
    if happened_at is not None and (wrong := no_such_moment(happened_at)):
        raise Refused(wrong, field="happened_at")
    given = dict(values or {})
    if strange := _strange(revision.fields, {}, given):  # type: ignore[union-attr]
        raise Refused(strange)
    made = Entry(
        form=form,
        revision=revision,
        happened_at=(happened_at or clock.now()).replace(second=0, microsecond=0),
        values=given,
        once=once or uuid4(),
        created_by=by,
    )
    made.save()
    return made


@creates(Entry, permission="documents.add_entry")
def correct_entry(entry: Entry, *, by: Person, why: str) -> Entry:
    """Begin the entry that takes the place of a wrong one; the wrong one stays, marked."""
    locked = Entry._base_manager.select_for_update(of=("self",)).get(pk=entry.pk)
    if not is_visible(locked, by):
        raise PermissionDenied("You may not see this entry.")
    if reason := who_corrects(locked, by):
        raise PermissionDenied(reason)
    if locked.status != State.SUBMITTED:
        shown = str(locked.get_status_display()).lower()
        raise Refused(f"Only a submitted entry is corrected; this one is {shown}.")
    if not why.strip():
        raise Refused("Say what is wrong with it.", field="why")
    if reason := what_it_became_is_taken_back(locked, by):
        raise Refused(reason)
    begun = Entry.objects.filter(corrects=locked).exclude(status=State.VOID).first()
    if begun is not None:
        raise Refused(f"{begun.number} corrects it already. Go on with that one.")
    revision = in_force(locked.form)
    if reason := why_not_filled_in(locked.form, revision):
        raise Refused(reason)
    keys = {part["key"] for part in revision.fields}  # type: ignore[union-attr]
    made = Entry(
        form=locked.form,
        revision=revision,
        happened_at=locked.happened_at,
        values={key: value for key, value in locked.values.items() if key in keys},
        corrects=locked,
        why=why.strip()[:2000],
        created_by=by,
    )
    made.save()
    return made


def who_corrects(entry: Entry, by: Any) -> str | None:
    """Only people who know what was meant correct an entry."""
    process = entry.form.process
    allowed = {entry.created_by_id, entry.form.owner_id, process.owner_id if process else None}
    if by.pk in allowed or by.holds("quality_manager"):
        return None
    return "Only who filled it in, the owner of its form or process, or the quality manager does."


def no_such_moment(moment: datetime) -> str | None:
    """A year that is a typing error; at the end of time no list could show it."""
    if EARLIEST.year < moment.year < LATEST.year:
        return None
    return f"Check the year: {moment.year} is before {EARLIEST.year} or after {LATEST.year}."


def _strange(
    parts: list[design.Part], before: Mapping[str, Any], values: Mapping[str, Any]
) -> str | None:
    """Why answers cannot be kept even in a draft."""
    known = {part["key"] for part in design.asked(parts)} | set(before)
    if foreign := sorted(set(values) - known):
        return f"The form has no field “{str(foreign[0])[:40]}”."
    for key, value in values.items():
        if why := answers.unkeepable(value):
            part = design.part_with(parts, key)
            return f"{part['label']}: {why}" if part else why
    if len(json.dumps(values, default=str)) > MOST_CHARACTERS:
        return "This is more than an entry can hold. Attach the long part as a file."
    return None


# Transitions


@transition(
    Entry,
    source=State.DRAFT,
    target=State.DRAFT,
    permission="documents.add_entry",
    only=only_its_author,
    guards=[a_newer_revision_is_in_force],
    label="Move to the revision in force",
    primary=False,
)
def move_over(entry: Entry, *, by: Any) -> None:
    """Go on with the form as it is now; every answer stays, also what is no longer asked."""
    now = in_force(entry.form)
    if now is not None:
        entry.revision = now


@transition(
    Entry,
    source=State.DRAFT,
    target=State.SUBMITTED,
    permission="documents.add_entry",
    only=only_its_author,
    guards=[the_form_takes_it, it_has_happened, it_is_whole],
    label="Submit",
    locks=lambda entry: the_corrected(entry),
    then=lambda entry, by: after_submission(entry, by),
)
def submit_entry(entry: Entry, *, by: Any) -> None:
    """Submit it; from now on it stands as it is."""
    read = {
        part["key"]: answers.read(part, entry.values.get(part["key"]))[0]
        for part in design.asked(entry.parts)
    }
    entry.values = {key: value for key, value in read.items() if not answers.is_empty(value)}
    entry.worst = answers.worst_of(answers.beyond(entry.parts, entry.values))
    entry.submitted_on = today()
    entry.outcome = received(entry, by)


def the_corrected(entry: Entry) -> None:
    """Two corrections of one entry wait for each other."""
    if entry.corrects_id:
        Entry._base_manager.select_for_update(of=("self",)).get(pk=entry.corrects_id)


@transition(
    Entry,
    source=State.SUBMITTED,
    target=State.SUBMITTED,
    permission="documents.sign_entry",
    only=whose_turn_it_is,
    signs=SIGNED,
    label="Sign",
)
def sign_entry(entry: Entry, *, by: Any) -> None:
    """Sign for exactly these answers and files."""
    part = _next_to_sign(entry, by)
    if part is not None:
        entry.signed = {
            **entry.signed,
            part["key"]: {"person": by.pk, "at": clock.now().isoformat()},
        }


@transition(
    Entry,
    source=State.SUBMITTED,
    target=State.CORRECTED,
    permission="documents.replace_entry",
    guards=[a_correction_was_submitted],
    reason=True,
    label="Mark as corrected",
    primary=False,
    then=lambda entry, by: publish(EntryTakenBack(entry, "It was corrected.")),
)
def mark_corrected(entry: Entry, *, by: Any) -> None:
    """Another entry takes its place; it stays readable, marked as corrected."""


@transition(
    Entry,
    source=State.DRAFT,
    target=State.VOID,
    permission="documents.add_entry",
    only=author_or_keeper,
    label="Discard",
    reason=True,
    primary=False,
)
def discard(entry: Entry, *, by: Any) -> None:
    """Discard the draft; its number stays used."""


void_entry = voids(
    Entry,
    source=(State.SUBMITTED, State.CORRECTED),
    permission="documents.void_entry",
    guards=[what_it_became_is_taken_back, something_stands_in_its_place],
)
void_entry.then = lambda entry, by: publish(EntryTakenBack(entry, "It was voided."))


def after_submission(entry: Entry, by: Any) -> None:
    """What follows at once: the wrong one is marked, and who listens is told."""
    if entry.corrects is not None:
        reason = f"Corrected by {entry.number}: {entry.why}"
        mark_corrected(entry.corrects, by=Person.objects.system(), reason=reason)
    publish(EntrySubmitted(entry))
    found = answers.beyond(entry.parts, entry.values)
    if entry.worst == Entry.Worst.LIMIT:
        told = tuple(each.sentence for each in found if each.worst == "limit")
        publish(LimitExceeded(entry, told))


editing_entry = amendment(
    Entry,
    permission="documents.change_entry",
    fields=("happened_at", "values"),
    only=only_its_author,
    states=(State.DRAFT,),
    checks=[lambda entry, changes: answers_can_be_kept(entry, changes)],
)


def answers_can_be_kept(entry: Entry, changes: Mapping[str, Any]) -> str | None:
    if "happened_at" in changes and (why := no_such_moment(changes["happened_at"])):
        return why
    if "values" not in changes:
        return None
    if not isinstance(changes["values"], dict):
        return "Give the answers by the keys of the fields."
    return _strange(entry.parts, entry.values, changes["values"])


# What a register makes of an entry


def received(entry: Entry, by: Any) -> Any:
    """The record a register makes of the entry; None where the form gives nothing to one."""
    part = design.subject_of(entry.parts)
    register = registers().get(part["of"]) if part else None
    if part is None or register is None or register.subject is None:
        return None
    given = given_to(register.subject, entry)
    subject = register.found(int(entry.values.get(part["key"]) or 0), by)
    if not given or subject is None:
        return None
    try:
        return contributions.receive_entry(register.kind, subject, given, by=by)
    except PermissionDenied as denied:
        raise Refused(str(denied)) from denied
    except Refused as refusal:
        giver = next((p for p in entry.parts if p.get("gives") == refusal.field), None)
        label = f"{giver['label']}: " if giver else ""
        raise Refused(f"{label}{refusal}") from refusal


def given_to(subject: FormSubject, entry: Entry) -> dict[str, Any]:
    """The values a register takes, by its own names. A day it needs is the day it happened."""
    givers: dict[str, list[design.Part]] = {}
    for part in entry.parts:
        if part.get("gives"):
            givers.setdefault(part["gives"], []).append(part)
    given: dict[str, Any] = {}
    for name, parts in givers.items():
        if (asked := subject.takes.get(name)) is not None:
            given[name] = _given(asked, parts, entry.values)
    if given:
        for name, asked in subject.takes.items():
            if isinstance(asked, forms.DateField) and asked.required and not given.get(name):
                given[name] = day_of(entry.happened_at)
    return given


def _given(asked: forms.Field, parts: list[design.Part], values: Mapping[str, Any]) -> Any:
    """One value as it is, a choice by what the register calls it, several as lines."""
    if isinstance(asked, forms.ChoiceField) and not isinstance(asked, forms.ModelChoiceField):
        return _called(asked, values.get(parts[0]["key"]))
    if len(parts) == 1 and parts[0]["kind"] not in ("choice",):
        return values.get(parts[0]["key"])
    told = ((part["label"], values.get(part["key"])) for part in parts)
    return "\n".join(f"{label}: {value}" for label, value in told if not answers.is_empty(value))


def _called(asked: Any, value: Any) -> Any:
    wanted = str(value or "").casefold()
    for key, label in asked.choices:
        if wanted and wanted in (str(key).casefold(), str(label).casefold()):
            return key
    return value


@contributions.tells_use(Equipment)
def measured_with(equipment: Equipment, start: Any, end: Any, person: Any) -> Any:
    """What was measured with an instrument: entries that name it and are not about it."""
    rows = Entry.objects.standing() if person is None else Entry.objects.visible_to(person)
    rows = rows.filter(status=State.SUBMITTED).naming("equipment", equipment.pk)
    rows = rows.happened_between(start_of(max(start, EARLIEST)), start_of(end + timedelta(days=1)))
    return [
        contributions.Related(
            entry.form.title if person else entry.form.told_outside(),
            entry.number,
            entry.get_absolute_url(),
            entry.get_worst_display() if entry.worst else "",
            "late" if entry.worst == "limit" else "plain",
            day_of(entry.happened_at),
        )
        for entry in rows.select_related("form", "revision").order_by("-happened_at", "-pk")[:500]
        if not (entry.subject_id == equipment.pk and entry.outcome_id)
    ]


# Who has to do what next


@contributions.work(Entry)
def next_of_entry(entry: Entry) -> list[Step]:
    """A draft waits for its author; a signature for whoever gives it."""
    if entry.status == State.DRAFT:
        return [Step("fill", "Go on", person=entry.created_by, remind=False)]
    if entry.status != State.SUBMITTED:
        return []
    part = next(iter(entry.unsigned), None)
    if part is None:
        return []
    if part["signer"] == "author":
        return [Step("sign", "Sign", person=entry.created_by)]
    if entry.form.owner_id in {entry.created_by_id, *entry.signers}:
        return [Step("sign", "Sign", role="quality_manager")]
    return [Step("sign", "Sign", person=entry.form.owner)]
