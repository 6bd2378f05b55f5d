"""Reminders by the clock: before, on and after a due date; caught up after a pause, never twice."""

from datetime import date
from hashlib import sha256
from typing import Any

from celery import shared_task
from django.db import connection, transaction

from qms.mail import full_address
from qms.outbox.workflow import send_mail
from qms.periods import in_words, today
from qms.work.models import WorkItem
from qms.work.workflow import mark_reminded, reminders_due

LOCK = 7_302_001  # one reminding at a time, whoever asks


@shared_task(name="work.remind", ignore_result=True)
def remind() -> int:
    """Write today's digests; returns how many people get one."""
    return remind_on(today())


def remind_on(day: date) -> int:
    """One digest for everybody who has something at a new stage; nothing when it was sent."""
    with transaction.atomic():
        if not _alone():
            return 0
        due = reminders_due(day)
        for person, items in due.items():
            mark_reminded(person, items, day)
            send_mail(
                "notice",
                person,
                key=f"digest:{day.isoformat()}:{_stamp(items)}",
                act="/",
                **_digest(items, day),
            )
        return len(due)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def _stamp(items: list[tuple[WorkItem, int]]) -> str:
    """The same for the same stages only: a moved date is a new digest, also on the same day."""
    said = ";".join(sorted(f"{item.pk} {item.due} {stage}" for item, stage in items))
    return sha256(said.encode()).hexdigest()[:16]


def _digest(items: list[tuple[WorkItem, int]], day: date) -> dict[str, Any]:
    late = [item for item, _stage in items if item.due and item.due < day]
    ahead = [item for item, _stage in items if item.due and item.due >= day]
    count = len(items)
    return {
        "subject_line": f"{count} thing{'s' if count > 1 else ''} to do"
        + (f", {len(late)} overdue" if late else ""),
        "sentence": "This waits for you in the quality management system.",
        "act_label": "My work",
        "groups": [
            {"title": title, "entries": [_line(item, day) for item in group]}
            for title, group in (("Overdue", late), ("Due soon", ahead))
            if group
        ],
    }


def _line(item: WorkItem, day: date) -> dict[str, Any]:
    number = f"{item.number}: " if item.number else ""
    return {
        "text": f"{item.label} – {number}{item.title}",
        "url": full_address(item.url),
        "due": in_words(item.due, day),
        "late": bool(item.due and item.due < day),
    }
