"""Store by what roads are longer than the crow's ways: the regions that have a factor of their own."""

import json
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.refusals import InvalidScenario
from services.assignment.design.runs.run import RoadRegion
from shared.db.unit_of_work import UnitOfWork

_NAMES = text("SELECT DISTINCT state, county FROM account_units")
_STORE = text("""
INSERT INTO design_run_road_regions (run_id, region, factor, state, county, area)
VALUES (:run_id, :region, :factor, :state, :county, CAST(:area AS json))
""")


async def check_road_regions(uow: UnitOfWork, regions: Sequence[RoadRegion]) -> None:
    """See that some account has the states and counties that are named: a slip would go unseen. Raises InvalidScenario."""
    if all(one.area is not None for one in regions):
        return
    known = {(row.state, row.county) for row in await uow.connection.execute(_NAMES)}
    # Any state of a county, any county of a state.
    known |= {(state, None) for state, _ in known} | {(None, county) for _, county in known}
    errors = list(_unknown(regions, known))
    if errors:
        first = errors[0]["detail"]
        raise InvalidScenario(
            f"road_factors: {first}; name what accounts have, or leave it out.", errors=errors[:100]
        )


def _unknown(
    regions: Sequence[RoadRegion], known: set[tuple[str | None, str | None]]
) -> Iterator[dict[str, str]]:
    for number, one in enumerate(regions):
        if one.area is None and (one.state, one.county) not in known:
            other_state = one.state is not None and (one.state, None) not in known
            at = "state" if one.county is None or other_state else "county"
            name = ", ".join(filter(None, (one.county, one.state)))
            yield {
                "pointer": f"/road_factors/regions/{number}/{at}",
                "detail": f"{name}: no account is there",
            }


async def store_road_regions(uow: UnitOfWork, run_id: UUID, regions: Sequence[RoadRegion]) -> None:
    """Store regions of a run, in the order they were told."""
    if regions:
        await uow.connection.execute(
            _STORE,
            [
                {
                    "run_id": run_id,
                    "region": number,
                    "factor": one.factor,
                    "state": one.state,
                    "county": one.county,
                    "area": None if one.area is None else json.dumps(one.area),
                }
                for number, one in enumerate(regions)
            ],
        )
