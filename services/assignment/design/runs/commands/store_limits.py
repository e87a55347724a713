"""Store what a run is held to beside balance: families of accounts, and lines that nothing crosses."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from services.assignment.accounts.queries import find_unknown
from services.assignment.design.runs.refusals import InvalidScenario
from services.assignment.design.runs.run import Family
from shared.db.unit_of_work import UnitOfWork

_STORE_FAMILY = text("""
INSERT INTO design_run_families (run_id, family, name, account_ids)
VALUES (:run_id, :family, :name, CAST(:account_ids AS uuid[]))
""")
_STORE_BARRIER = text("""
INSERT INTO design_run_barriers (run_id, line, longitudes, latitudes)
VALUES (:run_id, :line, CAST(:longitudes AS float8[]), CAST(:latitudes AS float8[]))
""")

Line = Sequence[tuple[float, float]]
"""Longitudes and latitudes."""


async def check_families(uow: UnitOfWork, families: Sequence[Family]) -> None:
    """See that there are such accounts. Raises InvalidScenario."""
    relatives = [account_id for family in families for account_id in family.account_ids]
    unknown = sorted(await find_unknown(uow.connection, relatives)) if relatives else []
    if unknown:
        raise InvalidScenario(
            f"families: there are no accounts {', '.join(map(str, unknown[:3]))}; leave them out.",
            errors=[{"pointer": "/families", "detail": f"{one}: no such account"} for one in unknown[:100]],
        )


async def store_families(uow: UnitOfWork, run_id: UUID, families: Sequence[Family]) -> None:
    """Store families of a run, in the order they were told."""
    if families:
        await uow.connection.execute(
            _STORE_FAMILY,
            [
                {"run_id": run_id, "family": number, "name": one.name, "account_ids": list(one.account_ids)}
                for number, one in enumerate(families)
            ],
        )


async def store_barriers(uow: UnitOfWork, run_id: UUID, barriers: Sequence[Line]) -> None:
    """Store lines that no territory of a run crosses, in the order they were told."""
    if barriers:
        await uow.connection.execute(
            _STORE_BARRIER,
            [
                {
                    "run_id": run_id,
                    "line": number,
                    "longitudes": [longitude for longitude, _ in line],
                    "latitudes": [latitude for _, latitude in line],
                }
                for number, line in enumerate(barriers)
            ],
        )
