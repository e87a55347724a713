"""The development issuer: signs access tokens as an OIDC provider would, for one machine only."""

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.trouble import Trouble
from shared.runtime.production import (
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_KEY_PREFIX,
    publishes_development_keys,
)

AUDIENCE = "bailiwick"
CLIENT = "bailiwick-development"
ROLES = ("viewer", "contributor", "manager", "admin", "service")
LIFETIME_SECONDS = 12 * 3600
SUBJECT = "developer"


class DevelopmentIssuer:
    """A key pair in a folder; the services read its public half from `jwks.json`."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        """Refuse production, where tokens come from the organisation's own provider."""
        if environment.get("ENVIRONMENT") == "production":
            raise Trouble(
                "The development issuer does not work in production.",
                fix="Take tokens from your OIDC provider and point <SERVICE>_AUTH_ISSUER at it.",
            )
        self.jwks = folder / "jwks.json"
        self.private_key = folder / "private.pem"

    def ensure_keys(self) -> None:
        """Make the key pair once, so that tokens outlive a restart."""
        if self.private_key.exists() and publishes_development_keys(str(self.jwks)):
            return
        self.jwks.parent.mkdir(parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        published = {
            **public,
            "kid": f"{DEVELOPMENT_KEY_PREFIX}{uuid.uuid4().hex}",
            "use": "sig",
            "alg": "EdDSA",
        }
        write_private(self.private_key, pem)
        # Last, and in one step: who sees it can rely on both files.
        unfinished = self.jwks.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"keys": [published]}, indent=2) + "\n")
        unfinished.replace(self.jwks)

    def token(self, *, role: str, scope: str = "*", subject: str = SUBJECT) -> str:
        """Sign a token for a role, for the whole organisation or for some territories' subtrees."""
        self.ensure_keys()
        key_id = json.loads(self.jwks.read_text())["keys"][0]["kid"]
        claims = claims_of(roles=[role], scope=scope, subject=subject, now=int(time.time()))
        headers = {"kid": key_id, "typ": "at+jwt"}
        return jwt.encode(claims, self.private_key.read_bytes(), algorithm="EdDSA", headers=headers)


def claims_of(*, roles: Sequence[str], scope: str, subject: str, now: int) -> dict[str, Any]:
    """Return the claims of an RFC 9068 access token."""
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise Trouble(f"ROLE={', '.join(unknown)} is no role.", fix=f"One of: {', '.join(ROLES)}.")
    return {
        "iss": DEVELOPMENT_ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "client_id": CLIENT,
        "jti": uuid.uuid4().hex,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "roles": list(roles),
        "territories": territories_of(scope),
    }


def territories_of(scope: str) -> str | list[str]:
    """Read SCOPE: "*" or nothing is the whole organisation, else territory ids with commas between."""
    if scope in {"", "*"}:
        return "*"
    try:
        return [str(uuid.UUID(part.strip())) for part in scope.split(",")]
    except ValueError:
        raise Trouble(
            f"SCOPE={scope} is no territory id.", fix="Give a UUID, or several with commas between."
        ) from None


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
