"""Which rep should get which proposed territory, over HTTP."""

from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from services.assignment.design.matching import turns as matching_turns
from services.assignment.design.sizing import turns as sizing_turns
from shared.http import turns
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import LEAVES, PATIENCE, ROOT, Designs

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = map(str, LEAVES.values())
# Corners of the square: each rep lives where another's territory is.
CODES = {"ann": "10015", "bob": "10003", "cem": "10012", "dan": "99999"}


async def _reps(assignment: Assignment) -> dict[str, str]:
    lines = "".join(f"{rep},{rep.title()},{code}\n" for rep, code in CODES.items())
    report = await assignment.http.post(
        "/v1/reps/imports",
        content=f"external_id,name,postal_code\n{lines}",
        headers={"content-type": "text/csv"},
    )
    assert report.status_code == 200, report.text
    return {rep["external_id"]: rep["rep_id"] for rep in (await assignment.get("/v1/reps"))["items"]}


async def _cover(assignment: Assignment, territory: str, rep_id: str) -> None:
    await assignment.post(
        "/v1/coverages",
        {
            "territory_id": territory,
            "rep_id": rep_id,
            "role": "primary",
            "share_percent": "100",
            "valid_from": assignment.clock.now().isoformat(),
        },
    )


async def test_the_best_matching_is_the_least_of_all_there_are(designs: Designs):
    assignment = designs.assignment
    reps = await _reps(assignment)
    # The fourth has nobody, and Dan lives where no account is: he is not looked at, as he covers nothing.
    covered = dict(zip((FIRST, SECOND, THIRD), (reps["ann"], reps["bob"], reps["cem"]), strict=True))
    for territory, rep_id in covered.items():
        await _cover(assignment, territory, rep_id)
    proposal = await designs.design(mode="greenfield")
    path = f"/v1/design-runs/{proposal['run_id']}/rep-matching"
    places = await designs.places(proposal["run_id"])
    flows = Counter(
        (covered.get(one["from_territory_id"]), one["to_territory_id"]) for one in places.values()
    )
    names = (FIRST, SECOND, THIRD, FOURTH)
    total = sum(count for (rep, _), count in flows.items() if rep is not None)

    found = await assignment.get(path, relocation_weight=0)
    holders = (*covered.values(), None)
    most = max(
        sum(flows[rep, name] for rep, name in zip(order, names, strict=True) if rep is not None)
        for order in permutations(holders)
    )
    assert found["best"]["kept"] == most
    assert (
        found["best"]["kept"] + found["best"]["lost"]
        == total
        == sum(flows[rep, name] for rep in covered.values() for name in names)
    )
    assert found["named"]["kept"] == sum(flows[rep, name] for name, rep in covered.items())
    assert (found["vacant"], found["without_home"]) == (1, [])

    near = await assignment.get(path, relocation_weight=1)
    told = {one["territory_id"]: one for one in near["territories"]}
    assert set(told) == set(names)
    assert {name: one["named"]["rep_id"] for name, one in told.items()} == {**covered, FOURTH: None}
    # Ann lives in the corner of the fourth, which nobody covers.
    assert told[FOURTH]["best"]["rep_id"] == reps["ann"]
    assert told[FOURTH]["changes"]
    assert sum(one["best"]["rep_id"] is None for one in told.values()) == 1
    assert near["best"]["km"] < near["named"]["km"]
    assert near["saved"]["km"] == pytest.approx(near["named"]["km"] - near["best"]["km"])
    kms = [one["best"]["km"] for one in told.values() if one["best"]["km"] is not None]
    assert len(kms) == 3
    assert sum(kms) == pytest.approx(near["best"]["km"])
    between = await assignment.get(path)
    assert between["relocation_weight"] == 0.5
    assert between["best"]["cost"] <= between["named"]["cost"]
    assert between["best"]["lost"] >= found["best"]["lost"]
    assert between["best"]["km"] >= near["best"]["km"] - 1e-9


