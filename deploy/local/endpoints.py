"""`.local/endpoints.json`: what runs and where, for scripts and tools."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Endpoints:
    """The document; its field names are stable."""

    urls: Mapping[str, str]
    kafka_bootstrap_servers: str
    database_url: str
    database_urls: Mapping[str, str]
    pids: Mapping[str, int]
    logs: Mapping[str, str]
    health: Mapping[str, str]
    issuer: Mapping[str, str]

    def write(self, file: Path) -> None:
        """Replace the file in one step: a reader sees the old or the new, never half of one."""
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n")
        unfinished.replace(file)

    @classmethod
    def read(cls, file: Path) -> "Endpoints | None":
        """Return what runs, None when nothing does."""
        try:
            document: dict[str, Any] = json.loads(file.read_text())
        except FileNotFoundError:
            return None
        return cls(**document)
