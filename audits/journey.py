"""What audits give the journey: the milestones of steps 7 and 9, and their beat."""

from datetime import date

from audits.models import Audit, Certificate, CertificationAudit, CertificationBody
from qms import contributions
from qms.contributions import Milestone
from qms.people.models import Person
from qms.periods import Period, add_months
from qms.scope.models import Process

REPORTED = Audit.REPORTED


@contributions.journey_step(6, order=30)
def auditors(day: date) -> list[Milestone]:
    """Nobody audits their own work, so one auditor is rarely enough."""
    count = Person.objects.holding("auditor", "lead_auditor").count()
    return [
        Milestone(
            "Internal auditors trained or agreed",
            count >= 2,
            f"{count} so far; nobody audits their own work." if count < 2 else f"{count} people.",
            "/people/?role=auditor",
            "Give the role",
            started=count == 1,
        )
    ]


@contributions.journey_step(7, order=10)
def every_process_audited(day: date) -> list[Milestone]:
    """An audit is planned, and every running process was audited within a year."""
    audits = Audit.objects.counting().exclude(status="void")
    planned = audits.count()
    since = add_months(day, -12)
    seen = audits.filter(status__in=REPORTED, issued_on__gte=since).values("process_id")
    running = Process.objects.active()
    total, left = running.count(), running.exclude(pk__in=seen).count()
    return [
        Milestone(
            "The first audits planned",
            planned > 0,
            f"{planned} planned or done." if planned else "",
            "/audits/" if planned else "/audits/new/",
            "Plan an audit",
        ),
        Milestone(
            "Every process audited within a year",
            total > 0 and left == 0,
            f"{total - left} of {total}." if total else "No process runs yet.",
            "/audits/",
            "See the audits",
            started=total > left,
        ),
    ]


@contributions.journey_step(9, order=10)
def certified(day: date) -> list[Milestone]:
    """A body is chosen, stage 1 and stage 2 are done, the certificate is granted."""
    certificates = Certificate.objects.select_related("body").order_by("-pk")
    newest, granted = certificates.first(), certificates.exclude(decided_on=None).first()
    visits = CertificationAudit.objects.filter(status="done")
    done = set(visits.values_list("kind", flat=True))
    known = CertificationBody.objects.exists()
    begin = "/audits/certificates/new/" if known else "/audits/bodies/new/"
    url = newest.get_absolute_url() if newest else begin
    return [
        Milestone(
            "A certification body chosen",
            newest is not None,
            f"{newest.body}." if newest else "",
            url,
            "Apply to a body" if known else "Enter a body",
            started=known,
        ),
        Milestone(
            "Stage 1 passed",
            "stage1" in done or granted is not None,
            "",
            url if newest else "",
            "Record stage 1",
        ),
        Milestone(
            "Stage 2 passed",
            "stage2" in done or granted is not None,
            "",
            url if newest else "",
            "Record stage 2",
            started="stage1" in done,
        ),
        Milestone(
            "The certificate granted",
            granted is not None,
            f"{granted.number}." if granted else "",
            url if newest else "",
            "Record the certificate",
            started="stage2" in done,
        ),
    ]


@contributions.momentum(
    "Internal audits reported", url="/audits/", permission="audits.view_audit", order=30
)
def reported(period: Period) -> int:
    """Reports that were issued."""
    days = (period.start, period.end)
    rows = Audit.objects.counting().filter(status__in=REPORTED)
    return rows.filter(issued_on__range=days).count()
