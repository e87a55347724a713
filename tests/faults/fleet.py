"""Several processes per role over proxied links: started, tampered with, paused, killed.

Names are like `metrics.consumer` and `metrics.consumer.2`. Each process reaches Postgres through a link of its
own, and Kafka too where the broker has a listener for it.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK, free_port
from tests.faults.cluster import Cluster, ProxiedKafka
from tests.faults.proxy import Link, Proxies
from tests.faults.tampering import arming
from tests.processes import ServiceProcesses

# What a process does is seen by the witness wherever metrics reads.
_ALWAYS = {"metrics.consumer": ("witness",)}


class Fleet(ServiceProcesses):
    """The processes of one fault."""

    # Nothing is said about how fast a process starts on a machine that others use.
    start_timeout = 240.0

    def __init__(
        self, admin_url: str, kafka: ProxiedKafka | Cluster, proxies: Proxies, folder: Path, *, template: str
    ) -> None:
        super().__init__(admin_url, kafka.bootstrap_servers, folder, template=template)
        self._kafka = kafka
        self.replication = kafka.replication
        self._proxies = proxies
        self._tamperings: dict[str, tuple[str, ...]] = {}
        self._api_ports: dict[str, int] = {}
        self._more: dict[str, Mapping[str, str]] = {}
        self._listening: dict[str, int] = {}
        self._ended: list[str] = []
        self.tampering = folder / "tampering"
        self.tampering.mkdir(parents=True, exist_ok=True)

    def __exit__(self, *error: object) -> None:
        for name in self._children:
            with suppress(ProcessLookupError):
                self.signal(name, signal.SIGCONT)
        super().__exit__(*error)

    def migrate_here(self, database: str) -> None:
        """Bring a database to head that others will be copies of."""
        self._database = database
        self.folder.mkdir(parents=True, exist_ok=True)
        self.migrate()

    @property
    def names(self) -> list[str]:
        """Return the processes that were started and not ended by us."""
        return list(self._children)

    @property
    def jwks(self) -> Path:
        """Return the file of the issuer's public keys."""
        return self._issuer.jwks

    def of(self, role: str) -> list[str]:
        """Return the running processes of a role such as `metrics.consumer`."""
        return [name for name in self._children if name == role or name.startswith(f"{role}.")]

    def tamper(self, role: str, *names: str) -> None:
        """Have the processes of a role, or one further process of it, run tampered from their next start on."""
        self._tamperings[role] = (*self._tamperings.get(role, ()), *names)

    def tell(self, role: str, **settings: str) -> None:
        """Set more of a process's environment, by the names of its settings."""
        self._more[role] = settings

    def arm(self, tampering: str, text: str = "") -> None:
        """Let a tampering act."""
        unfinished = self.tampering / f".{tampering}"
        unfinished.write_text(text)
        unfinished.replace(arming.file_of(tampering, self.tampering))

    def disarm(self, tampering: str) -> None:
        """Let it rest."""
        arming.file_of(tampering, self.tampering).unlink(missing_ok=True)

    def is_armed(self, tampering: str) -> bool:
        """Tell whether it still waits for its moment."""
        return arming.file_of(tampering, self.tampering).exists()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process."""
        os.kill(self._children[name].pid, number)

    def pause(self, name: str) -> None:
        """Stop a process where it stands."""
        self.signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused process go on."""
        self.signal(name, signal.SIGCONT)

    def terminate(self, name: str) -> tuple[float, int | None]:
        """Ask a process to end; return how long it took, and its exit code. Kills it after 40 s."""
        self._note_end(name)
        child = self._children.pop(name)
        began = time.monotonic()
        child.terminate()
        while child.exit_code is None and time.monotonic() - began < 40:
            time.sleep(0.02)
        took, code = time.monotonic() - began, child.exit_code
        child.kill()
        return took, code

    def kill(self, name: str) -> None:
        """End a process with kill -9; that it had ended already is remembered."""
        self._note_end(name)
        super().kill(name)

    def dead(self) -> list[str]:
        """Return the processes that ended and were not ended by us."""
        return [name for name, child in self._children.items() if child.exit_code is not None]

    def killed(self, role: str) -> list[str]:
        """Return the processes of a role that died as at a fail point: by kill -9."""
        return [name for name in self.of(role) if self._children[name].exit_code == -signal.SIGKILL]

    def revive_killed(self, role: str) -> None:
        """Start again the one process of a role that a fail point was armed to kill; it was expected to die."""
        name = self.killed(role)[0]
        self._children.pop(name).kill()
        self.start(name)

    def revive(self) -> list[str]:
        """Start again what has ended by itself, as a supervisor would; that it has is remembered."""
        ended = self.dead()
        for name in ended:
            self._note_end(name)
            self._children.pop(name).kill()
        self.start(*ended)
        return ended

    def ended_by_themselves(self) -> list[str]:
        """Return what ended though no fault had ended it, and how, whether it was started again or not."""
        return [*self._ended, *(self._how_it_ended(name) for name in self.dead())]

    def _note_end(self, name: str) -> None:
        if self._children[name].exit_code is not None:
            self._ended.append(self._how_it_ended(name))

    def _how_it_ended(self, name: str) -> str:
        return f"{name} ended with {self._children[name].exit_code}"

    def launch(self, name: str) -> None:
        """Start a process and do not wait until it is ready: it may have reason not to be."""
        self._children[name] = self._child(name)

    def ask(self, name: str, path: str) -> tuple[int, str]:
        """Return what a process answers on its health port, status 0 when it does not."""
        url = f"http://{LOOPBACK}:{self._listening[name]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def command(self, *arguments: str, service: str = "metrics") -> subprocess.CompletedProcess[str]:
        """Run one of a service's commands, such as `events dlq list`, to its end, with the witness beside it."""
        tampered = ["tests.faults.tampered", "witness"] if service == "metrics" else []
        done = subprocess.run(
            [sys.executable, "-m", *tampered, f"services.{service}", *arguments],
            env={**os.environ, **self._told(service, 0), arming.FOLDER: str(self.tampering)},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        (self.folder / "commands.log").open("a").write(f"{arguments}\n{done.stdout}{done.stderr}\n")
        return done

    def pid(self, name: str) -> int:
        """Return a process's id."""
        return self._children[name].pid

    def url(self, name: str) -> str:
        """Return the address of an api process."""
        return f"http://{LOOPBACK}:{self._port_of(name)}"

    def link(self, name: str, to: str) -> Link:
        """Return the link of a process to `postgres` or `kafka`."""
        if to == "kafka":
            return self._kafka.links[name]
        port = urlsplit(self._admin_url).port
        assert port is not None
        return self._proxies.link(f"{name} to postgres", port)

    def _port_of(self, name: str) -> int:
        service, role, *number = name.split(".")
        if role != "api":
            return free_port()
        if not number:
            return self._ports[service]
        # Asked for with every request: a port that is looked for is held for a while.
        if name not in self._api_ports:
            self._api_ports[name] = free_port()
        return self._api_ports[name]

    def _command(self, name: str, service: str, role: str) -> list[str]:
        kind = f"{service}.{role}"
        of_its_own = self._tamperings.get(name, ()) if name != kind else ()
        tamperings = (*_ALWAYS.get(kind, ()), *self._tamperings.get(kind, ()), *of_its_own)
        if not tamperings:
            return super()._command(name, service, role)
        return [
            *(sys.executable, "-m", "tests.faults.tampered", ",".join(tamperings)),
            *(f"services.{service}", role),
        ]

    def _environment(self, name: str, service: str, port: int) -> Mapping[str, str]:
        self._listening[name] = port
        told = {**super()._environment(name, service, port), arming.FOLDER: str(self.tampering)}
        through = urlsplit(self.database_url(f"{service}_app"))
        address = f"{through.username}:{through.password}@{LOOPBACK}:{self.link(name, 'postgres').port}"
        prefix = service.upper()
        told[f"{prefix}_DATABASE_URL"] = through._replace(netloc=address).geturl()
        if name in self._kafka.links:
            told[f"{prefix}_KAFKA_BOOTSTRAP_SERVERS"] = self._kafka.through(name)
        kind = ".".join(name.split(".")[:2])
        more = {**self._more.get(kind, {}), **self._more.get(name, {})}
        return {**told, **{f"{prefix}_{key}": value for key, value in more.items()}}
