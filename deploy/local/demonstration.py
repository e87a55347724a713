"""Runs `deploy.demo`, the demo organisation and the tour, once all services are ready."""

import sys

from deploy.local.child import Process
from deploy.local.log_view import LogView
from deploy.local.paths import LOGS, REPOSITORY
from deploy.local.supervisor import Supervisor

DEMO = REPOSITORY / "deploy" / "demo" / "__main__.py"


async def demonstrate(supervisor: Supervisor, view: LogView, *, accounts: int, tour: bool) -> int:
    """Seed the organisation, take the tour; return the status of what failed, else 0."""
    if not DEMO.exists() or accounts == 0:
        view.say("No demo organisation is seeded.")
        return 0
    steps = [("seed", ["seed", "--accounts", str(accounts)])]
    if tour:
        steps.append(("tour", ["tour"]))
    shown = view.paused
    # The terminal belongs to the demo now; what the services say meanwhile is in their logs.
    view.paused = True
    try:
        for name, arguments in steps:
            status = await supervisor.run_to_end(demo_process(name, arguments))
            if status != 0:
                view.say(f"The {name} ended with status {status}; the logs are in {LOGS}.")
                return status
    finally:
        view.show_new()
        view.paused = shown
    return 0


def demo_process(name: str, arguments: list[str]) -> Process:
    """Describe a program that finds everything in `.local/endpoints.json`."""
    return Process(
        name=f"demo.{name}",
        command=[sys.executable, "-m", "deploy.demo", *arguments],
        log=LOGS / f"demo.{name}.log",
        is_ready=lambda: True,
        environment={"PYTHONUNBUFFERED": "1"},
        folder=REPOSITORY,
        on_terminal=True,
    )
