"""What a worker does for files."""

from datetime import timedelta

from qms.files import renditions, storage
from qms.files.models import Blob, Rendition
from qms.files.workflow import DESTROY, RENDER
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


@effect(DESTROY, outside=True, words="Destroying a file")
def destroy(leased: Effect) -> None:
    """Destroy a stored content and what was made of it; asking twice is once."""
    blob = Blob.objects.get(pk=leased.payload["blob"])
    made = Rendition.objects.filter(blob=blob).select_related("pdf").first()
    if made is not None:
        if made.pdf is not None:
            storage.destroy(made.pdf)
        made.delete()
    storage.destroy(blob)
