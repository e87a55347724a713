"""The settings of collab's processes, read from COLLAB_* when `__main__` asks for them."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What collab needs to know."""

    model_config = SettingsConfigDict(env_prefix="COLLAB_")

    http_port: int = 8003
