"""The procedure of measuring equipment (ISO 9001 7.1.5): entered, calibrated, in use, retired.

Nothing is in use whose calibration failed or is overdue. A calibration that found it wrong opens an
impact assessment back to the last good result, which somebody else decides and signs.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import promise
from qms.contributions import Related, Step
from qms.equipment.models import (
    GOOD,
    Calibration,
    Equipment,
    ImpactAssessment,
    Result,
    beyond,
)
from qms.files.workflow import attach_all, guards_attaching
from qms.forms import NumberField
from qms.people.models import Person
from qms.periods import due_in, today
from qms.recurring import check_day, check_months, check_sooner
from qms.refusals import Refused
from qms.scope.models import Site
from qms.workflow import amendment, creates, transition, voids

State = Equipment.Status
Impact = ImpactAssessment.Status
KEEPERS = ("quality_manager", "process_owner")
DECIDE_WITHIN = 14  # days from the calibration to the decision about its impact
REPAIR_WITHIN = 30


def _text(label: str, **more: Any) -> forms.Field:
    return forms.CharField(
        label=label, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), **more
    )


def _deviation(label: str) -> forms.Field:
    return NumberField(label=label, required=False, max_digits=20, decimal_places=8)


# What a calibration says; a form's entry may say it, too.
CALIBRATION: dict[str, forms.Field] = {
    "calibrated_on": forms.DateField(label="Calibrated on", initial=today),
    "calibrated_by": forms.ModelChoiceField(
        Person.objects.people(), label="By one of us", required=False
    ),
    "laboratory": forms.CharField(label="Or by a laboratory", max_length=120, required=False),
    "reference": forms.CharField(
        label="Reference and its traceability",
        max_length=300,
        help_text="The standard it was compared with, and what that one goes back to.",
    ),
    "as_found": _deviation("Deviation as found"),
    "as_left": _deviation("Deviation as left"),
    "unit": forms.CharField(label="Unit", max_length=20, required=False),
    "result": forms.ChoiceField(label="Result", choices=[("", "Choose"), *Result.choices]),
    "note": _text("Note", required=False),
    "sooner_on": forms.DateField(
        label="Next one sooner, by",
        required=False,
        help_text="Left empty, the interval of the instrument counts.",
    ),
}


# Guards


def only_its_owner(equipment: Equipment, by: Any) -> str | None:
    if by.pk == equipment.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, a process owner or the quality manager does this."


def owner_works_here(equipment: Equipment, by: Any) -> str | None:
    if equipment.owner.is_active:
        return None
    return f"{equipment.owner.name} is no longer active. Edit it and choose another owner first."


def calibration_holds(equipment: Equipment, by: Any) -> str | None:
    """What has an interval is used only while a good calibration holds."""
    if equipment.last_result == Result.FAIL:
        return "Its last calibration failed. Calibrate it first."
    if equipment.every_months is not None and not equipment.last_result:
        return "It was not calibrated yet. Calibrate it first."
    if equipment.is_overdue(today()):
        return f"Its calibration was due on {equipment.next_due:%-d %B %Y}. Calibrate it first."
    return None


def is_overdue_now(equipment: Equipment, by: Any) -> str | None:
    return None if equipment.is_overdue(today()) else "Its calibration still holds."


def no_impact_is_open(equipment: Equipment, by: Any) -> str | None:
    if ImpactAssessment.objects.open().filter(calibration__equipment=equipment).exists():
        return "An impact assessment is still open. Have it decided first."
    return None


def nothing_rests_on_it(calibration: Calibration, by: Any) -> str | None:
    """A calibration is taken back before anything was built on it, never afterwards."""
    equipment = calibration.equipment
    newest = equipment.calibrations.standing().newest_first().first()
    if equipment.status == State.IN_USE and newest is not None and newest.pk == calibration.pk:
        return "The equipment is in use because of it. Take it out of use first."
    impact = ImpactAssessment.objects.filter(calibration=calibration).first()
    if impact is not None and impact.status in (Impact.VALID, Impact.NOT_VALID):
        return f"Its impact was decided in {impact.number}; it stays."
    return None


def says_what_was_measured(impact: ImpactAssessment, by: Any) -> str | None:
    if impact.measured.strip() or measured_since(impact):
        return None
    return "Say first what was measured with it since; “nothing” is an answer."


def not_who_calibrated(impact: ImpactAssessment, by: Any) -> str | None:
    if by.pk in (impact.created_by_id, impact.calibrated_by_id):
        return "Who calibrated does not decide what that means; ask somebody else."
    return None


def only_who_assesses(impact: ImpactAssessment, by: Any) -> str | None:
    if by.pk == impact.owner_id or by.holds(*KEEPERS):
        return None
    return "Only its owner, a process owner or the quality manager does this."


@guards_attaching(Equipment)
def while_it_is_kept(equipment: Equipment, by: Any) -> str | None:
    return "It is retired; nothing is added to it." if equipment.is_settled else None


@guards_attaching(ImpactAssessment)
def while_it_is_open(impact: ImpactAssessment, by: Any) -> str | None:
    return "It is decided; nothing is added to it." if impact.is_settled else None


# Questions


def measured_since(impact: ImpactAssessment, person: Any = None) -> list[Related]:
    """What other chapters know was measured with the instrument in the time in doubt."""
    equipment = impact.calibration.equipment
    return contributions.use_of(equipment, impact.since or date.min, impact.until, person)


def actions_of(impact: ImpactAssessment) -> Any:
    """Its actions that were not taken back."""
    return Action.objects.raised_from(impact).exclude(status=Action.Status.VOID)


# Factories


@creates(Equipment, permission="equipment.add_equipment")
def enter_equipment(
    *,
    by: Person,
    name: str,
    measures: str,
    owner: Person,
    maker: str = "",
    serial: str = "",
    site: Site | None = None,
    location: str = "",
    unit: str = "",
    span: str = "",
    resolution: Decimal | None = None,
    tolerance: Decimal | None = None,
    acceptance: str = "",
    every_months: int | None = None,
    sooner_on: date | None = None,
) -> Equipment:
    """Enter an instrument; it is out of use until it is calibrated and put into use."""
    if not name.strip() or not measures.strip():
        raise Refused("Give the name, and say what it measures.", field="measures")
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )
    check_months(every_months)
    if tolerance is not None and (tolerance <= 0 or not unit.strip()):
        raise Refused("A deviation is more than nothing, and has a unit.", field="tolerance")
    known = Equipment.objects.filter(serial__iexact=serial.strip(), maker__iexact=maker.strip())
    if serial.strip() and (twin := known.order_by("pk").first()):
        raise Refused(f"{twin} of that maker has this serial number.", field="serial")
    made = Equipment(
        name=name.strip(),
        measures=measures.strip(),
        owner=owner,
        maker=maker.strip(),
        serial=serial.strip(),
        site=site,
        location=location.strip(),
        unit=unit.strip(),
        span=span.strip(),
        resolution=resolution,
        tolerance=tolerance,
        acceptance=acceptance.strip(),
        every_months=every_months,
        sooner_on=sooner_on,
        entered_on=today(),
        created_by=by,
    )
    made.save()
    return made


@creates(Calibration, permission="equipment.add_calibration")
def record_calibration(
    equipment: Equipment,
    *,
    by: Person,
    calibrated_on: date,
    result: str,
    reference: str,
    calibrated_by: Person | None = None,
    laboratory: str = "",
    as_found: Decimal | None = None,
    as_left: Decimal | None = None,
    unit: str = "",
    note: str = "",
    sooner_on: date | None = None,
    papers: Iterable[Any] = (),
) -> Calibration:
    """Record a calibration. It sets the next day; one that found it wrong opens an assessment.

    Deviations are in the unit of the instrument; `papers` are its certificate. Raises Refused.
    """
    locked = Equipment._base_manager.select_for_update(of=("self",)).get(pk=equipment.pk)
    if why := only_its_owner(locked, by):
        raise PermissionDenied(why)
    if locked.is_settled:
        raise Refused("It is retired. Bring it back before you calibrate it.")
    check_day(
        calibrated_on, locked.last_on, today=today(), what="calibration", field="calibrated_on"
    )
    check_sooner(calibrated_on, sooner_on)
    _check_who(calibrated_by, laboratory)
    if not reference.strip():
        raise Refused("Say what it was compared with.", field="reference")
    unit = _fitting_unit(locked, unit.strip(), as_found, as_left)
    _check_result(locked, result, as_found, as_left)
    good = locked.calibrations.standing().filter(result__in=GOOD).newest_first().first()
    locked.last_on, locked.sooner_on = calibrated_on, sooner_on
    made = Calibration(
        equipment=locked,
        calibrated_on=calibrated_on,
        calibrated_by=calibrated_by,
        laboratory=laboratory.strip(),
        reference=reference.strip(),
        unit=unit,
        tolerance=locked.tolerance,
        as_found=as_found,
        as_left=as_left,
        result=result,
        note=note.strip(),
        next_due=None if result == Result.FAIL else locked.due_again(),
        created_by=by,
    )
    made.save()
    if result == Result.FAIL and locked.status == State.IN_USE:
        locked.refresh_from_db()
        take_out_of_use(locked, by=by, reason=f"Its calibration {made.number} failed.")
    _take_over(locked, by, f"Calibrated with {made.number}.")
    if made.found_beyond:
        _open_impact(made, by, good.calibrated_on if good else None)
    attach_all(made, list(papers), by=by)
    equipment.refresh_from_db()
    return made


def _check_who(calibrated_by: Person | None, laboratory: str) -> None:
    if bool(calibrated_by) == bool(laboratory.strip()):
        raise Refused("Name one of us or a laboratory, one of them.", field="laboratory")
    if calibrated_by is not None and not calibrated_by.is_active:
        raise Refused(f"{calibrated_by.name} no longer works here.", field="calibrated_by")


def _fitting_unit(
    equipment: Equipment, unit: str, as_found: Decimal | None, as_left: Decimal | None
) -> str:
    """The unit of the deviations: that of the instrument, and no other."""
    given = as_found is not None or as_left is not None
    if unit and equipment.unit and unit != equipment.unit:
        raise Refused(
            f"It measures in {equipment.unit}, not in {unit}. Give the deviation in"
            f" {equipment.unit}.",
            field="unit",
        )
    if given and not (unit or equipment.unit):
        raise Refused("Give the unit of the deviation.", field="unit")
    return unit or equipment.unit


def _check_result(
    equipment: Equipment, result: str, as_found: Decimal | None, as_left: Decimal | None
) -> None:
    """Refuse a result that its own figures contradict."""
    if result not in Result.values:
        raise Refused("Choose a result.", field="result")
    if result == Result.FAIL or equipment.tolerance is None:
        return
    field = "as_found" if result == Result.PASS else "as_left"
    shown = as_found if result == Result.PASS else as_left
    if shown is None:
        raise Refused(f"Give the deviation; {equipment.accepted} is accepted.", field=field)
    if beyond(shown, equipment.tolerance):
        other = "Choose “adjusted” or “failed”."
        if result == Result.ADJUSTED:
            other = "Choose “failed”."
        raise Refused(f"That is beyond {equipment.accepted}. {other}", field="result")


def _take_over(equipment: Equipment, by: Any, reason: str) -> None:
    """Write the newest standing calibration into the equipment: its day, result and next day."""
    equipment = Equipment._base_manager.select_for_update(of=("self",)).get(pk=equipment.pk)
    newest = equipment.calibrations.standing().newest_first().first()
    equipment.last_result = newest.result if newest else ""
    if newest is None:
        equipment.done(None, None)
    else:  # a failed instrument is due at once
        failed = newest.result == Result.FAIL
        equipment.done(newest.calibrated_on, newest.calibrated_on if failed else newest.next_due)
    equipment.save_because(reason, by=by)


def _open_impact(calibration: Calibration, by: Person, since: date | None) -> ImpactAssessment:
    impact = ImpactAssessment(
        calibration=calibration,
        calibrated_by=calibration.calibrated_by,
        since=since,
        until=calibration.calibrated_on,
        owner=calibration.equipment.owner,
        due=due_in(DECIDE_WITHIN, today()),
        created_by=by,
    )
    impact.save()
    return impact


def plan_step(
    impact: ImpactAssessment, *, by: Person, title: str, owner: Person, due: date
) -> Action:
    """Promise one action that follows: call back, measure again, tell the customer."""
    if not by.has_perm("equipment.change_impactassessment") or only_who_assesses(impact, by):
        raise PermissionDenied("Only its owner, a process owner or the quality manager does this.")
    with db.atomic():
        locked = ImpactAssessment._base_manager.select_for_update(of=("self",)).get(pk=impact.pk)
        if locked.status not in (Impact.OPEN, Impact.NOT_VALID):
            raise Refused("Actions follow only where results may not hold.")
        return promise(
            by=by, title=title, owner=owner, due=due, origin=locked, kind=Action.Kind.OTHER
        )


# Transitions


@transition(
    Equipment,
    source=State.OUT_OF_USE,
    target=State.IN_USE,
    permission="equipment.change_equipment",
    only=only_its_owner,
    guards=[calibration_holds, owner_works_here],
    label="Put into use",
)
def put_into_use(equipment: Equipment, *, by: Any) -> None:
    """Release it for use: its calibration holds, or it is verified before each use."""


@transition(
    Equipment,
    source=State.IN_USE,
    target=State.OUT_OF_USE,
    permission="equipment.change_equipment",
    only=only_its_owner,
    reason=True,
    label="Take out of use",
    primary=False,
)
def take_out_of_use(equipment: Equipment, *, by: Any) -> None:
    """Mark and put it aside; nothing is measured with it."""


@transition(
    Equipment,
    source=State.IN_USE,
    target=State.OUT_OF_USE,
    permission="equipment.lock_equipment",
    guards=[is_overdue_now],
    label="Lock",
    primary=False,
)
def lock(equipment: Equipment, *, by: Any) -> None:
    """Its calibration is overdue, so it is no longer in use."""


@transition(
    Equipment,
    source=[State.IN_USE, State.OUT_OF_USE],
    target=State.RETIRED,
    permission="equipment.retire_equipment",
    guards=[no_impact_is_open],
    reason=True,
    label="Retire",
    primary=False,
)
def retire(equipment: Equipment, *, by: Any) -> None:
    """It is not used any more; its calibrations stay."""


@transition(
    Equipment,
    source=State.RETIRED,
    target=State.OUT_OF_USE,
    permission="equipment.retire_equipment",
    reason=True,
    label="Bring back",
)
def bring_back(equipment: Equipment, *, by: Any) -> None:
    """Bring it back; it is put into use when its calibration holds."""


def lock_overdue(on: date) -> int:
    """The clock's part: whatever is overdue goes out of use; returns how many did."""
    system = Person.objects.system()
    rows = list(Equipment.objects.in_use().overdue(on).order_by("pk"))
    for each in rows:
        lock(each, by=system)
    return len(rows)


