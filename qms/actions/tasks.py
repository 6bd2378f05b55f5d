"""What the clock does with actions."""

from celery import shared_task

from qms.actions import workflow
from qms.periods import today


@shared_task(name="actions.escalate", ignore_result=True)
def escalate() -> int:
    """Managers learn of what is overdue beyond the organisation's limit."""
    return workflow.escalate(today())
