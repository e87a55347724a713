"""Where things lie: the clone, its .local folder, and the cache that several clones share."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL = REPOSITORY / ".local"
LOGS = LOCAL / "logs"
POSTGRES_DATA = LOCAL / "postgres"
KAFKA_DATA = LOCAL / "kafka"
ISSUER = LOCAL / "issuer"
ENDPOINTS = LOCAL / "endpoints.json"


def cache_folder() -> Path:
    """Return the folder for what is costly to make and the same for every clone."""
    if named := os.environ.get("BAILIWICK_CACHE"):
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "bailiwick"
