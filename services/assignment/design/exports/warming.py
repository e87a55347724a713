"""A small map of each kind: whoever draws them has all kernels compiled, and kept on disk. Pure."""

from uuid import UUID

import numpy as np

from services.assignment.design.exports.design_map import DesignMap, When
from services.assignment.design.exports.drawing import draw
from services.assignment.design.maps.form import Form

_SIDE = 8


def draw_each() -> None:
    """Draw territories that touch, accounts without one and at one place: the arrays are of the types that are read."""
    rows, columns = np.divmod(np.arange(_SIDE * _SIDE), _SIDE)
    count = 4
    after = (2 * (rows > _SIDE // 2) + (columns > _SIDE // 2)).astype(np.int32)
    before = np.where(rows == 0, -1, np.roll(after, 3)).astype(np.int32)
    loads = np.bincount(after, minlength=count).astype(np.float64)[:, None]
    small = DesignMap(
        run_id=UUID(int=0),
        title="Small",
        territory_ids=tuple(UUID(int=number) for number in range(count)),
        names=tuple(f"Territory {number}" for number in range(count)),
        measures=("accounts",),
        latitude=45.0 + np.maximum(rows, 1) / 10 + columns % 3 / 100,
        longitude=5.0 + columns / 10,
        road=np.ones(_SIDE * _SIDE),
        before=before,
        after=after,
        loads_before=loads,
        loads_after=loads,
        targets=np.full((count, 1), _SIDE * _SIDE / count),
    )
    for wanted in (*When, *Form):
        draw(small, wanted)
