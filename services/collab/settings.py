"""What a collab process is told by its environment (`COLLAB_...`)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings

SERVICE = "collab"


class Settings(ServiceSettings):
    """The shared settings with this service's prefix and port."""

    model_config = SettingsConfigDict(env_prefix="COLLAB_", extra="ignore")

    http_port: int = 8003
