"""Reading units as arrays. The api learns of arrays when somebody first edits: import this when it is needed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.edits.scoring import Units
from services.assignment.design.engine.arrays import Integers

# Packed by Postgres: a row per account would take the event loop seconds to unpack.
_UNITS = text("""
SELECT u.territory_after AS territory_id, array_agg(u.unit) AS number, array_agg(u.x) AS x, array_agg(u.y) AS y,
       array_agg(u.weight) AS weight, array_agg(coalesce(u.road_factor, 1)) AS road, array_agg(u.move_value) AS move_value, array_agg(u.measures) AS measures,
       array_agg(u.territory_before IS DISTINCT FROM u.territory_after) AS gained,
       array_agg(u.territory_before IS NOT NULL AND u.territory_before <> u.territory_after) AS moved,
       array_agg(u.reason = 'fixed') AS pinned
FROM design_proposal_units AS u
WHERE u.run_id = :run_id AND u.territory_after = ANY (CAST(:territory_ids AS uuid[]))
GROUP BY u.territory_after, u.unit / :units_a_row
""")
_LINKS = text("""
SELECT array_agg(u.unit) AS one, array_agg(n.unit) AS other
FROM design_proposal_units AS u CROSS JOIN LATERAL unnest(u.neighbours) AS n (unit)
WHERE u.run_id = :run_id AND u.territory_after = ANY (CAST(:territory_ids AS uuid[])) AND n.unit > u.unit
GROUP BY u.unit / :units_a_row
""")
# Unpacking more at once would hold the event loop; of few territories only some of so many units are wanted.
_UNITS_A_ROW = 50_000


async def read_units(
    read: AsyncConnection, run_id: UUID, territory_ids: Sequence[UUID], *, measures: int, linked: bool
) -> Units:
    """Return the units of some territories, with who touches whom if that is wanted.

    Arrays are made in threads: 200,000 units would hold the event loop.
    """
    asked = {"run_id": run_id, "territory_ids": list(territory_ids), "units_a_row": _UNITS_A_ROW}
    columns = _Columns({one: place for place, one in enumerate(territory_ids)})
    packed = (await read.stream(_UNITS, asked)).mappings()
    async for (units,) in packed.partitions(1):
        await asyncio.to_thread(columns.add, units)
    links = [np.empty((0, 2), np.int64)]
    if linked:
        result = await read.stream(_LINKS, asked)
        async for (row,) in result.partitions(1):
            links.append(await asyncio.to_thread(_pairs, row.one, row.other))
    return await asyncio.to_thread(_joined, columns, links, measures)


def _pairs(one: Sequence[int], other: Sequence[int]) -> Integers:
    return np.column_stack([one, other]).astype(np.int64)


def _joined(columns: "_Columns", links: Sequence[Integers], measures: int) -> Units:
    """Return what was read as one, by the numbers of units."""
    number, territory = columns.joined("number", np.int64), columns.joined("place", np.int64)
    order = np.argsort(number)
    return Units(
        number=number[order],
        territory=territory[order],
        xy=np.column_stack([columns.joined("x", np.float64), columns.joined("y", np.float64)])[order],
        weight=columns.joined("weight", np.float64)[order],
        road=columns.joined("road", np.float64)[order],
        measures=columns.joined("measures", np.float64).reshape(-1, measures)[order],
        move_value=columns.joined("move_value", np.float64)[order],
        gained=columns.joined("gained", np.bool_)[order],
        moved=columns.joined("moved", np.bool_)[order],
        pinned=columns.joined("pinned", np.bool_)[order],
        links=np.concatenate(links),
    )


class _Columns:
    """Rows of packed columns, each of one territory, which are joined in the end."""

    def __init__(self, places: Mapping[UUID, int]) -> None:
        self._places = places
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[Any, Any]) -> None:
        """Take a row, its columns as arrays."""
        packed = {name: np.asarray(value) for name, value in row.items()}
        packed["place"] = np.full(len(packed["number"]), self._places[row["territory_id"]])
        self._rows.append(packed)

    def joined(self, name: str, kind: Any) -> Any:
        """Return all of a column, flat."""
        return np.concatenate([np.empty(0, kind), *(row[name].astype(kind).ravel() for row in self._rows)])
