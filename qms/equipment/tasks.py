"""What the clock does with measuring equipment."""

from celery import shared_task

from qms.equipment import workflow
from qms.periods import today


@shared_task(name="equipment.lock_overdue", ignore_result=True)
def lock_overdue() -> int:
    """Whatever is overdue for calibration goes out of use."""
    return workflow.lock_overdue(today())
