"""Delaunay's triangulation, against its definition in whole numbers and against Qhull."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from services.assignment.design.engine.triangulation import SPAN, triangulate

few = st.integers(0, 8)
# Small grids: four on a circle, rows and columns of the hull, points on sides of it are everywhere.
crowded = st.lists(st.tuples(few, few), min_size=1, max_size=60, unique=True)
# The largest there may be, where floats alone would be wrong.
wide = st.lists(
    st.tuples(st.integers(0, SPAN), st.integers(0, SPAN) | st.integers(0, 3)),
    min_size=3,
    max_size=25,
    unique=True,
)


def determinant(a, b, c, d):
    """Above zero if d is inside the circle through a, b and c. Python's integers have no end."""
    rows = [(p[0] - d[0], p[1] - d[1]) for p in (a, b, c)]
    (ax, ay), (bx, by), (cx, cy) = rows
    far = [x * x + y * y for x, y in rows]
    return far[0] * (bx * cy - by * cx) + far[1] * (cx * ay - cy * ax) + far[2] * (ax * by - ay * bx)


def turn_of(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def area_of_the_hull(points):
    """Return twice the area, by Andrew's monotone chain."""
    ring = []
    for row in (sorted(points), sorted(points, reverse=True)):
        chain = []
        for point in row:
            while len(chain) > 1 and turn_of(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        ring += chain[:-1]
    return sum(turn_of((0, 0), a, b) for a, b in zip(ring, ring[1:] + ring[:1], strict=True))


def check(points):
    grid = np.array(points, np.int64).reshape(-1, 2)
    found = triangulate(grid)
    corners = found.corners
    whole = [tuple(int(x) for x in point) for point in grid]
    area = 0
    for a, b, c in corners.tolist():
        turn = turn_of(whole[a], whole[b], whole[c])
        assert turn > 0
        area += turn
        assert all(determinant(whole[a], whole[b], whole[c], other) <= 0 for other in whole)
    # They cover the hull: none is missing, and none is there twice. Of points on a line the hull is empty.
    assert area == area_of_the_hull(whole)
    if area == 0:
        assert len(corners) == 0
        return
    assert set(corners.ravel().tolist()) == set(range(len(whole)))
    for triangle, row in enumerate(found.beyond.tolist()):
        for k, other in enumerate(row):
            ends = {int(corners[triangle, (k + 1) % 3]), int(corners[triangle, (k + 2) % 3])}
            sharing = [t for t in range(len(corners)) if t != triangle and ends <= set(corners[t].tolist())]
            assert sharing == ([] if other == -1 else [other])


@given(crowded)
def test_on_a_small_grid_no_circle_holds_a_point_and_the_hull_is_covered(points):
    check(points)


@given(wide)
def test_so_it_is_for_the_largest_numbers_and_the_thinnest_slivers(points):
    check(points)


def test_points_on_one_circle():
    """Twelve whole points on a circle around the origin, and the origin, and all of them far from zero."""
    circle = [(x, y) for x in range(-65, 66) for y in range(-65, 66) if x * x + y * y == 65 * 65]
    check(circle)
    check([(0, 0), *circle])
    check([(x * 1_000_000, y * 1_000_000) for x, y in circle])


@given(st.integers(0, 10_000), st.integers(3, 2_000))
def test_many_points_as_qhull_has_them(seed, count):
    random = np.random.default_rng(seed)
    # So wide apart that no four are on a circle, where there are two answers, or nearly, where Qhull rounds.
    grid = np.unique(random.integers(0, 2**26, (count, 2)), axis=0)
    expected = Delaunay(grid - grid.mean(axis=0)).simplices
    rows = [
        sorted(map(tuple, np.sort(corners, axis=1).tolist()))
        for corners in (triangulate(grid).corners, expected)
    ]
    assert rows[0] == rows[1]