def _void_impact(calibration: Calibration, by: Any) -> None:
    impact = ImpactAssessment.objects.open().filter(calibration=calibration).first()
    if impact is not None:
        call_off(impact, by=by, reason=f"{calibration.number} was taken back.")
    _take_over(calibration.equipment, by, f"{calibration.number} was taken back.")


void_calibration = voids(
    Calibration,
    source=Calibration.Status.RECORDED,
    permission="equipment.void_calibration",
    guards=[nothing_rests_on_it],
)
void_calibration.then = _void_impact

CONCLUSION = {"conclusion": _text("What shows it")}


def _decide(impact: ImpactAssessment, by: Any, conclusion: str) -> None:
    impact.conclusion, impact.decided_by, impact.decided_on = conclusion.strip(), by, today()


@transition(
    ImpactAssessment,
    source=Impact.OPEN,
    target=Impact.VALID,
    permission="equipment.decide_impactassessment",
    guards=[says_what_was_measured, not_who_calibrated],
    details=CONCLUSION,
    signs="Decided",
    label="Results hold",
)
def find_valid(impact: ImpactAssessment, *, by: Any, conclusion: str) -> None:
    """The results measured with it since still hold."""
    _decide(impact, by, conclusion)


@transition(
    ImpactAssessment,
    source=Impact.OPEN,
    target=Impact.NOT_VALID,
    permission="equipment.decide_impactassessment",
    guards=[says_what_was_measured, not_who_calibrated],
    details={**CONCLUSION, "consequences": _text("What is done about it")},
    signs="Decided",
    label="Results do not hold",
    primary=False,
)
def find_not_valid(
    impact: ImpactAssessment, *, by: Any, conclusion: str, consequences: str
) -> None:
    """Results measured with it do not hold; say what is done about them."""
    _decide(impact, by, conclusion)
    impact.consequences = consequences.strip()


