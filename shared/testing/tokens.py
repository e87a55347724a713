"""A test issuer: a key pair, its JWKS, and access tokens signed with it."""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from shared.runtime.production import DEVELOPMENT_ISSUER

AUDIENCE = "bailiwick"
ALGORITHM = "EdDSA"


class Issuer:
    """Stands in for the OIDC provider; every instance has a key of its own."""

    def __init__(self, *, issuer: str = DEVELOPMENT_ISSUER, key_id: str = "test-key") -> None:
        self.issuer = issuer
        self.key_id = key_id
        self.private_key = Ed25519PrivateKey.generate()

    def jwks(self) -> dict[str, Any]:
        """Return the public key set, as the provider would serve it."""
        public = OKPAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}

    def write_jwks(self, folder: Path) -> str:
        """Write the key set into a folder and return its path, as settings want it (AUTH_JWKS)."""
        path = folder / "jwks.json"
        path.write_text(json.dumps(self.jwks()))
        return str(path)

    def claims(
        self,
        *roles: str,
        territories: str | Iterable[UUID] = "*",
        subject: str = "tester",
        **overrides: Any,
    ) -> dict[str, Any]:
        """Return the claims of a good access token; an override of None leaves the claim out."""
        now = int(time.time())
        scope = territories if isinstance(territories, str) else [str(root) for root in territories]
        good = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": str(uuid4()),
            "client_id": "tests",
            "roles": list(roles),
            "territories": scope,
        }
        return {name: value for name, value in {**good, **overrides}.items() if value is not None}

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Sign claims as an access token; `headers` overrides the token's header."""
        header = {"typ": "at+jwt", "kid": self.key_id, **(headers or {})}
        return jwt.encode(dict(claims), self.private_key, algorithm=ALGORITHM, headers=header)

    def token(
        self,
        *roles: str,
        territories: str | Iterable[UUID] = "*",
        subject: str = "tester",
        **overrides: Any,
    ) -> str:
        """Return a token of a caller with these roles; "*" is the whole organisation, a list is subtrees."""
        return self.sign(self.claims(*roles, territories=territories, subject=subject, **overrides))

    def headers(
        self, *roles: str, territories: str | Iterable[UUID] = "*", subject: str = "tester"
    ) -> dict[str, str]:
        """Return the Authorization header of such a caller."""
        return {"Authorization": f"Bearer {self.token(*roles, territories=territories, subject=subject)}"}
