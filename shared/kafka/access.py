"""How to reach Kafka: addresses, security and the prefix that keeps two deployments on one cluster apart."""

from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Literal

from aiokafka.helpers import create_ssl_context

from shared.runtime.settings import ServiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccess:
    """What every client needs; nothing is read from the environment here."""

    bootstrap_servers: str
    topic_prefix: str = ""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_cafile: str | None = None

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "KafkaAccess":
        """Take the Kafka part of a service's settings."""
        password = settings.kafka_sasl_password
        return cls(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            topic_prefix=settings.kafka_topic_prefix,
            security_protocol=settings.kafka_security_protocol,
            sasl_mechanism=settings.kafka_sasl_mechanism,
            sasl_username=settings.kafka_sasl_username,
            sasl_password=password.get_secret_value() if password else None,
            ssl_cafile=settings.kafka_ssl_cafile,
        )

    def physical(self, topic: str) -> str:
        """Return the topic's name on the cluster."""
        return self.topic_prefix + topic

    def logical(self, topic: str) -> str:
        """Return the name by which contracts and tables know a topic of the cluster."""
        return topic.removeprefix(self.topic_prefix)

    def client_options(self) -> dict[str, Any]:
        """Return the options that all aiokafka clients share."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "metadata_max_age_ms": 30_000,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options

    def _ssl_context(self) -> SSLContext:
        context: SSLContext = create_ssl_context(cafile=self.ssl_cafile)
        return context
