"""One api process of a service, over a database of a bench."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.child import Child, Process
from deploy.local.paths import REPOSITORY
from deploy.local.ports import free_port
from deploy.local.service_processes import answers
from deploy.local.watchdog import Watchdog
from shared.testing.databases import ServiceDatabase


@asynccontextmanager
async def server(
    module: str, *arguments: str, database: ServiceDatabase, probe: str, jwks: str
) -> AsyncIterator[int]:
    """Run a module as a server process; yield its port."""
    port = free_port()
    watchdog = Watchdog()
    prefix = database.service.upper()
    environment = {
        f"{prefix}_ENVIRONMENT": "development",
        f"{prefix}_DATABASE_URL": database.app_url,
        f"{prefix}_HTTP_PORT": str(port),
        f"{prefix}_AUTH_JWKS": jwks,
        f"{prefix}_LOG_LEVEL": "WARNING",
    }
    child = Child(
        Process(
            name=module,
            command=[sys.executable, "-m", module, *arguments],
            log=Path(jwks).with_name(f"{module}.log"),
            is_ready=lambda: answers(f"http://127.0.0.1:{port}{probe}"),
            environment=environment,
            folder=REPOSITORY,
        ),
        watchdog=watchdog,
    )
    try:
        child.wait_ready()
        yield port
    finally:
        child.stop()
        watchdog.close()
