"""`make run`: everything up, in order, the demo seeded, the tour taken, then serving until Ctrl-C."""

import asyncio
import ctypes
import shutil
import signal
import sys
from dataclasses import dataclass

from deploy.local.demonstration import demonstrate
from deploy.local.endpoints import Endpoints
from deploy.local.engines import start_kafka, start_postgres, where_engines_are
from deploy.local.issuer import AUDIENCE, DevelopmentIssuer
from deploy.local.log_view import LogView
from deploy.local.paths import ENDPOINTS, ISSUER, LOCAL, LOGS
from deploy.local.preflight import check_machine
from deploy.local.report import describe_run
from deploy.local.run_lock import SERVING, STOPPING, RunLock
from deploy.local.service_processes import SERVICE_ROLES, migrate, service_process
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import Supervisor
from deploy.local.surroundings import Surroundings
from deploy.local.watchdog import Watchdog
from shared.runtime.production import DEVELOPMENT_ISSUER

DEMO_ACCOUNTS = 5000
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class RunOptions:
    """What a person asked for."""

    accounts: int = DEMO_ACCOUNTS
    tour: bool = True
    once: bool = False
    background: bool = False
    with_parent: bool = False


def run(options: RunOptions) -> int:
    """Run until it is over, by itself (`once`) or by a signal; nothing is left running then."""
    settings = LocalSettings.read()
    if options.with_parent:
        end_with_parent()
    with RunLock(LOCAL) as lock:
        check_machine(settings, LOCAL)
        keep_last_logs()
        issuer = DevelopmentIssuer(ISSUER)
        issuer.ensure_keys()
        watchdog = Watchdog(keep_open=lock.sweep)
        try:
            surroundings = where_engines_are(settings, issuer)
            return asyncio.run(Run(options, surroundings, lock, watchdog).until_over())
        finally:
            watchdog.close()
            ENDPOINTS.unlink(missing_ok=True)


class Run:
    """One run, from the first engine to the last signal."""

    def __init__(
        self, options: RunOptions, surroundings: Surroundings, lock: RunLock, watchdog: Watchdog
    ) -> None:
        self._options = options
        self._surroundings = surroundings
        self._lock = lock
        self._view = LogView()
        self._view.paused = options.background
        self._supervisor = Supervisor(watchdog, self._view, on_change=self._write_endpoints)
        self._health: dict[str, str] = {}

    async def until_over(self) -> int:
        """Bring everything up and end it all, whatever happens in between."""
        stop = asyncio.create_task(self._stop_signal())
        keeper = asyncio.create_task(self._supervisor.keep_up())
        work = asyncio.create_task(self._work())
        try:
            await asyncio.wait({stop, keeper, work}, return_when=asyncio.FIRST_COMPLETED)
            return self._status(stop, keeper, work)
        finally:
            keeper.cancel()
            work.cancel()
            await asyncio.gather(keeper, work, return_exceptions=True)
            await self._end()
            stop.cancel()

    @staticmethod
    def _status(stop: asyncio.Task[None], keeper: asyncio.Task[None], work: asyncio.Task[int]) -> int:
        # A stop that was asked for is no failure, whatever else it made fail in the same moment.
        if stop.done():
            return 0
        if keeper.done():
            keeper.result()
        return work.result()

    async def _stop_signal(self) -> None:
        asked = asyncio.Event()

        def ask() -> None:
            if asked.is_set():
                self._view.say("Killing what is left.")
                self._supervisor.kill()
            asked.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, ask)
        await asked.wait()

    async def _work(self) -> int:
        await self._start()
        status = await demonstrate(
            self._supervisor, self._view, accounts=self._options.accounts, tour=self._options.tour
        )
        if self._options.once:
            return status
        self._lock.note(SERVING)
        ending = "make stop" if self._options.background else "Ctrl-C"
        for line in describe_run(self._surroundings, ending=ending):
            self._view.show(line)
        await asyncio.Event().wait()
        return status

    async def _start(self) -> None:
        await start_postgres(self._surroundings, self._supervisor, self._view)
        await asyncio.gather(
            start_kafka(self._surroundings, self._supervisor, self._view),
            migrate(self._surroundings, self._supervisor, self._view),
        )
        described = [
            service_process(service, role, self._surroundings)
            for service, roles in SERVICE_ROLES.items()
            for role in roles
        ]
        self._health = {process.name: health for process, health in described}
        self._view.say(f"Starting {len(described)} processes of the services ...")
        await self._supervisor.start([process for process, _ in described])
        self._view.say("All services are ready.")

    def _write_endpoints(self, pids: dict[str, int]) -> None:
        around = self._surroundings
        Endpoints(
            urls={service: around.settings.url_of(service) for service in SERVICE_ROLES},
            kafka_bootstrap_servers=around.kafka_bootstrap_servers,
            database_url=around.database_url(),
            database_urls={service: around.database_url(f"{service}_app") for service in SERVICE_ROLES},
            pids=pids,
            logs={name: str(LOGS / f"{name}.log") for name in pids},
            health=self._health,
            issuer={
                "issuer": DEVELOPMENT_ISSUER,
                "audience": AUDIENCE,
                "jwks": str(around.issuer.jwks),
                "private_key": str(around.issuer.private_key),
            },
        ).write(ENDPOINTS)

    async def _end(self) -> None:
        self._lock.note(STOPPING)
        self._view.say("Stopping ...")
        self._view.paused = self._view.paused or self._options.once
        await self._supervisor.stop()
        self._view.say("Everything has stopped.")


def end_with_parent() -> None:
    """Stop, as on Ctrl-C, when the process that started us dies: a killed `make` leaves no run behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def keep_last_logs() -> None:
    """Start with empty logs, and keep those of the run before: they may say why it ended."""
    if LOGS.exists():
        last = LOGS.with_name("logs.previous")
        shutil.rmtree(last, ignore_errors=True)
        LOGS.rename(last)
    LOGS.mkdir(parents=True)
