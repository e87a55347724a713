"""What an assignment process is told by its environment (`ASSIGNMENT_...`)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings

SERVICE = "assignment"


class Settings(ServiceSettings):
    """The shared settings with this service's prefix, port and body limits."""

    model_config = SettingsConfigDict(env_prefix="ASSIGNMENT_", extra="ignore")

    http_port: int = 8001
    # A plan's rules come as one document: every ZIP of the country named once is 0.4 MiB.
    max_body_bytes: int = 4 * 1_048_576
    max_import_bytes: int = 64 * 1_048_576
