"""Verification of access tokens: one `verify`, keys from a JWKS file or URL, never a key from the token.

RFC 9068 access tokens with RFC 8725's rules: fixed algorithms, issuer, audience, expiry, explicit type.
"""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt

from shared.db.scope import EVERYWHERE, Scope
from shared.http.principal import Principal, Role
from shared.runtime.logging import get_logger
from shared.runtime.refusals import Refusal

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 60
REFRESH_SECONDS = 30.0
MAX_AGE_SECONDS = 300.0
_MAX_TOKEN_CHARACTERS = 8192

log = get_logger(__name__)


class TokenRefused(Exception):
    """The token does not identify a caller; the reason is for the log, not for the caller."""


class IssuerUnreachable(Refusal):
    """No key of the issuer could be read yet, so no token can be judged."""


class Keys:
    """The issuer's public keys, cached for five minutes: so long a withdrawn key can still be used.

    An unknown key id asks the issuer again, at most once per 30 s. While the issuer cannot be read, the keys
    known before go on serving.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._keys: dict[str, jwt.PyJWK] | None = None
        self._refreshed_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> jwt.PyJWK:
        """Return the key of this id. Raises TokenRefused when the issuer has none, IssuerUnreachable."""
        if key_id not in (self._keys or {}) or time.monotonic() - self._refreshed_at > MAX_AGE_SECONDS:
            await self._refresh()
        if self._keys is None:
            raise IssuerUnreachable("The identity provider's keys cannot be read; try again.")
        if key_id not in self._keys:
            raise TokenRefused("unknown key id")
        return self._keys[key_id]

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._refreshed_at < REFRESH_SECONDS:
                return
            self._refreshed_at = time.monotonic()
            try:
                self._keys = dict(_signing_keys(json.loads(await self._read())["keys"]))
            except (OSError, ValueError, LookupError, TypeError, httpx.HTTPError) as error:
                # Cached keys go on serving; an unreadable set must not turn into a 500.
                log.warning("key set unreadable", location=self._location, error=type(error).__name__)

    async def _read(self) -> str:
        if self._location.startswith(("http://", "https://")):
            async with httpx.AsyncClient(timeout=5) as client:
                return (await client.get(self._location)).raise_for_status().text
        return await asyncio.to_thread(Path(self._location).read_text)


def _signing_keys(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for entry in entries:
        if "kid" not in entry or entry.get("use", "sig") != "sig":
            continue
        try:
            yield entry["kid"], jwt.PyJWK.from_dict(entry)
        except (jwt.PyJWTError, ValueError) as error:
            # Issuers publish keys of kinds we do not know; the others stay good.
            log.info("key passed over", key_id=entry["kid"], error=type(error).__name__)


class Tokens:
    """Turns a bearer token into a principal, or refuses it."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, organisation: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._organisation = organisation

    async def verify(self, token: str) -> Principal:
        """Return the caller behind a token. Raises TokenRefused."""
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise TokenRefused("too long")
        try:
            header = jwt.get_unverified_header(token)
            self._check_header(header)
            key = await self._keys.get(header["kid"])
            if key.algorithm_name != header["alg"]:
                raise TokenRefused("algorithm does not fit the key")
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            return self._principal(claims)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused(type(error).__name__) from error

    def _check_header(self, header: dict[str, Any]) -> None:
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefused("algorithm not allowed")
        if str(header.get("typ", "")).lower() not in {"at+jwt", "application/at+jwt"}:
            raise TokenRefused("not an access token")
        if not isinstance(header.get("kid"), str):
            raise TokenRefused("no key id")
        if "crit" in header:
            raise TokenRefused("critical extension not understood")

    def _principal(self, claims: dict[str, Any]) -> Principal:
        if claims.get("org", self._organisation) != self._organisation:
            raise TokenRefused("another organisation")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise TokenRefused("subject")
        roles = claims.get("roles", [])
        known = (
            frozenset(Role(role) for role in roles if isinstance(role, str) and role in set(Role))
            if isinstance(roles, list)
            else frozenset()
        )
        return Principal(subject=subject, roles=known, scope=_scope(claims.get("territories")))


def _scope(claim: Any) -> Scope:
    """Read the scope: "*" is the whole organisation, a list is subtrees, anything else is nothing."""
    if claim == "*":
        return EVERYWHERE
    if not isinstance(claim, list):
        return Scope(everything=False)
    if not all(isinstance(root, str) for root in claim):
        raise TokenRefused("territories")
    return Scope(everything=False, roots=tuple(UUID(root) for root in claim))
