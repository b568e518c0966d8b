"""The sealing key: what secrets in the store are encrypted with, and where it is kept.

Verifying a signature takes the secret itself, so secrets cannot be hashed. They are sealed with AES-GCM, under a key
that is not in the store: whoever reads the store alone, or a backup of it, can sign nothing. The binding of a secret
(its id, account, role and Regions) is sealed in with it, so whoever can write to the store alone cannot give a key
another role.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardray.errors import UsageError

KEY_BYTES = 32
NONCE_BYTES = 12
FILE_NAME = "access.key"
ENVIRONMENT = "GUARDRAY_SEAL_KEY"
"""Holds the sealing key in base64, for places where secrets come as environment variables."""


class Seal:
    """Seals secrets and hashes tokens under one sealing key.

    Attributes:
        name: tells sealing keys apart, and nothing of the key.
    """

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._hash_key = _derived(key, b"token")
        self.name = _derived(key, b"name").hex()[:16]

    def close(self, secret: str, binding: str) -> str:
        """The secret, sealed together with what it is bound to."""
        nonce = os.urandom(NONCE_BYTES)
        return b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), binding.encode())).decode()

    def open(self, sealed: str, binding: str) -> str | None:
        """The secret; null where it was sealed with another key or binding, or was changed since."""
        try:
            whole = b64decode(sealed, validate=True)
            return self._cipher.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], binding.encode()).decode()
        except (ValueError, InvalidTag):
            return None

    def hashed(self, token: str, binding: str) -> str:
        """What is kept of a token: a hash that needs the sealing key, of the token and what it is bound to."""
        message = f"{len(binding)}:{binding}{token}".encode()
        return hmac.digest(self._hash_key, message, "sha256").hex()


def new_key() -> bytes:
    """A key nobody else has."""
    return os.urandom(KEY_BYTES)


def read_seal(data: Path, key_file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Seal | None:
    """The seal of `key_file` or, where none is given, of the environment, or else of the data folder.

    Returns:
        Null where none of them has one.

    Raises:
        UsageError: there is one that cannot be read, is no sealing key, or that others on the machine may read.
    """
    if key_file is not None:
        return _read(key_file)
    if value := environment.get(ENVIRONMENT):
        return Seal(_decoded(value, ENVIRONMENT))
    own = data / FILE_NAME
    if not own.exists():
        return None
    if own.stat().st_mode & 0o077:
        raise UsageError(f"{own}: others may read it, and with it the secrets of the store: chmod 600 {own}")
    return _read(own)


def make_seal(data: Path) -> Seal:
    """A new sealing key, in a file of the data folder that only its owner can read.

    Raises:
        UsageError: the file is there, or cannot be written.
    """
    path, key = data / FILE_NAME, new_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(b64encode(key) + b"\n")
            stream.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    return Seal(key)


def _read(path: Path) -> Seal:
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no sealing key") from error
    return Seal(_decoded(text, str(path)))


def _decoded(text: str, place: str) -> bytes:
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(f"{place}: is no sealing key: {KEY_BYTES} bytes in base64 are one")
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    # One key a purpose, by HKDF's expansion step (RFC 5869): the key is random already, so nothing is to be extracted.
    return hmac.digest(key, b"guardray access " + purpose + b"\x01", hashlib.sha256)
