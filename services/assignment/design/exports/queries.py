"""Reading what is drawn of a proposal: no account is read again, all of it is kept with the proposal."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.exports.design_map import DesignMap, measure_names
from services.assignment.design.proposals.queries import find_proposing

if TYPE_CHECKING:  # the api learns of arrays when it first draws
    from services.assignment.design.engine.arrays import Floats, Labels

_DRAWN = text("SELECT input_hash || '-' || edit_version FROM design_proposals WHERE run_id = :run_id")
_TERRITORIES = text("""
SELECT r.territory_id, r.name, p.loads, p.targets
FROM design_run_territories AS r JOIN design_proposal_territories AS p USING (run_id, territory_id)
WHERE r.run_id = :run_id ORDER BY r.number
""")
# Packed by Postgres: a row per account would take the event loop seconds to unpack.
_UNITS = text("""
SELECT array_agg(u.latitude ORDER BY u.unit) AS latitude, array_agg(u.longitude ORDER BY u.unit) AS longitude,
       array_agg(coalesce(u.road_factor, 1) ORDER BY u.unit) AS road,
       array_agg(coalesce(b.number, -1) ORDER BY u.unit) AS before, array_agg(a.number ORDER BY u.unit) AS after
FROM design_proposal_units AS u
JOIN design_run_territories AS a ON a.run_id = u.run_id AND a.territory_id = u.territory_after
LEFT JOIN design_run_territories AS b ON b.run_id = u.run_id AND b.territory_id = u.territory_before
WHERE u.run_id = :run_id GROUP BY u.unit / :units_a_row ORDER BY u.unit / :units_a_row
""")
_LOADS_BEFORE = text("""
SELECT b.number, one.place, sum(one.load) AS load
FROM design_proposal_units AS u
JOIN design_run_territories AS b ON b.run_id = u.run_id AND b.territory_id = u.territory_before
CROSS JOIN LATERAL unnest(u.measures) WITH ORDINALITY AS one (load, place)
WHERE u.run_id = :run_id GROUP BY b.number, one.place
""")
# Unpacking more at once would hold the event loop.
_UNITS_A_ROW = 5_000


async def find_drawn_version(read: AsyncConnection, run_id: UUID) -> str:
    """Return the hash of all that a proposal depends on, and its edit version. Raises NotFound, DesignRunWithoutProposal."""
    await find_proposing(read, run_id)
    found: str = (await read.execute(_DRAWN, {"run_id": run_id})).scalar_one()
    return found


async def read_design_map(read: AsyncConnection, run_id: UUID) -> DesignMap:
    """Return what is drawn of a proposal. Raises NotFound, DesignRunWithoutProposal."""
    import numpy as np  # noqa: PLC0415

    run = await find_proposing(read, run_id)
    territories = (await read.execute(_TERRITORIES, {"run_id": run_id})).all()
    latitude, longitude, road, before, after = await _units(read, run_id)
    loads_after = np.array([one.loads for one in territories], dtype=np.float64)
    return DesignMap(
        run_id=run_id,
        title=run.name,
        territory_ids=tuple(one.territory_id for one in territories),
        names=tuple(one.name for one in territories),
        measures=measure_names(run.scenario.measures),
        latitude=latitude,
        longitude=longitude,
        road=road,
        before=before,
        after=after,
        loads_before=await _loads_before(read, run_id, like=loads_after),
        loads_after=loads_after,
        targets=np.array([one.targets for one in territories], dtype=np.float64),
    )


async def _units(read: AsyncConnection, run_id: UUID) -> "tuple[Floats, Floats, Floats, Labels, Labels]":
    """Return latitude, longitude, road factor, and the territory's number before and after of each account, each shape (n,)."""
    import numpy as np  # noqa: PLC0415

    result = await read.stream(_UNITS, {"run_id": run_id, "units_a_row": _UNITS_A_ROW})
    places: list[Floats] = []
    labels: list[Labels] = []
    async for (row,) in result.partitions(1):
        places.append(np.array([row.latitude, row.longitude, row.road], dtype=np.float64))
        labels.append(np.array([row.before, row.after], dtype=np.int32))
    latitude, longitude, road = np.concatenate(places, axis=1)
    before, after = np.concatenate(labels, axis=1)
    return latitude, longitude, road, before, after


async def _loads_before(read: AsyncConnection, run_id: UUID, *, like: "Floats") -> "Floats":
    loads = like * 0.0
    for row in await read.execute(_LOADS_BEFORE, {"run_id": run_id}):
        loads[row.number, row.place - 1] = row.load
    return loads
