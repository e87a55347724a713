"""Starts processes in order of health, keeps them up, ends them in reverse order.

A stage is a set of processes that start together; the next stage starts when all of this one are ready. A
process that ends by itself is started again, as an orchestrator would do, until it does so too often.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from deploy.local.child import POLL_SECONDS, Child, Process
from deploy.local.log_view import LogView
from deploy.local.trouble import Trouble
from deploy.local.watchdog import Watchdog

RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0


class Supervisor:
    """Everything that runs, in the order it was started."""

    def __init__(
        self, watchdog: Watchdog, view: LogView, *, on_change: Callable[[dict[str, int]], None] | None = None
    ) -> None:
        self._watchdog = watchdog
        self._view = view
        self._on_change = on_change
        self._stages: list[dict[str, Child]] = []
        self._kept: list[dict[str, Child]] = []
        self._ended_at: dict[str, list[float]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: child.pid for stage in self._stages for name, child in stage.items()}

    async def start(self, processes: Sequence[Process]) -> None:
        """Start a stage and return when all of it serves."""
        for process in processes:
            await asyncio.to_thread(process.prepare)
        stage: dict[str, Child] = {}
        self._stages.append(stage)
        for process in processes:
            self._view.follow(process.name, process.log)
            # In this thread: the death signal fires when the thread that started a child ends.
            stage[process.name] = Child(process, watchdog=self._watchdog)
        await asyncio.gather(*(serving(child) for child in stage.values()))
        self._kept.append(stage)
        self._changed()

    async def run_to_end(self, process: Process) -> int:
        """Run a process that ends by itself and return its exit code."""
        child = Child(process, watchdog=self._watchdog)
        stage = {process.name: child}
        self._stages.append(stage)
        await until(lambda: child.exit_code is not None)
        self._stages.remove(stage)
        return child.kill()

    async def keep_up(self) -> None:
        """Show the logs and start again what ends, until cancelled."""
        while True:
            self._view.show_new()
            for stage in self._kept:
                for child in list(stage.values()):
                    if child.exit_code is not None:
                        await self._restart(stage, child)
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End everything, the last stage first."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(self._end(child) for child in stage.values()))
            self._view.show_new()
        self._stages.clear()

    def kill(self) -> None:
        """End everything without asking."""
        for stage in reversed(self._stages):
            for child in stage.values():
                child.kill()

    async def _end(self, child: Child) -> None:
        grace = child.process.grace
        deadline = time.monotonic() + grace
        child.terminate()
        await until(lambda: child.exit_code is not None or time.monotonic() > deadline)
        if child.exit_code is None:
            self._view.say(f"{child.process.name} has not ended within {grace:.0f} s and is killed.")
        child.kill()

    async def _restart(self, stage: dict[str, Child], child: Child) -> None:
        process = child.process
        code = child.exit_code
        child.kill()  # what is left of its group
        recent = [
            at
            for at in self._ended_at.get(process.name, [])
            if at > time.monotonic() - RESTART_WINDOW_SECONDS
        ]
        self._ended_at[process.name] = [*recent, time.monotonic()]
        if len(recent) >= RESTARTS:
            raise Trouble(
                f"{process.name} ended {RESTARTS + 1} times within {RESTART_WINDOW_SECONDS:.0f} s, "
                f"last with status {code}.",
                fix=f"Its log says why: {process.log}",
            )
        self._view.say(f"{process.name} ended with status {code}; starting it again.")
        await asyncio.to_thread(process.prepare)
        stage[process.name] = Child(process, watchdog=self._watchdog)
        self._changed()

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change(self.pids)


async def serving(child: Child) -> None:
    """Wait until the child serves."""
    while not await asyncio.to_thread(child.is_serving):  # noqa: ASYNC110  # health is asked for
        await asyncio.sleep(POLL_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody announces."""
    while not condition():  # noqa: ASYNC110  # a child's end is no event of this loop
        await asyncio.sleep(POLL_SECONDS)
