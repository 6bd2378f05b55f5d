"""Indicators, their readings, and the objectives that are judged by them (ISO 9001 6.2, 9.1).

What is measured lives longer than what is to be reached: last year's objective and this year's are
judged by the readings of one indicator.
"""

from objectives.models.analyses import Analysis
from objectives.models.control import ControlLimits, SignalAnswer
from objectives.models.indicators import MOST_READINGS, Indicator
from objectives.models.objectives import AimThen, Objective, aims_of, in_a_row
from objectives.models.readings import Measurement, carry, readings_of, series_of, series_of_each
from objectives.models.sheets import ReadingSheet, SheetProgress

__all__ = [
    "MOST_READINGS",
    "AimThen",
    "Analysis",
    "ControlLimits",
    "Indicator",
    "Measurement",
    "Objective",
    "ReadingSheet",
    "SheetProgress",
    "SignalAnswer",
    "aims_of",
    "carry",
    "in_a_row",
    "readings_of",
    "series_of",
    "series_of_each",
]
