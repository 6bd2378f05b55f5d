"""What the navigation and the search get from evidence packs."""

from typing import Any

from qms import contributions
from qms.contributions import Hit
from qms.pack.models import Pack

contributions.navigation(
    "Certify",
    "Evidence packs",
    "pack:pack_list",
    icon="checklist",
    permission="pack.view_pack",
    order=20,
)


@contributions.search("Evidence packs", order=90)
def find_packs(person: Any, query: str, limit: int) -> list[Hit]:
    """Packs by number."""
    rows = Pack.objects.visible_to(person).filter(number__icontains=query)
    return [
        Hit(each.title, "Evidence pack", each.number, each.get_absolute_url(), str(each.period))
        for each in rows.order_by("-pk")[:limit]
    ]
