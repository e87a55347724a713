"""However a runner dies, nothing that it started lives on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.child import is_alive
from deploy.local.paths import REPOSITORY
from deploy.local.watchdog import guarded_groups
from shared.testing.waiting import eventually

RUNNER = """
import sys, time
from pathlib import Path
from deploy.local.child import Child, Process
from deploy.local.watchdog import Watchdog

folder = Path(sys.argv[1])
# The second one ignores TERM and has a child in its group, which no death signal reaches.
stubborn = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
stubborn += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
for number, program in enumerate(["", stubborn]):
    program += f"import os, time, pathlib; pathlib.Path({str(folder)!r}, 'up{number}').touch(); time.sleep(600)"
    command = [sys.executable, "-c", program]
    process = Process(f"dummy{number}", command, folder / "log", is_ready=(folder / f"up{number}").exists)
    child = Child(process, watchdog=watchdog if number else (watchdog := Watchdog(grace=0.5)))
    child.wait_ready()
    (folder / "groups").open("a").write(f"{child.pid} ")
(folder / "ready").touch()
time.sleep(600)
"""


@pytest.fixture
def runner(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path)], cwd=REPOSITORY)
    yield process
    process.kill()
    process.wait()


def members(group: int) -> list[int]:
    """Processes of a group that run; a zombie only waits to be counted out."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
async def test_kill_9_of_a_runner_leaves_no_orphan(runner, tmp_path):
    await eventually((tmp_path / "ready").exists)
    groups = [int(pid) for pid in (tmp_path / "groups").read_text().split()]
    assert [len(members(group)) for group in groups] == [1, 2]

    runner.send_signal(signal.SIGKILL)
    runner.wait()

    await eventually(lambda: not any(members(group) for group in groups))


async def test_a_runner_that_ends_well_is_swept_too(runner, tmp_path):
    """A crash in the runner's own code is no excuse."""
    await eventually((tmp_path / "ready").exists)
    groups = [int(pid) for pid in (tmp_path / "groups").read_text().split()]

    runner.terminate()
    runner.wait()

    await eventually(lambda: not any(is_alive(group) for group in groups))


def test_a_group_that_ended_is_not_guarded_any_more():
    """Its number may belong to somebody else by the time of the sweep."""
    assert guarded_groups(["7 15\n", "8 2\n", "7 0\n"]) == {8: 2}


def test_a_process_of_ours_is_alive():
    assert is_alive(os.getpid())
