"""Road factors over HTTP: asked for overall and by region, told again, refused with the field, and counted in all lengths."""

from typing import Any
from uuid import UUID

import pytest

from tests.service.assignment.design_editing import Editor, recount
from tests.service.assignment.designs import (
    EVEN,
    LEAVES,
    PATIENCE,
    Designs,
    account_id,
    accounts,
)

pytestmark = pytest.mark.timeout(PATIENCE + 60)

MEASURES = [{"measure": "accounts", "tolerance": 0.1}, {"measure": "employees", "tolerance": 0.2}]
# West of the middle, as a map has it: with an altitude, and a lake that has no roads of its own.
COAST = {
    "type": "Polygon",
    "coordinates": [
        [[-91, 39], [-89, 39, 12.5], [-89, 43], [-91, 43], [-91, 39]],
        [[-90, 41], [-89.5, 41], [-89.5, 41.5], [-90, 41.5], [-90, 41]],
    ],
}
ASKED = {
    "overall": 1.2,
    "regions": [
        {"factor": 1.8, "county": "01007"},
        {"factor": 2.5, "area": COAST},
        {"factor": 1, "state": "WY"},
    ],
}
SOMEWHERE = {"external_id": "w1", "state": "WY", "latitude": 40.5, "longitude": -88.2, "employees": 7}


def _road(one: dict[str, Any]) -> float:
    """Return the factor of an account by what is asked for above, as a reader of it would."""
    east, north = one["longitude"], one["latitude"]
    if one["county"] == "01007":
        return 1.8
    if east < -89 and not (-90 < east < -89.5 and 41 < north < 41.5):
        return 2.5
    return 1.2


async def _touching(designs: Designs, run_id: str) -> dict[str, set[str]]:
    """Return which accounts touch which, as the engine has kept it."""
    rows = await designs.assignment.rows(
        "SELECT unit, account_id, neighbours FROM design_proposal_units WHERE run_id = :run_id",
        run_id=UUID(run_id),
    )
    names = {row[0]: str(row[1]) for row in rows}
    return {names[unit]: {names[other] for other in others} for unit, _, others in rows}


async def test_all_that_is_told_of_a_proposal_is_by_road(designs: Designs):
    await designs.assignment.import_accounts({**SOMEWHERE, "latitude": None, "longitude": None})
    proposal = await designs.design(measures=MEASURES, road_factors=ASKED)
    run_id = proposal["run_id"]
    assert (proposal["scenario"]["road_factor"], proposal["scenario"]["road_regions"]) == (1.2, 3)
    told = await designs.assignment.get(f"/v1/design-runs/{run_id}/road-regions")
    flat = [[point[:2] for point in ring] for ring in COAST["coordinates"]]
    assert told["items"] == [
        {"factor": 1.8, "state": None, "county": "01007", "area": None},
        {"factor": 2.5, "state": None, "county": None, "area": {"type": "Polygon", "coordinates": flat}},
        {"factor": 1.0, "state": "WY", "county": None, "area": None},
    ]
    places = await designs.places(run_id)
    roads = {account_id(one["external_id"]): _road(one) for one in accounts()}
    assert {one: place["road_factor"] for one, place in places.items()} == roads
    labels = {one: place["to_territory_id"] for one, place in places.items()}
    touching = await _touching(designs, run_id)
    recount(proposal, labels, touching, roads)
    run = await designs.find(run_id)
    assert run["figures"]["mean_km"] == pytest.approx(proposal["mean_km"])
    for change in ("one_more", "one_fewer"):
        assert proposal["sensitivity"][change]["mean_km_before"] == pytest.approx(proposal["mean_km"])
    picture = await designs.assignment.http.get(f"/v1/design-runs/{run_id}/proposal/map?format=svg")
    assert f"mean distance {proposal['mean_km']:,.1f} km" in picture.text
    editor = Editor(designs.assignment.http, run_id)
    away = sorted(one for one, road in roads.items() if road == 2.5)[:30]
    there = str(LEAVES["01007"])
    await editor.move({one: there for one in away if labels[one] != there})
    edited = await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")
    recount(edited, labels | dict.fromkeys(away, there), touching, roads)
    await editor.step("edit-undoings")
    undone = await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")
    assert {**undone, "edit_version": 1} == proposal
    assert (await designs.assignment.http.delete(f"/v1/design-runs/{run_id}")).status_code == 204
    assert await designs.assignment.rows(
        "SELECT count(*) FROM design_run_road_regions WHERE run_id = :run_id", run_id=UUID(run_id)
    ) == [(0,)]


async def test_factors_of_one_change_nothing_and_one_for_all_the_lengths_alone(designs: Designs):
    plain = await designs.design(measures=MEASURES)
    same = await designs.design(measures=MEASURES, road_factors={"regions": [{"factor": 1, "area": COAST}]})
    twice = await designs.design(measures=MEASURES, road_factors={"overall": 2})
    assert (plain["scenario"]["road_factor"], plain["scenario"]["road_regions"]) == (1.0, 0)
    assert await designs.assignment.get(f"/v1/design-runs/{plain['run_id']}/road-regions") == {"items": []}
    own = {"run_id", "name", "scenario", "made_at", "stale"}
    assert {name: plain[name] for name in plain.keys() - own} == {
        name: same[name] for name in same.keys() - own
    }
    places = [await designs.places(one["run_id"]) for one in (plain, twice)]
    assert {one["road_factor"] for one in places[0].values()} == {1.0}
    assert {one["road_factor"] for one in places[1].values()} == {2.0}
    for one, place in places[0].items():
        assert place["to_territory_id"] == places[1][one]["to_territory_id"]
    assert twice["mean_km"] == pytest.approx(2 * plain["mean_km"])
    assert twice["cost"] == pytest.approx(4 * plain["cost"])


