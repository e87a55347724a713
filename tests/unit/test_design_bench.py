"""What the design benches stand on: their data, and the scorer that tells everybody how good they are."""

import math

import numpy as np
import pytest

from tests.bench.design import du_family, instances
from tests.bench.design.geography import albers, link, parts, triangulated
from tests.bench.design.instances import Instance
from tests.bench.design.score import moved, score
from tests.bench.design.today import last_year
from tests.bench.design_bench import CASES, run


def square(side: int) -> Instance:
    """A chessboard of units a km apart that touch along their edges; all count one."""
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    starts, targets = link(side * side, pairs)
    row, column = np.divmod(number.ravel(), side)
    ones = np.ones(side * side)
    return Instance(
        name="square",
        names=("count", "more below"),
        xy=np.column_stack([column, row]).astype(np.float64),
        measures=np.column_stack([ones, 1.0 + row]),
        weight=ones,
        starts=starts,
        targets=targets,
    )


def test_two_halves_of_a_square_are_scored_as_by_hand() -> None:
    """Left and right half of 4 x 4: two columns each, half a km from their middle, rows 0.5 or 1.5 from theirs."""
    board = square(4)
    found = score(board, (board.xy[:, 0] > 1.5).astype(np.int64), 2, measures=(0, 1))
    assert found.deviation == (0.0, 0.0)
    assert found.wss == pytest.approx(0.25 + 1.25)
    assert found.wd == pytest.approx((math.sqrt(0.5) + math.sqrt(2.5)) / 2)
    assert (found.broken, found.empty) == (0, 0)
    assert found.holds(0.05)


def test_upper_and_lower_half_are_off_in_the_measure_that_grows_downwards() -> None:
    board = square(4)
    found = score(board, (board.xy[:, 1] > 1.5).astype(np.int64), 2, measures=(0, 1))
    # 1 + 1 + 2 + 2 above and 3 + 4 below, of 5 each: 3 to 7 for every column.
    assert found.deviation == pytest.approx((0.0, 0.4))
    assert not found.holds(0.05)
    assert found.holds(0.4)


def test_targets_may_differ() -> None:
    board = square(4)
    labels = (board.xy[:, 0] > 0.5).astype(np.int64)
    assert score(board, labels, 2, targets=np.array([[1.0], [3.0]])).deviation == (0.0,)
    assert score(board, labels, 2).deviation == pytest.approx((0.5,))


def test_a_territory_in_two_parts_is_broken_and_one_without_a_unit_is_empty() -> None:
    board = square(4)
    stripes = (np.isin(board.xy[:, 0], (1, 2))).astype(np.int64)
    found = score(board, stripes, 3)
    assert (found.broken, found.empty) == (1, 1)
    assert not found.holds(1.0)


def test_corners_do_not_touch() -> None:
    board = square(2)
    assert score(board, np.array([0, 1, 1, 0]), 2).broken == 2


def test_labels_that_name_no_territory_are_refused() -> None:
    with pytest.raises(ValueError, match="every unit"):
        score(square(2), np.array([0, 1, 2, 0]), 2)
    with pytest.raises(ValueError, match="every unit"):
        score(square(2), np.array([0, 1, -1, 0]), 2)


def test_moved_units_are_counted() -> None:
    assert moved(np.array([0, 1, 2, 2]), np.array([0, 2, 2, 1])) == 2


def test_the_projection_keeps_areas_and_the_origin() -> None:
    """A cell of a tenth of a degree has the same km² on the map as on the sphere, wherever it lies."""
    assert albers(np.array([37.5]), np.array([-96.0]))[0] == pytest.approx([0, 0], abs=1e-9)
    for lat, lon in ((25.0, -80.0), (48.0, -124.0), (40.0, -100.0)):
        corners = albers(
            np.array([lat, lat, lat + 0.1, lat + 0.1]), np.array([lon, lon + 0.1, lon + 0.1, lon])
        )
        x, y = corners.T
        area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
        sphere = (
            6371.0088**2
            * math.radians(0.1)
            * (math.sin(math.radians(lat + 0.1)) - math.sin(math.radians(lat)))
        )
        assert area == pytest.approx(sphere, rel=1e-4)


