"""Pages of measuring equipment, calibrations and impact assessments."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.equipment import workflow
from qms.equipment.forms import CalibrationForm, EquipmentForm, ImpactForm, StepForm
from qms.equipment.models import Calibration, Equipment, ImpactAssessment, Result
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today
from qms.scope.models import Site

CALIBRATIONS_SHOWN = 12
TABS = (
    ("Equipment", "equipment:equipment_list"),
    ("Calibrations", "equipment:calibration_list"),
    ("Impact assessments", "equipment:impact_list"),
)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    return [(label, reverse(name), name == current) for label, name in TABS]


EQUIPMENT = [
    Column("number", "Number", sort="number", kind="number"),
    Column("name", "Equipment", sort="name"),
    Column("serial", "Serial number", sort="serial"),
    Column("measures", "Measures"),
    Column("maker", "Maker and type", sort="maker", shown=False),
    Column("span", "Range", shown=False),
    Column("site", "Site", value="site.name", sort="site__name", shown=False),
    Column("location", "Where it is", sort="location"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("last_on", "Calibrated", sort="last_on", kind="date", shown=False),
    Column("last_result", "Last result", value="get_last_result_display", sort="last_result"),
    Column(
        "next_due",
        "Next calibration",
        sort="next_due",
        kind="due",
        settled=lambda each: each.is_settled,
    ),
    Column("status", "State", sort="status", kind="state"),
]


class EquipmentFilter(django_filters.FilterSet):
    """Filters of the register."""

    text = django_filters.CharFilter(method="with_words", label="Text")
    status = django_filters.ChoiceFilter(choices=Equipment.Status.choices, label="State")
    last_result = django_filters.ChoiceFilter(choices=Result.choices, label="Last result")
    site = django_filters.ModelChoiceFilter(queryset=Site.objects.order_by("name"), label="Site")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    late = django_filters.BooleanFilter(method="only_late", label="Overdue")

    class Meta:
        model = Equipment
        fields = ("text", "status", "last_result", "site", "owner", "late")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.known_as(value)

    def only_late(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open().overdue(today()) if value else rows


@needs("equipment.view_equipment")
def equipment_list(request: HttpRequest) -> HttpResponseBase:
    """All measuring equipment."""
    return pages.show_list(
        request,
        Equipment.objects.visible_to(request.user).select_related("owner", "site"),
        columns=EQUIPMENT,
        filterset=EquipmentFilter,
        default_sort="number",
        title="Measuring equipment",
        intro="What results are measured with, and whether it may be trusted today.",
        template="layouts/tabbed.html",
        tabs=tabs("equipment:equipment_list"),
        create_url="equipment:equipment_create",
        create_label="New equipment",
        empty="No measuring equipment is entered yet. Begin with what releases products.",
    )


@needs("equipment.view_equipment")
def equipment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One instrument: what it is good for, and its calibrations."""
    rows = Equipment.objects.select_related("owner", "site", "created_by")
    equipment = pages.find(request, rows, pk=pk)
    calibrations = Calibration.objects.visible_to(request.user).filter(equipment=equipment)
    calibrations = calibrations.select_related("calibrated_by", "equipment")
    mine = workflow.only_its_owner(equipment, request.user) is None
    impacts = ImpactAssessment.objects.visible_to(request.user).open()
    return pages.show_record(
        request,
        equipment,
        template="equipment/equipment_detail.html",
        title=equipment.name,
        crumbs=[("Measuring equipment", "equipment:equipment_list")],
        due=equipment.next_due,
        settled=equipment.is_settled,
        not_fit="" if equipment.is_settled else equipment.why_not_fit(today()),
        calibrations=list(calibrations.newest_first()[:CALIBRATIONS_SHOWN]),
        impact=impacts.filter(calibration__equipment=equipment).order_by("pk").first(),
        may_calibrate=mine
        and not equipment.is_settled
        and request.user.has_perm("equipment.add_calibration"),
    )


