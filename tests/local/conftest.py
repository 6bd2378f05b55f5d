"""A folder like that of a clone: open to the account that runs PostgreSQL for root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: that is closed to others, and closed again by every other run."""
    place = Path(tempfile.mkdtemp(prefix="qms-local-"))
    place.chmod(0o755)
    yield place / "var"
    shutil.rmtree(place, ignore_errors=True)
