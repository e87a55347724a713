"""collab's composition root: what its processes are built from."""

from fastapi import FastAPI

from services.collab.app import create_app
from services.collab.settings import SERVICE, Settings
from shared.http.bootstrap import build_parts


def build_app(settings: Settings) -> FastAPI:
    """Build the api from settings."""
    return create_app(build_parts(settings, service=SERVICE))
