"""The gap assessment: rate each clause, give every gap an owner and a day, then complete it.

An assessment is completed only when every clause is rated and every gap is somebody's dated
action, so that it always leaves a roadmap behind (ISO 9001 4.4, 10.1).
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Count, Q

from qms import clauses, contributions
from qms.actions.models import Action
from qms.actions.workflow import promise
from qms.contributions import Step
from qms.gap.models import (
    LEAST_DAYS,
    MOST_DAYS,
    Assessment,
    Capacity,
    EvidenceLink,
    GapAnswer,
)
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import due_in, today
from qms.picking import MOST_LINKS
from qms.proofs import GapSignal
from qms.records import insert_together
from qms.refusals import Refused, Stale
from qms.scope.models import Organisation
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

ANSWER = "gap.answer_assessment"
Rating = GapAnswer.Rating
USUAL_ACTION_DAYS = 30  # before the organisation is set up


# Guards


def every_clause_is_rated(assessment: Assessment, by: Any) -> str | None:
    left = assessment.answers.filter(rating=Rating.OPEN).count()
    if left:
        return f"{left} clause{'' if left == 1 else 's'} {_is(left)} not assessed yet."
    return None


def every_gap_has_an_action(assessment: Assessment, by: Any) -> str | None:
    left = len(gaps_without_action(assessment))
    if left:
        return (
            f"{left} gap{'' if left == 1 else 's'} {'has' if left == 1 else 'have'} no action yet."
            " Plan what will be done, by whom and by when."
        )
    return None


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


# What belongs to an answer


def gaps_without_action(assessment: Assessment) -> list[GapAnswer]:
    """The gaps nobody has promised to close, in the order of the standard."""
    gaps = list(assessment.answers.gaps())
    planned = actions_by_answer(gaps)
    return sorted((g for g in gaps if not planned.get(g.pk)), key=lambda gap: gap.ref)


def actions_of(answers: Iterable[GapAnswer]) -> Any:
    """The actions promised for these gaps, without void ones.

    What was promised for the same gap in the assessment a delta began from counts while it is open.
    """
    rows = list(answers)
    kind = ContentType.objects.get_for_model(GapAnswer)
    own = Q(origin_id__in=[each.pk for each in rows])
    before = Q(
        origin_id__in=[each.earlier_id for each in rows if each.earlier_id],
        status=Action.Status.OPEN,
    )
    found = Action.objects.filter(own | before, origin_type=kind)
    return found.exclude(status=Action.Status.VOID)


def actions_by_answer(answers: Iterable[GapAnswer]) -> dict[int, list[Action]]:
    """The actions of each gap by the answer's key, the earliest first."""
    rows = list(answers)
    by_origin: dict[int, list[Action]] = {}
    for action in actions_of(rows).select_related("owner").order_by("due", "pk"):
        by_origin.setdefault(action.origin_id, []).append(action)
    found: dict[int, list[Action]] = {}
    for each in rows:
        before = by_origin.get(each.earlier_id or 0, [])
        still = [action for action in before if action.status == Action.Status.OPEN]
        mine = sorted([*by_origin.get(each.pk, []), *still], key=lambda a: (a.due, a.pk))
        if mine:
            found[each.pk] = mine
    return found


# Factories


@creates(Assessment, permission="gap.add_assessment")
def start_assessment(*, by: Person, edition: str, title: str = "") -> Assessment:
    """A new assessment with an open answer for every clause that can be assessed."""
    _none_going(edition)
    title = title.strip() or f"Gap assessment to {clauses.standard(edition)}"
    assessment = Assessment(title=title, edition=edition, created_by=by)
    assessment.save()
    insert_together(
        [
            GapAnswer(assessment=assessment, clause=each.key, created_by=by)
            for each in clauses.clauses(edition, assessable=True)
        ]
    )
    return assessment


def _none_going(edition: str) -> None:
    going = Assessment.objects.filter(edition=edition, status="in_progress").first()
    if going:
        raise Refused(
            f"{going.number} is in progress for edition {edition}. Complete or void it first.",
            field="edition",
        )


