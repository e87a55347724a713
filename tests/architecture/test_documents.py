"""What the documents point at exists: a reader follows the links, and every route they name."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, SERVICES
from tests.contract.snapshots import build_app

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/v1/[^\s`?,;)]+)")
SKIPPED = {".venv", ".local", "build", "node_modules"}


def documents() -> Iterator[Path]:
    """Return every Markdown file of the repository."""
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIPPED & set(path.relative_to(ROOT).parts):
            yield path


@pytest.mark.parametrize("document", list(documents()), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_routes_lead_somewhere(document: Path):
    text = document.read_text()
    dead = [
        target
        for target in LINK.findall(text)
        if "://" not in target and not (document.parent / target).exists()
    ]
    unknown = [
        f"{method} {path}" for method, path in ROUTE.findall(text) if (method, _shape(path)) not in routes()
    ]
    assert (dead, unknown) == ([], [])


@cache
def routes() -> frozenset[tuple[str, str]]:
    """Return the method and path of every operation, whatever its parameters are called."""
    return frozenset(
        (method.upper(), _shape(path))
        for service in SERVICES
        for path, operations in build_app(service).openapi()["paths"].items()
        for method in operations
    )


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("./")