@needs("equipment.add_equipment")
def equipment_create(request: HttpRequest) -> HttpResponse:
    """Enter an instrument."""
    return pages.edit(
        request,
        form_class=EquipmentForm,
        create=workflow.enter_equipment,
        title="New measuring equipment",
        context={
            "intro": "It is out of use until it is calibrated and put into use.",
            "cancel_url": "equipment:equipment_list",
        },
    )


@needs("equipment.change_equipment")
def equipment_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of an instrument."""
    equipment = pages.find(request, Equipment.objects, pk=pk)
    return pages.edit(
        request, form_class=EquipmentForm, instance=equipment, title=f"Edit {equipment.number}"
    )


@needs(ANYONE_SIGNED_IN)
def equipment_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Put into use, take out, retire, bring back."""
    return pages.do_transition(request, pages.find(request, Equipment.objects, pk=pk), name)


# Calibrations

CALIBRATIONS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("equipment", "Equipment", value="equipment.name", sort="equipment__name"),
    Column("calibrated_on", "Calibrated", sort="calibrated_on", kind="date"),
    Column("done_by", "By"),
    Column("reference", "Reference", shown=False),
    Column("as_found", "As found", sort="as_found", numeric=True),
    Column("as_left", "As left", sort="as_left", numeric=True),
    Column("unit", "Unit", kind="number"),
    Column("result", "Result", value="get_result_display", sort="result", kind="number"),
    Column("next_due", "Next one due", sort="next_due", kind="date"),
    Column("status", "State", sort="status", kind="state"),
]


class CalibrationFilter(django_filters.FilterSet):
    """Filters of the calibrations."""

    equipment = django_filters.CharFilter(
        field_name="equipment__name", lookup_expr="icontains", label="Equipment"
    )
    result = django_filters.ChoiceFilter(choices=Result.choices, label="Result")

    class Meta:
        model = Calibration
        fields = ("equipment", "result")


@needs("equipment.view_calibration")
def calibration_list(request: HttpRequest) -> HttpResponseBase:
    """Every calibration, the newest first."""
    rows = Calibration.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("equipment", "calibrated_by"),
        columns=CALIBRATIONS,
        filterset=CalibrationFilter,
        default_sort="-calibrated_on",
        title="Calibrations",
        template="layouts/tabbed.html",
        tabs=tabs("equipment:calibration_list"),
        empty="Nothing is calibrated yet. Open an instrument and record its calibration.",
    )