@creates(Assessment, permission="gap.add_assessment")
def start_delta(*, by: Person, earlier: Assessment, title: str = "") -> Assessment:
    """An assessment of the next edition that begins from a completed one of the edition before.

    Clauses that changed, were split, merged or moved are open; the rest is taken over with what
    was found then. What nobody could confirm is open too, to be checked in your own copy.
    """
    if earlier.status != Assessment.Status.COMPLETED:
        raise Refused(f"{earlier.number} is not completed. Complete it first.", field="earlier")
    edition = clauses.other_edition(earlier.edition)
    if edition < earlier.edition:
        raise Refused(
            f"There is no edition after {earlier.edition} yet. Start a whole assessment instead.",
            field="earlier",
        )
    _none_going(edition)
    title = title.strip() or (
        f"What {clauses.standard(edition)} changes, beginning from {earlier.number}"
    )
    assessment = Assessment(title=title, edition=edition, delta_from=earlier, created_by=by)
    assessment.save()
    known = {each.clause: each for each in earlier.answers.select_related("answered_by")}
    links = _live_links(known.values())
    answers = []
    for each in clauses.clauses(edition, assessable=True):
        mapped = clauses.mapping_of(each.ref)
        before = [known[ref.key] for ref in mapped.refs if ref.key in known]
        answer = GapAnswer(assessment=assessment, clause=each.key, created_by=by)
        _begin_from(answer, mapped.kind, before, links)
        answers.append(answer)
    insert_together(answers)
    insert_together(
        [
            EvidenceLink(
                answer=answer,
                record_type_id=link.record_type_id,
                record_id=link.record_id,
                created_by=by,
            )
            for answer in answers
            if answer.taken_over
            for link in links.get(answer.earlier_id or 0, [])
        ]
    )
    return assessment


def _live_links(answers: Iterable[GapAnswer]) -> dict[int, list[EvidenceLink]]:
    found: dict[int, list[EvidenceLink]] = {}
    for link in EvidenceLink.objects.live().filter(answer__in=list(answers)).order_by("pk"):
        found.setdefault(link.answer_id, []).append(link)
    return found


def _begin_from(
    answer: GapAnswer,
    kind: str,
    before: list[GapAnswer],
    links: dict[int, list[EvidenceLink]],
) -> None:
    """One answer of a delta assessment: open, or as it was given for the edition before."""
    answer.earlier = before[0] if before else None
    again = kind in (*clauses.ASSESS_AGAIN, *clauses.CHECK_YOUR_COPY)
    old = before[0] if len(before) == 1 and before[0].rating != Rating.OPEN else None
    if again or old is None:
        return
    answer.taken_over = True
    for name in ("rating", "evidence", "note", "answered_by", "answered_on"):
        setattr(answer, name, getattr(old, name))
    answer.linked = len(links.get(old.pk, []))


def answer(
    found: GapAnswer,
    *,
    by: Person,
    rating: str,
    evidence: str = "",
    links: Iterable[Any] | None = None,
    note: str = "",
    copy_checked: bool | None = None,
    plan: str = "",
    owner: Person | None = None,
    due: date | None = None,
    effort: Decimal | None = None,
    version: int | None = None,
) -> GapAnswer:
    """Rate a clause; for a gap, `plan`, `owner`, `due` and `effort` make the action that closes it.

    `links` are the records that show it, all that the person sees of them; None leaves them as
    they are. Raises PermissionDenied, Stale when somebody answered meanwhile, and Refused.
    """
    if not by.has_perm(ANSWER):
        raise PermissionDenied("Your role does not allow you to answer a gap assessment.")
    with db.atomic():
        assessment = _locked_in_progress(found.assessment_id)
        locked: GapAnswer = GapAnswer._base_manager.select_for_update(of=("self",)).get(pk=found.pk)
        if version is not None and locked.version != version:
            raise Stale
        locked.linked = _link(locked, links, by)
        if copy_checked is not None:
            locked.copy_checked = copy_checked
        _check(locked, assessment, rating, evidence, note)
        locked.rating, locked.evidence, locked.note = rating, evidence.strip(), note.strip()
        locked.taken_over = False
        rated = rating != Rating.OPEN
        locked.answered_by = by if rated else None
        locked.answered_on = today() if rated else None
        locked.save_because(f"Rated: {locked.get_rating_display().lower()}.", by=by)
        if plan.strip() or owner or due or effort:
            _promise(locked, by=by, plan=plan, owner=owner, due=due, effort=effort)
        refresh(assessment)
    found.refresh_from_db()
    return found


def _locked_in_progress(key: int) -> Assessment:
    assessment: Assessment = Assessment._base_manager.select_for_update(of=("self",)).get(pk=key)
    if assessment.status != Assessment.Status.IN_PROGRESS:
        shown = assessment.get_status_display().lower()
        raise Refused(f"{assessment.number} is {shown}. Start a new assessment instead.")
    return assessment


