"""Seals secrets at rest with AES-256-GCM under a key that the environment holds and the database does not."""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Unsealable(Exception):
    """Sealed under another key, or for another source."""


class Seal:
    """Seals and opens; `about` binds what is sealed to its place."""

    def __init__(self, key: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(key.encode()).digest())

    def close(self, secret: bytes, *, about: str) -> bytes:
        """Return the secret sealed."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, about.encode())

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Return the secret. Raises Unsealable."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except InvalidTag:
            raise Unsealable(about) from None
