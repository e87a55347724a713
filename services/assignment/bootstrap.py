"""The composition root: what this service's processes are built from."""

from fastapi import FastAPI

from services.assignment.app import create_app
from services.assignment.settings import Settings
from shared.db.engine import build_engine
from shared.db.migrations import require_head
from shared.http.bootstrap import build_parts

SERVICE = "assignment"


def build_app(settings: Settings) -> FastAPI:
    """Build the api."""
    return create_app(build_parts(settings, service=SERVICE), max_import_bytes=settings.max_import_bytes)


async def check_schema(settings: Settings) -> None:
    """Check that the schema is this release's. Raises SchemaNotAtHead."""
    # An engine of its own: the api's belongs to the loop that will serve.
    engine = build_engine(
        settings.database_url.get_secret_value(),
        schema=SERVICE,
        application_name=f"{SERVICE}.start",
        pool_size=1,
    )
    try:
        await require_head(engine, service=SERVICE)
    finally:
        await engine.dispose()
