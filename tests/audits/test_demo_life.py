"""A demo company's own programmes, as its people planned and carried them out (9.2.1, 9.2.2).

Each company is lived through its years by the procedures everybody uses. Whatever it planned:
every process has its audit in every programme year, no gap is longer than fifteen months, and
whoever audited their own work did so by an exception that somebody else decided. CI lives
the smallest of them through its first programme year, `make prove` all of them for three years.
"""

from collections import defaultdict
from datetime import date
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from django.utils.module_loading import autodiscover_modules

from audits import planning
from audits.independence import objections_to
from audits.models import Audit, AuditProgramme
from audits.programme import HoleKind
from audits.workflow import team_of
from qms import clock
from qms.demo import beginning, gaps, outlook, people, registers, setup  # noqa: F401 - importing registers stages
from qms.demo.life import Life, companies
from qms.periods import add_months, today
from qms.scope.models import Process
from tests.sampling import PROVING

MONTHS = 36 if PROVING else 8
BEGINS = 4  # months after the company its first programme

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.proof,
    pytest.mark.clause("9.2.1"),
    pytest.mark.clause("9.2.2"),
]


@pytest.mark.parametrize("company", companies() if PROVING else ["uk-consultancy"])
def test_every_process_of_a_company_has_its_audit_in_every_programme_year(
    company: str, settings: Any
) -> None:
    settings.DEMO, settings.ZEAL_RAISE = True, False
    clock.declare_demo_database()
    autodiscover_modules("demo")
    Life(company, today=today(), months=MONTHS).run()
    running = set(Process.objects.active().values_list("pk", flat=True))
    days: defaultdict[int, set[date]] = defaultdict(set)
    kept = Audit.objects.exclude(status="void").filter(kind="internal")
    for process, planned, done in kept.values_list("process_id", "planned_on", "conducted_on"):
        days[process].add(done or planned)
    programmes = list(AuditProgramme.objects.exclude(status="void").order_by("starts_on"))
    assert len(programmes) == ceil((MONTHS - BEGINS) / 12)
    for programme in programmes:
        for year in programme.cycle:
            missing = {pk for pk in running if not any(day in year for day in days[pk])}
            assert not missing, f"{programme}: {Process.objects.filter(pk__in=missing)}"
        holes = planning.holes(programme, today())
        assert [hole.sentence for hole in holes if hole.kind != HoleKind.CLAUSE] == []
    for process in running:
        steps = pairwise(sorted(days[process]))
        assert all(add_months(one, 15) >= other for one, other in steps)
    _nobody_audited_their_own_work()


def _nobody_audited_their_own_work() -> None:
    """Without an exception, that is; and there are some, which shows that they are looked for."""
    begun = Audit.objects.exclude(conducted_on=None).select_related("process", "lead", "provider")
    for audit in begun.order_by("pk"):
        excused = set(audit.exceptions.values_list("person_id", flat=True))
        for person in team_of(audit):
            said = objections_to(person, audit, audit.conducted_on or audit.planned_on)
            owned = [each for each in said if " owns " in each or "works in" in each]
            assert person.pk in excused or not owned, f"{audit}: {owned}"
