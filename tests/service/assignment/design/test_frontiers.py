"""A run whose measures oppose each other: what is within reach is told, and what is told can be asked for."""

from collections.abc import AsyncIterator
from math import exp
from typing import Any

import pytest

from services.assignment.design.own_process import Engines
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import LEAVES, PATIENCE, RULES, TREE, Designs

pytestmark = pytest.mark.timeout(PATIENCE + 60)

COUNT = 120
OPPOSED = [{"measure": "accounts", "tolerance": 0.05}, {"measure": "employees", "tolerance": 0.05}]


@pytest.fixture
async def designs(assignment: Assignment) -> AsyncIterator[Designs]:
    """A draft of four stretches of a road along which accounts get larger: as many in each, or as large."""
    await assignment.import_accounts(*(_account(number) for number in range(COUNT)))
    live = await assignment.draft(TREE, RULES)
    await assignment.activate(live)
    engines = Engines()
    yield Designs(assignment, engines, await assignment.clone(live))
    await engines.stop()


def _account(number: int) -> dict[str, Any]:
    return {
        "external_id": f"r{number}",
        "latitude": 40.0,
        "longitude": -90 + number / 100,
        "postal_code": f"{10000 + number}",
        "county": list(LEAVES)[number * 4 // COUNT],
        "employees": round(10 * exp(2 * number / COUNT)),
    }


async def test_opposed_measures_have_a_frontier_and_a_binding_measure(designs: Designs):
    proposal = await designs.design(mode="greenfield", measures=OPPOSED)
    assert not proposal["feasible"]
    told = [one["deviation"] for one in proposal["measures"]]
    assert max(told) > 0.05

    points = proposal["frontier"]
    own = [point for point in points if point["asked"] is None]
    assert [point["deviation"] for point in own] in ([], [pytest.approx(told)])
    assert [point["mean_km"] for point in points] == sorted(point["mean_km"] for point in points)
    for measure in (0, 1):
        first = [point for point in points if point["deviation"][measure] <= 0.05 + 1e-9]
        assert first
        # With this one in its tolerance the other is further off than in any compromise.
        assert min(point["deviation"][1 - measure] for point in first) > 0.2
    for one in points:
        assert not any(_beats(other, one) for other in points)

    binding = proposal["binding_measure"]
    held = 1 - binding["measure"]
    assert binding["freed_from"] == told[binding["measure"]] < binding["freed_to"]
    assert binding["others_from"] == told[held] > binding["others_to"]


def _beats(other: dict[str, Any], one: dict[str, Any]) -> bool:
    goods = [
        [*(max(off - 0.05, 0.0) for off in point["deviation"]), point["mean_km"], not point["whole"]]
        for point in (other, one)
    ]
    as_good = all(mine <= theirs for mine, theirs in zip(*goods, strict=True))
    return as_good and any(mine < theirs - 1e-5 for mine, theirs in zip(*goods, strict=True))


async def test_what_the_frontier_tells_can_be_asked_for(designs: Designs):
    """The loosened tolerances of a point lead to a plan that keeps to them."""
    proposal = await designs.design(mode="greenfield", measures=OPPOSED)
    point = next(point for point in proposal["frontier"] if point["asked"] is not None)
    asked = [
        {**measure, "tolerance": min(max(0.05, off + 0.01), 1.0)}
        for measure, off in zip(OPPOSED, point["deviation"], strict=True)
    ]
    again = await designs.design(mode="greenfield", measures=asked)
    assert again["feasible"], again["why"]
    assert (again["frontier"], again["binding_measure"]) == (None, None)


async def test_one_measure_alone_opposes_nothing(designs: Designs):
    proposal = await designs.design(mode="greenfield", measures=OPPOSED[:1])
    assert (proposal["feasible"], proposal["frontier"], proposal["binding_measure"]) == (True, None, None)
