"""What a run needs from the machine, looked at before anything starts."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.local.java import find_java
from deploy.local.kafka_jars import jars_folder, require_maven
from deploy.local.postgres_binaries import find_postgres
from deploy.local.settings import LocalSettings
from deploy.local.trouble import Trouble

OLDEST_PYTHON = (3, 11)
# The first run unpacks engines and data; a year of the demo's facts and the broker's log need about half of it.
NEEDED_BYTES = 2 * 1024**3

FreeBytes = Callable[[Path], int]


def check_machine(settings: LocalSettings, folder: Path) -> None:
    """Raise Trouble for the first thing that is missing."""
    require_python(sys.version_info[:2])
    require_disk(folder)
    if settings.database_url is None:
        find_postgres()
    if settings.kafka_bootstrap_servers is None:
        find_java()
        if "KAFKA_HOME" not in os.environ and not jars_folder().exists():
            require_maven()
    settings.require_free_ports()


def require_python(version: tuple[int, int]) -> None:
    """Refuse a Python that is too old."""
    if version < OLDEST_PYTHON:
        raise Trouble(
            f"This is Python {version[0]}.{version[1]}; Bailiwick needs {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} "
            "or newer.",
            fix="Install python3.11 or newer, remove .venv and run again.",
        )


def free_bytes(folder: Path) -> int:
    """Return the space left where the folder is, or will be."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free


def require_disk(folder: Path, free: FreeBytes = free_bytes) -> None:
    """Refuse a disk that is nearly full: engines fail in stranger ways."""
    left = free(folder)
    if left < NEEDED_BYTES:
        raise Trouble(
            f"Only {left / 1024**3:.1f} GiB are free at {folder}; a run wants {NEEDED_BYTES / 1024**3:.0f} GiB.",
            fix="Free some space, or put the clone on another disk.",
        )