@transition(
    ImpactAssessment,
    source=Impact.OPEN,
    target=Impact.VOID,
    permission="equipment.void_calibration",
    reason=True,
    label="Call off",
    primary=False,
)
def call_off(impact: ImpactAssessment, *, by: Any) -> None:
    """The calibration was no reason for it."""


# Edits

EQUIPMENT_FIELDS = (
    "name",
    "maker",
    "serial",
    "measures",
    "unit",
    "span",
    "resolution",
    "tolerance",
    "acceptance",
    "every_months",
    "sooner_on",
    "owner",
    "site",
    "location",
)
amendment(
    Equipment,
    permission="equipment.change_equipment",
    fields=EQUIPMENT_FIELDS,
    only=only_its_owner,
    states=(State.IN_USE, State.OUT_OF_USE),
)
amendment(
    ImpactAssessment,
    permission="equipment.change_impactassessment",
    fields=("measured", "owner", "due"),
    only=only_who_assesses,
    states=(Impact.OPEN,),
)


# Work, hand-over, forms


@contributions.work(Equipment)
def next_of_equipment(equipment: Equipment) -> list[Step]:
    """Calibrate before its day; repair or retire what failed."""
    if equipment.is_settled:
        return []
    if not equipment.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager")]
    if equipment.last_result == Result.FAIL and equipment.last_on is not None:
        day = due_in(REPAIR_WITHIN, equipment.last_on)
        return [Step("repair", "Repair, calibrate or retire", person=equipment.owner, due=day)]
    if equipment.next_due is None:
        return []
    return [Step("calibrate", "Calibrate", person=equipment.owner, due=equipment.next_due)]


