"""Maps of a real run over HTTP: boundaries that hold what they say, pictures, entity tags, turns."""

import asyncio
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterable
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import httpx
import pytest
import shapely

from services.assignment.design.exports import own_process
from services.assignment.design.own_process import Engines
from shared.http import turns
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import (
    LEAVES,
    PATIENCE,
    Designs,
    account_id,
    accounts,
    organisation,
)

pytestmark = pytest.mark.timeout(PATIENCE + 60)

# They lie among the others, in a county that no rule sends anywhere.
GAPS = [
    {"external_id": f"g{number}", "latitude": 40.03 + number / 5, "longitude": -89.51, "county": "99999"}
    for number in range(9)
]
MEASURES = [{"measure": "accounts"}, {"measure": "employees", "tolerance": 0.2}]


@pytest.fixture
async def designs(assignment: Assignment, engines: Engines) -> Designs:
    """A draft to design."""
    return Designs(assignment, engines, await organisation(assignment, *GAPS))


def _path(run_id: str, part: str) -> str:
    return f"/v1/design-runs/{run_id}/proposal/{part}"


async def _ok(designs: Designs, run_id: str, part: str, **asked: Any) -> httpx.Response:
    answer = await designs.assignment.http.get(_path(run_id, part), **asked)
    assert answer.status_code == 200, answer.text
    return answer


def _shapes(document: dict[str, Any]) -> dict[str, shapely.Geometry]:
    return {one["id"]: shapely.from_geojson(json.dumps(one["geometry"])) for one in document["features"]}


def _check_boundaries(document: dict[str, Any], held: dict[str, str]) -> None:
    """Look whether territories are polygons side by side, and each account in that of its territory."""
    assert document["type"] == "FeatureCollection"
    shapes = _shapes(document)
    assert shapes.keys() == set(map(str, LEAVES.values()))
    assert shapely.is_valid(list(shapes.values())).all()
    assert shapely.coverage_is_valid(list(shapes.values()))
    places = {account_id(one["external_id"]): one for one in _all_accounts()}
    for account, territory in held.items():
        assert shapes[territory].covers(
            shapely.Point(places[account]["longitude"], places[account]["latitude"])
        )


def _all_accounts() -> Iterable[dict[str, Any]]:
    return [*accounts(), *GAPS]


def _check_told(document: dict[str, Any], held: dict[str, str], targets: dict[str, list[float]]) -> None:
    employees = {account_id(one["external_id"]): one.get("employees", 0) for one in _all_accounts()}
    counts, heads = Counter(held.values()), Counter[str]()
    for account, territory in held.items():
        heads[territory] += employees[account]
    for feature in document["features"]:
        told, territory = feature["properties"], feature["id"]
        loads = {"accounts": counts[territory], "employees": heads[territory]}
        assert (told["territory_id"], told["accounts"]) == (territory, counts[territory])
        assert told["name"].startswith("Leaf ")
        assert told["loads"] == loads
        expected = [
            load / target - 1 for load, target in zip(loads.values(), targets[territory], strict=True)
        ]
        assert list(told["deviation"].values()) == pytest.approx(expected)


async def test_boundaries_hold_the_accounts_of_their_territories_before_and_after(designs: Designs):
    proposal = await designs.design(measures=MEASURES)
    run_id = proposal["run_id"]
    places = await designs.places(run_id)
    targets = {
        one["territory_id"]: [load["target"] for load in one["loads"]] for one in proposal["territories"]
    }

    answer = await _ok(designs, run_id, "boundaries")
    assert answer.headers["content-type"] == "application/geo+json"
    after = answer.json()
    held = {account: one["to_territory_id"] for account, one in places.items()}
    _check_boundaries(after, held)
    _check_told(after, held, targets)
    assert (after["run_id"], after["when"], after["accounts_without_territory"]) == (run_id, "after", 0)

    before = (await _ok(designs, run_id, "boundaries", params={"when": "before"})).json()
    held = {account: one["from_territory_id"] for account, one in places.items() if one["from_territory_id"]}
    assert len(held) == len(places) - len(GAPS)
    _check_boundaries(before, held)
    _check_told(before, held, targets)
    assert (before["when"], before["accounts_without_territory"]) == ("before", len(GAPS))
    assert _shapes(before) != _shapes(after)
    # Where those without a territory are is no territory's land.
    hole = shapely.union_all(list(_shapes(after).values())).difference(
        shapely.union_all(list(_shapes(before).values()))
    )
    assert all(hole.covers(shapely.Point(one["longitude"], one["latitude"])) for one in GAPS)


