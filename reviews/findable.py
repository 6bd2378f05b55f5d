"""What is found of management reviews."""

from qms.events import handles
from qms.finding.workflow import Text, findable, refresh
from qms.records import RecordSaved
from reviews.models import Decision, Review


@findable(Review, "Management reviews", order=50)
def describe(review: Review) -> Text:
    """A review by number, title and the words of its conclusions and decisions."""
    decided = Decision.objects.filter(review=review).order_by("pk").values_list("text", flat=True)
    return Text(
        title=review.title,
        number=review.number,
        words="\n".join(filter(None, [review.conclusions, *decided])),
        note=review.get_status_display(),
    )


@handles(RecordSaved, order=96)
def follow_the_decision(event: RecordSaved) -> None:
    """What was decided is found at its review."""
    if isinstance(event.record, Decision):
        refresh(event.record.review)
