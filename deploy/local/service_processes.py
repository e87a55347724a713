"""Which processes a service consists of, how each is started and when it is ready."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

import asyncpg
from alembic.script import ScriptDirectory

from deploy.local.child import Process, last_words
from deploy.local.log_view import LogView
from deploy.local.paths import LOGS, REPOSITORY
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.supervisor import Supervisor
from deploy.local.surroundings import Surroundings
from deploy.local.trouble import Trouble
from shared.db.migrations import alembic_config

SERVICE_ROLES: Mapping[str, Sequence[str]] = {
    "assignment": ("api", "relay", "consumer", "worker"),
    "metrics": ("api", "relay", "consumer", "worker"),
    "collab": ("api", "relay", "consumer", "worker"),
}


def service_process(service: str, role: str, surroundings: Surroundings) -> tuple[Process, str]:
    """Describe one process of a service and the address of its health."""
    is_api = role == "api"
    port = surroundings.settings.ports[service] if is_api else free_port()
    health = f"http://{LOOPBACK}:{port}/health/ready"
    environment = surroundings.environment_of(service)
    if not is_api:
        environment[f"{service.upper()}_HEALTH_PORT"] = str(port)
    process = Process(
        name=f"{service}.{role}",
        command=[sys.executable, "-m", f"services.{service}", role],
        log=LOGS / f"{service}.{role}.log",
        is_ready=lambda: answers(health),
        environment=environment,
        folder=REPOSITORY,
    )
    return process, health


async def migrate(surroundings: Surroundings, supervisor: Supervisor, view: LogView) -> None:
    """Bring the three schemas up to date, at the same time. Raises Trouble when one cannot be."""
    behind = [service for service in SERVICE_ROLES if not await is_at_head(service, surroundings)]
    if not behind:
        return
    view.say(f"Migrating {', '.join(behind)} ...")
    migrations = [migration(service, surroundings) for service in behind]
    codes = await asyncio.gather(*(supervisor.run_to_end(process) for process in migrations))
    for process, code in zip(migrations, codes, strict=True):
        if code != 0:
            raise Trouble(
                f"{process.name} ended with status {code}: {last_words(process.log)}",
                fix=f"The whole log: {process.log}",
            )
    view.say("The schemas are up to date.")


def migrate_now(surroundings: Surroundings) -> None:
    """Do the same one after the other, in this terminal, for engines that somebody else runs."""
    for service in SERVICE_ROLES:
        process = migration(service, surroundings)
        done = subprocess.run(
            process.command, env={**os.environ, **process.environment}, cwd=REPOSITORY, check=False
        )
        if done.returncode != 0:
            raise Trouble(
                f"{process.name} ended with status {done.returncode}; its words are above.",
                fix="Is Postgres up (make start), or DATABASE_URL right?",
            )
        print(f"{service}: up to date")


async def is_at_head(service: str, surroundings: Surroundings) -> bool:
    """Tell whether a schema is at this release's head; starting a process to learn that takes seconds."""
    head = ScriptDirectory.from_config(alembic_config(service=service)).get_current_head()
    connection = await asyncpg.connect(surroundings.database_url(f"{service}_owner"))
    table = f"{service}.alembic_version"
    try:
        # Asked for first: selecting from a table that is not there leaves an error in the server's log.
        if await connection.fetchval("SELECT to_regclass($1)", table) is None:
            return False
        found = await connection.fetchval(f"SELECT version_num FROM {table}")
    finally:
        await connection.close()
    return bool(found == head)


def operate(service: str, words: Sequence[str], surroundings: Surroundings) -> int:
    """Say words after `events` to a service of a run, in this terminal; return the status."""
    command = [sys.executable, "-m", f"services.{service}", "events", *words]
    environment = {**os.environ, **_environment_of_owner(service, surroundings)}
    return subprocess.run(command, env=environment, cwd=REPOSITORY, check=False).returncode


def migration(service: str, surroundings: Surroundings) -> Process:
    """Describe the upgrade of a service's schema: it ends by itself."""
    return Process(
        name=f"{service}.migrate",
        command=[sys.executable, "-m", f"services.{service}", "migrate"],
        log=LOGS / f"{service}.migrate.log",
        is_ready=lambda: True,
        environment=_environment_of_owner(service, surroundings),
        folder=REPOSITORY,
    )


def _environment_of_owner(service: str, surroundings: Surroundings) -> dict[str, str]:
    owner_url = surroundings.database_url(f"{service}_owner")
    return {**surroundings.environment_of(service), f"{service.upper()}_MIGRATION_DATABASE_URL": owner_url}


def answers(url: str) -> bool:
    """Tell whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
