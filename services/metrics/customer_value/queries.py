"""What customers are worth: of accounts, of territories as they are now, and the fits behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.queries import Include, find_asked_territories, require_territory
from shared.contracts.identity import ORGANISATION, UNASSIGNED
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

FitState = Literal["queued", "made"]


class FitFound(NamedTuple):
    """A fit that was asked for; what follows `asked_at` is null until it is made."""

    fit_id: UUID
    currency: str
    state: FitState
    cut_off_on: date
    margin: Decimal
    annual_discount_rate: Decimal
    horizon_months: int
    asked_by: str
    asked_at: datetime
    made_at: datetime | None
    version: int | None
    level: str | None
    reason: str | None
    customers: int | None
    repeat_customers: int | None
    findings: list[str] | None
    models: dict[str, Any] | None
    input_digest: str | None


_FITS = f"SELECT {', '.join(FitFound._fields)} FROM customer_value_fits"
_FIT = text(f"{_FITS} WHERE fit_id = :fit_id")
_LIST_FITS = text(f"""
{_FITS}
WHERE (CAST(:currency AS text) IS NULL OR currency = :currency)
  AND (CAST(:after AS uuid) IS NULL OR fit_id < :after)
ORDER BY fit_id DESC LIMIT :limit
""")


async def find_fit(read: AsyncConnection, fit_id: UUID) -> FitFound:
    """Return one fit. Raises NotFound."""
    row = (await read.execute(_FIT, {"fit_id": fit_id})).one_or_none()
    if row is None:
        raise NotFound("fit_id: no such fit.")
    return FitFound(*row)


async def list_fits(read: AsyncConnection, *, currency: str | None, page: PageRequest) -> list[FitFound]:
    """Return a page of fits, newest first, and one more if there is one."""
    names = {"currency": currency, "after": page.after, "limit": page.limit + 1}
    return [FitFound(*row) for row in await read.execute(_LIST_FITS, names)]


class ValueFound(NamedTuple):
    """An account's value in one currency, and on what terms it was worked out; money in minor units."""

    account_id: UUID
    currency: str
    level: str
    reason: str
    value_minor: int
    historic_minor: int
    purchases: int
    first_on: date | None
    last_on: date | None
    p_alive: float | None
    expected_purchases: float | None
    expected_spend_minor: int | None
    fit_id: UUID
    version: int
    cut_off_on: date
    margin: Decimal
    annual_discount_rate: Decimal
    horizon_months: int


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """An account and its values by currency; without any, `reason` says why."""

    account_id: UUID
    territory_id: UUID
    values: list[ValueFound]
    reason: str


_VALUES = text("""
SELECT v.account_id, v.currency, v.level, v.reason, v.value_minor, v.historic_minor, v.purchases, v.first_on, v.last_on,
       v.p_alive, v.expected_purchases, v.expected_spend_minor,
       f.fit_id, f.version, f.cut_off_on, f.margin, f.annual_discount_rate, f.horizon_months
FROM customer_values v JOIN customer_value_fits f ON f.fit_id = v.fit_id
WHERE v.account_id = ANY(CAST(:accounts AS uuid[])) ORDER BY v.account_id, v.currency
""")
_ANY_FIT = text("SELECT EXISTS (SELECT 1 FROM customer_value_fits WHERE state = 'made')")
# Accounts that were aligned, and those that only facts have named so far: nobody holds them.
_ACCOUNTS = f"""
(SELECT a.account_id, a.territory_id FROM accounts a
 WHERE {{visible}} AND {{asked}} ORDER BY a.account_id LIMIT :limit)
UNION ALL
(SELECT a.account_id, a.territory_id FROM (
    SELECT DISTINCT v.account_id, CAST('{UNASSIGNED}' AS uuid) AS territory_id FROM customer_values v
    WHERE NOT EXISTS (SELECT 1 FROM accounts k WHERE k.account_id = v.account_id)
 ) a
 WHERE {{visible}} AND {{asked}} ORDER BY a.account_id LIMIT :limit)
ORDER BY account_id LIMIT :limit
"""
_ONE = "a.account_id = :account_id"
_AFTER = "(CAST(:after AS uuid) IS NULL OR a.account_id > :after)"
_BELOW = """(a.territory_id = :territory_id OR a.territory_id IN (
    SELECT c.territory_id FROM live_closure c WHERE c.ancestor_id = :territory_id
))"""


def _accounts(asked: str) -> str:
    return _ACCOUNTS.format(visible=Scope.covers("a.territory_id"), asked=asked)


async def find_customer(read: AsyncConnection, account_id: UUID, *, scope: Scope) -> CustomerFound:
    """Return an account's values. Raises NotFound."""
    names = {"account_id": account_id, "limit": 1, **scope.parameters()}
    found = (await read.execute(text(_accounts(_ONE)), names)).all()
    for customer in await _with_values(read, [(row[0], row[1]) for row in found]):
        return customer
    raise NotFound("account_id: no such account.")


