"""A matrix of words and colours."""

from collections.abc import Sequence

from qms.charts.parts import specification
from qms.charts.picture import LINE, MUTED, PAPER, STATES, Chart


def heat_map(
    cells: Sequence[tuple[str, str, str, str]],
    *,
    title: str,
    headings: tuple[str, str, str] = ("Row", "Column", "What"),
) -> Chart:
    """A matrix of (row, column, word, state), for instance process × clause coverage.

    The word stands in the cell, so that colour is never alone; state is one of fine, soon, late,
    info, none. Rows and columns keep the order in which they first come.
    """
    table = tuple((row, column, word) for row, column, word, _ in cells)
    if not cells:
        return Chart(None, title, f"{title}: nothing to show.", headings, ())
    down = list(dict.fromkeys(row for row, *_ in cells))
    across = list(dict.fromkeys(column for _, column, *_ in cells))
    holes = sum(state in ("none", "late") for *_, state in cells)
    said = f"{title}: {len(down)} rows by {len(across)} columns, {holes} of {len(cells)} open."
    data = [
        {"row": r, "column": c, "word": w, "colour": STATES.get(s, LINE), "faint": s == "none"}
        for r, c, w, s in cells
    ]
    place = {
        "x": {
            "field": "column",
            "type": "nominal",
            "sort": across,
            "axis": {"title": None, "orient": "top", "labelAngle": 0, "domain": False},
        },
        "y": {
            "field": "row",
            "type": "nominal",
            "sort": down,
            "axis": {"title": None, "labelLimit": 220, "domain": False},
        },
    }
    spec = specification(
        {
            "data": {"values": data},
            "width": max(120, min(900, 46 * len(across))),
            "height": 26 * len(down),
            "encoding": place,
            "layer": [
                {
                    "mark": {"type": "rect", "stroke": PAPER, "strokeWidth": 2, "cornerRadius": 3},
                    "encoding": {
                        "color": {"field": "colour", "type": "nominal", "scale": None},
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 10, "fontWeight": 600},
                    "encoding": {
                        "text": {"field": "word"},
                        "color": {
                            "condition": {"test": "datum.faint", "value": MUTED},
                            "value": PAPER,
                        },
                    },
                },
            ],
        }
    )
    return Chart(spec, title, said, headings, table)