@needs("equipment.view_calibration")
def calibration_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One calibration: reference, deviations, result."""
    rows = Calibration.objects.select_related("equipment", "calibrated_by", "created_by")
    calibration = pages.find(request, rows, pk=pk)
    impacts = ImpactAssessment.objects.visible_to(request.user)
    return pages.show_record(
        request,
        calibration,
        template="equipment/calibration_detail.html",
        title=f"Calibration of {calibration.equipment.name}",
        crumbs=[
            ("Measuring equipment", "equipment:equipment_list"),
            (calibration.equipment.number, calibration.equipment.get_absolute_url()),
        ],
        impact=impacts.filter(calibration=calibration).first(),
    )


@needs("equipment.add_calibration")
def calibration_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a calibration."""
    equipment = pages.find(request, Equipment.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> Calibration:
        made: Calibration = workflow.record_calibration(equipment, by=by, **said)
        return made

    accepted = f" Accepted: {equipment.accepted}." if equipment.accepted else ""
    return pages.edit(
        request,
        form_class=CalibrationForm,
        create=save,
        title=f"Calibrate {equipment.name}",
        initial={"unit": equipment.unit},
        done=after_calibrating,
        context={
            "intro": f"{equipment.measures}.{accepted}",
            "cancel_url": equipment.get_absolute_url(),
        },
    )


def after_calibrating(calibration: Calibration) -> str:
    """To the instrument, or to the assessment that the result asks for."""
    impact = ImpactAssessment.objects.filter(calibration=calibration).first()
    return (impact or calibration.equipment).get_absolute_url()


@needs(ANYONE_SIGNED_IN)
def calibration_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take a calibration back."""
    return pages.do_transition(request, pages.find(request, Calibration.objects, pk=pk), name)


# Impact assessments

IMPACTS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("equipment", "Equipment", value="calibration.equipment.name"),
    Column("since", "Since", sort="since", kind="date"),
    Column("until", "Until", sort="until", kind="date"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("due", "Decided by", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("decided_by", "By", sort="decided_by__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
]


class ImpactFilter(django_filters.FilterSet):
    """Filters of the impact assessments."""

    status = django_filters.ChoiceFilter(choices=ImpactAssessment.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = ImpactAssessment
        fields = ("status", "owner")


@needs("equipment.view_impactassessment")
def impact_list(request: HttpRequest) -> HttpResponseBase:
    """Every impact assessment, the newest first."""
    rows = ImpactAssessment.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("calibration__equipment", "owner", "decided_by"),
        columns=IMPACTS,
        filterset=ImpactFilter,
        default_sort="-number",
        title="Impact assessments",
        intro="Whether earlier results still hold after an instrument was found wrong.",
        template="layouts/tabbed.html",
        tabs=tabs("equipment:impact_list"),
        empty="No instrument was found wrong yet. A failed calibration opens an assessment here.",
    )


@needs("equipment.view_impactassessment")
def impact_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One assessment: the time in doubt, what was measured in it, what was decided."""
    rows = ImpactAssessment.objects.select_related(
        "calibration__equipment__owner", "owner", "decided_by", "created_by", "calibrated_by"
    )
    impact = pages.find(request, rows, pk=pk)
    mine = workflow.only_who_assesses(impact, request.user) is None
    actions = Action.objects.visible_to(request.user).raised_from(impact)
    return pages.show_record(
        request,
        impact,
        template="equipment/impact_detail.html",
        title=f"What {impact.calibration.equipment.name} put in doubt",
        crumbs=[
            ("Impact assessments", "equipment:impact_list"),
            (impact.number, ""),
        ],
        path=path_of(impact),
        due=impact.due,
        settled=impact.is_settled,
        known=workflow.measured_since(impact, request.user),
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        may_list=mine and not impact.is_settled,
        may_act=mine
        and request.user.has_perm("equipment.change_impactassessment")
        and impact.status in ("open", "not_valid"),
    )


def path_of(impact: ImpactAssessment) -> list[PathStep]:
    """Found wrong, listed, decided: how far it is."""
    listed = bool(impact.measured.strip())
    decided = impact.decided_on is not None
    if impact.status == ImpactAssessment.Status.VOID:
        return [PathStep("Found wrong", "done", impact.until), PathStep("Called off", "now")]
    return [
        PathStep("Found wrong", "done", impact.until),
        PathStep("What was measured", "done" if listed or decided else "now"),
        PathStep(
            "Decided",
            "done" if decided else "now" if listed else "later",
            impact.decided_on or impact.due,
        ),
    ]


@needs("equipment.change_impactassessment")
def impact_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what was measured with it."""
    rows = ImpactAssessment.objects.select_related("calibration__equipment")
    impact = pages.find(request, rows, pk=pk)
    return pages.edit(
        request, form_class=ImpactForm, instance=impact, title=f"Edit {impact.number}"
    )


@needs("equipment.change_impactassessment")
def impact_action(request: HttpRequest, pk: int) -> HttpResponse:
    """One action that follows."""
    rows = ImpactAssessment.objects.select_related("calibration__equipment")
    impact = pages.find(request, rows, pk=pk)

    def save(*, by: Any, **said: Any) -> ImpactAssessment:
        workflow.plan_step(impact, by=by, **said)
        return impact

    return pages.edit(
        request,
        form_class=StepForm,
        create=save,
        title=f"An action for {impact.number}",
        context={"intro": str(impact), "cancel_url": impact.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def impact_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Decide, or call off."""
    rows = ImpactAssessment.objects.select_related("calibration__equipment")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
