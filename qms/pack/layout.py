"""What an evidence pack holds and where: its numbered folders, and which preset takes which.

Later parts of the program (a guest's pages) use the same numbers.
"""

from collections.abc import Iterable
from datetime import date

from qms import contributions
from qms.pack.models import Pack
from qms.periods import Period, add_months

FOLDERS: dict[str, str] = {
    "00-cover": "Cover",
    "01-clause-index": "Clause index",
    "02-context-scope": "Context and scope",
    "03-leadership": "Leadership",
    "04-risks-objectives": "Risks and objectives",
    "05-documents": "Documents",
    "06-competence": "Competence",
    "07-operation": "Operation",
    "08-performance": "Performance",
    "09-internal-audit": "Internal audits",
    "10-management-review": "Management review",
    "11-nonconformities": "Nonconformities",
    "12-certification": "Certification",
    "13-changes": "Changes",
    "90-registers": "Registers",
    "99-integrity": "Integrity",
}
# Written by the pack itself, in every preset.
OWN = ("00-cover", "01-clause-index", "90-registers", "99-integrity")
SUBJECTS = tuple(folder for folder in FOLDERS if folder not in OWN)
TAKES: dict[str, tuple[str, ...]] = {
    "stage1": tuple(
        f"{n}" for n in SUBJECTS if n[:2] in {"02", "03", "04", "05", "09", "10", "11"}
    ),
    "stage2": SUBJECTS,
    "surveillance": SUBJECTS,
    "nc_response": ("11-nonconformities", "12-certification"),
    "custom": SUBJECTS,
}
PURPOSE: dict[str, str] = {
    "stage1": "Is the system designed and running? Scope, objectives, documents, internal audits, "
    "management review and nonconformities of twelve months.",
    "stage2": "Everything of the last three years: the cycle that ends.",
    "surveillance": "Everything since the certification body was here last.",
    "nc_response": "The nonconformities, what was done about them, and whether it worked.",
    "custom": "Everything, of days you choose.",
}
CYCLE_MONTHS, YEAR_MONTHS = 36, 12
NOT_YET = {
    "what": "99 Extract of the audit trail and its checkpoint",
    "why": "The history is kept, and not sealed yet. Ask to see it on site.",
}


def usual_period(preset: str, today: date) -> Period:
    """The days a preset covers unless somebody chooses others; it always ends today."""
    if preset == Pack.Preset.STAGE2:
        return Period.last_months(CYCLE_MONTHS, today)
    if preset == Pack.Preset.SURVEILLANCE and (seen := contributions.last_visit(today)):
        return Period(max(seen, add_months(today, -CYCLE_MONTHS)), today)
    return Period.last_months(YEAR_MONTHS, today)


def not_taken(preset: str, filled: Iterable[str]) -> list[dict[str, str]]:
    """The folders this pack leaves out, and why: said on the cover."""
    full = set(filled)
    found = []
    for folder in SUBJECTS:
        if folder not in TAKES[preset]:
            why = f"Not part of a pack for {Pack.Preset(preset).label.lower()}."
        elif folder not in full:
            why = "This installation keeps no records for it."
        else:
            continue
        found.append({"what": f"{folder[:2]} {FOLDERS[folder]}", "why": why})
    return [*found, dict(NOT_YET)]
