"""Where everything is that a process of ours has to be told about."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from deploy.local.issuer import DevelopmentIssuer
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import DATABASE
from deploy.local.roles import password_of
from deploy.local.settings import LocalSettings

# A broker elsewhere may ask for these; they are given to every service under its own prefix.
PASSED_ON = (
    "ORGANISATION",
    "LOG_LEVEL",
    "KAFKA_TOPIC_PREFIX",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_SSL_CAFILE",
)


@dataclass(frozen=True)
class Surroundings:
    """The engines, ours or others', the ports, and the issuer of tokens."""

    settings: LocalSettings
    admin_url: str
    kafka_bootstrap_servers: str
    issuer: DevelopmentIssuer

    def database_url(self, role: str | None = None) -> str:
        """Return the address of the product's database for a role, or for the administrator."""
        address = urlsplit(self.admin_url)
        if role is None:
            return address._replace(path=f"/{DATABASE}").geturl()
        login = f"{role}:{quote(password_of(role), safe='')}"
        host = f"{address.hostname}:{address.port or 5432}"
        return address._replace(netloc=f"{login}@{host}", path=f"/{DATABASE}").geturl()

    def environment_of(self, service: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return what every process of the service is told."""
        told = {name: environment[name] for name in PASSED_ON if name in environment}
        told |= {
            # Said, never assumed: what is not told is production.
            "ENVIRONMENT": "development",
            "DATABASE_URL": self.database_url(f"{service}_app"),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "HTTP_HOST": LOOPBACK,
            "HTTP_PORT": str(self.settings.ports[service]),
            "AUTH_JWKS": str(self.issuer.jwks),
            "LOG_FORMAT": "console",
        }
        if service == "assignment":
            # For anybody to read: what it seals are secrets of webhooks that a demo makes up.
            told.setdefault("WEBHOOK_KEY", "development-seals-webhooks-with-this")
        named = {f"{service.upper()}_{name}": value for name, value in told.items()}
        return {**named, "PYTHONUNBUFFERED": "1"}
