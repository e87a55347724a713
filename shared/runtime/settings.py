"""Settings every service shares; built in `__main__`, never at import. What is not told is production."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.production import (
    DEMO_ORGANISATION,
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_KEYS,
    is_loopback,
    is_of_development_issuer,
    may_speak_in_the_clear,
    publishes_development_keys,
)


class UnsafeSettings(ValueError):
    """A combination that is fine on a laptop and dangerous elsewhere."""


class ServiceSettings(BaseSettings):
    """What a process of any service needs to know; subclasses add the environment prefix and the port."""

    # What is refused may be a secret; the error names the setting without its value.
    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    # Who forgets it gets the strict one: the launcher, the compose file and the tests say "development".
    environment: Literal["development", "production"] = "production"
    allow_development_on_network: bool = False
    allow_database_without_tls: bool = False
    organisation: str = DEMO_ORGANISATION
    database_url: SecretStr
    migration_database_url: SecretStr | None = None
    database_pool_size: int = Field(default=10, ge=1, le=100)
    kafka_bootstrap_servers: str = "127.0.0.1:9094"
    kafka_topic_prefix: str = ""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: str | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    health_port: int = 0
    auth_issuer: str = DEVELOPMENT_ISSUER
    auth_audience: str = "bailiwick"
    auth_jwks: str = DEVELOPMENT_KEYS
    max_body_bytes: int = 1_048_576
    log_format: Literal["console", "json"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def in_development(self) -> bool:
        """Tell whether the development issuer's tokens are good here."""
        return self.environment == "development"

    @model_validator(mode="after")
    def refuse_what_is_unsafe(self) -> Self:
        """Stop a process that would be open to strangers; name everything at once, each with its fix."""
        found = list(self._unsafe_development() if self.in_development else self._unsafe_production())
        if found:
            raise UnsafeSettings("\n".join(found))
        return self

    def _unsafe_development(self) -> Iterator[str]:
        if not is_loopback(self.http_host) and not self.allow_development_on_network:
            yield (
                f"{self._named('ENVIRONMENT')} is development, which trusts keys that lie on a disk, and "
                f"{self._named('HTTP_HOST')}={self.http_host} is open to the network: listen on 127.0.0.1, set "
                f"{self._named('ENVIRONMENT')}=production, or, on a network of your own, "
                f"{self._named('ALLOW_DEVELOPMENT_ON_NETWORK')}=true."
            )

    def _unsafe_production(self) -> Iterator[str]:
        if self.organisation.strip().lower() == DEMO_ORGANISATION:
            yield f"{self._named('ORGANISATION')} is the demo's: name your organisation; events carry the name."
        yield from self._unsafe_tokens()
        if self.kafka_security_protocol in {"PLAINTEXT", "SASL_PLAINTEXT"}:
            yield f"{self._named('KAFKA_SECURITY_PROTOCOL')} must be SSL or SASL_SSL in production."
        if not self.allow_database_without_tls:
            yield from self._database_in_the_clear()

    def _unsafe_tokens(self) -> Iterator[str]:
        if is_of_development_issuer(self.auth_issuer):
            yield f"{self._named('AUTH_ISSUER')} is the development issuer: name your OIDC provider."
        if self.auth_jwks.lower().startswith("http://"):
            yield f"{self._named('AUTH_JWKS')} must be an https URL or a file in production."
        elif self.auth_jwks == DEVELOPMENT_KEYS or publishes_development_keys(self.auth_jwks):
            yield f"{self._named('AUTH_JWKS')} is the development issuer's key set: name your OIDC provider's."

    def _database_in_the_clear(self) -> Iterator[str]:
        urls = {"DATABASE_URL": self.database_url, "MIGRATION_DATABASE_URL": self.migration_database_url}
        for name, url in urls.items():
            if url is not None and may_speak_in_the_clear(url.get_secret_value()):
                yield (
                    f"{self._named(name)} leads to another machine without TLS: add ?sslmode=verify-full (or at "
                    f"least require), or, on a private network, set {self._named('ALLOW_DATABASE_WITHOUT_TLS')}=true."
                )

    def _named(self, setting: str) -> str:
        return f"{self.model_config.get('env_prefix', '')}{setting}"


def explain(error: ValidationError, *, service: str) -> str:
    """Say what is wrong with a service's settings, in the names of its environment, without their values."""
    lines = [
        str(found["ctx"]["error"])
        if found["type"] == "value_error"
        else f"{service}_{'_'.join(map(str, found['loc']))}".upper() + f": {found['msg']}."
        for found in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join(
        [f"{service} does not start with these settings (docs/operating.md lists them all):", *lines]
    )
