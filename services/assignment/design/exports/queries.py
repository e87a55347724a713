"""Reading what is drawn of a proposal: no account is read again, all of it is kept with the proposal."""

from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.exports.design_map import DesignMap, measure_names
from services.assignment.design.proposals.queries import find_proposing

_HASH = text("SELECT input_hash FROM design_proposals WHERE run_id = :run_id")
_TERRITORIES = text("""
SELECT r.territory_id, r.name, p.loads, p.targets
FROM design_run_territories AS r JOIN design_proposal_territories AS p USING (run_id, territory_id)
WHERE r.run_id = :run_id ORDER BY r.number
""")
_UNITS = text("""
SELECT u.latitude, u.longitude, coalesce(b.number, -1) AS before, a.number AS after
FROM design_proposal_units AS u
JOIN design_run_territories AS a ON a.run_id = u.run_id AND a.territory_id = u.territory_after
LEFT JOIN design_run_territories AS b ON b.run_id = u.run_id AND b.territory_id = u.territory_before
WHERE u.run_id = :run_id ORDER BY u.unit
""")
_LOADS_BEFORE = text("""
SELECT b.number, one.place, sum(one.load) AS load
FROM design_proposal_units AS u
JOIN design_run_territories AS b ON b.run_id = u.run_id AND b.territory_id = u.territory_before
CROSS JOIN LATERAL unnest(u.measures) WITH ORDINALITY AS one (load, place)
WHERE u.run_id = :run_id GROUP BY b.number, one.place
""")
# Decoding more rows at once would hold the event loop.
_ROWS_AT_ONCE = 5_000


async def find_input_hash(read: AsyncConnection, run_id: UUID) -> str:
    """Return the hash of all that a proposal depends on. Raises NotFound, DesignRunWithoutProposal."""
    await find_proposing(read, run_id)
    found: str = (await read.execute(_HASH, {"run_id": run_id})).scalar_one()
    return found


async def read_design_map(read: AsyncConnection, run_id: UUID) -> DesignMap:
    """Return what is drawn of a proposal. Raises NotFound, DesignRunWithoutProposal."""
    run = await find_proposing(read, run_id)
    territories = (await read.execute(_TERRITORIES, {"run_id": run_id})).all()
    places, labels = [], []
    result = await read.stream(_UNITS, {"run_id": run_id})
    async for rows in result.partitions(_ROWS_AT_ONCE):
        places.append(np.array([(row.latitude, row.longitude) for row in rows], dtype=np.float64))
        labels.append(np.array([(row.before, row.after) for row in rows], dtype=np.int32))
    latitude, longitude = np.concatenate(places).T.copy()
    before, after = np.concatenate(labels).T.copy()
    loads_after = np.array([one.loads for one in territories], dtype=np.float64)
    return DesignMap(
        run_id=run_id,
        title=run.name,
        territory_ids=tuple(one.territory_id for one in territories),
        names=tuple(one.name for one in territories),
        measures=measure_names(run.scenario.measures),
        latitude=latitude,
        longitude=longitude,
        before=before,
        after=after,
        loads_before=await _loads_before(read, run_id, like=loads_after),
        loads_after=loads_after,
        targets=np.array([one.targets for one in territories], dtype=np.float64),
    )


async def _loads_before(read: AsyncConnection, run_id: UUID, *, like: Floats) -> Floats:
    loads = np.zeros_like(like)
    for row in await read.execute(_LOADS_BEFORE, {"run_id": run_id}):
        loads[row.number, row.place - 1] = row.load
    return loads
