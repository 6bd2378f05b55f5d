"""The records that are evidence for an answer: any with a page of its own, but for assessments.

What a person may not see cannot be found or linked here either (ISO 9001 7.5.3).
"""

from collections.abc import Iterable

from qms.gap.models import EvidenceLink, GapAnswer
from qms.picking import Shelf

EVIDENCE = Shelf(field="links", but_of=("gap",))  # an assessment is no evidence for itself


def links_of(answers: Iterable[GapAnswer]) -> dict[int, list[EvidenceLink]]:
    """The live links by answer, oldest first."""
    rows = EvidenceLink.objects.live().filter(answer__in=list(answers))
    found: dict[int, list[EvidenceLink]] = {}
    for link in rows.select_related("record_type").order_by("pk"):
        found.setdefault(link.answer_id, []).append(link)
    return found
