"""Pages of competence: the matrix, competences, findings and trainings."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import listing, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.competence import workflow
from qms.competence.forms import (
    CompetenceForm,
    FindingForm,
    NewTrainingForm,
    ParticipantsForm,
    RequirementForm,
    TrainingForm,
)
from qms.competence.matrix import Line, matrix
from qms.competence.models import Competence, CompetenceRecord, CompetenceRequirement, Training
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today

TABS = (
    ("Matrix", "competence:matrix"),
    ("Competences", "competence:competence_list"),
    ("Findings", "competence:record_list"),
    ("Trainings", "competence:training_list"),
)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    return [(label, reverse(name), name == current) for label, name in TABS]


@needs("competence.view_competencerecord")
def competence_matrix(request: HttpRequest) -> HttpResponseBase:
    """Who can do what, what is missing and what ends soon."""
    day = today()
    people: Any = Person.objects.visible_to(request.user).people().filter(access_until=None)
    department = request.GET.get("department", "")
    departments = sorted({each.department for each in people if each.department})
    if department in departments:
        people = people.filter(department=department)
    found = matrix(day, people)
    if request.GET.get("format") == "csv":
        columns = [
            Column("person", "Person", value="person.name"),
            Column("job_title", "Job title", value="person.job_title"),
            *(
                Column(f"c{each.pk}", each.name, value=_words_at(at))
                for at, each in enumerate(found.competences)
            ),
        ]
        return listing.export(
            found.lines, columns, title="Competence matrix", kind="csv", today=day
        )
    context = {
        "title": "Competence",
        "matrix": found,
        "departments": departments,
        "department": department,
        "tabs": tabs("competence:matrix"),
        "today": day,
        "may_record": request.user.has_perm("competence.add_competencerecord"),
        "may_define": request.user.has_perm("competence.add_competence"),
    }
    return pages.respond(request, "competence/matrix.html", "competence/matrix.html", context)


def _words_at(at: int) -> Callable[[Line], str]:
    return lambda line: line.cells[at].words


# Competences

COMPETENCES = [
    Column("name", "Competence", sort="name", kind="link"),
    Column("meaning", "What somebody can do"),
    Column("method", "Assessed by", value="get_method_display", sort="method"),
    Column("validity_months", "Months", sort="validity_months", kind="number"),
    Column("status", "State", sort="status", kind="state"),
]


class CompetenceFilter(django_filters.FilterSet):
    """Filters of the list."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Competence.Status.choices, label="State")

    class Meta:
        model = Competence
        fields = ("name", "status")


@needs("competence.view_competence")
def competence_list(request: HttpRequest) -> HttpResponseBase:
    """What people must be able to do."""
    return pages.show_list(
        request,
        Competence.objects.visible_to(request.user),
        columns=COMPETENCES,
        filterset=CompetenceFilter,
        default_sort="name",
        title="Competences",
        create_url="competence:competence_create",
        create_label="Define a competence",
        template="competence/tabbed_list.html",
        tabs=tabs("competence:competence_list"),
        empty="No competence is defined yet. Begin with what your auditors must be able to do.",
    )


@needs("competence.view_competence")
def competence_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One competence: who needs it, and who has it."""
    found = pages.find(request, Competence.objects, pk=pk)
    records = CompetenceRecord.objects.visible_to(request.user).newest(today())
    return pages.show_record(
        request,
        found,
        template="competence/competence_detail.html",
        title=found.name,
        subtitle=found.get_method_display(),
        crumbs=[("Competence", "competence:matrix")],
        requirements=list(
            found.requirements.filter(status="in_force").order_by("role", "job_title")
        ),
        may_require=request.user.has_perm("competence.add_competencerequirement"),
        records=list(
            records.filter(competence=found, person__is_active=True)
            .select_related("person", "assessed_by")
            .order_by("person__name", "pk")[:200]
        ),
    )


@needs("competence.add_competence")
def competence_create(request: HttpRequest) -> HttpResponse:
    """Define a competence."""
    return pages.edit(
        request,
        form_class=CompetenceForm,
        create=workflow.define_competence,
        title="Define a competence",
    )


@needs("competence.change_competence")
def competence_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a competence, with the reason."""
    found = pages.find(request, Competence.objects, pk=pk)
    return pages.edit(
        request, form_class=CompetenceForm, instance=found, title=f"Edit {found.name}"
    )


