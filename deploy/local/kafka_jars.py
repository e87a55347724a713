"""The broker's jars: an unpacked distribution (KAFKA_HOME), or resolved once by Maven into the shared cache."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from deploy.local.build_once import build_once
from deploy.local.java import find_java
from deploy.local.paths import REPOSITORY, cache_folder
from deploy.local.trouble import Trouble

POM = REPOSITORY / "deploy/kafka/pom.xml"


def find_jars() -> Path:
    """Return a folder whose jars together are a broker."""
    if named := os.environ.get("KAFKA_HOME"):
        jars = Path(named) / "libs"
        if not any(jars.glob("kafka_2.13-4*.jar")):
            raise Trouble(
                f"KAFKA_HOME={named} holds no Kafka 4.", fix="Point it at an unpacked Kafka 4 distribution."
            )
        return jars
    return build_once(jars_folder(), copy_jars)


def jars_folder() -> Path:
    """Name the cache folder by the version and by what else the pom says."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return cache_folder() / "kafka" / f"{kafka_version()}-{digest}"


def kafka_version() -> str:
    """Read the version from the pom, the only place that has it."""
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    root = ET.parse(POM).getroot()  # noqa: S314  # our own file
    return root.findtext("m:properties/m:kafka.version", namespaces=space) or ""


def copy_jars(folder: Path) -> None:
    """Let Maven resolve the jars into the folder."""
    maven = require_maven()
    print(f"Fetching Apache Kafka {kafka_version()} with Maven (45 MB, once) ...", file=sys.stderr)
    done = subprocess.run(
        [
            *(maven, "--batch-mode", "--no-transfer-progress", "--quiet", "-f", str(POM)),
            *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"),
        ],
        env={**os.environ, "JAVA_HOME": str(find_java().home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Trouble(
            f"Maven could not fetch Kafka: {first_error(done.stdout) or done.stderr.strip()}",
            fix="Check the network and ~/.m2/settings.xml, or unpack a Kafka 4 and set KAFKA_HOME.",
        )


def first_error(output: str) -> str:
    """Return the first line in which Maven says something; it also marks empty lines as errors."""
    said = (line.partition("[ERROR]")[2].strip() for line in output.splitlines())
    return next(filter(None, said), "")


def require_maven() -> str:
    """Return the path of mvn."""
    found = shutil.which("mvn")
    if found is None:
        raise Trouble(
            "Kafka's jars are fetched with Maven and there is no `mvn` here.",
            fix="apt-get install maven, or unpack a Kafka 4 distribution and set KAFKA_HOME; "
            "or use a broker that already runs: KAFKA_BOOTSTRAP_SERVERS=host:port make run",
        )
    return found
