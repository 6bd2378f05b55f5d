"""Charts: plain data to one Vega-Lite specification, drawn the same for browser and PDF (9.1.3).

Every chart carries its numbers as a table. In pages the SVG stands inline with our colour
variables, so that light and dark need one picture; on paper it is an image with a text. Missing
periods stay gaps, values stay decimals, and a target is never drawn as a control limit.
"""

from qms.charts.amounts import bars, histogram, pareto, stacked
from qms.charts.lines import Plotted, control_chart, run_chart, sparkline
from qms.charts.matrix import heat_map
from qms.charts.picture import Chart

__all__ = [
    "Chart",
    "Plotted",
    "bars",
    "control_chart",
    "heat_map",
    "histogram",
    "pareto",
    "run_chart",
    "sparkline",
    "stacked",
]
