"""A stranger finds every change of a pack, without us and without a network."""

import hashlib
import importlib.util
import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qms.pack import building, container, sealing

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def load() -> ModuleType:
    path = Path(building.VERIFIER) / "verify.py"
    spec = importlib.util.spec_from_file_location("verify_of_pack", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verifier = load()


def make(
    files: dict[str, bytes],
    *,
    key: Ed25519PrivateKey = KEY,
    change: Callable[[dict[str, Any]], None] | None = None,
    order: list[str] | None = None,
) -> bytes:
    """A pack of these files, as `building.assemble` writes it; `change` makes the manifest lie."""
    public = sealing.public_key(key)
    manifest: dict[str, Any] = {
        "format": "qms-pack-1",
        "pack": "PACK-2026-0001",
        "organisation": "Northern Précision",
        "as_of": "2026-11-23T01:00:00+00:00",
        "key": {
            "algorithm": "Ed25519",
            "public": public,
            "fingerprint": sealing.fingerprint(public),
        },
        "files": [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in sorted(files.items())
        ],
    }
    if change:
        change(manifest)
    raw = sealing.canonical(manifest)
    seal = sealing.sign(raw, key)
    target = io.BytesIO()
    names = order or sorted(files)
    container.write(
        [
            ("manifest.json", lambda: raw),
            ("manifest.sig", lambda: seal),
            *((name, lambda name=name: files[name]) for name in names),
        ],
        target,
    )
    return target.getvalue()


FILES = {
    "05-documents/QP-001-rev2.pdf": b"%PDF" + bytes(range(256)) * 3,
    "90-registers/audits.csv": "Nummer;Größe\n".encode() * 20,
    "empty.txt": b"",
    "index.html": b"<!doctype html><p>hello</p>",
}


def verdict(data: bytes, *key: str) -> tuple[int, str]:
    with pytest.raises(verifier.Answer) as caught:
        verifier.check(data, *key)
    return caught.value.code, caught.value.sentence


@pytest.mark.parametrize("seed", range(20))
def test_an_intact_pack_verifies(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's own contents
    files = {
        f"{n:02d}-folder/file {n} – {chance.randrange(99)}.bin": chance.randbytes(
            chance.randrange(400)
        )
        for n in range(chance.randrange(1, 12))
    }
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    code, sentence = verdict(make(files, key=key))
    assert code == verifier.INTACT, sentence
    assert sealing.fingerprint(sealing.public_key(key)) in sentence


def changes(count: int) -> list[tuple[int, int]]:
    chance = random.Random(9001)  # noqa: S311 - the same sample every time
    size = len(make(FILES))
    return [(chance.randrange(size), chance.randrange(1, 256)) for _ in range(count)]


def found(at: int, flip: int, data: bytes) -> bool:
    changed = bytearray(data)
    changed[at] ^= flip
    return verdict(bytes(changed))[0] in (verifier.ALTERED, verifier.DAMAGED)


@pytest.mark.slow
def test_any_changed_byte_is_found() -> None:
    data = make(FILES)
    assert [at for at, flip in changes(250) if not found(at, flip, data)] == []


@pytest.mark.slow
@pytest.mark.proof
def test_any_of_two_thousand_changed_bytes_is_found() -> None:
    data = make(FILES)
    assert [at for at, flip in changes(2000) if not found(at, flip, data)] == []


@pytest.mark.slow
def test_every_single_byte_of_a_small_pack_counts() -> None:
    data = make({"a.txt": b"hello"})
    assert [at for at in range(len(data)) if not found(at, 1, data)] == []


def _swap(files: dict[str, bytes]) -> bytes:
    """Two contents of one size change places."""
    data = bytearray(make(files))
    one, two = b"AAAA-first", b"BBBB-other"
    a, b = data.index(one), data.index(two)
    data[a : a + 10], data[b : b + 10] = two, one
    return bytes(data)


def lies(**row: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["files"][0].update(row)

    return change


def repeats(manifest: dict[str, Any]) -> None:
    manifest["files"].append(dict(manifest["files"][-1]))


def shuffles(manifest: dict[str, Any]) -> None:
    manifest["files"].reverse()


def test_a_swap_a_removal_an_addition_and_a_cut_are_found() -> None:
    pair = {"a.txt": b"AAAA-first", "b.txt": b"BBBB-other"}
    data = make(FILES)
    attacks = {
        "swapped": _swap(pair),
        "removed": make(FILES, order=sorted(FILES)[:-1]),
        "added at the end": data + b"PK\x05\x06" + bytes(18),
        "added before": b"#!/bin/sh\n" + data,
        "cut": data[:-1],
        "cut in half": data[: len(data) // 2],
        "empty": b"",
        "no pack": b"PK\x03\x04" + bytes(200),
        "another order": make(FILES, order=sorted(FILES, reverse=True)),
        "lies about a hash": make(FILES, change=lies(sha256="0" * 64)),
        "lies about a size": make(FILES, change=lies(size=3)),
        "a negative size": make(FILES, change=lies(size=-3)),
        "a path outside": make(FILES, change=lies(path="../../etc/passwd")),
        "an absolute path": make(FILES, change=lies(path="/etc/passwd")),
        "a path of Windows": make(FILES, change=lies(path="C:\\x.txt")),
        "a file named twice": make(FILES, change=repeats),
        "files out of order": make(FILES, change=shuffles),
        "no list": make(FILES, change=lambda manifest: manifest.update(files=None)),
        "another kind": make(FILES, change=lambda manifest: manifest.update(format="x")),
    }
    missed = {name: verdict(each) for name, each in attacks.items() if not verdict(each)[0]}
    assert missed == {}


def test_names_that_differ_in_capitals_only_are_refused() -> None:
    code, sentence = verdict(make({"a.txt": b"1", "A.txt": b"2"}))
    assert code == verifier.ALTERED
    assert "twice" in sentence


def test_a_second_entry_of_the_same_name_is_found() -> None:
    files = {"a.txt": b"good"}
    data = make(files)
    evil = container.local_header(b"a.txt", zlib.crc32(b"evil"), 4) + b"evil"
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", data, end + 12)
    central = data[start : start + size]
    row = container.central_header(b"a.txt", zlib.crc32(b"evil"), 4, start)
    forged = data[:start] + evil + central + row
    forged += container.end_record(4, len(central) + len(row), start + len(evil))
    assert verdict(forged)[0] == verifier.ALTERED


def test_a_signature_by_another_key_is_told_apart() -> None:
    other = Ed25519PrivateKey.generate()
    expected = sealing.fingerprint(sealing.public_key(KEY))
    code, sentence = verdict(make(FILES, key=other), expected)
    assert code == verifier.OTHER_KEY
    assert sealing.fingerprint(sealing.public_key(other)) in sentence
    spoken = " ".join(expected[at : at + 4] for at in range(0, 64, 4)).upper()
    assert verdict(make(FILES), spoken)[0] == verifier.INTACT


def test_a_foreign_signature_under_our_key_is_found() -> None:
    other = Ed25519PrivateKey.generate()
    data = make(FILES)
    raw = json.dumps({}).encode()
    forged = data.replace(KEY.sign(_manifest(data)).hex().encode(), other.sign(raw).hex().encode())
    assert forged != data
    code, sentence = verdict(forged)
    assert (code, "signature" in sentence) == (verifier.ALTERED, True)


def _manifest(data: bytes) -> bytes:
    content, _ = verifier.entry_at(data, 0, "manifest.json")
    return bytes(content)


def test_our_own_check_of_ed25519_agrees_with_the_library() -> None:
    chance = random.Random(7)  # noqa: S311 - a test's own messages
    for _ in range(12):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = bytes.fromhex(sealing.public_key(key)), chance.randbytes(90)
        signature = key.sign(message)
        assert verifier.signed(public, message, signature)
        assert not verifier.signed(public, message + b"!", signature)
        broken = bytearray(signature)
        broken[chance.randrange(64)] ^= 1
        assert not verifier.signed(public, message, bytes(broken))


def test_the_command_line_says_it_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "PACK-2026-0001.zip"
    path.write_bytes(make(FILES))
    assert verifier.main([str(path)]) == 0
    assert capsys.readouterr().out.startswith("Intact and signed by key ")
    assert verifier.main([str(tmp_path / "none.zip")]) == 2
    assert "cannot be read" in capsys.readouterr().out
