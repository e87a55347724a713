"""Builds an api's parts from settings, and serves an app until the process is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from fastapi import FastAPI

from shared.contracts.envelope import event_source
from shared.db.engine import build_engine
from shared.db.migrations import require_head
from shared.db.transact import Transactor
from shared.http.keys import Keys
from shared.http.parts import Parts
from shared.http.tokens import Tokens
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.logging import configure_logging, get_logger
from shared.runtime.process import run_until_stopped
from shared.runtime.settings import ServiceSettings

GRACE_SECONDS = 20

Beside = Callable[[asyncio.Event], Awaitable[None]]
"""What an api does beside serving, until it is told to stop."""

log = get_logger(__name__)


def build_parts(settings: ServiceSettings, *, service: str, clock: Clock | None = None) -> Parts:
    """Build what an api process is made of."""
    engine = build_engine(
        settings.database_url.get_secret_value(),
        schema=service,
        application_name=f"{service}.api",
        pool_size=settings.database_pool_size,
    )
    present = clock or SystemClock()
    tokens = Tokens(
        Keys(settings.auth_jwks, development=settings.in_development),
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        organisation=settings.organisation,
    )
    transact = Transactor(engine=engine, clock=present, source=event_source(settings.organisation, service))
    return Parts(service, engine, present, transact, tokens, settings.max_body_bytes)


class _Server(uvicorn.Server):
    """Leaves signals to the process: uvicorn would raise them again at the end, and the process would die of them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def serve(app: FastAPI, settings: ServiceSettings, *, beside: Beside | None = None) -> None:
    """Serve until SIGTERM or SIGINT; open requests get 20 s. Raises SchemaNotAtHead before it listens.

    `beside` is done while it serves; it returns soon after it is told to stop, and how it ends is nobody's concern.
    """
    configure_logging(
        service=app.state.parts.service, role="api", form=settings.log_format, level=settings.log_level
    )
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    uvloop.run(run_until_stopped(lambda stopping: _serve_at_head(server, app, stopping, beside)))


async def _serve_at_head(
    server: uvicorn.Server, app: FastAPI, stopping: asyncio.Event, beside: Beside | None
) -> None:
    parts: Parts = app.state.parts
    await require_head(parts.engine, service=parts.service)
    log.info("serving", host=server.config.host, port=server.config.port)
    serving = asyncio.ensure_future(server.serve())
    done_beside = asyncio.ensure_future(_do(beside, stopping))
    told = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    # Readiness goes first, before open requests are waited for.
    app.state.stopping = server.should_exit = True
    await serving
    stopping.set()
    await done_beside
    log.info("stopped")


async def _do(beside: Beside | None, stopping: asyncio.Event) -> None:
    if beside is None:
        return
    try:
        await beside(stopping)
    except Exception:
        log.exception("failed beside serving")