@needs(ANYONE_SIGNED_IN)
def competence_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Retire it, bring it back."""
    return pages.do_transition(request, pages.find(request, Competence.objects, pk=pk), name)


@needs("competence.add_competencerequirement")
def requirement_create(request: HttpRequest) -> HttpResponse:
    """Say who needs a competence."""
    return pages.edit(
        request,
        form_class=RequirementForm,
        create=workflow.require,
        title="Ask for a competence",
        initial={"competence": request.GET.get("competence", "")},
        context={"intro": "Choose a role, or give a job title as it stands with the people."},
    )


@needs(ANYONE_SIGNED_IN)
def requirement_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """End a requirement."""
    rows = CompetenceRequirement.objects.select_related("competence")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


# Findings

FINDINGS = [
    Column("person", "Who", sort="person__name", kind="link"),
    Column("competence", "Competence", value="competence.name", sort="competence__name"),
    Column("level", "Level", value="get_level_display", sort="level"),
    Column("assessed_by", "Assessed by", sort="assessed_by__name", kind="person"),
    Column("assessed_on", "On", sort="assessed_on", kind="date"),
    Column("valid_until", "Holds until", sort="valid_until", kind="date"),
    Column("status", "State", sort="status", kind="state"),
    Column("method", "How", value="get_method_display", shown=False),
    Column("evidence", "What shows it", shown=False),
]


class FindingFilter(django_filters.FilterSet):
    """Filters of the list."""

    person = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Who")
    competence = django_filters.ModelChoiceFilter(
        queryset=Competence.objects.order_by("name"), label="Competence"
    )
    status = django_filters.ChoiceFilter(choices=CompetenceRecord.Status.choices, label="State")

    class Meta:
        model = CompetenceRecord
        fields = ("person", "competence", "status")


@needs("competence.view_competencerecord")
def record_list(request: HttpRequest) -> HttpResponseBase:
    """Every finding about somebody's competence."""
    rows = CompetenceRecord.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("person", "competence", "assessed_by"),
        columns=FINDINGS,
        filterset=FindingFilter,
        default_sort="-assessed_on",
        title="Findings about competence",
        create_url="competence:record_create",
        create_label="Record a finding",
        template="competence/tabbed_list.html",
        tabs=tabs("competence:record_list"),
        empty="Nobody's competence is recorded yet.",
    )


@needs("competence.view_competencerecord")
def record_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding, with what shows it."""
    related = ("person", "competence", "assessed_by", "training", "created_by")
    record = pages.find(request, CompetenceRecord.objects.select_related(*related), pk=pk)
    newer = CompetenceRecord.objects.newest().filter(
        person=record.person_id, competence=record.competence_id
    )
    return pages.show_record(
        request,
        record,
        template="competence/record_detail.html",
        title=f"{record.person.name}: {record.competence.name}",
        subtitle=record.get_level_display(),
        crumbs=[("Competence", "competence:matrix"), ("Findings", "competence:record_list")],
        newer=newer.exclude(pk=record.pk).first(),
        due=record.valid_until,
        settled=record.status == "void",
    )


@needs("competence.add_competencerecord")
def record_create(request: HttpRequest) -> HttpResponse:
    """Record that somebody was found able."""
    names = ("person", "competence", "level", "training")
    given = {name: request.GET[name] for name in names if name in request.GET}
    return pages.edit(
        request,
        form_class=FindingForm,
        create=workflow.record_competence,
        title="Record a finding about competence",
        initial={"assessed_on": today(), **given},
        context={"intro": "You assess somebody else; a newer finding replaces an older one."},
    )


@needs(ANYONE_SIGNED_IN)
def record_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Void a finding."""
    rows = CompetenceRecord.objects.select_related("person", "competence")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


# Trainings