async def test_who_came_since_is_matched_from_where_they_live(designs: Designs):
    """The run was told where Ann lives; Dan, who took over, lives nobody knows where."""
    assignment = designs.assignment
    reps = await _reps(assignment)
    await _cover(assignment, FIRST, reps["ann"])
    proposal = await designs.design(
        mode="greenfield", pull=0.1, homes=[{"territory_id": FIRST, "latitude": 41, "longitude": -89}]
    )
    path = f"/v1/design-runs/{proposal['run_id']}/rep-matching"
    found = await assignment.get(path)
    first = next(one for one in found["territories"] if one["territory_id"] == FIRST)
    middle = next(one for one in proposal["territories"] if one["territory_id"] == FIRST)
    # A degree is 111 km of latitude, and some 84 km of longitude there.
    north, east = (middle["latitude"] - 41) * 111.2, (middle["longitude"] + 89) * 84
    assert first["named"]["km"] == pytest.approx((north**2 + east**2) ** 0.5, rel=0.02, abs=0.5)
    assignment.clock.advance(timedelta(days=1))
    await _cover(assignment, FIRST, reps["dan"])
    found = await assignment.get(path)
    assert found["without_home"] == [reps["dan"]]
    first = next(one for one in found["territories"] if one["territory_id"] == FIRST)
    assert (first["named"]["rep_id"], first["named"]["km"]) == (reps["dan"], None)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"relocation_weight": 1.1}, "relocation_weight"),
        ({"relocation_weight": "nan"}, "relocation_weight"),
        ({"counted": "employees"}, "counted"),
        ({"counted": "revenue"}, "currency"),
        ({"currency": "USD"}, "currency"),
        ({"weight": 1}, "weight"),
    ],
)
async def test_what_cannot_be_weighed_is_refused_with_the_field(
    designs: Designs, asked: dict[str, Any], says: str
):
    run = await designs.ask()
    answer = await designs.assignment.http.get(f"/v1/design-runs/{run['run_id']}/rep-matching", params=asked)
    assert answer.status_code == 422, answer.text
    assert says in answer.text


async def test_reps_are_matched_to_a_proposal_by_who_sees_the_whole(designs: Designs):
    assignment = designs.assignment
    run = await designs.ask()
    path = f"/v1/design-runs/{run['run_id']}/rep-matching"
    answer = await assignment.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "design-run-without-proposal")
    scoped = assignment.caller("manager", territories=[ROOT])
    assert (await assignment.http.get(path, headers=scoped)).status_code == 403
    assert (await assignment.http.get(f"/v1/design-runs/{uuid4()}/rep-matching")).status_code == 404


async def test_where_nobody_covers_nobody_is_matched(designs: Designs):
    proposal = await designs.design(mode="greenfield")
    found = await designs.assignment.get(
        f"/v1/design-runs/{proposal['run_id']}/rep-matching", counted="revenue", currency="USD"
    )
    assert (found["vacant"], found["best"], found["saved"]["cost"]) == (
        4,
        {"km": 0, "kept": 0, "lost": 0, "cost": 0},
        0,
    )
    assert not any(one["changes"] for one in found["territories"])


async def test_matchings_and_sizings_wait_for_their_own_and_for_nobody_else(
    designs: Designs, monkeypatch: pytest.MonkeyPatch
):
    assignment = designs.assignment
    proposal = await designs.design(mode="greenfield")
    plan = f"/v1/plans/{proposal['plan_id']}"
    paths = {
        "matchings-busy": f"/v1/design-runs/{proposal['run_id']}/rep-matching",
        "sizings-busy": f"{plan}/design-sizing?measure=accounts&per_rep=100",
        "diffs-busy": f"{plan}/diff",
    }
    state = assignment.http._transport.app.state  # type: ignore[attr-defined]
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    for code, held, at_once in (
        ("matchings-busy", state.matching_turns, matching_turns.AT_ONCE),
        ("sizings-busy", state.sizing_turns, sizing_turns.AT_ONCE),
    ):
        async with AsyncExitStack() as holding:
            for _ in range(at_once):
                await holding.enter_async_context(held.take())
            for of, path in paths.items():
                answer = await assignment.http.get(path)
                if of == code:
                    assert (answer.status_code, answer.json()["code"]) == (503, code)
                    assert answer.headers["retry-after"]
                else:
                    assert answer.status_code == 200, answer.text
        # Who gave up has taken no turn along.
        assert (await assignment.http.get(paths[code])).status_code == 200
