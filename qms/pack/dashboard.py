"""What the navigation and the search get from evidence packs."""

from qms import contributions

contributions.navigation(
    "Certify",
    "Evidence packs",
    "pack:pack_list",
    icon="checklist",
    permission="pack.view_pack",
    order=20,
)
