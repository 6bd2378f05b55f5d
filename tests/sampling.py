"""How much of a proof is played: all of it by `make prove`, fixed samples by the tests.

A proof over every combination takes minutes. Tests play the sample that these functions choose,
the same on every machine and every day; `make prove` sets `QMS_PROVE` and plays everything. Of
the sample of a sweep (`pytest.mark.proof`) `make test` plays what is quick, CI all (ALL=1).
"""

import atexit
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

PROVING = os.environ.get("QMS_PROVE", "") != ""
_tried = 0


def played(combination: str, *, one_in: int) -> bool:
    """Whether this combination belongs to the sample of about one in so many."""
    global _tried
    chosen = PROVING or crc32(combination.encode()) % one_in == 0
    _tried += chosen
    return chosen


def spread(values: Iterable[Any], quick: int) -> list[Any]:
    """Parameters, of which so many, spread over the list, are for every run; the rest is for CI."""
    values = list(values)
    kept = {round(step * (len(values) - 1) / max(quick - 1, 1)) for step in range(quick)}
    return [
        pytest.param(each, marks=[] if place in kept else [pytest.mark.slow, pytest.mark.proof])
        for place, each in enumerate(values)
    ]


def _tell() -> None:
    """Each process of a proof leaves its count in the folder that `make prove` named."""
    Path(os.environ["QMS_PROVE"], f"{os.getpid()}.count").write_text(str(_tried))


if PROVING:
    atexit.register(_tell)
