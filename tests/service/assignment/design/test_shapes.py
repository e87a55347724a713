"""Boundaries made of real shapes: put by a planner, each the territory's with most of the accounts that lie in it."""

import asyncio
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from typing import Any

import httpx
import pytest
import shapely
import shapely.affinity
from shapely.geometry import shape

from services.assignment.shapes.routes import MOST_BYTES
from shared.http import turns as shared_turns
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.design_editing import Editor
from tests.service.assignment.designs import LEAVES, PATIENCE, Designs, account_id, accounts

pytestmark = pytest.mark.timeout(PATIENCE + 60)

# As `accounts` lays postal codes: squares of half a degree.
SQUARES = {
    f"{10000 + east * 4 + north}": shapely.box(
        -90 + east / 2, 40 + north / 2, -89.5 + east / 2, 40.5 + north / 2
    )
    for east in range(4)
    for north in range(4)
}
CODES = {account_id(one["external_id"]): one["postal_code"] for one in accounts()}


def collection(shapes: Mapping[str, shapely.Geometry]) -> dict[str, Any]:
    """Return shapes as a document."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"ZIP": key}, "geometry": shapely.geometry.mapping(one)}
            for key, one in shapes.items()
        ],
    }


async def _put(assignment: Assignment, shapes: Mapping[str, shapely.Geometry]) -> httpx.Response:
    return await assignment.http.put("/v1/shapes/postal_code", params={"key": "ZIP"}, json=collection(shapes))


async def _boundaries(designs: Designs, run_id: str, **asked: str) -> httpx.Response:
    return await designs.assignment.http.get(
        f"/v1/design-runs/{run_id}/proposal/boundaries", params={"shapes": "postal_code", **asked}
    )


def _check(document: dict[str, Any], held: Mapping[str, str]) -> None:
    """Look whether each square is the territory's with most of its accounts."""
    votes = defaultdict[str, Counter[str]](Counter)
    for account, territory in held.items():
        votes[CODES[account]][territory] += 1
    found = {one["id"]: shape(one["geometry"]) for one in document["features"]}
    assert found.keys() == set(map(str, LEAVES.values()))
    others = 0
    for code, square in SQUARES.items():
        (owner,) = [territory for territory, area in found.items() if area.covers(square)]
        assert votes[code][owner] == max(votes[code].values())
        others += votes[code].total() - votes[code][owner]
    assert sum(area.area for area in found.values()) == pytest.approx(4)
    assert shapely.coverage_is_valid(list(found.values()))
    assert document["accounts_in_shapes_of_others"] == others
    assert {one["id"]: one["properties"]["accounts"] for one in document["features"]} == Counter(
        held.values()
    )


async def test_territories_are_made_of_the_shapes_in_which_most_of_their_accounts_lie(designs: Designs):
    run_id = (await designs.design())["run_id"]
    put = await _put(designs.assignment, SQUARES)
    assert put.status_code == 200, put.text
    assert (put.json()["level"], put.json()["shapes"], put.json()["key_property"]) == (
        "postal_code",
        16,
        "ZIP",
    )
    places = await designs.places(run_id)
    after = await _boundaries(designs, run_id)
    assert after.status_code == 200, after.text
    assert after.headers["content-type"] == "application/geo+json"
    _check(after.json(), {account: one["to_territory_id"] for account, one in places.items()})
    before = await _boundaries(designs, run_id, when="before")
    _check(before.json(), {account: one["from_territory_id"] for account, one in places.items()})


async def test_another_map_has_another_tag_whatever_it_is_another_for(designs: Designs):
    run_id = (await designs.design())["run_id"]
    await _put(designs.assignment, SQUARES)
    first = await _boundaries(designs, run_id)
    plain = await designs.assignment.http.get(f"/v1/design-runs/{run_id}/proposal/boundaries")
    tags = {
        first.headers["etag"],
        plain.headers["etag"],
        (await _boundaries(designs, run_id, when="before")).headers["etag"],
    }
    again = await designs.assignment.http.get(
        f"/v1/design-runs/{run_id}/proposal/boundaries",
        params={"shapes": "postal_code"},
        headers={"if-none-match": first.headers["etag"]},
    )
    assert again.status_code == 304
    # An account moves house, to the other end.
    await designs.assignment.import_accounts(
        {
            **accounts()[0],
            "postal_code": next(code for code in SQUARES if code != accounts()[0]["postal_code"]),
        }
    )
    tags.add((await _boundaries(designs, run_id)).headers["etag"])
    await _put(designs.assignment, SQUARES)
    tags.add((await _boundaries(designs, run_id)).headers["etag"])
    assert len(tags) == 5


