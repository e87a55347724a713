"""What a person sees when everything serves: where it is, and what to do next."""

import io
import shutil
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from deploy.local.endpoints import Endpoints
from deploy.local.service_processes import SERVICE_ROLES, answers
from deploy.local.surroundings import Surroundings


def describe_run(surroundings: Surroundings, *, ending: str) -> list[str]:
    """Return the closing lines: addresses, a token, next commands."""
    where = Table("what", "where", title="Bailiwick serves", title_justify="left")
    for service in SERVICE_ROLES:
        url = surroundings.settings.url_of(service)
        where.add_row(service, f"{url}/docs")
    where.add_row("postgres", surroundings.database_url())
    where.add_row("kafka", surroundings.kafka_bootstrap_servers)
    assignment = surroundings.settings.url_of("assignment")
    return [
        "",
        *rendered(where),
        "A token for the whole organisation (12 h):",
        surroundings.issuer.token(role="admin"),
        "",
        "Next, in another terminal:",
        "  TOKEN=$(make -s token ROLE=manager)",
        f'  curl -s -H "Authorization: Bearer $TOKEN" {assignment}/v1/plans',
        "  make status        what runs, with process ids and logs",
        "  make test          the tests, on engines of their own",
        f"{ending} ends everything.",
        "",
    ]


def describe_status(endpoints: Endpoints, pids_alive: Iterable[int]) -> list[str]:
    """Return a table of the processes that run."""
    alive = set(pids_alive)
    table = Table("process", "pid", "state", "log")
    for name, pid in endpoints.pids.items():
        health = endpoints.health.get(name)
        ready = pid in alive and (health is None or answers(health))
        state = "ready" if ready else "not ready" if pid in alive else "gone"
        table.add_row(name, str(pid), state, endpoints.logs[name])
    return rendered(table)


def rendered(table: Table) -> list[str]:
    """Return the table as lines."""
    buffer = io.StringIO()
    width = max(100, shutil.get_terminal_size((120, 40)).columns)
    Console(file=buffer, width=width).print(table)
    return buffer.getvalue().splitlines()
