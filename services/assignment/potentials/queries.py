"""Reading potential estimates, the amounts of accounts, and what both are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.potentials.potential import Company, Method, PotentialMeasure
from services.assignment.potentials.refusals import PotentialEstimateNotCompleted
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

EstimateState = Literal["queued", "completed", "failed"]
# Decoding more rows at once would hold the event loop.
_ROWS_AT_ONCE = 5_000

_COUNT_KNOWN = text("""
SELECT currency, count(*) AS accounts FROM account_amounts WHERE measure = :measure
GROUP BY currency ORDER BY accounts DESC, currency
""")
# Who buys in another currency is no prospect, and their amount is not known in this one.
_COMPANIES = text("""
SELECT account_id, employees, industry, state, latitude, longitude, CAST(known.amount AS float8) AS amount
FROM account_profiles
LEFT JOIN (SELECT * FROM account_amounts WHERE measure = :measure AND currency = :currency) AS known USING (account_id)
WHERE known.account_id IS NOT NULL OR account_id NOT IN (
    SELECT elsewhere.account_id FROM account_amounts AS elsewhere WHERE elsewhere.measure = :measure
)
ORDER BY account_id
""")


class EstimateFound(NamedTuple):
    """An estimate that was asked for; what follows `asked_at` is null until it is made."""

    estimate_id: UUID
    measure: PotentialMeasure
    currency: str
    state: EstimateState
    seed: int
    folds: int
    asked_by: str
    asked_at: datetime
    completed_at: datetime | None
    reason: str | None
    known_accounts: int | None
    prospects: int | None
    method: Method | None
    trial: dict[str, Any] | None
    input_digest: str | None


@dataclass(frozen=True, slots=True)
class AccountPotential:
    """What an account was known to be worth, if it was, beside what was estimated without that knowledge."""

    account_id: UUID
    known_amount: Decimal | None
    estimated_amount: Decimal


_SELECT = f"SELECT {', '.join(EstimateFound._fields)} FROM potential_estimates"
_FIND = text(f"{_SELECT} WHERE estimate_id = :estimate_id")
_LIST = text(f"""
{_SELECT} WHERE CAST(:after AS uuid) IS NULL OR estimate_id < :after
ORDER BY estimate_id DESC LIMIT :rows
""")
_ACCOUNTS = text(f"""
SELECT potential.account_id, potential.known_amount, potential.estimated_amount
FROM account_potentials AS potential LEFT JOIN open_alignments AS alignment USING (account_id)
WHERE potential.estimate_id = :estimate_id AND {Scope.covers("alignment.territory_id")}
  AND (CAST(:known AS boolean) IS NULL OR (potential.known_amount IS NOT NULL) = :known)
  AND (CAST(:after AS uuid) IS NULL OR potential.account_id > :after)
ORDER BY potential.account_id LIMIT :rows
""")
_SUM = text("""
SELECT i.path, sum(coalesce(known_amount, estimated_amount)) AS amount
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:paths AS int[])) AS i (account_id, path)
JOIN account_potentials AS potential ON potential.account_id = i.account_id AND estimate_id = :estimate_id
GROUP BY i.path ORDER BY i.path
""")


async def count_known(read: AsyncConnection, measure: PotentialMeasure) -> dict[str, int]:
    """Return how many accounts have an amount above zero, by currency, most first."""
    return {row.currency: row.accounts for row in await read.execute(_COUNT_KNOWN, {"measure": measure})}


async def read_companies(read: AsyncConnection, measure: PotentialMeasure, currency: str) -> list[Company]:
    """Return known accounts and prospects by id, as one picture."""
    companies: list[Company] = []
    result = await read.stream(_COMPANIES, {"measure": measure, "currency": currency})
    async for rows in result.partitions(_ROWS_AT_ONCE):
        companies += [Company(*row) for row in rows]
    return companies


async def find_estimate(
    read: AsyncConnection, estimate_id: UUID, *, field: str = "estimate_id"
) -> EstimateFound:
    """Return one estimate; field: what the caller calls it. Raises NotFound."""
    row = (await read.execute(_FIND, {"estimate_id": estimate_id})).one_or_none()
    if row is None:
        raise NotFound(f"{field}: there is no such potential estimate.")
    return EstimateFound(*row)


async def find_completed(
    read: AsyncConnection, estimate_id: UUID, *, field: str = "estimate_id"
) -> EstimateFound:
    """Return an estimate that has amounts; field: what the caller calls it.

    Raises NotFound or PotentialEstimateNotCompleted.
    """
    found = await find_estimate(read, estimate_id, field=field)
    if found.state != "completed":
        raise PotentialEstimateNotCompleted(
            f"{field}: this potential estimate is {found.state}; take one that is completed."
        )
    return found


async def list_estimates(read: AsyncConnection, *, page: PageRequest) -> list[EstimateFound]:
    """Return estimates, newest first, one more than the page holds."""
    rows = await read.execute(_LIST, {"after": page.after, "rows": page.limit + 1})
    return [EstimateFound(*row) for row in rows]


async def list_account_potentials(
    read: AsyncConnection, estimate_id: UUID, *, known: bool | None, scope: Scope, page: PageRequest
) -> list[AccountPotential]:
    """Return accounts of the caller's scope by id, one more than the page holds."""
    rows = await read.execute(
        _ACCOUNTS,
        {
            "estimate_id": estimate_id,
            "known": known,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [AccountPotential(*row) for row in rows]


async def sum_potentials(
    read: AsyncConnection, estimate_id: UUID, account_ids: Sequence[UUID], paths: Sequence[int]
) -> list[tuple[int, Decimal]]:
    """Sum potentials by the number of the path that each account takes: what is known, else what is estimated."""
    rows = await read.execute(
        _SUM, {"estimate_id": estimate_id, "account_ids": list(account_ids), "paths": list(paths)}
    )
    return [(row.path, row.amount) for row in rows]