async def test_who_waited_for_a_turn_gets_what_holds_when_it_comes(designs: Designs):
    """Meanwhile a square's accounts are moved by hand, and the shapes replaced."""
    assignment = designs.assignment
    run_id = (await designs.design())["run_id"]
    await _put(assignment, SQUARES)
    first = await _boundaries(designs, run_id)
    held: shared_turns.Turns = assignment.http._transport.app.state.map_turns  # type: ignore[attr-defined]
    places = {account: one["to_territory_id"] for account, one in (await designs.places(run_id)).items()}
    code = CODES[next(iter(places))]
    within = [account for account in places if CODES[account] == code]
    target = next(str(one) for one in LEAVES.values() if str(one) not in {places[one] for one in within})
    async with held.take():
        waiting = asyncio.create_task(_boundaries(designs, run_id))
        await eventually(lambda: held._free._waiters)
        await Editor(assignment.http, run_id).move(dict.fromkeys(within, target))
        north = {key: shapely.affinity.translate(one, yoff=10) for key, one in SQUARES.items()}
        await _put(assignment, north)
    answer = await waiting
    assert answer.status_code == 200, answer.text
    fresh = await _boundaries(designs, run_id)
    assert (answer.content, answer.headers["etag"]) == (fresh.content, fresh.headers["etag"])
    assert first.headers["etag"] != fresh.headers["etag"]
    (owner,) = [one for one in answer.json()["features"] if shape(one["geometry"]).covers(north[code])]
    assert owner["id"] == target


async def test_accounts_without_a_shape_are_told(designs: Designs):
    run_id = (await designs.design())["run_id"]
    none = await _boundaries(designs, run_id)
    assert (none.status_code, none.json()["code"]) == (404, "not-found")
    assert none.json()["detail"].startswith("shapes: there are no shapes")
    code, *_ = SQUARES
    await _put(designs.assignment, {key: one for key, one in SQUARES.items() if key != code})
    without = sum(one == code for one in CODES.values())
    answer = await _boundaries(designs, run_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "accounts-without-shape")
    assert answer.json()["errors"] == [
        {"pointer": "shapes", "detail": f"postal code {code}: no shape for {without} accounts"}
    ]
    await _put(designs.assignment, SQUARES)
    unknown = {key: value for key, value in accounts()[0].items() if key != "postal_code"}
    await designs.assignment.import_accounts({**unknown, "postal_code": ""})
    answer = await _boundaries(designs, run_id)
    assert answer.json()["errors"] == [{"pointer": "shapes", "detail": "1 accounts have no postal code"}]


async def test_shapes_are_read_one_document_at_a_time_and_none_that_is_too_large(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared_turns, "PATIENCE_SECONDS", 0.05)
    held = assignment.http._transport.app.state.shape_turns  # type: ignore[attr-defined]
    async with held.take():
        busy = await _put(assignment, SQUARES)
    assert (busy.status_code, busy.json()["code"]) == (503, "shapes-busy")
    assert (await _put(assignment, SQUARES)).status_code == 200
    large = await assignment.http.put(
        "/v1/shapes/postal_code", params={"key": "ZIP"}, content=b" " * (MOST_BYTES + 1)
    )
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")


def _reading() -> BaseProcess | None:
    return next((one for one in multiprocessing.active_children() if one.name == "shapes"), None)


async def test_a_reading_that_is_ended_is_told_and_leaves_the_turn_free(assignment: Assignment):
    asking = asyncio.create_task(_put(assignment, SQUARES))
    reading = await eventually(_reading, every=0.005)
    reading.kill()
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (503, "shapes-not-read")
    assert _reading() is None
    assert await assignment.rows("SELECT count(*) FROM shapes") == [(0,)]
    assert (await _put(assignment, SQUARES)).status_code == 200


async def test_shapes_are_put_as_a_whole_and_taken_out_by_planners(assignment: Assignment):
    http = assignment.http
    assert (await _put(assignment, SQUARES)).status_code == 200
    few = dict(list(SQUARES.items())[:2])
    assert (await _put(assignment, few)).json()["shapes"] == 2
    assert await assignment.rows("SELECT level, key FROM shapes ORDER BY 2") == [
        ("postal_code", key) for key in sorted(few)
    ]
    listed = (await assignment.get("/v1/shapes"))["items"]
    assert [(one["level"], one["shapes"], one["put_by"]) for one in listed] == [("postal_code", 2, "tester")]
    viewer = assignment.caller("viewer")
    seen = (await http.get("/v1/shapes", headers=viewer)).json()["items"]
    assert [(one["shapes"], one["put_by"]) for one in seen] == [(2, None)]
    wrong = collection(few)
    wrong["features"][1]["properties"]["ZIP"] = 10001
    answer = await http.put("/v1/shapes/postal_code", params={"key": "ZIP"}, json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-shapes")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/features/1/properties"]
    for refused, status in (
        (await http.put("/v1/shapes/postal_code", params={"key": "ZIP"}, json=wrong, headers=viewer), 403),
        (await http.put("/v1/shapes/planet", params={"key": "ZIP"}, json=wrong), 422),
        (await http.put("/v1/shapes/county", json=wrong), 422),
        (await http.delete("/v1/shapes/county"), 404),
        (await http.delete("/v1/shapes/postal_code", headers=viewer), 403),
    ):
        assert refused.status_code == status, refused.text
    assert (await http.delete("/v1/shapes/postal_code")).status_code == 204
    assert await assignment.rows("SELECT count(*) FROM shapes") == [(0,)]
