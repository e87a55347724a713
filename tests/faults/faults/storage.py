"""Disks fill up, and a database comes back from a backup."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local.postgres_binaries import find_postgres
from deploy.local.trouble import Trouble
from tests.faults.fault import Fault
from tests.faults.stage import Engines, Stage, start_engines

METRICS = ("metrics.api", "metrics.relay", "metrics.consumer", "metrics.consumer.2")
APIS = ("assignment.api", "assignment.api.2")
_MEGABYTE = 2**20
_DISK = "900m"


@contextmanager
def small_disks() -> Iterator[Engines]:
    """Start the engines on disks of their own in memory, small enough to be filled. Needs to be root."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bailiwick-disks-")))
        folder.chmod(0o755)
        disks = {}
        for name in ("postgres", "kafka"):
            disks[name] = folder / name
            disks[name].mkdir()
            run_program("mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=755", "tmpfs", str(disks[name]))
            ends.callback(run_program, "umount", "--lazy", str(disks[name]))
        yield ends.enter_context(start_engines(disks=disks))


def run_program(*command: str) -> None:
    """Run a program to its end. Raises Trouble when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(
            f"{' '.join(command)}: {done.stderr.strip()}", fix="This fault mounts disks: run it as root."
        )


def fill(disk: Path) -> Path:
    """Write until nothing more fits; return the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (_MEGABYTE, 4096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def fill_disks(stage: Stage) -> None:
    """Fill the disk of Postgres until requests are told 503, then that of Kafka; make room again after each."""
    postgres, kafka = stage.engines.postgres, stage.engines.kafka
    statuses = stage.load.tally.statuses
    before = statuses[503]
    ballast = fill(postgres.data_dir.parent)
    stage.wait(lambda: None if statuses[503] > before else "no answer 503", what="a full disk to be noticed")
    stage.hold(10)
    ballast.unlink()
    stage.remark(f"{statuses[503] - before} answers 503")
    # Where not even its log fitted, the server has given up, and its supervisor starts it again.
    postgres.kill()
    postgres.start()
    stage.wait_until_through()
    ballast = fill(kafka.data_dir.parent)
    stage.hold(15)
    refused = stage.rows_waiting(older_than=5)
    ballast.unlink()
    stage.remark(f"{refused} rows waited for Kafka's disk")
    stage.require_hurt(that=refused > 0, otherwise="Kafka took everything on a full disk")
    kafka.kill()
    kafka.start()


def restore_reader(stage: Stage) -> None:
    """Put metrics' schema back to where it was 20 s ago: it has to read again what it has forgotten."""
    for name in METRICS:
        stage.fleet.terminate(name)
    url, backup = stage.fleet.database_url(), stage.fleet.folder / "metrics.dump"
    run_program(
        find_postgres().path("pg_dump"), "--format=custom", "--schema=metrics", f"--file={backup}", url
    )
    stage.fleet.start(*METRICS)
    stage.hold(20)
    ahead = sum(stage.applied_to().values())
    for name in METRICS:
        stage.fleet.terminate(name)
    stage.database.run("DROP SCHEMA metrics CASCADE")
    run_program(find_postgres().path("pg_restore"), f"--dbname={url}", str(backup))
    forgotten = ahead - sum(stage.applied_to().values())
    stage.remark(f"{forgotten} events forgotten")
    stage.require_hurt(that=forgotten > 0, otherwise="the backup had every event that was applied")
    stage.fleet.start(*METRICS)


FAULTS = {
    "F23": Fault("disk full under Postgres, then under Kafka", fill_disks, engines=small_disks),
    "F29": Fault("metrics restored to 20 s ago", restore_reader),
}
