"""Which units touch: points against the rule worked out by brute force, barriers against geometry, shapes."""

from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.barriers import Barriers, crossing, segments_of
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.linking import adjacency_of, links_of
from services.assignment.design.engine.neighbours import FAR, joined, neighbours
from services.assignment.design.engine.problem import WrongProblemError
from services.assignment.design.engine.shapes import representative_points, touching

whole = st.integers(-40, 40).map(float)
# Whole numbers, so that equal points, lines and grids come up all the time.
grid_points = st.lists(st.tuples(whole, whole), min_size=1, max_size=40).map(lambda p: np.array(p, float))
seeds = st.integers(0, 10_000)


def pairs(adjacency: Adjacency) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in links_of(adjacency)}


def parts(adjacency: Adjacency) -> int:
    n = len(adjacency.starts) - 1
    ones = np.ones(len(adjacency.targets))
    return int(connected_components(csr_array((ones, adjacency.targets, adjacency.starts), (n, n)))[0])


def by_brute_force(xy):
    """The rule, from its definitions: circles without points, medians, lengths."""
    n = len(xy)
    away = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=2))
    delaunay = set()
    for a, b, c in combinations(range(n), 3):
        (ax, ay), (bx, by), (cx, cy) = xy[a], xy[b], xy[c]
        turn = 2 * ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
        u, v = (bx - ax) ** 2 + (by - ay) ** 2, (cx - ax) ** 2 + (cy - ay) ** 2
        centre = xy[a] + np.array([(cy - ay) * u - (by - ay) * v, (bx - ax) * v - (cx - ax) * u]) / turn
        if (
            np.sqrt(((xy - centre) ** 2).sum(axis=1)) > np.sqrt(((xy[a] - centre) ** 2).sum()) * (1 - 1e-9)
        ).all():
            delaunay |= {(a, b), (b, c), (a, c)}
    empty = {
        (a, b)
        for a, b in delaunay
        if (np.sqrt(((xy - (xy[a] + xy[b]) / 2) ** 2).sum(axis=1)) >= away[a, b] / 2 * (1 - 1e-9)).all()
    }

    def through_a_third(a, b):
        ends = xy[[a, b]][:, None] - np.delete(xy, [a, b], axis=0)
        cosines = (ends[0] * ends[1]).sum(axis=1) / np.sqrt((ends**2).sum(axis=2)).prod(axis=0)
        return (cosines <= np.cos(np.radians(170.0))).any()

    delaunay = {(a, b) for a, b in delaunay if not through_a_third(a, b)}
    usual = [np.percentile([away[link] for link in empty if i in link], 50, method="lower") for i in range(n)]
    kept = {(a, b) for a, b in delaunay if away[a, b] <= FAR * max(usual[a], usual[b])}
    part = list(range(n))
    for _ in range(n):
        for a, b in kept:
            part[a] = part[b] = min(part[a], part[b])
    facing: dict[frozenset[int], tuple[int, int]] = {}
    for a, b in sorted(empty - kept, key=lambda link: away[link]):
        if part[a] != part[b]:
            facing.setdefault(frozenset((part[a], part[b])), (a, b))
    return kept | set(facing.values())


@given(seeds, st.integers(4, 14), st.floats(0.5, 3))
def test_the_rule_is_what_its_words_say(seed, count, spread):
    xy = np.random.default_rng(seed).normal(size=(count, 2)) ** 3 * spread
    assert pairs(neighbours(xy)) == by_brute_force(xy)


@given(grid_points)
def test_all_hang_together_and_each_link_is_there_both_ways(xy):
    found = neighbours(xy)
    assert parts(found) == 1
    assert found.starts.dtype == np.int64
    assert found.targets.dtype == np.int32
    table = csr_array((np.ones(len(found.targets)), found.targets, found.starts), (len(xy), len(xy)))
    assert (table != table.T).nnz == 0
    assert table.diagonal().sum() == 0
    rows = np.split(found.targets, found.starts[1:-1])
    assert all((np.diff(row) > 0).all() for row in rows)


@given(grid_points)
def test_units_at_one_place_hang_on_its_first_and_can_go_to_the_places_around_in_turn(xy):
    found = pairs(neighbours(xy))
    places, first, of = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    alone = {tuple(sorted((int(first[a]), int(first[b])))) for a, b in pairs(neighbours(places))}
    assert {link for link in found if set(link) <= set(first.tolist())} == alone
    reached = {place: [] for place in range(len(places))}
    for unit in sorted(set(range(len(xy))) - set(first.tolist())):
        touched = {other for link in found if unit in link for other in link} - {unit}
        assert first[of[unit]] in touched
        beside = {int(other) for other in np.flatnonzero(of == of[unit])}
        here = sorted(beside)
        next_to = {here[at] for at in (here.index(unit) - 1, here.index(unit) + 1) if 0 <= at < len(here)}
        assert touched & beside == next_to | {int(first[of[unit]])}
        outward = touched - beside
        around = {other for link in alone if first[of[unit]] in link for other in link} - {first[of[unit]]}
        assert len(outward) == min(1, len(around))
        assert outward <= around
        reached[of[unit]] += outward
    for place, ends in reached.items():
        around = sum(first[place] in link for link in alone)
        assert len(set(ends)) == min(len(ends), around)


