"""Editing proposals over HTTP, and counting again what they say from all accounts, by code of its own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest

from services.assignment.design.engine.geography import projected
from tests.service.assignment.designs import LEAVES, account_id, accounts


@dataclass
class Editor:
    """Edits a proposal over HTTP, at the version it read last."""

    http: httpx.AsyncClient
    run_id: str
    version: int = 1

    async def ask(self, part: str = "edits", body: Any = None, **headers: str) -> httpx.Response:
        """Ask for a change of the proposal."""
        tag = {"if-match": f'"{self.version}"', **headers}
        return await self.http.post(f"/v1/design-runs/{self.run_id}/{part}", json=body, headers=tag)

    async def move(self, places: Mapping[str, str]) -> dict[str, Any]:
        """Move accounts, which must be taken."""
        answer = await self.ask("edits", moves(places))
        assert answer.status_code == 201, answer.text
        found = answer.json()
        assert answer.headers["location"].endswith(found["edit_id"])
        return self._took(answer)

    async def step(self, part: str) -> dict[str, Any]:
        """Undo or redo, which must be taken."""
        answer = await self.ask(part)
        assert answer.status_code == 200, answer.text
        return self._took(answer)

    def _took(self, answer: httpx.Response) -> dict[str, Any]:
        found: dict[str, Any] = answer.json()
        assert found["edit_version"] == self.version + 1
        self.version = found["edit_version"]
        assert answer.headers["etag"] == f'"{self.version}"'
        return found


def moves(places: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that moves accounts to territories."""
    return {"moves": [{"account_id": one, "territory_id": place} for one, place in places.items()]}


def pieces_of(held: set[str], touching: Mapping[str, set[str]]) -> int:
    """Count by a plain search in how many pieces some accounts are."""
    left, pieces = set(held), 0
    while left:
        pieces += 1
        front = [left.pop()]
        while front:
            near = touching[front.pop()] & left
            left -= near
            front += near
    return pieces


def _km(account: Mapping[str, Any], latitude: float, longitude: float) -> float:
    """Return a great-circle length the plain way."""
    north, south = math.radians(account["latitude"]), math.radians(latitude)
    around = math.radians(account["longitude"] - longitude)
    cosine = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(around)
    return 6371.0088 * math.acos(min(1.0, cosine))


def recount(
    proposal: dict[str, Any],
    labels: Mapping[str, str],
    touching: Mapping[str, set[str]],
    roads: Mapping[str, float] | None = None,
) -> None:
    """Count everything again that a proposal says, from the accounts alone; roads are factors of theirs, None for 1."""
    known = {account_id(one["external_id"]): one for one in accounts()}
    assert labels.keys() == known.keys()
    ids = list(labels)
    xy, plane = projected(
        np.array([known[one]["latitude"] for one in sorted(ids)]),
        np.array([known[one]["longitude"] for one in sorted(ids)]),
    )
    places = dict(zip(sorted(ids), xy, strict=True))
    today = {one: str(LEAVES[known[one]["county"]]) for one in ids}
    costs, lengths = [], []
    for territory in proposal["territories"]:
        mine = [one for one in ids if labels[one] == territory["territory_id"]]
        road = {one: 1.0 if roads is None else roads[one] for one in mine}
        middle = np.average([places[one] for one in mine], axis=0, weights=[road[one] ** 2 for one in mine])
        costs.append(sum((road[one] * math.dist(places[one], middle)) ** 2 for one in mine))
        up, around = plane.to_sphere(middle[None, :])
        away = [road[one] * _km(known[one], float(up[0]), float(around[0])) for one in mine]
        lengths += away
        assert territory["mean_km"] == pytest.approx(sum(away) / len(away))
        assert (territory["latitude"], territory["longitude"]) == pytest.approx((up[0], around[0]))
        assert territory["accounts"] == len(mine)
        heads = sum(known[one]["employees"] for one in mine)
        assert [one["load"] for one in territory["loads"]] == [len(mine), heads]
        there = {one for one in ids if today[one] == territory["territory_id"]}
        assert territory["gained"] == len(set(mine) - there)
        assert territory["lost"] == len(there - set(mine))
        assert territory["parts"] == pieces_of(set(mine), touching)
    moved = sum(labels[one] != today[one] for one in ids)
    assert proposal["cost"] == pytest.approx(sum(costs))
    assert proposal["mean_km"] == pytest.approx(sum(lengths) / len(lengths))
    assert (proposal["moved_accounts"], proposal["moved_share"]) == (moved, pytest.approx(moved / len(ids)))
    for number, measure in enumerate(proposal["measures"]):
        off = [abs(one["loads"][number]["deviation"]) for one in proposal["territories"]]
        assert measure["deviation"] == pytest.approx(max(off))
    kept = all(one["deviation"] <= one["tolerance"] for one in proposal["measures"])
    whole = all(one["parts"] == 1 for one in proposal["territories"])
    assert proposal["feasible"] == (kept and whole) == (not proposal["why"])
