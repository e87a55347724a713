"""The identity provider's public keys: read from a JWKS file or URL, renewed beside the requests that use them."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt

from shared.runtime.logging import get_logger
from shared.runtime.production import is_development_key

RENEW_SECONDS = 150.0
# So long after a reading a key that was withdrawn meanwhile is still taken.
TRUST_SECONDS = 300.0
# An issuer that is away does not lock everybody out; after so long nobody can say which keys still hold.
STALE_SECONDS = 86_400.0
# At most one reading in so long, however many unknown key ids arrive.
PAUSE_SECONDS = 30.0
READ_SECONDS = 5.0

log = get_logger(__name__)


class Keys:
    """The keys that are known, and at most one reading that is to replace them.

    Requests are served with the known keys while they are renewed. Only a request that cannot be judged without a
    reading waits for it: its key id is unknown, or nobody has renewed the keys for too long. A reading that fails
    leaves the known keys in use for a day after they were read.
    """

    def __init__(
        self, location: str, *, development: bool = False, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Read from a path or URL; keys of the development issuer count only in development."""
        self._location = location
        self._development = development
        self._seconds = seconds
        self._keys: dict[str, jwt.PyJWK] | None = None
        self._asked_at = self._renew_at = self._trusted_until = self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of this id, None when the issuer has none."""
        if key_id not in (self._keys or {}) or self._seconds() > self._trusted_until:
            await self._renewed()
        elif self._seconds() > self._renew_at:
            self._renew()
        return (self._keys or {}).get(key_id)

    @property
    def are_known(self) -> bool:
        """Tell whether the issuer's keys were ever read; without them no token can be judged."""
        return self._keys is not None

    async def _renewed(self) -> None:
        self._renew()
        if self._reading is not None:
            # Shielded: a caller who hangs up must not end what others wait for.
            await asyncio.shield(self._reading)

    def _renew(self) -> None:
        if self._reading is None and self._seconds() - self._asked_at >= PAUSE_SECONDS:
            self._asked_at = self._seconds()
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        pause = PAUSE_SECONDS
        try:
            async with asyncio.timeout(READ_SECONDS):
                entries = json.loads(await self._fetch())["keys"]
            self._keys = dict(self._signing_keys(entries))
            self._read_at = self._seconds()
            pause = RENEW_SECONDS
        except (OSError, ValueError, LookupError, TypeError, httpx.HTTPError, httpx.InvalidURL) as error:
            # An unreadable set must not turn into a 500.
            log.warning("key set unreadable", location=self._location, error=type(error).__name__)
            if self._seconds() - self._read_at > STALE_SECONDS:
                self._keys = None
        finally:
            self._renew_at = self._seconds() + pause
            self._trusted_until = self._seconds() + TRUST_SECONDS
            self._reading = None

    async def _fetch(self) -> str:
        if self._location.lower().startswith(("http://", "https://")):
            async with httpx.AsyncClient(timeout=READ_SECONDS) as client:
                return (await client.get(self._location)).raise_for_status().text
        return await asyncio.to_thread(Path(self._location).read_text)

    def _signing_keys(self, entries: Iterable[Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
        for entry in entries:
            if not isinstance(entry, dict):
                raise TypeError("a key is an object")
            if "kid" not in entry or entry.get("use", "sig") != "sig":
                continue
            if is_development_key(entry) and not self._development:
                # Anybody with a clone can have such a key.
                log.error("development key refused", location=self._location, key_id=entry["kid"])
                continue
            try:
                yield entry["kid"], jwt.PyJWK.from_dict(entry)
            except (jwt.PyJWTError, ValueError) as error:
                # Issuers publish keys of kinds we do not know; the others stay good.
                log.info("key passed over", key_id=entry["kid"], error=type(error).__name__)
