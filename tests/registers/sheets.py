"""Two registers as companies really have them: 200 rows each, with the usual mess.

Merged title and group cells, a header in row four, three date formats, blank rows, numbers given
twice, names instead of addresses, words of their own for kinds and states. Deterministic.
"""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

PEOPLE = [
    "Claire Bouchard",
    "Bouchard, Claire",
    "C. Bouchard",
    "claire.bouchard@example.com",
    "Daniel Reyes",
    "D. Reyes",
    "Reyes",
    "Ingrid  Solheim",
]
LEFT = "Walter Finch"  # left the company years ago
AREAS = ["PR", "Production", "production", "PU", "Procurement"]
TITLES = [
    "Torque of body bolts",
    "Receiving inspection",
    "Purchasing of forgings",
    "Marking of bodies",
    "Welding of manifolds",
    "Packing",
    "Calibration",
    "Contract review",
    "Pressure test",
]
KINDS = ["SOP", "Procedure", "Work Instruction", "WI", "Form", "procedure ", "Proceduer"]


def written(day: date, how: int) -> Any:
    """A date as people write it: a real date cell, ISO, day first, or with the month's name."""
    return [day, day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%b %d, %Y}"][how % 4]


def master_list(path: Path) -> Path:
    """200 documents: 3 numbers twice, 4 rows of somebody who left, 2 bad dates, 1 untitled."""
    chance = random.Random(7)  # noqa: S311 - the same sheet every time
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Master list"
    sheet["A1"] = "HALDEN WORKS – MASTER LIST OF DOCUMENTS"
    sheet["A1"].font = Font(bold=True)
    sheet.merge_cells("A1:I1")
    sheet["A2"] = "printed copies are uncontrolled"
    sheet.merge_cells("A2:I2")
    head = [
        "Doc #",
        "Document Title",
        "Type",
        "Rev.",
        "Effective Date",
        "Department",
        "Document owner",
        "Approved by",
        "Remarks",
    ]
    sheet.append([])
    sheet.append(head)
    row = 5
    for index in range(200):
        if index % 25 == 12:
            row += 1  # a blank row between groups
        day = date(2019, 1, 7) + timedelta(days=chance.randint(0, 2200))
        number = f"QP-{index + 101:03d}"
        number = {50: "QP-131", 90: "QP-171", 140: "qp-131"}.get(index, number)
        owner = LEFT if index in (20, 60, 100, 160) else chance.choice(PEOPLE)
        effective: Any = written(day, index)
        effective = {33: "sometime 2021", 133: "31/02/2022"}.get(index, effective)
        title = None if index == 77 else f"{chance.choice(TITLES)} {index + 1}"
        values = [
            number,
            title,
            chance.choice(KINDS),
            chance.choice(["A", "B", 3, "3.0"]),
            effective,
            chance.choice(AREAS),
            owner,
            chance.choice(["CB", "W. Finch", None]),
            chance.choice([None, "check!", "see mail"]),
        ]
        for column, value in enumerate(values, start=1):
            sheet.cell(row, column, value)
        row += 1
    sheet.merge_cells(start_row=5, end_row=7, start_column=6, end_column=6)  # one area for three
    book.save(path)
    return path


def nonconformity_log(path: Path) -> Path:
    """200 nonconformities: 2 numbers twice, 1 without a date, 1 closed before it was opened."""
    chance = random.Random(11)  # noqa: S311 - the same sheet every time
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B2"] = "NCR LOG 2023-2025"
    sheet.merge_cells("B2:K2")
    head = [
        None,
        "NCR no",
        "Date opened",
        "Description",
        "Severity",
        "Origin",
        "Area",
        "Assigned to",
        "Status",
        "Root cause",
        "Corrective action",
        "Date closed",
    ]
    for column, value in enumerate(head, start=1):
        sheet.cell(4, column, value)
    row = 5
    for index in range(200):
        if index % 40 == 39:
            row += 2
        opened = date(2023, 1, 9) + timedelta(days=index * 4)
        is_closed = index < 170
        closed = opened + timedelta(days=chance.randint(3, 90))
        number = {44: "NCR-0030", 120: "NCR-0101"}.get(index, f"NCR-{index + 1:04d}")
        when: Any = None if index == 15 else written(opened, index)
        end: Any = written(closed, index + 1) if is_closed else None
        end = written(opened - timedelta(days=10), 1) if index == 99 else end
        values = [
            None,
            number,
            when,
            f"{chance.choice(TITLES)} not done as written ({index + 1})",
            chance.choice(["Minor", "minor", "MAJOR", "min."]),
            chance.choice(["Internal Audit", "Customer", "Supplier", "In-process"]),
            chance.choice(AREAS),
            chance.choice([*PEOPLE, None]),
            "Closed" if is_closed else chance.choice(["Open", "in progress"]),
            "Step unclear" if is_closed else None,
            "Instruction changed" if is_closed else None,
            end,
        ]
        for column, value in enumerate(values, start=1):
            sheet.cell(row, column, value)
        row += 1
    book.save(path)
    return path