def test_units_that_nearly_share_a_place_change_nothing_for_the_places():
    """Their distance of a hair is no measure of what is usual there."""
    xy = np.random.default_rng(8).normal(size=(200, 2)) * 100
    twice = np.concatenate([xy, xy + 1e-9, xy - 1e-9])
    assert {link for link in pairs(neighbours(twice)) if max(link) < 200} == pairs(neighbours(xy))


def test_a_pair_kept_from_touching_does_not_touch_from_within_a_place_either():
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert pairs(neighbours(xy)) == {(0, 1), (0, 2), (1, 2)}
    assert pairs(neighbours(xy, barriers=Barriers(pairs=np.array([[2, 1]])))) == {(0, 1), (0, 2)}


@given(seeds, st.floats(0.1, 1000), st.floats(0, 6))
def test_order_place_size_and_turn_of_the_map_change_nothing(seed, scale, turn):
    random = np.random.default_rng(seed)
    # No heap of points in the middle: on the grid of a turned map, what is nearly on a circle falls this way or that.
    xy = random.normal(size=(60, 2))
    order = random.permutation(60)
    cos, sin = np.cos(turn), np.sin(turn)
    other = (xy @ np.array([[cos, sin], [-sin, cos]]) * scale + 17)[order]
    found = {tuple(sorted((int(order[a]), int(order[b])))) for a, b in pairs(neighbours(other))}
    assert found == pairs(neighbours(xy))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, 1.0), (3.0, 7.0)])
def test_points_on_a_line_touch_the_next_one(count, direction):
    steps = np.arange(count, dtype=float)
    assert pairs(neighbours(steps[:, None] * np.array(direction))) == {(i, i + 1) for i in range(count - 1)}


def test_points_nearly_on_a_line_and_nearly_equal_ones_hang_together():
    random = np.random.default_rng(3)
    line = np.column_stack([random.random(500) * 1000, random.random(500) * 1e-9])
    heap = np.concatenate([random.random((300, 2)) * 1e-7, random.random((300, 2)) * 1000])
    assert parts(neighbours(line)) == 1
    assert parts(neighbours(heap)) == 1


def test_a_bay_is_not_crossed():
    """Along the arms of a U there is a unit every km; the mouth is 30 km wide. Headlands may see over it, few do."""
    y = np.arange(0.0, 60.0)
    arms = np.concatenate([np.column_stack([0 * y, y]), np.column_stack([0 * y + 30, y])])
    bottom = np.column_stack([np.arange(1.0, 30.0), np.zeros(29)])
    xy = np.concatenate([arms, bottom]) + np.random.default_rng(1).normal(0, 0.05, (149, 2))
    across = [(a, b) for a, b in pairs(neighbours(xy)) if abs(xy[a, 0] - xy[b, 0]) > 20]
    assert len(across) < 10
    assert (
        sum(abs(xy[a, 0] - xy[b, 0]) > 20 for t in Delaunay(xy).simplices for a, b in combinations(t, 2))
        > 100
    )


def test_islands_stay_apart_when_they_are_wanted_and_are_joined_by_the_shortest_link_else():
    random = np.random.default_rng(5)
    xy = np.concatenate([random.random((100, 2)) * 10, random.random((50, 2)) * 10 + [200, 0]])
    assert parts(neighbours(xy, islands_km=50)) == 2
    bridges = [(a, b) for a, b in pairs(neighbours(xy)) if a < 100 <= b]
    away = np.sqrt(((xy[:100, None] - xy[None, 100:]) ** 2).sum(axis=2))
    shortest = np.unravel_index(away.argmin(), away.shape)
    assert bridges == [(shortest[0], shortest[1] + 100)]


@given(seeds, st.integers(1, 40))
def test_a_link_is_barred_exactly_if_it_meets_a_barrier(seed, count):
    random = np.random.default_rng(seed)
    xy = random.normal(size=(60, 2)) * 100
    segments = np.concatenate(
        [
            xy[random.integers(0, 60, (count,))] + random.normal(size=(count, 2)),
            random.normal(size=(count, 2)) * 100,
        ],
        axis=1,
    )
    links = random.integers(0, 60, (300, 2)).astype(np.int32)
    links = links[links[:, 0] != links[:, 1]]
    walls = shapely.union_all(shapely.linestrings(segments.reshape(-1, 2, 2)))
    expected = shapely.intersects(shapely.linestrings(xy[links]), walls)
    assert (crossing(links, xy, Barriers(segments=segments)) == expected).all()


@given(seeds)
def test_nothing_crosses_a_river_and_what_it_leaves_whole_stays_whole(seed):
    """The river has a bridge: both banks stay one part, by links over the bridge alone."""
    xy = np.random.default_rng(seed).random((400, 2)) * 100
    river = np.array([[-10.0, 50.0, 60.0, 50.0], [75.0, 50.0, 110.0, 50.0]])
    found = neighbours(xy, barriers=Barriers(segments=river))
    links = np.array(sorted(pairs(found)))
    lines = shapely.linestrings(xy[links])
    assert not shapely.intersects(
        lines, shapely.union_all(shapely.linestrings(river.reshape(-1, 2, 2)))
    ).any()
    assume(parts(neighbours(xy)) == 1)
    assert parts(found) == 1


