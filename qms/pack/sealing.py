"""The key that signs packs, and the manifest it signs (Ed25519).

The key comes from the setting PACK_SIGNING_KEY; outside production one is made at first use and
kept under VAR_DIR, readable by its owner only.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from qms.refusals import Refused


def private_key() -> Ed25519PrivateKey:
    """The installation's key; raises Refused in words when it cannot be had."""
    text = settings.PACK_SIGNING_KEY or _kept_key()
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    except ValueError:
        raise Refused(
            "The key that signs packs is not readable: PACK_SIGNING_KEY is 64 hexadecimal digits. "
            "Ask your administrator."
        ) from None


def _kept_key() -> str:
    if settings.PRODUCTION:
        raise Refused("PACK_SIGNING_KEY is not set, so no pack can be signed. Set it.")
    path = Path(settings.VAR_DIR) / "keys" / "pack.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        # Whole or not at all: another worker may be making it at the same moment.
        draft = path.with_name(f"pack.{os.getpid()}.new")
        draft.touch(mode=0o600)
        draft.write_text(Ed25519PrivateKey.generate().private_bytes_raw().hex())
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text().strip()


def public_key(key: Ed25519PrivateKey) -> str:
    """The public half, 64 hexadecimal digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def fingerprint(public: str) -> str:
    """SHA-256 (hex) of the public key: what people compare."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def own_fingerprint() -> str:
    """The fingerprint of this installation's key."""
    return fingerprint(public_key(private_key()))


def canonical(manifest: dict[str, Any]) -> bytes:
    """A manifest as the bytes that are signed: sorted, one line a value, UTF-8."""
    return (json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def sign(content: bytes, key: Ed25519PrivateKey) -> bytes:
    """The content of manifest.sig: 128 hexadecimal digits and a line's end."""
    return (key.sign(content).hex() + "\n").encode()