def _link(answer: GapAnswer, records: Iterable[Any] | None, by: Person) -> int:
    """Make the links what the person chose; what they do not see stays. Returns how many hold."""
    known = {
        (link.record_type_id, link.record_id): link
        for link in EvidenceLink._base_manager.filter(answer=answer).order_by("pk")
    }
    if records is None:
        return sum(not link.ended for link in known.values())
    wanted = _keys_of(records, by)
    for kind, key in sorted(wanted - set(known)):
        EvidenceLink(answer=answer, record_type_id=kind, record_id=key, created_by=by).save()
    hidden = 0
    for pair, link in known.items():
        if pair not in wanted and not link.ended and not _seen(link, by):
            hidden += 1
        elif link.ended is (pair in wanted):
            link.ended = not link.ended
            link.save_because("Unlinked." if link.ended else "Linked.", by=by)
    return len(wanted) + hidden


def _keys_of(records: Iterable[Any], by: Person) -> set[tuple[int, int]]:
    """(kind, key) of the records to link; refuses what the person may not see."""
    wanted = set()
    for record in records:
        if not is_visible(record, by):
            raise Refused("A record to link was not found.", field="links")
        wanted.add((ContentType.objects.get_for_model(record).pk, record.pk))
    if len(wanted) > MOST_LINKS:
        raise Refused(f"Link at most {MOST_LINKS} records to an answer.", field="links")
    return wanted


def _seen(link: EvidenceLink, by: Person) -> bool:
    return link.record is not None and is_visible(link.record, by)


def _check(
    answer: GapAnswer, assessment: Assessment, rating: str, evidence: str, note: str
) -> None:
    if rating not in Rating.values:
        raise Refused("Choose a rating from the list.", field="rating")
    if rating == Rating.IN_PLACE and not evidence.strip() and not answer.linked:
        raise Refused(
            "Say what shows it: link a record, or name a document or an example.",
            field="evidence",
        )
    if rating in GapAnswer.GAPS and not note.strip():
        raise Refused("Say what is missing.", field="note")
    if rating == Rating.NOT_APPLICABLE and not note.strip():
        raise Refused("Say why it cannot apply to what you do.", field="note")
    if rating != Rating.OPEN and asks_for_own_copy(answer, assessment) and not answer.copy_checked:
        raise Refused(
            "Read this clause in your own copy of the standard first, then tick that you did.",
            field="copy_checked",
        )


def asks_for_own_copy(answer: GapAnswer, assessment: Assessment) -> bool:
    """Whether what changed in this clause is not confirmed, so that people must look themselves."""
    return bool(assessment.delta_from_id) and answer.mapped.kind in clauses.CHECK_YOUR_COPY


def _promise(
    gap: GapAnswer,
    *,
    by: Person,
    plan: str,
    owner: Person | None,
    due: date | None,
    effort: Decimal | None,
) -> Action:
    if not gap.is_gap:
        raise Refused("Only a gap needs an action. Leave the plan empty.", field="plan")
    if not plan.strip():
        raise Refused("Say what will be done.", field="plan")
    if owner is None:
        raise Refused("Choose who will do it.", field="owner")
    if due is None:
        raise Refused("Give the day by which it is done.", field="due")
    if due < today():
        raise Refused("The day is past already; choose a later one.", field="due")
    return promise(
        by=by,
        title=plan,
        owner=owner,
        due=due,
        origin=gap,
        kind=Action.Kind.ROADMAP,
        description=f"{clauses.label(gap.clause)}: {gap.note}",
        effort=effort,
    )


def assign(
    assessment: Assessment, *, by: Person, person: Person | None, parts: Iterable[str]
) -> int:
    """Ask a person (or nobody) to assess clauses; a chapter means every clause in it.

    `parts` are stored references ("2026:7", "2026:9.2.2"). Returns how many clauses changed hands.
    """
    if not by.has_perm("gap.change_assessment"):
        raise PermissionDenied("Your role does not allow you to share out the clauses.")
    if person is not None and not (person.is_active and person.has_perm(ANSWER)):
        raise Refused(
            f"{person.name} may not answer a gap assessment. Choose a process owner or the quality"
            " manager.",
            field="person",
        )
    chosen = [clauses.clause(part).ref for part in parts]
    if not chosen:
        raise Refused("Choose at least one chapter or clause.", field="parts")
    if wrong := [str(ref) for ref in chosen if ref.edition != assessment.edition]:
        raise Refused(f"{wrong[0]} is of another edition than {assessment.number}.", field="parts")
    changed = 0
    with db.atomic():
        locked = _locked_in_progress(assessment.pk)
        for each in assessment.answers.select_for_update(of=("self",)).order_by("pk"):
            if any(each.ref.is_within(ref) for ref in chosen) and each.assessor != person:
                each.assessor = person
                said = f"Asked {person.name} to assess it." if person else "Nobody is asked for it."
                each.save_because(said, by=by)
                changed += 1
        refresh(locked)
    return changed


