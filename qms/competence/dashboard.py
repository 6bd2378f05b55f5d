"""What the frame, the search, and “My role” get from competence."""

import re
from typing import Any

from django.db.models import Q

from qms import contributions
from qms.competence.models import CompetenceRecord, Training
from qms.competence.workflow import unmet_on
from qms.contributions import Mention, Related
from qms.periods import due_state, today

contributions.navigation(
    "Do",
    "Competence",
    "competence:matrix",
    icon="list-check",
    permission="competence.view_competencerecord",
    order=72,
)


@contributions.mine("My competences", order=50)
def my_competences(person: Any) -> list[Related]:
    """What is missing first, then what was found, with the day it ends."""
    day = today()
    missing = unmet_on(person, day)
    gaps = [
        Related(
            each.requirement.competence.name,
            url=each.requirement.competence.get_absolute_url(),
            note=each.why,
            tone="late",
        )
        for each in missing
    ]
    lacking = {each.requirement.competence_id for each in missing}
    rows = CompetenceRecord.objects.visible_to(person).newest(day).filter(person=person)
    rows = rows.select_related("competence").order_by("competence__name")
    return gaps + [
        Related(
            each.competence.name,
            url=each.get_absolute_url(),
            note=each.get_level_display(),
            tone="soon" if due_state(each.valid_until, day, 60) != "fine" else "fine",
            day=each.valid_until,
        )
        for each in rows
        if each.competence_id not in lacking
    ]


@contributions.mine("My trainings", order=60)
def my_trainings(person: Any) -> list[Related]:
    """Trainings somebody takes part in, the latest first."""
    rows = Training.objects.visible_to(person).filter(
        trainee_links__person=person, trainee_links__ended=False
    )
    return [
        Related(
            each.title,
            each.number,
            each.get_absolute_url(),
            each.get_status_display(),
            day=each.done_on or each.planned_on,
        )
        for each in rows.order_by("-planned_on", "-pk")[:20]
    ]


@contributions.mentions
def trainings_naming(number: str) -> list[Mention]:
    """Trainings still to be held that name a document."""
    named = rf"\y{re.escape(number)}\y"
    rows = Training.objects.filter(
        Q(title__iregex=named) | Q(content__iregex=named), status=Training.Status.PLANNED
    )
    return [
        Mention(
            "Training", str(each), each.get_absolute_url(), each.owner, f"training:{each.pk}", each
        )
        for each in rows.select_related("owner").order_by("number")
    ]
