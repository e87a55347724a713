"""Builds an api's parts from settings, and serves an app until the process is told to stop."""

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
from shared.runtime.settings import ServiceSettings

GRACE_SECONDS = 20

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
    """Tells readiness the moment a signal arrives, before open requests are waited for."""

    def handle_exit(self, sig: int, frame: object) -> None:
        """Turn readiness off, then stop as uvicorn does."""
        self.config.app.state.stopping = True  # type: ignore[union-attr]
        super().handle_exit(sig, frame)  # type: ignore[arg-type]


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT; open requests get 20 s. Raises SchemaNotAtHead before it listens."""
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
    uvloop.run(_serve_at_head(_Server(config), app.state.parts))


async def _serve_at_head(server: uvicorn.Server, parts: Parts) -> None:
    await require_head(parts.engine, service=parts.service)
    log.info("serving", host=server.config.host, port=server.config.port)
    await server.serve()
