"""Check an evidence pack: python verify.py PACK.zip [FINGERPRINT]

Needs Python 3.8 or later and nothing else: no network, no installation. Says whether the file is
byte for byte what was signed, and by which key; compare that key's fingerprint with the one the
organisation gave you another way, or give it as the second argument.

Ends with 0: intact. 1: altered. 2: damaged, or no pack. 3: signed by another key.
"""

# Runs on its own, also on an old Python: no newer syntax, and it prints.
# ruff: noqa: T201, UP031, PTH123

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import zlib
from typing import Any, Dict, List, Optional, Tuple  # noqa: UP035

INTACT, ALTERED, DAMAGED, OTHER_KEY = 0, 1, 2, 3


class Answer(Exception):
    """The check is over: code and sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


# The container: every byte follows from names and contents


def local_header(name: bytes, crc: int, size: int) -> bytes:
    head = (0x04034B50, 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name), 0)
    return struct.pack("<IHHHHHIIIHH", *head) + name


def central_header(name: bytes, crc: int, size: int, at: int) -> bytes:
    head = (0x02014B50, 0x0314, 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name))
    return struct.pack("<IHHHHHHIIIHHHHHII", *head, 0, 0, 0, 0, 0o100644 << 16, at) + name


def end_record(count: int, size: int, at: int) -> bytes:
    return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, at, 0)


def entry_at(data: bytes, at: int, path: str) -> Tuple[bytes, int]:  # noqa: UP006
    """The content of the entry that must begin at `at`, named `path`; its size from the header."""
    name = path.encode()
    if data[at : at + 4] != b"PK\x03\x04" or len(data) < at + 30:
        raise Answer(DAMAGED, "The file is cut off, or is no evidence pack.")
    size = struct.unpack_from("<I", data, at + 22)[0]
    start = at + 30 + len(name)
    content = data[start : start + size]
    if data[at + 30 : start] != name or len(content) != size:
        raise Answer(DAMAGED, "The file is damaged: %s is not where it belongs." % path)
    return content, start + size


def is_plain(path: Any) -> bool:
    """Whether a path stays inside the folder it is unpacked to."""
    return (
        isinstance(path, str)
        and re.match(r"^[^/\\:\x00-\x1f][^\\:\x00-\x1f]*$", path) is not None
        and not any(part in ("", ".", "..") for part in path.split("/"))
    )


def listed(manifest: Any) -> List[Dict[str, Any]]:  # noqa: UP006
    """The manifest's files in order, or an answer that it contradicts itself."""
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, list) or manifest.get("format") != "qms-pack-1":
        raise Answer(DAMAGED, "The manifest is none this program knows.")
    if not all(isinstance(row.get("size"), int) and row["size"] >= 0 for row in files):
        raise Answer(DAMAGED, "The manifest gives no sizes.")
    paths = [row.get("path") for row in files]
    if not all(is_plain(path) for path in paths):
        raise Answer(ALTERED, "The manifest names a file outside the pack.")
    folded = [path.casefold() for path in paths]
    if paths != sorted(paths) or len(set(folded)) != len(folded):
        raise Answer(ALTERED, "The manifest names a file twice, or out of order.")
    return files


def check(data: bytes, expected_key: str = "") -> None:
    """Raises Answer: what the pack is."""
    raw, at = entry_at(data, 0, "manifest.json")
    seal, at = entry_at(data, at, "manifest.sig")
    try:
        manifest = json.loads(raw.decode("utf-8"))
        files = listed(manifest)
        public = bytes.fromhex(manifest["key"]["public"])
        told = manifest["key"]["fingerprint"]
        signature = bytes.fromhex(seal.decode("ascii").strip())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Answer(DAMAGED, "The manifest or its signature cannot be read.") from None
    key = hashlib.sha256(public).hexdigest()
    if seal != (signature.hex() + "\n").encode() or told != key:
        raise Answer(ALTERED, "The manifest or its signature was altered.")
    if not signed(public, raw, signature):
        raise Answer(ALTERED, "The manifest was altered: its signature does not fit.")
    rebuild(data, raw, seal, files, at)
    if expected_key and re.sub(r"[^0-9a-f]", "", expected_key.lower()) != key:
        raise Answer(OTHER_KEY, "Intact, but not signed by this key. It is signed by key %s." % key)
    raise Answer(
        INTACT,
        "Intact and signed by key %s.\n%s of %s, as of %s, %d files."
        % (
            key,
            manifest.get("pack"),
            manifest.get("organisation"),
            manifest.get("as_of"),
            len(files),
        ),
    )


def rebuild(data: bytes, raw: bytes, seal: bytes, files: List[Dict[str, Any]], at: int) -> None:  # noqa: UP006
    """Compare every byte with the container that manifest and contents make."""
    entries = [("manifest.json", raw), ("manifest.sig", seal)]
    altered = []
    for row in files:
        name = row["path"].encode()
        start = at + 30 + len(name)
        content = data[start : start + row["size"]]
        if len(content) != row["size"]:
            raise Answer(DAMAGED, "The file is cut off in %s." % row["path"])
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            altered.append(row["path"])
        entries.append((row["path"], content))
        at = start + row["size"]
    if altered:
        raise Answer(ALTERED, "Altered: %s." % ", ".join(altered))
    at, central = 0, b""
    for path, content in entries:
        name, crc = path.encode(), zlib.crc32(content) & 0xFFFFFFFF
        head = local_header(name, crc, len(content))
        if data[at : at + len(head)] != head:
            raise Answer(ALTERED, "Altered: what stands before %s." % path)
        central += central_header(name, crc, len(content), at)
        at += len(head) + len(content)
    if data[at:] != central + end_record(len(entries), len(central), at):
        raise Answer(ALTERED, "Altered: the directory, or something was added to the file.")


# Ed25519 (RFC 8032), to check only


P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y: int, sign: int) -> Optional[int]:  # noqa: UP045
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


Point = Tuple[int, int, int, int]  # noqa: UP006


def decompress(text: bytes) -> Optional[Point]:  # noqa: UP045
    if len(text) != 32:
        return None
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(number: int, point: Point) -> Point:
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` over `message` is by the key whose public half is `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, point = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or point is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    return same(multiply(s, BASE), add(point, multiply(h, key)))


def main(arguments: List[str]) -> int:  # noqa: UP006
    if len(arguments) not in (1, 2):
        print(__doc__)
        return DAMAGED
    try:
        with open(arguments[0], "rb") as opened:
            data = opened.read()
    except OSError as problem:
        print("The file cannot be read: %s." % problem.strerror)
        return DAMAGED
    try:
        check(data, *arguments[1:])
    except Answer as answer:
        print(answer.sentence)
        return answer.code
    return DAMAGED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
