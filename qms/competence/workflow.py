"""The procedure of competence: required, assessed by somebody else, trained, judged (ISO 9001 7.2).

`unmet_on` is the one answer to “is this person competent on that day”; audits ask it, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import Q

from qms import contributions
from qms.competence.models import (
    LONGEST_MONTHS,
    Competence,
    CompetenceRecord,
    CompetenceRequirement,
    Level,
    Trainee,
    Training,
)
from qms.contributions import Step
from qms.events import handles, publish
from qms.files.workflow import guards_attaching
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.people.workflow import PersonMoved
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

JUDGE_AFTER = timedelta(days=60)  # a training is judged when it had time to work
RESULT = forms.CharField(
    label="How it worked at the job, and what shows it",
    widget=forms.Textarea(attrs={"rows": 3}),
    max_length=5000,
)


@dataclass(frozen=True)
class TrainingHeld:
    """A training was held; what waited for it may go on."""

    training: Training


@dataclass(frozen=True)
class Unmet:
    """A required competence somebody lacks on a day; `record` is the newest finding, if any."""

    requirement: CompetenceRequirement
    record: CompetenceRecord | None
    day: date

    @property
    def why(self) -> str:
        """In words: never assessed, expired, or below the level asked for."""
        if self.record is None:
            return "not assessed"
        until = self.record.valid_until
        if until and until < self.day:
            return f"ended on {until:%-d %B %Y}"
        return f"level {self.record.level}, level {self.requirement.level} is asked for"


# Questions


def requirements_of(roles: Iterable[str], job_title: str = "") -> list[CompetenceRequirement]:
    """What these roles and this job ask for, each competence in use at its highest level."""
    asked = Q(role__in=list(roles), job_title="")
    if job_title.strip():
        asked |= Q(role="", job_title__iexact=job_title.strip())
    rows = CompetenceRequirement.objects.filter(
        asked,
        status=CompetenceRequirement.Status.IN_FORCE,
        competence__status=Competence.Status.IN_USE,
    ).select_related("competence")
    highest: dict[int, CompetenceRequirement] = {}
    for each in rows.order_by("level", "pk"):
        highest[each.competence_id] = each
    return sorted(highest.values(), key=lambda each: each.competence.name)


def competent_on(person: Person, competence: Competence, day: date, level: int = 1) -> bool:
    """Whether the newest finding by that day says that the person has it at the level then."""
    rows = CompetenceRecord.objects.newest(day).filter(person=person, competence=competence)
    return any(each.holds_on(day, level) for each in rows)


def unmet_on(
    person: Person, day: date, roles: Iterable[str] | None = None, job_title: str = ""
) -> list[Unmet]:
    """What the roles (the person's own where None is given) ask for and the person lacks."""
    if roles is None:
        roles, job_title = person.role_names, person.job_title
    asked = requirements_of(roles, job_title)
    if not asked:
        return []
    rows = CompetenceRecord.objects.newest(day).filter(person=person)
    known = {each.competence_id: each for each in rows}
    found = []
    for each in asked:
        record = known.get(each.competence_id)
        if record is None or not record.holds_on(day, each.level):
            found.append(Unmet(each, record, day))
    return found


def trainees_of(training: Training) -> list[Person]:
    """Who takes part, by name."""
    return list(
        Person.objects.filter(
            trainee_links__training=training, trainee_links__ended=False
        ).order_by("name", "pk")
    )


# Guards


def for_some_months(months: int | None) -> None:
    if months is not None and not 1 <= months <= LONGEST_MONTHS:
        raise Refused(
            f"Give 1 to {LONGEST_MONTHS} months, or leave it empty.", field="validity_months"
        )


def who_took_part_does_not_judge(training: Training, by: Any) -> str | None:
    if training.trainee_links.live().filter(person_id=by.pk).exists():
        return "Who took part does not judge whether the training worked; ask somebody else."
    return None


def only_its_organiser(training: Training, by: Any) -> str | None:
    if by.pk == training.owner_id or by.holds("quality_manager"):
        return None
    return "Only the organiser or the quality manager says that a training was held."


def somebody_takes_part(training: Training, by: Any) -> str | None:
    if training.trainee_links.live().exists():
        return None
    return "Nobody takes part yet. Choose the participants first."


@guards_attaching(CompetenceRecord)
def while_it_stands(record: CompetenceRecord, by: Any) -> str | None:
    """Proof is added by who assessed, or by the quality manager; never by the person alone."""
    if by.pk == record.assessed_by_id or by.holds("quality_manager"):
        return None
    return "Only who assessed it or the quality manager adds proof to it."


# Factories


@creates(Competence, permission="competence.add_competence")
def define_competence(
    *, by: Person, name: str, meaning: str, method: str, validity_months: int | None = None
) -> Competence:
    """Define something people must be able to do."""
    if not name.strip() or not meaning.strip():
        raise Refused("Give it a name, and say what somebody can do who has it.", field="meaning")
    if Competence.objects.filter(name__iexact=name.strip()).exists():
        raise Refused(f"There is a competence “{name.strip()}” already.", field="name")
    for_some_months(validity_months)
    made = Competence(
        name=name.strip(),
        meaning=meaning.strip(),
        method=method,
        validity_months=validity_months,
        created_by=by,
    )
    made.save()
    return made


@creates(CompetenceRequirement, permission="competence.add_competencerequirement")
def require(
    *,
    by: Person,
    competence: Competence,
    role: str = "",
    job_title: str = "",
    level: int = Level.ALONE,
) -> CompetenceRequirement:
    """Say that a role, or a job, asks for a competence."""
    role, job_title = role.strip(), job_title.strip()
    if bool(role) == bool(job_title):
        raise Refused("Choose a role or give a job title, one of them.", field="role")
    if role and role not in ROLES:
        raise Refused(f"There is no role called {role}.", field="role")
    if competence.status != Competence.Status.IN_USE:
        raise Refused(f"{competence.name} is no longer in use.", field="competence")
    if int(level) not in Level.values:
        raise Refused("Choose a level from 1 to 4.", field="level")
    known = CompetenceRequirement.objects.filter(
        competence=competence, role=role, job_title__iexact=job_title, status="in_force"
    )
    if known.exists():
        raise Refused("That is required already. End it first to change the level.", field="role")
    made = CompetenceRequirement(
        competence=competence, role=role, job_title=job_title, level=int(level), created_by=by
    )
    made.save()
    return made


@creates(CompetenceRecord, permission="competence.add_competencerecord")
def record_competence(
    *,
    by: Person,
    person: Person,
    competence: Competence,
    level: int,
    evidence: str,
    method: str = "",
    assessed_on: date | None = None,
    valid_until: date | None = None,
    training: Training | None = None,
) -> CompetenceRecord:
    """Record that one found somebody able; who is assessed never assesses.

    Without `valid_until` it holds as long as the competence says. Raises Refused.
    """
    day = assessed_on or today()
    _check_finding(by, person, competence, day, valid_until)
    if int(level) not in Level.values:
        raise Refused("Choose a level from 1 to 4.", field="level")
    if not evidence.strip():
        raise Refused(
            "Say what shows it: the work seen, the test, the certificate.", field="evidence"
        )
    months = competence.validity_months
    made = CompetenceRecord(
        person=person,
        competence=competence,
        level=int(level),
        assessed_by=by,
        method=method or competence.method,
        assessed_on=day,
        valid_until=valid_until or (add_months(day, months) if months else None),
        evidence=evidence.strip(),
        training=training,
        created_by=by,
    )
    made.save()
    _look_again(person, competence)
    return made


def _check_finding(
    by: Person, person: Person, competence: Competence, day: date, until: date | None
) -> None:
    if person.pk == by.pk:
        raise Refused("Nobody assesses themselves; ask somebody else.", field="person")
    if not person.is_active:
        raise Refused(f"{person.name} no longer works here.", field="person")
    if competence.status != Competence.Status.IN_USE:
        raise Refused(f"{competence.name} is no longer in use.", field="competence")
    if day > today():
        raise Refused(
            "That day is still ahead; record it when it was assessed.", field="assessed_on"
        )
    if until is not None and until < day:
        raise Refused("It would end before it begins.", field="valid_until")


def _look_again(person: Any, competence: Any) -> None:
    """Write anew whose assessment is due; an older finding no longer asks for anything."""
    rows = CompetenceRecord.objects.filter(person=person, competence=competence)
    for each in rows.select_related("person", "competence"):
        refresh(each)


@creates(Training, permission="competence.add_training")
def plan_training(
    *,
    by: Person,
    title: str,
    owner: Person,
    planned_on: date,
    participants: Iterable[Person] = (),
    competence: Competence | None = None,
    content: str = "",
) -> Training:
    """Plan a training: what, for whom, towards which competence, by when."""
    if not title.strip():
        raise Refused("Say what is trained.", field="title")
    if not owner.is_active:
        raise Refused(f"{owner.name} no longer works here.", field="owner")
    made = Training(
        title=title.strip(),
        content=content,
        competence=competence,
        owner=owner,
        planned_on=planned_on,
        created_by=by,
    )
    made.save()
    _set_trainees(made, participants, by)
    return made


def choose_participants(
    training: Training, *, by: Person, participants: Iterable[Person], seen: str | None = None
) -> Training:
    """Say anew who takes part, until the training is judged.

    `seen` is the seal of the links on the page. Raises Refused, Stale.
    """
    declared = "competence.change_training"
    if not by.has_perm(declared):
        raise Refused("Your role does not allow you to choose who takes part.")
    locked: Training = Training._base_manager.select_for_update(of=("self",)).get(pk=training.pk)
    if locked.status not in (Training.Status.PLANNED, Training.Status.DONE):
        raise Refused("The training is judged or cancelled; who took part stands.")
    refuse_stale(seen, {"training": locked}, Trainee)
    _set_trainees(locked, participants, by)
    return locked


def _set_trainees(training: Training, people: Iterable[Person], by: Person) -> None:
    chosen: Sequence[Person] = list(people)
    gone = [each.name for each in chosen if not each.is_active]
    if gone:
        raise Refused(f"{', '.join(gone)} no longer works here.", field="participants")
    set_links(Trainee, owner={"training": training}, target="person", targets=chosen, by=by)
    refresh(training)


# Transitions


@transition(
    Competence,
    source=Competence.Status.IN_USE,
    target=Competence.Status.RETIRED,
    permission="competence.change_competence",
    reason=True,
    label="Retire",
    primary=False,
    then=lambda competence, by: _look_again_at(competence),
)
def retire(competence: Competence, *, by: Any) -> None:
    """Take the competence out of use: nothing asks for it any more."""


@transition(
    Competence,
    source=Competence.Status.RETIRED,
    target=Competence.Status.IN_USE,
    permission="competence.change_competence",
    reason=True,
    label="Bring back",
    then=lambda competence, by: _look_again_at(competence),
)
def bring_back(competence: Competence, *, by: Any) -> None:
    """Bring the competence back into use."""


def _look_again_at(competence: Competence) -> None:
    for each in CompetenceRecord.objects.newest().filter(competence=competence):
        refresh(each)


@transition(
    CompetenceRequirement,
    source=CompetenceRequirement.Status.IN_FORCE,
    target=CompetenceRequirement.Status.ENDED,
    permission="competence.end_competencerequirement",
    reason=True,
    label="End",
    primary=False,
)
def end_requirement(requirement: CompetenceRequirement, *, by: Any) -> None:
    """Ask for it no longer."""


void_record = voids(
    CompetenceRecord,
    source=CompetenceRecord.Status.RECORDED,
    permission="competence.void_competencerecord",
)
void_record.then = lambda record, by: _look_again(record.person, record.competence)


@transition(
    Training,
    source=Training.Status.PLANNED,
    target=Training.Status.DONE,
    permission="competence.hold_training",
    only=only_its_organiser,
    guards=[somebody_takes_part],
    label="Held",
    details={"done_on": forms.DateField(label="Held on", initial=today)},
    then=lambda training, by: publish(TrainingHeld(training)),
)
def hold(training: Training, *, by: Any, done_on: date) -> None:
    """Say that the training was held."""
    if done_on > today():
        raise Refused("That day is still ahead.", field="done_on")
    training.done_on = done_on


@transition(
    Training,
    source=Training.Status.DONE,
    target=Training.Status.EFFECTIVE,
    permission="competence.judge_training",
    guards=[who_took_part_does_not_judge],
    label="It worked",
    details={"result": RESULT},
)
def judge_effective(training: Training, *, by: Any, result: str) -> None:
    """Say that the training had its effect, and what shows it."""
    _judge(training, by, result)


@transition(
    Training,
    source=Training.Status.DONE,
    target=Training.Status.NOT_EFFECTIVE,
    permission="competence.judge_training",
    guards=[who_took_part_does_not_judge],
    label="It did not work",
    primary=False,
    details={"result": RESULT},
)
def judge_not_effective(training: Training, *, by: Any, result: str) -> None:
    """Say that the training had no effect; plan another measure."""
    _judge(training, by, result)


def _judge(training: Training, by: Any, result: str) -> None:
    training.result, training.judged_by, training.judged_on = result.strip(), by, today()


@transition(
    Training,
    source=Training.Status.PLANNED,
    target=Training.Status.CANCELLED,
    permission="competence.change_training",
    reason=True,
    label="Cancel",
    primary=False,
)
def cancel(training: Training, *, by: Any) -> None:
    """Cancel the training: it will not be held."""


# Edits


amendment(
    Competence,
    permission="competence.change_competence",
    fields=("name", "meaning", "method", "validity_months"),
    states=[Competence.Status.IN_USE],
)
amendment(
    Training,
    permission="competence.change_training",
    fields=("title", "content", "competence", "owner", "planned_on"),
    states=[Training.Status.PLANNED],
)


# Work


@contributions.work(CompetenceRecord)
def next_assessment(record: CompetenceRecord) -> list[Step]:
    """A finding that ends asks for the next one: the manager assesses, else the quality manager."""
    ends = record.valid_until
    if ends is None or record.state != "recorded" or not record.person.is_active:
        return []
    newest = CompetenceRecord.objects.newest().filter(
        person=record.person_id, competence=record.competence_id
    )
    if not newest.filter(pk=record.pk, competence__status=Competence.Status.IN_USE).exists():
        return []
    manager = record.person.manager
    able = manager and manager.is_active and manager.has_perm("competence.add_competencerecord")
    return [
        Step(
            "assess_again",
            "Assess again",
            person=manager if able else None,
            role="" if able else "quality_manager",
            due=ends,
        )
    ]


@contributions.work(Training)
def next_of_training(training: Training) -> list[Step]:
    """The organiser holds it; then somebody who did not take part judges it."""
    if training.state == Training.Status.PLANNED:
        return [Step("hold", "Hold", person=training.owner, due=training.planned_on)]
    if training.state != Training.Status.DONE or training.done_on is None:
        return []
    due = training.done_on + JUDGE_AFTER
    took_part = who_took_part_does_not_judge(training, training.owner)
    if took_part or not training.owner.has_perm("competence.judge_training"):
        return [Step("judge", "Judge the effect", role="quality_manager", due=due)]
    return [Step("judge", "Judge the effect", person=training.owner, due=due)]


@handles(PersonMoved)
def assessments_follow(event: PersonMoved) -> None:
    """Another manager, or none, assesses from now on."""
    rows = CompetenceRecord.objects.newest().filter(person=event.person)
    for each in rows.select_related("person__manager", "competence"):
        refresh(each)


@contributions.hand_over("Trainings", order=80)
def trainings_of(person: Any) -> list[contributions.Holding]:
    """Trainings somebody organises that are not held or not judged."""
    rows = Training.objects.filter(
        owner=person, status__in=[Training.Status.PLANNED, Training.Status.DONE]
    )
    return contributions.held(
        rows.order_by("planned_on", "pk"), "owner", permission="competence.hold_training"
    )