@contributions.work(ImpactAssessment)
def next_of_impact(impact: ImpactAssessment) -> list[Step]:
    """Say what was measured; then somebody who did not calibrate decides."""
    if impact.is_settled:
        return []
    if says_what_was_measured(impact, None):
        name = "Say what was measured with it"
        return [Step("list", name, person=impact.owner, due=impact.due)]
    return [Step("decide", "Decide the impact", role="quality_manager", due=impact.due)]


@contributions.hand_over("Measuring equipment", order=84)
def equipment_of(person: Any) -> list[contributions.Holding]:
    """Instruments somebody answers for."""
    return contributions.held(
        Equipment.objects.open().filter(owner=person).order_by("number"), "owner"
    )


@contributions.hand_over("Impact assessments", order=85)
def impacts_of(person: Any) -> list[contributions.Holding]:
    """Open impact assessments somebody prepares."""
    rows = ImpactAssessment.objects.open().filter(owner=person)
    return contributions.held(rows.select_related("calibration__equipment").order_by("pk"), "owner")


def _found(person: Any, query: str, limit: int) -> Iterable[Any]:
    rows = Equipment.objects.visible_to(person).open().known_as(query)
    return rows.order_by("number")[:limit]


@contributions.form_subject(
    "equipment", "Measuring equipment", Equipment, find=_found, takes=CALIBRATION
)
def entry_calibrates(equipment: Equipment, *, by: Person, **values: Any) -> Calibration:
    """A form filled in about an instrument is a calibration."""
    made: Calibration = record_calibration(equipment, by=by, **values)
    return made
