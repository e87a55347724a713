"""One rule for every list: narrowed to a territory that is not the caller's, it is 404 and not empty."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.testing.tokens import Issuer
from tests.architecture.source import SERVICES
from tests.conftest import NewDatabase
from tests.contract.snapshots import build_app

NEEDED = {
    "from": "2026-01-01",
    "to": "2026-02-01",
    "view": "as_is",
    "metric_id": "revenue",
    "currency": "USD",
}


def lists(document: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the paths that can be narrowed, each with the names of its required parameters."""
    return [
        (path, [one["name"] for one in told if one["in"] == "query" and one["required"]])
        for path, operations in document["paths"].items()
        if (told := operations.get("get", {}).get("parameters")) and "{" not in path
        if "territory_id" in {one["name"] for one in told if one["in"] == "query"}
    ]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_territory_elsewhere_is_not_found(
    service: str, service_database: NewDatabase, tmp_path: Path
):
    database, issuer = await service_database(service), Issuer()
    app = build_app(service, database_url=database.app_url, auth_jwks=issuer.write_jwks(tmp_path))
    headers = issuer.headers("manager", territories=[uuid4()])
    found = lists(app.openapi())
    assert found
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        for path, required in found:
            query = {"territory_id": str(uuid4()), **{name: NEEDED[name] for name in required}}
            answer = await http.get(path, params=query, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), (path, answer.text)
            assert answer.json()["detail"].startswith("territory_id"), path
    await app.state.parts.engine.dispose()
