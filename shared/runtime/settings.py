"""Settings every service shares; built in `__main__`, never at import."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_ISSUER = "https://issuer.bailiwick.invalid/development"
DEVELOPMENT_KEYS = ".local/issuer/jwks.json"


class UnsafeSettings(ValueError):
    """A combination that is fine on a laptop and dangerous in production."""


class ServiceSettings(BaseSettings):
    """What a process of any service needs to know; subclasses add the environment prefix and the port."""

    # What is refused may be a secret; the error names the setting without its value.
    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    organisation: str = "demo"
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

    @model_validator(mode="after")
    def refuse_what_is_unsafe_in_production(self) -> Self:
        """Stop a production process that would trust the development issuer or speak Kafka in the clear."""
        if self.environment != "production":
            return self
        # The host, not the whole name: another spelling of the development issuer is no better.
        if urlsplit(self.auth_issuer).hostname == urlsplit(DEVELOPMENT_ISSUER).hostname:
            raise UnsafeSettings("AUTH_ISSUER is the development issuer; name your OIDC provider")
        if self.kafka_security_protocol in {"PLAINTEXT", "SASL_PLAINTEXT"}:
            raise UnsafeSettings("KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL in production")
        if self.auth_jwks.lower().startswith("http://"):
            raise UnsafeSettings("AUTH_JWKS must be an https URL or a file in production")
        if self.auth_jwks.endswith(DEVELOPMENT_KEYS):
            raise UnsafeSettings("AUTH_JWKS is the development issuer's key set; name your OIDC provider's")
        return self
