"""What an assignment process is told by its environment (`ASSIGNMENT_...`)."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings

SERVICE = "assignment"


class Settings(ServiceSettings):
    """The shared settings with this service's prefix, port, body limits and key."""

    model_config = SettingsConfigDict(env_prefix="ASSIGNMENT_", extra="ignore")

    http_port: int = 8001
    # A plan's rules come as one document: every ZIP of the country named once is 0.4 MiB.
    max_body_bytes: int = 4 * 1_048_576
    max_import_bytes: int = 64 * 1_048_576
    # Seals the secrets of webhooks; without it production registers no source of webhooks.
    webhook_key: SecretStr | None = None

    @property
    def sealing_key(self) -> str | None:
        """Return the key that webhook secrets are sealed with."""
        if self.webhook_key is not None:
            return self.webhook_key.get_secret_value()
        return "development" if self.in_development else None
