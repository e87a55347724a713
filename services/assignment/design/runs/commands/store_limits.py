"""Store what a run is held to beside balance: families of accounts, forbidden ones, and lines that nothing crosses."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from sqlalchemy import text

from services.assignment.accounts.queries import find_unknown
from services.assignment.design.runs.refusals import InvalidScenario
from services.assignment.design.runs.run import Family, Forbidden
from shared.db.unit_of_work import UnitOfWork

_STORE_FAMILY = text("""
INSERT INTO design_run_families (run_id, family, name, account_ids)
VALUES (:run_id, :family, :name, CAST(:account_ids AS uuid[]))
""")
_STORE_FORBIDDEN = text("""
INSERT INTO design_run_forbidden_accounts (run_id, territory_id, account_ids)
VALUES (:run_id, :territory_id, CAST(:account_ids AS uuid[]))
""")
_STORE_BARRIER = text("""
INSERT INTO design_run_barriers (run_id, line, longitudes, latitudes)
VALUES (:run_id, :line, CAST(:longitudes AS float8[]), CAST(:latitudes AS float8[]))
""")

Line = Sequence[tuple[float, float]]
"""Longitudes and latitudes."""


async def check_families(uow: UnitOfWork, families: Sequence[Family]) -> None:
    """See that there are such accounts. Raises InvalidScenario."""
    await _check_known(uow, "families", [one for family in families for one in family.account_ids])


async def check_forbidden(
    uow: UnitOfWork, forbidden: Sequence[Forbidden], territory_ids: Collection[UUID]
) -> None:
    """See that there are such accounts, that the run designs the territories, and that each account may go to one of them.

    Raises InvalidScenario.
    """
    errors = list(_out_of_place(forbidden, territory_ids))
    if errors:
        raise InvalidScenario(
            "; ".join(f"forbidden: {error['detail']}" for error in errors[:3]) + ".", errors=errors[:100]
        )
    await _check_known(
        uow, "forbidden", sorted({account_id for one in forbidden for account_id in one.account_ids})
    )


def _out_of_place(
    forbidden: Sequence[Forbidden], territory_ids: Collection[UUID]
) -> Iterator[dict[str, str]]:
    for number, one in enumerate(forbidden):
        if one.territory_id not in territory_ids:
            detail = f"{one.territory_id}: this run does not design that territory"
            yield {"pointer": f"/forbidden/{number}/territory_id", "detail": detail}
    barred = Counter(account_id for one in forbidden for account_id in one.account_ids)
    last = {account_id: number for number, one in enumerate(forbidden) for account_id in one.account_ids}
    for account_id in sorted(barred):
        if barred[account_id] >= len(territory_ids):
            detail = f"{account_id}: no territory may have it; allow it in one"
            yield {"pointer": f"/forbidden/{last[account_id]}/account_ids", "detail": detail}


async def _check_known(uow: UnitOfWork, field: str, account_ids: Sequence[UUID]) -> None:
    unknown = sorted(await find_unknown(uow.connection, account_ids)) if account_ids else []
    if unknown:
        raise InvalidScenario(
            f"{field}: there are no accounts {', '.join(map(str, unknown[:3]))}; leave them out.",
            errors=[{"pointer": f"/{field}", "detail": f"{one}: no such account"} for one in unknown[:100]],
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


async def store_forbidden(uow: UnitOfWork, run_id: UUID, forbidden: Sequence[Forbidden]) -> None:
    """Store what territories of a run may not have."""
    if forbidden:
        await uow.connection.execute(
            _STORE_FORBIDDEN,
            [
                {"run_id": run_id, "territory_id": one.territory_id, "account_ids": list(one.account_ids)}
                for one in forbidden
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
