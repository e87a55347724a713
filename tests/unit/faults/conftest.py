"""A stage without engines: real processes and real links, and nothing that asks a database."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.child import Child, Process
from tests.faults.cluster import ProxiedKafka
from tests.faults.fleet import Fleet
from tests.faults.load import Load
from tests.faults.proxy import Proxies
from tests.faults.stage import Stage

NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"
WAITS = "import time; time.sleep(600)"


class Sleepers(Fleet):
    """Processes that do nothing, and are ready at once."""

    def _child(self, name: str) -> Child:
        process = Process(name, [sys.executable, "-c", WAITS], self._log(name), is_ready=lambda: True)
        return Child(process, watchdog=self._watchdog)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Proxies() as proxies:
        kafka = ProxiedKafka(tmp_path / "kafka", proxies, ())
        sleepers = Sleepers(NOBODY, kafka, proxies, tmp_path / "run", template="none")
        yield sleepers
        for name in sleepers.names:
            sleepers.kill(name)
        sleepers._watchdog.close()


@pytest.fixture
def stage(fleet: Fleet) -> Stage:
    load = Load(list, "token", rate=50, seed=1, workers=1)
    return Stage(None, fleet, load, seed=1)  # type: ignore[arg-type]