def act_on(
    assessment: Assessment, signal: GapSignal, *, by: Person, plan: bool, found: GapAnswer
) -> GapAnswer:
    """Take what the records say as the answer to its clause, and with `plan` as an action too.

    An answer that says something else already stays; then only an action can be added to a gap.
    """
    words = found.note if signal.sentence in found.note else f"{found.note} {signal.sentence}"
    more: dict[str, Any] = {}
    if plan:
        owner = signal.owner if signal.owner is not None and signal.owner.is_active else by
        more = {"plan": signal.plan[:200], "owner": owner, "due": due_in(_action_days(), today())}
    if found.rating in (Rating.IN_PLACE, Rating.NOT_APPLICABLE):
        raise Refused(
            f"{found.ref.number} is rated {found.get_rating_display().lower()}. "
            "Open its answer and rate it again first."
        )
    rating = Rating.PARTLY if found.rating == Rating.OPEN else found.rating
    copy = found.copy_checked
    return answer(
        found,
        by=by,
        rating=rating,
        evidence=found.evidence,
        note=words.strip(),
        copy_checked=copy,
        version=found.version,
        **more,
    )


def _action_days() -> int:
    organisation = Organisation.objects.current()
    return organisation.action_days if organisation else USUAL_ACTION_DAYS


@creates(Capacity, permission="gap.change_assessment")
def give_time(*, by: Person, person: Person, days_a_week: Decimal) -> Capacity:
    """Say how many days a week a person has for the roadmap."""
    if not LEAST_DAYS <= days_a_week <= MOST_DAYS:
        raise Refused(
            f"Give {LEAST_DAYS} to {MOST_DAYS} days a week; the rest is their daily work.",
            field="days_a_week",
        )
    days = days_a_week.quantize(Decimal("0.1"))
    known: Capacity | None = (
        Capacity._base_manager.select_for_update(of=("self",)).filter(person=person).first()
    )
    if known is None:
        made = Capacity(person=person, days_a_week=days, created_by=by)
        made.save()
        return made
    if known.days_a_week != days:
        known.days_a_week = days
        known.save_because(f"{days} days a week from now on.", by=by)
    return known


# Transitions


@transition(
    Assessment,
    source=Assessment.Status.IN_PROGRESS,
    target=Assessment.Status.COMPLETED,
    permission="gap.change_assessment",
    guards=[every_clause_is_rated, every_gap_has_an_action],
    label="Complete",
)
def complete(assessment: Assessment, *, by: Any) -> None:
    """Complete it: the answers stay as they are, the roadmap goes on."""
    assessment.completed_on = today()


void = voids(Assessment, source=Assessment.Status.IN_PROGRESS, permission="gap.change_assessment")

editing = amendment(
    Assessment,
    permission="gap.change_assessment",
    fields=("title",),
    states=(Assessment.Status.IN_PROGRESS,),
)


@contributions.work(Assessment)
def next_steps(assessment: Assessment) -> list[Step]:
    """Everybody with clauses of theirs still open; who started it goes on with the rest."""
    if assessment.status != Assessment.Status.IN_PROGRESS:
        return []
    left = assessment.answers.filter(rating=Rating.OPEN).values("assessor").annotate(n=Count("pk"))
    waiting = {row["assessor"]: row["n"] for row in left if row["assessor"]}
    people = Person.objects.people().filter(pk__in=waiting)
    url = assessment.get_absolute_url()
    steps = [
        Step(
            "assess",
            f"Assess {waiting[each.pk]} clause{'' if waiting[each.pk] == 1 else 's'}",
            person=each,
            remind=False,
            url=f"{url}?mine=1",
        )
        for each in people
    ]
    return [*steps, Step("continue", "Continue", person=assessment.created_by, remind=False)]
