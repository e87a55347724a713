"""Verification of access tokens: one `verify`, with the issuer's keys, never a key from the token.

RFC 9068 access tokens with RFC 8725's rules: fixed algorithms, issuer, audience, expiry, explicit type.
"""

import re
from typing import Any
from uuid import UUID

import jwt

from shared.db.scope import EVERYWHERE, Scope
from shared.http.keys import Keys
from shared.http.principal import Principal, Role
from shared.runtime.refusals import Refusal

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 60
_MAX_TOKEN_CHARACTERS = 8192
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class TokenRefused(Exception):
    """The token does not identify a caller; the reason is for the log, not for the caller."""


class IssuerUnreachable(Refusal):
    """No key of the issuer could be read yet, so no token can be judged."""


class Tokens:
    """Turns a bearer token into a principal, or refuses it."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, organisation: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._organisation = organisation

    async def verify(self, token: str) -> Principal:
        """Return the caller behind a token. Raises TokenRefused, IssuerUnreachable."""
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise TokenRefused("too long")
        try:
            header = jwt.get_unverified_header(token)
            self._check_header(header)
            key = await self._keys.get(header["kid"])
            if not self._keys.are_known:
                raise IssuerUnreachable("The identity provider's keys cannot be read; try again.")
            if key is None:
                raise TokenRefused("unknown key id")
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
        # A rep is known by their id, in whichever case an issuer writes it.
        if _UUID.fullmatch(subject):
            subject = subject.lower()
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
