"""A mail becomes a report: of the person it is from, else of somebody outside.

A name in a mail is no proof of who wrote it; the report says that it came by mail.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import Q

from capa.mails import Mail
from capa.models import Report
from capa.workflow.details import LONGEST
from capa.workflow.reports import keep_report
from qms.clock import now
from qms.files.workflow import MOST_AT_ONCE, receive
from qms.outbox import workflow as outbox
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import creates

ACKNOWLEDGE = "capa.thank_for_report"
THANKED_A_DAY = 10  # thanks to one address: two machines that answer each other come to an end
WITHOUT_WORDS = "A mail without subject and text"
IN_MAILBOX = "It stays in the mailbox."


def receive_mail(mail: Mail) -> Report:
    """Make the report of a mail that was not taken up yet, by the clock."""
    made: Report = make_report(mail, by=Person.objects.system())
    return made


@creates(Report, permission="capa.receive_report")
def make_report(mail: Mail, *, by: Person) -> Report:
    """A report with everything the mail says; what cannot be kept is named."""
    person = author_of(mail) or by
    wanted = list(mail.files)
    if len(mail.text) > LONGEST:
        wanted.insert(0, ("whole text of the mail.txt", mail.text.encode()))
    papers, notes = looked_through(wanted)
    tail = "\n".join(notes)
    room = LONGEST - len(tail) - 2 if tail else LONGEST
    text = mail.text[:room].rstrip()
    report = keep_report(
        by=person,
        title=mail.subject or ("" if text else WITHOUT_WORDS),
        evidence=f"{text}\n\n{tail}".strip()[:LONGEST],
        came_by=Report.CameBy.MAIL,
        sender=(mail.sender or "Nobody is named") if person == by else "",
        mail_key=mail.key,
        papers=papers,
    )
    if mail.answers_to and mail.address and not _thanked_enough(mail, report):
        outbox.add(
            ACKNOWLEDGE,
            f"report-received:{report.pk}",
            report=report.pk,
            name=mail.name,
            address=mail.address,
            answers_to=mail.answers_to,
        )
    return report


def author_of(mail: Mail) -> Person | None:
    """The person of ours with that address, if they may report."""
    if not mail.address:
        return None
    person: Person | None = Person.objects.people().filter(email__iexact=mail.address).first()
    return person if person is not None and person.has_perm("capa.add_report") else None


def looked_through(
    files: Iterable[tuple[str, bytes]],
) -> tuple[list[Any], list[str]]:
    """The files that may come in, and a sentence for each that may not."""
    papers: list[Any] = []
    notes: list[str] = []
    for name, content in files:
        if len(papers) == MOST_AT_ONCE:
            notes.append(f"“{name[:100]}” is one file too many. {IN_MAILBOX}")
            continue
        upload = ContentFile(content, name=name)
        try:
            receive(upload)
        except Refused as refusal:
            notes.append(f"{refusal} {IN_MAILBOX}")
            continue
        upload.seek(0)
        papers.append(upload)
    if len(notes) > MOST_AT_ONCE:
        more = len(notes) - MOST_AT_ONCE
        notes = [*notes[:MOST_AT_ONCE], f"{more} more files were not taken. {IN_MAILBOX}"]
    return papers, notes


def _thanked_enough(mail: Mail, report: Report) -> bool:
    """Whether as many reports of this address came within a day as are thanked for."""
    rows = Report.objects.exclude(pk=report.pk).filter(
        came_by=Report.CameBy.MAIL, recorded_at__gte=now() - timedelta(days=1)
    )
    if report.sender:
        rows = rows.filter(Q(sender=mail.address) | Q(sender__endswith=f"<{mail.address}>"))
    else:
        rows = rows.filter(created_by=report.created_by)
    return int(rows.count()) >= THANKED_A_DAY
