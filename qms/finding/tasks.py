"""What the clock does with the index: after an update it is filled by itself."""

from celery import shared_task

from qms.finding import workflow


@shared_task(name="finding.fill", ignore_result=True)
def fill() -> int:
    """Read the kinds of records that are not in the index as they are described now."""
    return workflow.fill()