async def list_customers(
    read: AsyncConnection, *, territory_id: UUID | None, page: PageRequest, scope: Scope
) -> list[CustomerFound]:
    """Return a page of accounts with their values, and one more. Raises NotFound for a hidden territory."""
    asked, names = _AFTER, {"after": page.after, "limit": page.limit + 1, **scope.parameters()}
    if territory_id is not None:
        await require_territory(read, territory_id, scope)
        if territory_id != ORGANISATION:
            asked, names["territory_id"] = f"{_AFTER} AND {_BELOW}", territory_id
    found = await read.execute(text(_accounts(asked)), names)
    return await _with_values(read, [(row[0], row[1]) for row in found])


async def _with_values(read: AsyncConnection, accounts: list[tuple[UUID, UUID]]) -> list[CustomerFound]:
    values: dict[UUID, list[ValueFound]] = {account_id: [] for account_id, _ in accounts}
    for row in await read.execute(_VALUES, {"accounts": list(values)}):
        values[row.account_id].append(ValueFound(*row))
    fitted = (await read.execute(_ANY_FIT)).scalar_one()
    reason = "no-orders" if fitted else "not-valued-yet"
    return [CustomerFound(account, territory, values[account], reason) for account, territory in accounts]


class ValueSum(NamedTuple):
    """The accounts of a territory, own and below, that are valued on one level in one currency."""

    territory_id: UUID
    parent_id: UUID | None
    currency: str | None
    level: str
    accounts: int
    value_minor: int | None
    historic_minor: int | None


_OWN = f"""
    SELECT coalesce(a.territory_id, '{UNASSIGNED}') AS territory_id, v.currency,
           coalesce(v.level, 'none') AS level, count(*) AS accounts,
           isum(v.value_minor) AS value_minor, isum(v.historic_minor) AS historic_minor
    FROM accounts a FULL JOIN customer_values v ON v.account_id = a.account_id
    GROUP BY 1, 2, 3
"""
# Values are of single accounts and each account is in one territory: sums of sums are exact.
_SUMS = text(f"""
WITH own AS ({_OWN}), spread AS (
    SELECT coalesce(c.ancestor_id, o.territory_id) AS territory_id, currency, level, accounts, value_minor, historic_minor
    FROM own o LEFT JOIN live_closure c ON c.territory_id = o.territory_id
    UNION ALL
    SELECT CAST('{ORGANISATION}' AS uuid), currency, level, accounts, value_minor, historic_minor FROM own
), summed AS (
    SELECT territory_id, currency, level, isum(CAST(accounts AS bigint)) AS accounts,
           isum(value_minor) AS value_minor, isum(historic_minor) AS historic_minor
    FROM spread
    WHERE CAST(:everywhere AS boolean) AND territory_id <> '{ORGANISATION}'
       OR territory_id = ANY(CAST(:territories AS uuid[]))
    GROUP BY territory_id, currency, level
)
SELECT s.territory_id, c.ancestor_id AS parent_id, s.currency, s.level, s.accounts,
       CASE WHEN s.currency IS NOT NULL THEN s.value_minor END, CASE WHEN s.currency IS NOT NULL THEN s.historic_minor END
FROM summed s LEFT JOIN live_closure c ON c.territory_id = s.territory_id AND c.depth = 1
ORDER BY s.territory_id, s.currency, s.level
""")


@dataclass(frozen=True, slots=True)
class ValueSums:
    """Sums of territories; `totals` of those that do not contain each other."""

    rows: list[ValueSum]
    totals: list[ValueSum]


async def list_value_sums(
    read: AsyncConnection, *, territory_id: UUID | None, include: Include, scope: Scope
) -> ValueSums:
    """Return what the customers of territories are worth, by today's holder. Raises NotFound."""
    asked = await find_asked_territories(read, territory_id=territory_id, include=include, scope=scope)
    names = {"everywhere": asked.rows is None, "territories": [*(asked.rows or ()), *asked.tops]}
    found = [ValueSum(*row) for row in await read.execute(_SUMS, names)]
    shown, tops = set(asked.rows or ()), set(asked.tops)
    return ValueSums(
        rows=[row for row in found if row.territory_id in shown or _is_one_of_all(row, asked.rows)],
        totals=_added(row for row in found if row.territory_id in tops),
    )


def _is_one_of_all(row: ValueSum, rows: list[UUID] | None) -> bool:
    # Asked for all, the organisation itself is the total and no row beside its parts.
    return rows is None and row.territory_id != ORGANISATION


def _added(rows: Iterable[ValueSum]) -> list[ValueSum]:
    """Add up the rows of territories that do not contain each other."""
    added: dict[tuple[str, str], ValueSum] = {}
    for row in rows:
        key = (row.currency or "", row.level)
        held = added.get(key)
        added[key] = (
            row
            if held is None
            else held._replace(
                accounts=held.accounts + row.accounts,
                value_minor=_plus(held.value_minor, row.value_minor),
                historic_minor=_plus(held.historic_minor, row.historic_minor),
            )
        )
    return [added[key] for key in sorted(added)]


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
