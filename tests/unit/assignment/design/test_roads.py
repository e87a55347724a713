"""Roads that are longer than the crow's ways: whose factor is which, and what that makes of territories and lengths."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.answer import Answer
from services.assignment.design.designing import design
from services.assignment.design.engine.areas import told_by_region
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import EARTH_RADIUS_KM, Plane, projected
from services.assignment.design.engine.merge import merged
from services.assignment.design.engine.problem import Problem, WrongProblemError
from services.assignment.design.inputs.question import Question
from services.assignment.design.inputs.roads import Roads
from services.assignment.design.runs.run import Progress, RoadRegion
from services.assignment.design.sensing import Accounts
from tests.unit.assignment.design.test_designing import SIDE, question

ROWS, COLUMNS = np.divmod(np.arange(SIDE * SIDE), SIDE)
SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
HOLE = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)]


def account(state: str | None = None, county: str | None = None) -> Any:
    """Return an account as it is read."""
    return SimpleNamespace(state=state, county=county)


def test_a_place_is_told_of_the_first_region_it_is_in():
    regions = [shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)]
    latitude, longitude = np.array([0.5, 1.5, 2.5, 9.0]), np.array([0.5, 1.5, 2.5, 9.0])
    found = told_by_region(latitude, longitude, regions, np.array([1.3, 1.5]), 1.2)
    assert found.tolist() == [1.3, 1.3, 1.5, 1.2]
    assert told_by_region(latitude, longitude, [], np.empty(0), 1.2).tolist() == [1.2] * 4


def test_names_and_areas_are_looked_through_in_one_order():
    roads = Roads(
        1.1,
        [
            RoadRegion(2.0, state="CO", county="Lake"),
            RoadRegion(3.0, area=[SQUARE, HOLE]),
            RoadRegion(4.0, state="CO"),
            RoadRegion(5.0, county="Lake"),
        ],
    )
    roads.take([account("CO", "Lake"), account("CO", "Pitkin"), account("CO", "Pitkin")])
    roads.take([account("CA", "Lake"), account(None, "Lake"), account(None, None), account("CA", None)])
    # In the square but for the third and fourth (far away), and the fifth, which is in its hole.
    latitude = np.array([3.0, 3.0, 60.0, 60.0, 1.5, 4.0, 60.0])
    longitude = np.array([3.0, 3.0, 60.0, 60.0, 1.5, 4.0, 60.0])
    assert roads.factors(latitude, longitude).tolist() == [2.0, 3.0, 4.0, 5.0, 5.0, 3.0, 1.1]


NAMES = st.sampled_from([None, "A", "B"])
FACTORS = st.integers(1, 10).map(float)


@st.composite
def rectangles(draw: st.DrawFn) -> RoadRegion:
    """A rectangle on the map whose sides no place is on."""
    west, south = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    east, north = west + draw(st.integers(1, 5)), south + draw(st.integers(1, 5))
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return RoadRegion(draw(FACTORS), area=[[(float(x), float(y)) for x, y in corners]])


@st.composite
def names(draw: st.DrawFn) -> RoadRegion:
    """A state, a county, or a county of a state."""
    state, county = draw(st.tuples(NAMES, NAMES).filter(any))
    return RoadRegion(draw(FACTORS), state=state, county=county)


def is_in(region: RoadRegion, who: Any, east: float, north: float) -> bool:
    """Tell whether an account is in a region, of areas a rectangle."""
    if region.area is None:
        return region.state in {None, who.state} and region.county in {None, who.county}
    (west, south), _, (most_east, most_north), *_ = region.area[0]
    return west < east < most_east and south < north < most_north


PLACES = st.integers(0, 9).map(lambda one: one + 0.5)


@given(
    st.lists(rectangles() | names(), max_size=6),
    st.lists(st.tuples(st.builds(account, NAMES, NAMES), PLACES, PLACES), max_size=12),
)
def test_the_first_of_any_regions_counts(
    regions: list[RoadRegion], everybody: list[tuple[Any, float, float]]
):
    """Against a walk through all regions for each account."""
    roads = Roads(1.5, regions)
    for who, _, _ in everybody:
        roads.take([who])
    found = roads.factors(
        np.array([north for _, _, north in everybody], dtype=np.float64),
        np.array([east for _, east, _ in everybody], dtype=np.float64),
    )
    assert found.tolist() == [
        next((region.factor for region in regions if is_in(region, *one)), 1.5) for one in everybody
    ]


def answered(asked: Question) -> tuple[Answer, list[Progress]]:
    """Return the answer to a question, and what was told meanwhile."""
    told = list[Progress]()
    return design(asked, seconds=600, tell=told.append), told


def counted_again(asked: Question, labels: Labels) -> tuple[list[Floats], float]:
    """Return the ways of each territory's accounts, in km, and all squared roads in the plane: from the accounts alone."""
    road = np.ones(len(labels)) if asked.road is None else asked.road
    xy, plane = projected(asked.latitude, asked.longitude)
    ways, cost = list[Floats](), 0.0
    for territory in range(asked.territories):
        mine = np.flatnonzero(labels == territory)
        middle = np.average(xy[mine], axis=0, weights=road[mine] ** 2)
        if asked.pull and not np.isnan(asked.homes[territory, 0]):
            home = plane.to_plane(*asked.homes[territory][:, None])[0]
            middle = (1 - asked.pull) * middle + asked.pull * home
        cost += float(((road[mine, None] * (xy[mine] - middle)) ** 2).sum())
        up, around = plane.to_sphere(middle[None, :])
        north, south = np.radians(asked.latitude[mine]), np.radians(up)
        cosine = np.sin(north) * np.sin(south) + np.cos(north) * np.cos(south) * np.cos(
            np.radians(asked.longitude[mine] - around)
        )
        ways.append(road[mine] * EARTH_RADIUS_KM * np.arccos(np.minimum(cosine, 1.0)))
    return ways, cost


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"groups": (ROWS // 2 * SIDE + COLUMNS // 2).astype(np.int32)},
        {"pull": 0.6, "homes": np.array([[45.1, 5.1], [np.nan, np.nan], [45.9, 5.9]])},
        {"around": True, "stay": 1.0, "incumbents": (COLUMNS >= SIDE // 2).astype(np.int32)},
    ],
    ids=["alone", "together", "pulled home", "around a new one"],
)
def test_all_lengths_are_told_by_road(changed: dict[str, Any]):
    dice = np.random.default_rng(8)
    asked = question(**{"road": 1 + 2 * dice.random(SIDE * SIDE), "tolerance": np.array([0.1]), **changed})
    answer, told = answered(asked)
    ways, cost = counted_again(asked, answer.proposal.labels)
    assert answer.mean_km.tolist() == pytest.approx([one.mean() for one in ways], rel=1e-6)
    assert answer.overall_km == pytest.approx(np.concatenate(ways).mean(), rel=1e-6)
    assert answer.proposal.cost == pytest.approx(cost)
    assert answer.scored.costs.sum() == pytest.approx(cost)
    assert 0 < answer.proposal.bound <= cost * (1 + 1e-9)
    # A mean is taken over accounts, however their roads wind.
    assert answer.scored.weights.tolist() == np.bincount(answer.proposal.labels).tolist()
    assert told[-1].figures is not None
    assert told[-1].figures.mean_km == pytest.approx(answer.overall_km)
    assert answer.sensitivity is not None
    for change in (answer.sensitivity.one_more, answer.sensitivity.one_fewer):
        assert change is not None
        assert change.mean_km_before == pytest.approx(answer.overall_km)
    more = answer.sensitivity.one_more
    assert more is not None
    assert more.mean_km_after < answer.overall_km


def test_what_is_within_reach_is_told_by_road():
    """Three of 64 accounts have nearly all there is of a measure; targets are a quarter, a quarter and a half."""
    few = np.flatnonzero((ROWS < 8) & (COLUMNS < 8))
    whole = question()
    columns = ("latitude", "longitude", "move_value", "incumbents", "uprooted", "fixed")
    asked = question(
        **{name: getattr(whole, name)[few] for name in columns},
        road=1 + 2 * np.random.default_rng(8).random(len(few)),
        measures=np.column_stack([np.ones(len(few)), np.where(few < 3, 500.0, 1.0)]),
        tolerance=np.array([0.001, 0.001]),
        soft=np.array([False, False]),
        stay=0.0,
    )
    answer, _ = answered(asked)
    assert answer.frontier is not None
    own = next(one for one in answer.frontier.points if one.asked is None)
    assert own.mean_km == pytest.approx(answer.overall_km, rel=1e-6)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are of the same bits, all that they are made of included."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if hasattr(one, "__dataclass_fields__"):
        return all(_same(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)
    return type(one) is type(other) and bool(one == other)


def test_roads_as_long_as_the_crows_ways_are_no_roads():
    asked = question(stay=0.2)
    crow, told = answered(asked)
    road, told_of_road = answered(replace(asked, road=np.ones(SIDE * SIDE)))
    assert _same(crow, road)
    assert told[-1] == told_of_road[-1]
    assert not _same(crow, answered(replace(asked, road=np.full(SIDE * SIDE, 1.5)))[0])


def test_a_factor_of_all_roads_changes_lengths_and_no_border():
    asked = question(stay=0.2)
    crow, road = answered(asked)[0], answered(replace(asked, road=np.full(SIDE * SIDE, 2.0)))[0]
    assert road.proposal.labels.tolist() == crow.proposal.labels.tolist()
    assert road.overall_km == pytest.approx(2 * crow.overall_km)
    assert road.mean_km == pytest.approx(2 * crow.mean_km)
    assert (road.latitude, road.longitude) == (pytest.approx(crow.latitude), pytest.approx(crow.longitude))
    assert road.proposal.cost == pytest.approx(4 * crow.proposal.cost)
    assert road.proposal.gap == pytest.approx(crow.proposal.gap, abs=1e-9)


def test_territories_are_smaller_where_roads_wind():
    """On a plain where any number of accounts will do, half as far by road is half as far for the crow."""
    wind = np.where(COLUMNS < SIDE // 2, 2.0, 1.0)
    asked = question(
        capacities=np.ones(6),
        homes=np.full((6, 2), np.nan),
        incumbents=np.full(SIDE * SIDE, -1, np.int32),
        tolerance=np.array([0.6]),
        stay=0.0,
    )
    plain, winding = answered(asked)[0], answered(replace(asked, road=wind))[0]

    def size_west_and_east(answer: Answer) -> tuple[float, float]:
        held = np.bincount(answer.proposal.labels, minlength=6)[answer.proposal.labels]
        return float(held[wind == 2.0].mean()), float(held[wind == 1.0].mean())

    west, east = size_west_and_east(winding)
    assert west < 0.8 * east
    assert west < 0.85 * size_west_and_east(plain)[0]
    # What was drawn for roads has shorter ones than what was drawn for the crow.
    assert counted_again(replace(asked, road=wind), plain.proposal.labels)[1] > winding.proposal.cost


def test_what_stays_together_is_pulled_by_its_roads():
    """Accounts at 0 and 10 km with factors 1 and 3: together they weigh 10, and are nine tenths of the way."""
    problem = Problem(
        xy=np.array([[0.0, 0.0], [10.0, 0.0], [40.0, 0.0]]),
        weight=np.array([1.0, 9.0, 4.0]),
        measures=np.ones((3, 1)),
        targets=np.ones((2, 1)),
        tolerance=np.array([1.0]),
    )
    units = merged(problem, np.array([0, 0, 1]))
    assert units.problem.weight.tolist() == [10.0, 4.0]
    assert units.problem.xy[0].tolist() == pytest.approx([9.0, 0.0])
    assert units.problem.counts is not None
    assert units.problem.counts.tolist() == [2.0, 1.0]
    # 81 for the first, 9 for the second, with its factor of 3 squared.
    assert units.spread == pytest.approx(81.0 + 9 * 1.0)


def test_the_way_to_a_group_is_that_to_all_of_its_accounts():
    places, road = np.zeros((3, 2)), np.array([1.0, 3.0, 2.0])
    plane = Plane(0.0, 0.0)
    of = np.array([0, 1, 0], np.int32)
    assert Accounts(*places.T, places, plane, of, road).ways(2).tolist() == [3.0, 3.0]
    assert Accounts(*places.T, places, plane, of).ways(2).tolist() == [2.0, 1.0]
    assert Accounts(*places.T, places, plane, road=road).ways(3).tolist() == [1.0, 3.0, 2.0]


def test_no_road_is_shorter_than_the_crows_way():
    with pytest.raises(WrongProblemError, match="at least 1"):
        design(question(road=np.full(SIDE * SIDE, 0.9)), seconds=60, tell=lambda _: None)
