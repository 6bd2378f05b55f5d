"""What measuring equipment gives the journey: whether it is calibrated again and again."""

from qms import contributions
from qms.equipment.models import Calibration
from qms.periods import Period


@contributions.momentum(
    "Instruments calibrated",
    url="/equipment/calibrations/",
    permission="equipment.view_calibration",
    order=26,
)
def calibrations(period: Period) -> int:
    """Calibrations made in a period that stand."""
    rows = Calibration.objects.standing()
    return rows.filter(calibrated_on__range=(period.start, period.end)).count()
