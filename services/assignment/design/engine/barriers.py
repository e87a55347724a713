"""What nothing crosses: rivers, ranges, borders, and pairs of units that are kept from touching."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.geography import Plane

# Of so many degrees a parallel bends away from its chord by 30 m at most.
_STEP_DEGREES = 0.5
# Lines that go around the earth again and again have longer steps.
_MOST_STEPS = 100_000
# So many cells a segment at most: finer grids cost more than they spare.
_CELLS_PER_SEGMENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Barriers:
    """segments (m, 4): x, y, x, y in km in the plane, of lines nothing crosses. pairs (p, 2): units that do not touch."""

    segments: Floats | None = None
    pairs: Integers | None = None


def segments_of(lines: Sequence[Floats], plane: Plane) -> Floats:
    """Return the segments, shape (m, 4) in km in a plane, of lines, each of shape (k, 2): longitudes and latitudes.

    Between two points a line is straight in longitude and latitude (RFC 7946, 3.1.1), which is a curve in the plane.
    """
    found = [np.empty((0, 4))]
    degrees = sum(float(_stretches(line).sum()) for line in lines)
    step = max(_STEP_DEGREES, degrees / _MOST_STEPS)
    for line in lines:
        along = _with_steps(line, step)
        xy = plane.to_plane(along[:, 1], along[:, 0])
        found.append(np.concatenate([xy[:-1], xy[1:]], axis=1))
    return np.concatenate(found)


def _with_steps(line: Floats, step: float) -> Floats:
    """Return a line, shape (k, 2) in degrees, with points between those that are further than a step from each other."""
    parts = np.maximum(np.ceil(_stretches(line) / step), 1).astype(np.int64)
    before = np.cumsum(parts) - parts
    along = np.arange(parts.sum()) - np.repeat(before, parts)
    at = np.append(np.repeat(np.arange(len(parts)), parts) + along / np.repeat(parts, parts), len(parts))
    return np.column_stack([np.interp(at, np.arange(len(line)), column) for column in line.T])


def _stretches(line: Floats) -> Floats:
    """Return how long a line is from point to point, shape (k - 1,), in degrees east or north, whichever is more."""
    return np.asarray(np.abs(np.diff(line, axis=0)).max(axis=1))


def crossing(links: Labels, xy: Floats, barriers: Barriers | None) -> Flags:
    """Tell of each link, shape (E, 2) of units, whether a barrier forbids it. xy (n, 2).

    A link that touches a barrier's line crosses it; one that begins or ends on it does too.
    """
    if barriers is None:
        return np.zeros(len(links), np.bool_)
    found = _paired(links, len(xy), barriers.pairs)
    if barriers.segments is not None and len(barriers.segments) and len(links):
        found |= _crossing_segments(links, xy, barriers.segments)
    return found


def _paired(links: Labels, units: int, pairs: Integers | None) -> Flags:
    if pairs is None or len(pairs) == 0:
        return np.zeros(len(links), np.bool_)
    ends = np.sort(links.astype(np.int64), axis=1)
    forbidden = np.sort(pairs.astype(np.int64), axis=1)
    keys = forbidden[:, 0] * units + forbidden[:, 1]
    return np.isin(ends[:, 0] * units + ends[:, 1], keys)


def _crossing_segments(links: Labels, xy: Floats, segments: Floats) -> Flags:
    ends = segments.reshape(-1, 2)
    low = np.minimum(xy.min(axis=0), ends.min(axis=0))
    side = float((np.maximum(xy.max(axis=0), ends.max(axis=0)) - low).max()) or 1.0
    cells = int(np.clip(np.sqrt(_CELLS_PER_SEGMENT * len(segments)), 8, 1024))
    # A hair wider, so that what lies on the last line is in the last cell.
    scale = cells / (side * (1 + 1e-9))
    grid = (segments - np.tile(low, 2)) * scale
    starts, held = _cells_of(grid, cells)
    return _crosses(links, (xy - low) * scale, grid, starts, held, cells)


@compiled
def _columns(x0: float, y0: float, x1: float, y1: float, row: int, cells: int) -> tuple[int, int]:
    """Return the first and last column of a grid's row that a line goes through, a little generously."""
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    low, high = x0, x1
    if y1 > y0:
        low = x0 + (x1 - x0) * min(1.0, max(0.0, (row - 1e-6 - y0) / (y1 - y0)))
        high = x0 + (x1 - x0) * min(1.0, max(0.0, (row + 1 + 1e-6 - y0) / (y1 - y0)))
    if low > high:
        low, high = high, low
    return max(0, int(np.floor(low - 1e-6))), min(cells - 1, int(np.floor(high + 1e-6)))


@compiled
def _cells_of(grid: Floats, cells: int) -> tuple[Integers, Labels]:
    """Return which segments go through each cell: of cell c they are held[starts[c]:starts[c + 1]]."""
    starts = np.zeros(cells * cells + 1, np.int64)
    held = np.empty(0, np.int32)
    for write in range(2):
        for s in range(len(grid)):
            x0, y0, x1, y1 = grid[s]
            for row in range(int(min(y0, y1)), min(cells - 1, int(max(y0, y1))) + 1):
                first, last = _columns(x0, y0, x1, y1, row, cells)
                for column in range(first, last + 1):
                    cell = row * cells + column
                    if write:
                        starts[cell] -= 1
                        held[starts[cell]] = s
                    else:
                        starts[cell] += 1
        if not write:
            starts = np.cumsum(starts)
            held = np.empty(starts[-1], np.int32)
    return starts, held


@compiled
def _side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return which side of a line a point is on: 1, -1, or 0 for on it as far as the digits tell."""
    one, other = (bx - ax) * (py - ay), (by - ay) * (px - ax)
    if abs(one - other) <= 1e-12 * (abs(one) + abs(other)):
        return 0
    return 1 if one > other else -1


@compiled
def _crosses(links: Labels, at: Floats, grid: Floats, starts: Integers, held: Labels, cells: int) -> Flags:
    found = np.zeros(len(links), np.bool_)
    for e in range(len(links)):
        px, py = at[links[e, 0]]
        qx, qy = at[links[e, 1]]
        for row in range(int(min(py, qy)), min(cells - 1, int(max(py, qy))) + 1):
            first, last = _columns(px, py, qx, qy, row, cells)
            for cell in range(row * cells + first, row * cells + last + 1):
                for h in range(starts[cell], starts[cell + 1]):
                    x0, y0, x1, y1 = grid[held[h]]
                    if max(x0, x1) < min(px, qx) or min(x0, x1) > max(px, qx):
                        continue
                    if max(y0, y1) < min(py, qy) or min(y0, y1) > max(py, qy):
                        continue
                    apart = _side(x0, y0, x1, y1, px, py) * _side(x0, y0, x1, y1, qx, qy)
                    if apart <= 0 and _side(px, py, qx, qy, x0, y0) * _side(px, py, qx, qy, x1, y1) <= 0:
                        found[e] = True
                        break
                if found[e]:
                    break
            if found[e]:
                break
    return found
