"""What is found of measuring equipment."""

from qms.equipment.models import Equipment
from qms.finding.workflow import Text, findable


@findable(Equipment, "Measuring equipment", order=62)
def describe(equipment: Equipment) -> Text:
    """An instrument by number, name, serial number, maker, place and what it measures."""
    return Text(
        title=equipment.name,
        number=equipment.number,
        keywords=f"{equipment.serial} {equipment.maker} {equipment.location}".strip(),
        words=equipment.measures,
        note=equipment.get_status_display(),
    )
