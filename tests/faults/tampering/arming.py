"""How a fault tells a process that its moment has come: a file by the tampering's name."""

import os
import signal
from pathlib import Path

FOLDER = "TAMPERING_FOLDER"


def file_of(name: str, folder: Path | None = None) -> Path:
    """Return the file that arms a tampering."""
    return (folder or Path(os.environ[FOLDER])) / name


def taken(name: str) -> bool:
    """Tell whether the tampering was armed, and disarm it: of several processes one is told."""
    try:
        file_of(name).unlink()
    except FileNotFoundError:
        return False
    return True


def read(name: str) -> str | None:
    """Return what the file says while it is there."""
    try:
        return file_of(name).read_text().strip()
    except FileNotFoundError:
        return None


def die() -> None:
    """End as kill -9 ends a process: without a word."""
    os.kill(os.getpid(), signal.SIGKILL)
