"""What every engine that we start ourselves has in common: a data folder, a port, a log, one process, its end."""

from abc import ABC, abstractmethod
from pathlib import Path

from deploy.local.child import Child, Process
from deploy.local.ports import free_port, require_free
from deploy.local.watchdog import Watchdog


class EmbeddedEngine(ABC):
    """One server over one data folder; it ends with the process that started it, however that dies."""

    NAME: str

    def __init__(
        self, data_dir: Path, port: int | None = None, *, fast: bool = False, log: Path | None = None
    ) -> None:
        """`fast` is for tests; the log lies beside the data folder unless it is named."""
        self.data_dir = data_dir.resolve()
        self.port = port or free_port()
        self._fast = fast
        self._log = log or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._watchdog: Watchdog | None = None
        self._child: Child | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Have a data folder that a server can start on, and the port free."""

    @abstractmethod
    def process(self) -> Process:
        """Describe the server for whoever runs it."""

    def start(self) -> None:
        """Start and return when it serves."""
        self.prepare()
        self._watchdog = self._watchdog or Watchdog()
        self._child = Child(self.process(), watchdog=self._watchdog)
        self._child.wait_ready()

    def stop(self) -> None:
        """End it, keep the data."""
        if self._child is not None:
            self._child.stop()
        if self._watchdog is not None:
            self._watchdog.close()
        self._child = self._watchdog = None

    def kill(self) -> None:
        """End it as a power cut would; `start` brings it back on the same port with the same data."""
        if self._child is not None:
            self._child.kill()
        self._child = None

    def require_port(self) -> None:
        """Refuse a port that another program has."""
        require_free(self.port, of=self.NAME, variable=f"{self.NAME.upper()}_PORT")
