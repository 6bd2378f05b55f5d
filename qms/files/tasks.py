"""What a worker does for files."""

from datetime import timedelta

from qms.files import renditions
from qms.files.workflow import RENDER
from qms.outbox.models import Effect
from qms.outbox.workflow import effect


@effect(
    RENDER,
    outside=True,
    lease=timedelta(minutes=4),
    died=renditions.gave_up,
    words="PDF and words of a file",
)
def render(leased: Effect) -> None:
    """Make the words and the PDF of a stored content."""
    renditions.make(leased)
