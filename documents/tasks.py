"""What the clock does with documents."""

from celery import shared_task

from documents import workflow
from qms.periods import today


@shared_task(name="documents.take_effect", ignore_result=True)
def take_effect() -> int:
    """Approved revisions whose day has come take effect."""
    return workflow.make_due_revisions_effective(today())


@shared_task(name="documents.settle_reading", ignore_result=True)
def settle_reading() -> int:
    """Whatever nobody told us: who is in an audience is asked, who is not is no longer."""
    done = workflow.settle_reading()
    return done.asked + done.ended