async def test_only_ways_by_the_same_roads_are_compared(designs: Designs):
    region = {"factor": 1.5, "county": "01001"}
    asked = [
        {},
        {"overall": 1.3},
        {"regions": [region]},
        {"regions": [region]},
        {"regions": [{**region, "factor": 2}]},
    ]
    ids = [(await designs.design(measures=MEASURES, road_factors=one))["run_id"] for one in asked]
    compared = await designs.assignment.get(f"/v1/plans/{designs.plan_id}/design-comparison")
    group = {one["run_id"]: one["group"] for one in compared["runs"]}
    assert group[ids[2]] == group[ids[3]]
    assert len({group[one] for one in ids}) == 4


async def test_groups_are_pulled_by_all_of_their_roads(designs: Designs):
    proposal = await designs.design(
        measures=[{"measure": "accounts", "tolerance": 0.3}, {"measure": "employees", "tolerance": 0.5}],
        mode="greenfield",
        keep_together=["postal_code"],
        road_factors=ASKED | {"regions": ASKED["regions"][:2]},
    )
    places = await designs.places(proposal["run_id"])
    labels = {one: place["to_territory_id"] for one, place in places.items()}
    roads = {account_id(one["external_id"]): _road(one) for one in accounts()}
    recount(proposal, labels, await _touching(designs, proposal["run_id"]), roads)
    assert 0 < proposal["bound"] <= proposal["cost"] * (1 + 1e-9)


def _area(*points: list[float], **changed: Any) -> dict[str, Any]:
    return {"factor": 2, "area": {"type": "Polygon", "coordinates": [list(points)], **changed}}


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"overall": 0.9}, "/road_factors/overall"),
        ({"overall": 10.1}, "/road_factors/overall"),
        ({"overall": None}, "/road_factors/overall"),
        ({"overal": 1.2}, "/road_factors/overal"),
        ({"regions": [{"county": "01001"}]}, "/road_factors/regions/0/factor"),
        ({"regions": [{"factor": 0.5, "county": "01001"}]}, "/road_factors/regions/0/factor"),
        ({"regions": [{"factor": 11, "county": "01001"}]}, "/road_factors/regions/0/factor"),
        ({"regions": [{"factor": 2}]}, "/road_factors/regions/0/area"),
        ({"regions": [{"factor": 2, "county": "01001", "area": COAST}]}, "/road_factors/regions/0/area"),
        ({"regions": [{"factor": 2, "county": " "}]}, "/road_factors/regions/0/county"),
        (
            {"regions": [{"factor": 2, "county": "01001"}, {"factor": 2, "county": "Oz"}]},
            "/road_factors/regions/1/county",
        ),
        ({"regions": [{"factor": 2, "state": "OZ"}]}, "/road_factors/regions/0/state"),
        ({"regions": [{"factor": 2, "state": "OZ", "county": "01001"}]}, "/road_factors/regions/0/state"),
        ({"regions": [{"factor": 2, "state": "WY", "county": "01001"}]}, "/road_factors/regions/0/county"),
        (
            {"regions": [_area([0, 0], [1, 0], [1, 1], [0, 0], type="Point")]},
            "/road_factors/regions/0/area/type",
        ),
        ({"regions": [_area([0, 0], [1, 0], [0, 0])]}, "/road_factors/regions/0/area/coordinates/0"),
        ({"regions": [_area([0, 0], [1, 0], [1, 1], [0, 1])]}, "/road_factors/regions/0/area/coordinates"),
        ({"regions": [_area(coordinates=[])]}, "/road_factors/regions/0/area/coordinates"),
        ({"regions": [_area(*[[0, 0]] * 11_000)] * 2}, "/road_factors/regions"),
        ({"regions": [{"factor": 2, "county": "01001"}] * 1_001}, "/road_factors/regions"),
    ],
)
async def test_factors_that_make_no_sense_are_refused_with_the_field(
    designs: Designs, asked: dict[str, Any], pointer: str
):
    await designs.assignment.import_accounts(SOMEWHERE)
    answer = await designs.assignment.http.post(designs.runs, json={**EVEN, "road_factors": asked})
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert await designs.assignment.rows("SELECT count(*) FROM design_runs") == [(0,)]


async def test_points_off_the_earth_are_refused_with_the_point(designs: Designs):
    wrong = _area([0, 0], [181, 0], [1, 1], [0, 0])
    answer = await designs.assignment.http.post(
        designs.runs, json={**EVEN, "road_factors": {"regions": [wrong]}}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/road_factors/regions/0/area/coordinates/0/1")


async def test_odd_areas_hold_up_nothing(designs: Designs):
    """Without an inside, crossing themselves, around the earth, with holes beyond their border."""
    rings = [
        [[[10, 10]] * 4],
        [[[-90, 40], [-88, 42], [-88, 40], [-90, 42], [-90, 40]]],
        [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]],
        [[[0, 0], [1, 0], [1, 1], [0, 0]], [[5, 5], [6, 5], [6, 6], [5, 5]]],
    ]
    regions = [
        {"factor": 2 + number, "area": {"type": "Polygon", "coordinates": one}}
        for number, one in enumerate(rings)
    ]
    proposal = await designs.design(measures=MEASURES, road_factors={"regions": regions})
    places = await designs.places(proposal["run_id"])
    # What crosses itself is two triangles, one to the west and one to the east.
    for one in accounts():
        aside = abs(one["longitude"] + 89) > abs(one["latitude"] - 41)
        assert places[account_id(one["external_id"])]["road_factor"] == (3 if aside else 4)
