"""Delaunay's triangulation of places on a grid: always right, as everything is reckoned in whole numbers.

Points come in the order of their distance from a middle one, so that each is outside the hull of those before; it is
joined with the sides of the hull it sees, and sides are flipped until no circle around a triangle holds a point. Sources:
Sinclair, S-hull: a fast radial sweep-hull routine (2016); Agafonkin's Delaunator for the half-edges and the hashed hull;
Shewchuk, Adaptive precision floating-point arithmetic (1997) for the filter before exact numbers.

A million points take about a second, a tenth of the time of scipy's Qhull, which has to round.
"""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Integers, Labels
from services.assignment.design.engine.compiling import compiled

SPAN = 2**28
"""Coordinates may differ by so much at most: then no number below leaves 64 bits."""

# Half of the bits of a circle test's factors, which have up to 57.
_HALF = 29
_MASK = (1 << _HALF) - 1


@dataclass(frozen=True, slots=True)
class Triangles:
    """corners (T, 3): places, counterclockwise. beyond (T, 3): the triangle over the side facing each corner, or -1."""

    corners: Labels
    beyond: Labels


def triangulate(grid: Integers) -> Triangles:
    """Return the triangles of distinct points, shape (p, 2) of whole numbers; none if all are on a line."""
    none = Triangles(np.empty((0, 3), np.int32), np.empty((0, 3), np.int32))
    if len(grid) < 3:
        return none
    middle = (grid.min(axis=0) + grid.max(axis=0)) // 2
    centre = grid[((grid - middle) ** 2).sum(axis=1).argmin()]
    order = np.argsort(((grid - centre) ** 2).sum(axis=1), kind="stable")
    third = _first_off_the_line(grid, order)
    if third < 0:
        return none
    order[2 : third + 1] = np.roll(order[2 : third + 1], 1)
    corners, across = _sweep(np.ascontiguousarray(grid), order)
    # Of a half-edge, the corner it faces is the one before it begins.
    beyond = np.where(across < 0, -1, across // 3).reshape(-1, 3)[:, [1, 2, 0]]
    return Triangles(corners.reshape(-1, 3), beyond.astype(np.int32))


@compiled
def _first_off_the_line(grid: Integers, order: Integers) -> int:
    """Return the place in the order of the first point that is not on a line with the first two; -1 for none."""
    for at in range(2, len(order)):
        if _turn(grid, order[0], order[1], order[at]) != 0:
            return at
    return -1


@compiled
def _turn(grid: Integers, a: int, b: int, c: int) -> int:
    """Return twice the area of a triangle: above zero if its corners go counterclockwise."""
    ahead = (grid[b, 0] - grid[a, 0]) * (grid[c, 1] - grid[a, 1])
    return int(ahead - (grid[b, 1] - grid[a, 1]) * (grid[c, 0] - grid[a, 0]))


@compiled
def _in_circle(grid: Integers, a: int, b: int, c: int, point: int) -> bool:
    """Tell whether a point is inside the circle through three that go counterclockwise."""
    x, y = grid[point, 0], grid[point, 1]
    ax, ay = grid[a, 0] - x, grid[a, 1] - y
    bx, by = grid[b, 0] - x, grid[b, 1] - y
    cx, cy = grid[c, 0] - x, grid[c, 1] - y
    one, two, three = bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx
    far_a, far_b, far_c = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    first, second, third = float(one) * far_a, float(two) * far_b, float(three) * far_c
    total = first + second + third
    if abs(total) > 2e-15 * (abs(first) + abs(second) + abs(third)):
        return bool(total > 0)
    return _sum_is_positive(one, far_a, two, far_b, three, far_c)


@compiled
def _sum_is_positive(one: int, far_a: int, two: int, far_b: int, three: int, far_c: int) -> bool:
    """Tell whether one * far_a + two * far_b + three * far_c > 0, in numbers of three parts."""
    high, middle, low = np.int64(0), np.int64(0), np.int64(0)
    for factor, far in ((one, far_a), (two, far_b), (three, far_c)):
        factor_high, factor_low = factor >> _HALF, factor & _MASK
        far_high, far_low = far >> _HALF, far & _MASK
        high += factor_high * far_high
        middle += factor_high * far_low + factor_low * far_high
        low += factor_low * far_low
    middle += low >> _HALF
    high += middle >> _HALF
    # What is left of the lower parts is not below zero.
    return bool(high > 0 or (high == 0 and ((middle & _MASK) > 0 or (low & _MASK) > 0)))


@compiled
def _around(x: int, y: int, slots: int) -> int:
    """Return in which of so many slots around the middle a direction is; it grows with the angle."""
    share = x / (abs(x) + abs(y)) if x != 0 or y != 0 else 0.0
    turn = (3.0 - share) / 4 if y > 0 else (1.0 + share) / 4
    return int(turn * slots) % slots


@compiled
def _add(corners: Labels, across: Labels, size: int, points: Labels, twins: Labels) -> None:
    """Add a triangle with three corners as half-edges from size on, and the ones on their other sides, or -1."""
    for k in range(3):
        corners[size + k] = points[k]
        _join(across, size + k, twins[k])


@compiled
def _join(across: Labels, edge: int, twin: int) -> None:
    across[edge] = twin
    if twin >= 0:
        across[twin] = edge


@compiled
def _flip(grid: Integers, corners: Labels, across: Labels, side: Labels, waiting: Labels, edge: int) -> None:
    """Flip an edge, and those this lays open, until no circle around a triangle at the new point holds another point.

    waiting: room for edges yet to be looked at. The new point is the corner that the edge faces.
    """
    waiting[0] = edge
    left = 1
    while left > 0:
        a = waiting[left - 1]
        b = across[a]
        if b < 0:
            left -= 1
            continue
        after_a, before_a = a - a % 3 + (a + 1) % 3, a - a % 3 + (a + 2) % 3
        after_b, before_b = b - b % 3 + (b + 1) % 3, b - b % 3 + (b + 2) % 3
        new, far = corners[before_a], corners[before_b]
        if not _in_circle(grid, new, corners[a], corners[after_a], far):
            left -= 1
            continue
        corners[a], corners[b] = far, new
        # Sides of the hull that are half-edges of another number now.
        if across[before_b] < 0:
            side[far] = a
        if across[before_a] < 0:
            side[new] = b
        _join(across, a, across[before_b])
        _join(across, b, across[before_a])
        _join(across, before_a, before_b)
        # Edge a is looked at again, as it is another one now; and so is the other one the new point faces.
        waiting[left] = after_b
        left += 1


@compiled
def _seen_from(grid: Integers, point: int, hull: Labels, nearby: int) -> int:
    """Return a point of the hull, following from a nearby one, from which a side begins that a point outside sees."""
    found = nearby
    while _turn(grid, point, found, hull[found]) >= 0:
        found = hull[found]
    return found


@compiled
def _begin(
    grid: Integers, first: Labels, away: Integers, slots: int, corners: Labels, across: Labels
) -> tuple[Labels, Labels, Labels, Labels]:
    """Make the first triangle, and return its hull.

    Of a point on the hull: the next one, the one before, the half-edge to the next. One that is its own next has left
    the hull. And by the direction from the middle, a point that was on the hull there.
    """
    count = len(grid)
    hull, before, side = (
        np.arange(count).astype(np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
    )
    hashed = np.full(slots, -1, np.int32)
    if _turn(grid, first[0], first[1], first[2]) < 0:
        first[1], first[2] = first[2], first[1]
    _add(corners, across, 0, first, np.full(3, -1, np.int32))
    for k in range(3):
        hull[first[k]], before[first[k]], side[first[k]] = first[(k + 1) % 3], first[k - 1], k
        hashed[_around(away[first[k], 0], away[first[k], 1], slots)] = first[k]
    return hull, before, side, hashed


@compiled
def _sweep(grid: Integers, order: Integers) -> tuple[Labels, Labels]:
    """Return the corners of the triangles, flat, and for each half-edge the one on its other side, or -1.

    The first three of the order make a triangle; half-edge e goes from corners[e] to its triangle's next corner.
    """
    count = len(grid)
    corners, across = np.empty(6 * count, np.int32), np.empty(6 * count, np.int32)
    waiting = np.empty(6 * count, np.int32)
    away = grid - grid[order[0]]
    slots = int(np.ceil(np.sqrt(count)))
    hull, before, side, hashed = _begin(grid, order[:3].astype(np.int32), away, slots, corners, across)
    size = 3
    points, twins = np.empty(3, np.int32), np.empty(3, np.int32)
    for at in range(3, count):
        i = order[at]
        slot = _around(away[i, 0], away[i, 1], slots)
        nearby = -1
        for further in range(slots):
            nearby = hashed[(slot + further) % slots]
            if nearby >= 0 and hull[nearby] != nearby:
                break
        start = before[nearby]
        e = _seen_from(grid, i, hull, start)
        n = hull[e]
        points[0], points[1], points[2] = e, i, n
        twins[0], twins[1], twins[2] = -1, -1, side[e]
        _add(corners, across, size, points, twins)
        side[e], side[i] = size, size + 1
        size += 3
        _flip(grid, corners, across, side, waiting, size - 1)
        while _turn(grid, i, n, hull[n]) < 0:
            q = hull[n]
            points[0], points[1], points[2] = n, i, q
            twins[0], twins[1], twins[2] = side[i], -1, side[n]
            _add(corners, across, size, points, twins)
            side[i] = size + 1
            size += 3
            _flip(grid, corners, across, side, waiting, size - 1)
            hull[n] = n
            n = q
        while _turn(grid, i, before[e], e) < 0:
            q = before[e]
            points[0], points[1], points[2] = q, i, e
            twins[0], twins[1], twins[2] = -1, side[e], side[q]
            _add(corners, across, size, points, twins)
            side[q] = size
            size += 3
            _flip(grid, corners, across, side, waiting, size - 1)
            hull[e] = e
            e = q
        hull[e], before[n], before[i], hull[i] = i, i, e, n
        hashed[slot] = i
        hashed[_around(away[e, 0], away[e, 1], slots)] = e
    return corners[:size].copy(), across[:size].copy()