def is_settled(training: Training) -> bool:
    return training.status != Training.Status.PLANNED


TRAININGS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Training", sort="title"),
    Column("competence", "Towards", value="competence.name", sort="competence__name"),
    Column("owner", "Organiser", sort="owner__name", kind="person"),
    Column("planned_on", "Planned on", sort="planned_on", kind="due", settled=is_settled),
    Column("done_on", "Held on", sort="done_on", kind="date"),
    Column("status", "State", sort="status", kind="state"),
    Column("result", "How it worked", shown=False),
]


class TrainingFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Training.Status.choices, label="State")
    competence = django_filters.ModelChoiceFilter(
        queryset=Competence.objects.order_by("name"), label="Towards"
    )

    class Meta:
        model = Training
        fields = ("title", "status", "competence")


@needs("competence.view_training")
def training_list(request: HttpRequest) -> HttpResponseBase:
    """What is trained, and whether it worked."""
    return pages.show_list(
        request,
        Training.objects.visible_to(request.user).select_related("owner", "competence"),
        columns=TRAININGS,
        filterset=TrainingFilter,
        default_sort="-planned_on",
        title="Trainings",
        create_url="competence:training_create",
        create_label="Plan a training",
        template="competence/tabbed_list.html",
        tabs=tabs("competence:training_list"),
        empty="No training is planned. The matrix shows where one is missing.",
    )


@needs("competence.view_training")
def training_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One training, who took part, and whether it worked."""
    related = ("owner", "competence", "created_by", "judged_by")
    training = pages.find(request, Training.objects.select_related(*related), pk=pk)
    open_still = training.status in (Training.Status.PLANNED, Training.Status.DONE)
    return pages.show_record(
        request,
        training,
        template="competence/training_detail.html",
        title=training.title,
        subtitle=training.number,
        crumbs=[("Competence", "competence:matrix"), ("Trainings", "competence:training_list")],
        path=path_of(training),
        due=training.planned_on,
        settled=is_settled(training),
        participants=workflow.trainees_of(training),
        records=list(training.records.standing().select_related("person", "competence")),
        may_choose=open_still and request.user.has_perm("competence.change_training"),
        may_record=training.status != Training.Status.CANCELLED
        and request.user.has_perm("competence.add_competencerecord"),
    )


def path_of(training: Training) -> list[PathStep]:
    """Planned, held, judged."""
    if training.status == Training.Status.CANCELLED:
        return [PathStep("Planned", "done"), PathStep("Cancelled", "now")]
    held = training.done_on is not None
    judged = training.judged_on is not None
    return [
        PathStep("Planned", "done", training.planned_on),
        PathStep("Held", "done" if held else "now", training.done_on or ""),
        PathStep(
            "Judged", "done" if judged else "now" if held else "later", training.judged_by or ""
        ),
    ]


@needs("competence.add_training")
def training_create(request: HttpRequest) -> HttpResponse:
    """Plan a training."""
    names = ("competence",)
    given = {name: request.GET[name] for name in names if name in request.GET}
    return pages.edit(
        request,
        form_class=NewTrainingForm,
        create=workflow.plan_training,
        title="Plan a training",
        initial={"owner": request.user.pk, **given},
    )


@needs("competence.change_training")
def training_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan."""
    training = pages.find(request, Training.objects, pk=pk)
    return pages.edit(
        request, form_class=TrainingForm, instance=training, title=f"Edit {training.number}"
    )


@needs("competence.change_training")
def training_participants(request: HttpRequest, pk: int) -> HttpResponse:
    """Who takes part."""
    training = pages.find(request, Training.objects, pk=pk)

    def choose(*, by: Any, **chosen: Any) -> Training:
        return workflow.choose_participants(training, by=by, **chosen)

    return pages.edit(
        request,
        form_class=ParticipantsForm,
        create=choose,
        title=f"Who takes part in {training.number}",
        training=training,
        context={"intro": training.title, "cancel_url": training.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def training_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Hold, judge, cancel."""
    return pages.do_transition(request, pages.find(request, Training.objects, pk=pk), name)
