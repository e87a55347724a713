"""The published documents of every service: python -m tests.contract.snapshots write|check."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import yaml
from fastapi import FastAPI

from shared.contracts.asyncapi import describe_events
from shared.http.events_page import render_events_page

ROOT = Path(__file__).parents[2]
SERVICES = ("assignment", "metrics", "collab")
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def build_app(service: str, **settings_: str) -> FastAPI:
    """Build a service's app without starting anything: engines connect when they are first used."""
    settings = import_module(f"services.{service}.settings").Settings(
        **{"environment": "development", "database_url": NOWHERE, **settings_}
    )
    app: FastAPI = import_module(f"services.{service}.bootstrap").build_app(settings)
    return app


def documents() -> Iterator[tuple[Path, str]]:
    """Return every document as the code has it now, by its path in the repository."""
    for service in SERVICES:
        app = build_app(service)
        openapi = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
        yield Path(f"docs/api/openapi/{service}.json"), openapi
        events = describe_events(service, title=app.title)
        yield Path(f"docs/api/asyncapi/{service}.yaml"), _yaml(events)
        yield Path(f"docs/api/asyncapi/{service}.html"), render_events_page(events)


def _yaml(document: dict[str, object]) -> str:
    # Through JSON: YAML would write shared parts as anchors, and tuples as Python.
    plain = json.loads(json.dumps(document))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)


def outdated() -> list[Path]:
    """Return the committed documents that differ from the code."""
    return [path for path, text in documents() if _read(ROOT / path) != text]


def write() -> None:
    """Write every document."""
    for path, text in documents():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main(arguments: list[str]) -> None:
    """Write the documents, or fail when they are not what the code says."""
    if arguments == ["write"]:
        write()
    elif arguments == ["check"]:
        if found := outdated():
            sys.exit(f"{', '.join(map(str, found))}: not what the code says; run `make docs` and commit")
    else:
        sys.exit("usage: python -m tests.contract.snapshots write|check")


if __name__ == "__main__":
    main(sys.argv[1:])