def test_counties_are_one_whole_and_touch_both_ways() -> None:
    counties = instances.counties()
    assert counties.units == 3_108
    assert len(counties.targets) == 17_424
    assert parts(counties.starts, counties.targets).max() == 0
    sources = np.repeat(np.arange(counties.units), np.diff(counties.starts))
    there = set(zip(sources.tolist(), counties.targets.tolist(), strict=True))
    assert all((b, a) in there for a, b in there)
    # Los Angeles county alone is half as much again as a fiftieth of all, and 0.9 of a thirtieth.
    population = counties.measures[:, 0]
    assert 50 * population.max() / population.sum() == pytest.approx(1.51, abs=0.01)


def test_zips_and_cities_are_all_there() -> None:
    zips = instances.zips()
    assert zips.units == 32_722
    assert zips.measures[:, 0].sum() == pytest.approx(330e6, rel=0.02)
    assert parts(zips.starts, zips.targets).max() == 0
    # 4 hours per ZIP make workload oppose population: far fewer people per hour in the plains.
    assert zips.measures[:, 2].min() >= 4.0


def test_accounts_are_drawn_the_same_every_time(tmp_path) -> None:
    first, again = instances.accounts(2_000), instances.accounts(2_000)
    assert np.array_equal(first.xy, again.xy)
    assert np.array_equal(first.targets, again.targets)
    again.save(tmp_path / "accounts.npz")
    read = instances.load(tmp_path / "accounts.npz")
    assert (read.name, read.names) == (first.name, first.names)
    assert np.array_equal(read.measures, first.measures)
    assert not np.array_equal(instances.accounts(2_000, seed=8).xy, first.xy)


def test_instances_have_names() -> None:
    assert instances.named("2k").units == 2_000
    with pytest.raises(KeyError):
        instances.named("towns")


def test_the_family_of_three_measures_is_planar_whole_and_has_the_published_totals() -> None:
    one = du_family.make(200, 0)
    assert one.measures[:, 0].sum() == 51_000
    assert np.corrcoef(one.measures[:, 0], one.measures[:, 1])[0, 1] > 0.8
    assert parts(one.starts, one.targets).max() == 0
    # DU200-05-1 has 386 edges; a planar graph at most 594.
    assert 340 < len(one.targets) / 2 < 430
    assert dict(du_family.PUBLISHED)[100] == 7
    assert len(list(du_family.family())) == 60


def test_gabriel_edges_are_those_without_a_third_point_in_their_circle() -> None:
    xy = np.random.default_rng(1).uniform(0, 1, (40, 2))
    expected = {
        (a, b)
        for a in range(40)
        for b in range(a + 1, 40)
        if all(
            ((xy[c] - (xy[a] + xy[b]) / 2) ** 2).sum() >= ((xy[a] - xy[b]) ** 2).sum() / 4
            for c in range(40)
            if c not in {a, b}
        )
    }
    assert {(int(a), int(b)) for a, b in du_family.gabriel(xy)} == expected


def test_points_at_one_place_are_all_corners() -> None:
    xy = np.repeat(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 3, axis=0)
    assert set(triangulated(xy).ravel().tolist()) == set(range(9))


def test_last_year_one_region_had_less_and_nothing_else_is_new() -> None:
    now = instances.accounts(2_000)
    before = last_year(now)
    share = before.measures[:, 0] / now.measures[:, 0]
    # Six tenths in one region and all elsewhere, give or take the shock of 0.15.
    assert 0.02 < (share < 0.7).mean() < 0.4
    assert np.median(share) == pytest.approx(1.0, abs=0.1)
    assert np.array_equal(before.weight, now.weight)
    assert np.array_equal(last_year(now).measures, before.measures)


def test_each_case_has_a_name_of_its_own_and_an_unknown_one_is_refused() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    with pytest.raises(SystemExit, match="no case called zip-50"):
        run("zip-50")