def test_a_river_told_in_degrees_is_where_it_is():
    plane = Plane(50, 10)
    line = np.array([[9.6, 50.0], [10.0, 50.0], [10.4, 50.5]])
    (one, other) = segments_of([line], plane)
    assert one[2:].tolist() == other[:2].tolist()
    latitude, longitude = plane.to_sphere(np.array([one[:2], one[2:], other[2:]]))
    assert longitude == pytest.approx(line[:, 0])
    assert latitude == pytest.approx(line[:, 1])
    assert segments_of([], plane).shape == (0, 4)


def test_a_long_line_keeps_to_its_longitude():
    """As a chord of the plane it would be 180 km off in the middle."""
    plane = Plane(39, -90)
    ends = segments_of([np.array([[-120.0, 72.0], [-120.0, 10.0]])], plane)
    halfway = (ends[:, :2] + ends[:, 2:]) / 2
    for place in (ends[:, :2], ends[:, 2:], halfway):
        _, longitude = plane.to_sphere(place)
        assert longitude == pytest.approx(-120, abs=1e-3)
    assert (ends[1:, :2] == ends[:-1, 2:]).all()


def test_lines_around_the_earth_again_and_again_do_not_take_all_memory():
    line = np.array([[-180.0, 0.0], [180.0, 0.0]] * 9_000)
    assert 18_000 < len(segments_of([line], Plane(0, 0))) < 130_000


def test_a_river_without_a_bridge_parts():
    xy = np.random.default_rng(2).random((400, 2)) * 100
    river = np.array([[-10.0, 50.0, 110.0, 50.0]])
    assert parts(neighbours(xy, barriers=Barriers(segments=river))) == 2


def test_units_that_must_not_touch_do_not():
    xy = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])
    assert pairs(neighbours(xy)) == {(0, 1), (0, 2), (1, 2)}
    assert pairs(neighbours(xy, barriers=Barriers(pairs=np.array([[1, 0]])))) == {(0, 2), (1, 2)}


def test_places_that_are_no_numbers_are_refused():
    with pytest.raises(WrongProblemError):
        neighbours(np.array([[0.0, np.nan]]))
    shapes = [shapely.box(0, 0, 1, 1), shapely.Polygon(), None]
    with pytest.raises(WrongProblemError):
        joined(touching(shapes), representative_points(shapes))


def squares(columns, rows):
    return [shapely.box(x, y, x + 1, y + 1) for y in range(rows) for x in range(columns)]


def test_shapes_touch_over_borders_and_not_over_corners():
    beside = {(i, i + 1) for i in range(20) if i % 5 < 4}
    above = {(i, i + 5) for i in range(15)}
    assert pairs(touching(squares(5, 4))) == beside | above


def test_a_border_drawn_finer_on_one_side_is_a_border_and_overlap_too():
    left = shapely.box(0, 0, 1, 1)
    right = shapely.Polygon([(1, 0), (2, 0), (2, 1), (1, 1), (1, 0.7), (1, 0.3)])
    half = shapely.box(1.5, 0.9, 3, 2)
    apart = shapely.box(5, 5, 6, 6)
    assert pairs(touching([left, right, half, apart, shapely.Polygon()])) == {(0, 1), (1, 2)}


def test_an_enclave_touches_what_surrounds_it_and_a_shape_in_parts_touches_with_each():
    hole = [(1, 1), (2, 1), (2, 2), (1, 2)]
    around = shapely.Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], [hole])
    inside = shapely.Polygon(hole)
    far = shapely.MultiPolygon([shapely.box(3, 0, 4, 3), shapely.box(9, 9, 10, 10)])
    beyond = shapely.box(10, 9, 11, 10)
    assert pairs(touching([around, inside, far, beyond])) == {(0, 1), (0, 2), (2, 3)}


def test_a_shape_that_crosses_itself_is_mended():
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert pairs(touching([bow, shapely.box(1, 0, 2, 1)])) == {(0, 1)}


def test_shapes_that_leave_islands_are_joined_by_the_shortest_links():
    shapes = [*squares(3, 3), shapely.box(10, 0, 11, 1), shapely.box(10, 1, 11, 2)]
    found = touching(shapes)
    assert parts(found) == 2
    together = joined(found, representative_points(shapes))
    assert pairs(together) - pairs(found) == {(2, 9)} or pairs(together) - pairs(found) == {(5, 10)}
    assert parts(together) == 1


def test_links_given_twice_or_to_oneself_are_there_once_or_never():
    assert pairs(adjacency_of(np.array([[0, 1], [1, 0], [2, 2], [0, 1]], np.int32), 3)) == {(0, 1)}


def test_no_shapes_and_empty_ones_touch_nothing():
    assert len(touching([]).starts) == 1
    assert (
        pairs(touching([shapely.Polygon(), shapely.MultiPolygon(), None, shapely.box(0, 0, 1, 1)])) == set()
    )
