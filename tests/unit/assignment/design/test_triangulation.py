"""Delaunay's triangulation, against its definition in whole numbers and against Qhull."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, Delaunay

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


def check(points):
    grid = np.array(points, np.int64).reshape(-1, 2)
    found = triangulate(grid)
    corners = found.corners
    whole = [tuple(int(x) for x in point) for point in grid]
    area = 0
    for a, b, c in corners.tolist():
        (ax, ay), (bx, by), (cx, cy) = whole[a], whole[b], whole[c]
        turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        assert turn > 0
        area += turn
        assert all(determinant(whole[a], whole[b], whole[c], other) <= 0 for other in whole)
    flat = (
        len(
            {
                (x - whole[0][0]) * (whole[-1][1] - whole[0][1])
                - (y - whole[0][1]) * (whole[-1][0] - whole[0][0])
                for x, y in whole
            }
        )
        == 1
    )
    if len(whole) < 3 or flat:
        assert len(corners) == 0
        return
    # They cover the hull: none is missing, and none is there twice.
    assert area == pytest.approx(2 * ConvexHull(grid.astype(float)).volume, rel=1e-12)
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
    grid = np.unique((random.normal(size=(count, 2)) ** 3 * 1e6).astype(np.int64), axis=0)
    expected = Delaunay(grid - grid.mean(axis=0)).simplices
    rows = [
        sorted(map(tuple, np.sort(corners, axis=1).tolist()))
        for corners in (triangulate(grid).corners, expected)
    ]
    assert rows[0] == rows[1]
