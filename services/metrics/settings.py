"""What a metrics process is told by its environment (`METRICS_...`)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings

SERVICE = "metrics"


class Settings(ServiceSettings):
    """The shared settings with this service's prefix and port."""

    model_config = SettingsConfigDict(env_prefix="METRICS_", extra="ignore")

    http_port: int = 8002
