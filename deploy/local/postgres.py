"""A real Postgres 18 on loopback: made from a template, started as a user of its own, gone with us.

postgres = EmbeddedPostgres(folder, fast=True)
postgres.start()
postgres.url("assignment_app")
"""

import shutil
import signal
import subprocess
import time
from pathlib import Path

from deploy.local.build_once import build_once
from deploy.local.child import Process
from deploy.local.embedded import EmbeddedEngine
from deploy.local.paths import cache_folder
from deploy.local.ports import LOOPBACK
from deploy.local.postgres_binaries import PostgresBinaries, find_postgres
from deploy.local.trouble import Trouble
from deploy.local.unprivileged import initdb_identity, server_identity

SUPERUSER = "postgres"
DATABASE = "bailiwick"
STOP_SIGNAL = signal.SIGINT  # "fast": ends sessions; TERM would wait for them to leave by themselves

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    # Fixed: a server with a logical slot left behind does not start with a lower one.
    "wal_level": "logical",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# For tests, whose data nobody misses after a power cut.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedEngine):
    """One server over one data folder."""

    NAME = "Postgres"

    def url(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """Return the address for a role; on loopback a role's password is its name."""
        return f"postgresql://{role}:{role}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Have a data folder that a server can start on, and the port free."""
        self.require_port()
        binaries = find_postgres()
        build_once(self.data_dir, lambda unfinished: copy_template(binaries, unfinished))
        made_by = (self.data_dir / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise Trouble(
                f"{self.data_dir} was made by Postgres {made_by}, the binaries here are {binaries.version}.",
                fix="Remove the folder to start afresh (make clean), or set PG_BIN_DIR to the older ones.",
            )
        remove_stale_pid_file(self.data_dir)

    def process(self) -> Process:
        """Describe the server for whoever runs it."""
        identity = server_identity(self.data_dir)
        binaries = find_postgres()
        settings = {**SETTINGS, **(FAST_SETTINGS if self._fast else {})}
        command = [binaries.path("postgres"), "-D", str(self.data_dir), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Process(
            name="postgres",
            command=identity.command(
                command, reaching=[binaries.folder, self.data_dir], death_signal=STOP_SIGNAL
            ),
            log=self._log,
            is_ready=self.is_ready,
            prepare=self.prepare,
            stop_signal=STOP_SIGNAL,
        )

    def is_ready(self) -> bool:
        """Read the server's own word for it, which no other server on the port could have written."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"


def copy_template(binaries: PostgresBinaries, folder: Path) -> None:
    """Fill the folder with a cluster that initdb made once for all clones: 0.1 s instead of seconds."""
    template = build_once(
        cache_folder() / "postgres" / f"template-{binaries.version}",
        lambda unfinished: initdb(binaries, unfinished),
    )
    shutil.copytree(template, folder, dirs_exist_ok=True)
    folder.chmod(0o700)
    server_identity(folder).own(folder)


def initdb(binaries: PostgresBinaries, folder: Path) -> None:
    """Make a cluster with SCRAM passwords and a collation that no system library can change."""
    identity = initdb_identity()
    password = folder.with_name(f"{folder.name}.password")
    password.write_text(SUPERUSER)
    identity.own(folder)
    identity.own(password)
    command = [
        *(binaries.path("initdb"), "-D", str(folder), "-U", SUPERUSER, f"--pwfile={password}"),
        *("-A", "scram-sha-256", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
    ]
    done = subprocess.run(
        identity.command(command, reaching=[binaries.folder, folder], death_signal=signal.SIGTERM),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    password.unlink()
    if done.returncode != 0:
        raise Trouble(
            f"initdb failed: {' '.join(done.stderr.split())}",
            fix="Postgres' own words; PG_BIN_DIR names other binaries, DATABASE_URL a server that runs.",
        )


def remove_stale_pid_file(data_dir: Path, *, patience: float = 10.0) -> None:
    """After kill -9 the file stays, and the number in it may by now belong to any process of ours.

    Postgres would take that process for a server on the same data and refuse to start. The file goes only
    when no process lives in the data folder, backends included; while some do, they are given time to end,
    and what stays longer is left to Postgres to judge.
    """
    file = data_dir / "postmaster.pid"
    deadline = time.monotonic() + patience
    while file.exists() and time.monotonic() < deadline and Path("/proc/self").exists():
        if not any(may_live_in(process, data_dir) for process in Path("/proc").glob("[0-9]*")):
            file.unlink(missing_ok=True)
        time.sleep(0.1)


def may_live_in(process: Path, folder: Path) -> bool:
    """Tell whether the process has the folder as its working folder, as every process of a server has."""
    try:
        return (process / "cwd").readlink() == folder
    except FileNotFoundError:
        return False
    except PermissionError:
        # In a container root may not look; then any process of the same user may be one.
        return process.exists() and process.stat().st_uid == folder.stat().st_uid
