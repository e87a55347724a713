"""The composition root: what this service's processes are built from."""

from fastapi import FastAPI

from services.assignment.app import create_app
from services.assignment.settings import SERVICE, Settings
from shared.http.bootstrap import build_parts


def build_app(settings: Settings) -> FastAPI:
    """Build the api."""
    return create_app(
        build_parts(settings, service=SERVICE),
        max_import_bytes=settings.max_import_bytes,
        webhook_key=settings.sealing_key,
    )
