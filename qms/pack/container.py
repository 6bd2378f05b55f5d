"""The pack's container: a ZIP of which every byte follows from its names and contents.

Stored entries in the given order, fixed headers and times, no gaps, no trailing bytes. A verifier
that knows names and contents can write the same file again and compare it byte for byte, so that a
change anywhere is found, also in a header. `verifier/verify.py` reads what this writes.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from typing import IO

from qms.refusals import Refused

LOCAL, CENTRAL, END = 0x04034B50, 0x02014B50, 0x06054B50
UTF8, STORED, MIDNIGHT, FIRST_DAY = 0x0800, 0, 0, 0x0021  # 1 January 1980, 00:00
NEEDED, MADE_BY, READABLE_FILE = 20, 0x0314, 0o100644 << 16
MOST_ENTRIES, MOST_BYTES = 65_534, 4_000_000_000

Entry = tuple[str, Callable[[], bytes]]


def write(entries: Iterable[Entry], target: IO[bytes]) -> int:
    """Write entries (name, reader of the content) and return the size in bytes.

    Raises Refused when the pack is larger than a ZIP of this kind can be.
    """
    directory: list[bytes] = []
    at = 0
    for name, read in entries:
        content, raw = read(), name.encode()
        checksum = zlib.crc32(content)
        if at + len(content) > MOST_BYTES or len(directory) >= MOST_ENTRIES:
            raise Refused("This pack is too large for one file. Choose a shorter period.")
        target.write(local_header(raw, checksum, len(content)))
        target.write(content)
        directory.append(central_header(raw, checksum, len(content), at))
        at += 30 + len(raw) + len(content)
    central = b"".join(directory)
    target.write(central)
    target.write(end_record(len(directory), len(central), at))
    return at + len(central) + 22


def local_header(name: bytes, checksum: int, size: int) -> bytes:
    """What stands before a content."""
    shape = (NEEDED, UTF8, STORED, MIDNIGHT, FIRST_DAY, checksum, size, size, len(name), 0)
    return struct.pack("<IHHHHHIIIHH", LOCAL, *shape) + name


def central_header(name: bytes, checksum: int, size: int, at: int) -> bytes:
    """The directory's row of a content that begins `at` bytes into the file."""
    head = (MADE_BY, NEEDED, UTF8, STORED, MIDNIGHT, FIRST_DAY, checksum, size, size, len(name))
    return struct.pack("<IHHHHHHIIIHHHHHII", CENTRAL, *head, 0, 0, 0, 0, READABLE_FILE, at) + name


def end_record(count: int, size: int, at: int) -> bytes:
    """The last 22 bytes."""
    return struct.pack("<IHHHHIIH", END, 0, 0, count, count, size, at, 0)