async def test_pictures_are_drawn_as_asked_for_and_not_again_for_who_has_them(designs: Designs):
    run_id = (await designs.design())["run_id"]
    png = await _ok(designs, run_id, "map")
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(png.content[at : at + 4], "big") for at in (16, 20))
    # Two maps side by side at 150 dots per inch.
    assert width > 2 * 7 * 150
    assert 400 < height < width

    svg = await _ok(designs, run_id, "map", params={"format": "svg"})
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert ET.fromstring(svg.content).tag == "{http://www.w3.org/2000/svg}svg"

    accepted = await _ok(designs, run_id, "map", headers={"accept": "image/svg+xml, image/*;q=0.5"})
    assert (accepted.content, accepted.headers["etag"]) == (svg.content, svg.headers["etag"])
    assert accepted.headers["vary"] == "Accept"
    told = await _ok(designs, run_id, "map", params={"format": "png"}, headers={"accept": "image/svg+xml"})
    assert (told.content, told.headers["etag"]) == (png.content, png.headers["etag"])

    boundaries = await _ok(designs, run_id, "boundaries")
    tags = {answer.headers["etag"] for answer in (png, svg, boundaries)}
    assert len(tags) == 3
    assert png.headers["cache-control"] == "private, no-cache"
    for part, answer in (("map", png), ("boundaries", boundaries)):
        have = {"if-none-match": f'"other", W/{answer.headers["etag"]}'}
        same = await designs.assignment.http.get(_path(run_id, part), headers=have)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == answer.headers["etag"]
    have = {"if-none-match": png.headers["etag"]}
    assert (await _ok(designs, run_id, "map", params={"format": "svg"}, headers=have)).content == svg.content


async def test_another_proposal_has_another_tag(designs: Designs):
    first, second = [(await designs.design(seed=seed))["run_id"] for seed in (1, 2)]
    tags = [(await _ok(designs, run_id, "boundaries")).headers["etag"] for run_id in (first, second)]
    assert tags[0] != tags[1]


async def test_territories_nobody_held_are_empty_before(designs: Designs):
    """A run whose accounts belonged nowhere has no map of before."""
    run_id = (await designs.design(mode="greenfield"))["run_id"]
    async with designs.assignment.engine.begin() as write:
        await write.exec_driver_sql("UPDATE design_proposal_units SET territory_before = NULL")
    before = (await _ok(designs, run_id, "boundaries", params={"when": "before"})).json()
    assert [one["geometry"] for one in before["features"]] == [None] * 4
    assert before["accounts_without_territory"] == 409
    alone = (await _ok(designs, run_id, "map")).content
    assert int.from_bytes(alone[16:20], "big") < 2 * 7 * 150


@pytest.mark.parametrize("part", ["boundaries", "map"])
async def test_who_may_not_and_what_is_not_there_is_told(designs: Designs, part: str):
    http = designs.assignment.http
    waiting = (await designs.ask())["run_id"]
    answer = await http.get(_path(waiting, part))
    assert (answer.status_code, answer.json()["code"]) == (409, "design-run-without-proposal")
    assert (await http.get(_path(str(UUID(int=9)), part))).status_code == 404
    narrow = designs.assignment.caller("manager", territories=[LEAVES["01001"]])
    assert (await http.get(_path(waiting, part), headers=narrow)).json()["code"] == "outside-scope"
    for wrong in ({"when": "now"}, {"format": "gif"}):
        answer = await http.get(_path(waiting, part), params=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_one_map_is_drawn_at_a_time_and_who_has_it_does_not_wait(
    designs: Designs, monkeypatch: pytest.MonkeyPatch
):
    http = designs.assignment.http
    run_id = (await designs.design())["run_id"]
    first = await _ok(designs, run_id, "map")
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    held: turns.Turns = http._transport.app.state.map_turns  # type: ignore[attr-defined]
    async with held.take():
        busy = await http.get(_path(run_id, "boundaries"))
        assert (busy.status_code, busy.json()["code"]) == (503, "maps-busy")
        assert busy.headers["retry-after"]
        have = {"if-none-match": first.headers["etag"]}
        assert (await http.get(_path(run_id, "map"), headers=have)).status_code == 304
    # Who gave up has taken no turn along.
    await _ok(designs, run_id, "boundaries")


def _drawing() -> BaseProcess | None:
    return next((one for one in multiprocessing.active_children() if one.name == "design map"), None)


async def test_a_drawing_that_is_ended_is_told_and_leaves_the_turn_free(
    designs: Designs, monkeypatch: pytest.MonkeyPatch
):
    http = designs.assignment.http
    run_id = (await designs.design())["run_id"]
    asking = asyncio.create_task(http.get(_path(run_id, "map")))
    drawing = await eventually(_drawing, every=0.005)
    drawing.kill()
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (503, "map-not-drawn")
    assert answer.headers["retry-after"]

    with monkeypatch.context() as patched:
        patched.setattr(own_process, "LONGEST_SECONDS", 0.05)
        late = await http.get(_path(run_id, "map"))
    assert (late.status_code, late.json()["code"]) == (503, "map-not-drawn")
    assert _drawing() is None
    await _ok(designs, run_id, "map")
