"""Reading accounts with the alignment that is in force, as far as the caller may see."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.account import AccountDetails
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class AlignedAccount:
    """An account and where it belongs now; `valid_from` is None until a plan went live."""

    account_id: UUID
    external_id: str
    name: str
    postal_code: str | None
    county: str | None
    state: str | None
    latitude: float | None
    longitude: float | None
    industry: str | None
    employees: int | None
    registered_at: datetime
    changed_at: datetime
    territory_id: UUID | None
    plan_id: UUID | None
    rule_id: UUID | None
    cause: str | None
    reason: str | None
    valid_from: datetime | None


_SELECT = f"""
SELECT account_id, external_id, name, postal_code, county, state, latitude, longitude, industry, employees,
       registered_at, changed_at, territory_id, plan_id, rule_id, cause, reason, valid_from
FROM accounts LEFT JOIN open_alignments USING (account_id)
WHERE {Scope.covers("territory_id")}
"""
_FIND = text(f"{_SELECT} AND account_id = :account_id")
_BY_EXTERNAL_ID = "AND (CAST(:external_id AS text) IS NULL OR external_id = :external_id)"
_PAGE = """
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
"""
_LIST = text(f"{_SELECT} {_BY_EXTERNAL_ID} {_PAGE}")
# Apart from the general list, so that each may begin at the open alignments of a territory, or of none.
_LIST_GAPS = text(f"{_SELECT} AND territory_id IS NULL AND reason = :reason {_BY_EXTERNAL_ID} {_PAGE}")
_LIST_TERRITORY = text(f"{_SELECT} AND territory_id = :territory_id {_BY_EXTERNAL_ID} {_PAGE}")
_LIST_SUBTREE = text(f"""{_SELECT} {_BY_EXTERNAL_ID}
  AND territory_id IN (SELECT below.territory_id FROM live_closure below WHERE below.ancestor_id = :territory_id)
{_PAGE}""")


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts to list; None leaves a field open."""

    external_id: str | None = None
    territory_id: UUID | None = None
    subtree: bool = False
    reason: str | None = None


async def find_account(read: AsyncConnection, account_id: UUID, *, scope: Scope) -> AlignedAccount:
    """Return one account. Raises NotFound."""
    found = await read.execute(_FIND, {"account_id": account_id, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("account_id: there is no such account.")
    return AlignedAccount(**row)


async def list_accounts(
    read: AsyncConnection, wanted: AccountFilter, *, scope: Scope, page: PageRequest
) -> list[AlignedAccount]:
    """Return accounts by id, one more than the page holds."""
    if wanted.reason is not None and wanted.territory_id is not None:
        return []  # a gap is where there is no territory
    statement = _LIST
    parameters = {
        "external_id": wanted.external_id,
        "after": page.after,
        "rows": page.limit + 1,
        **scope.parameters(),
    }
    if wanted.reason is not None:
        statement = _LIST_GAPS
        parameters["reason"] = wanted.reason
    if wanted.territory_id is not None:
        statement = _LIST_SUBTREE if wanted.subtree else _LIST_TERRITORY
        parameters["territory_id"] = wanted.territory_id
    rows = await read.execute(statement, parameters)
    return [AlignedAccount(**row) for row in rows.mappings()]


_UNKNOWN = text("""
SELECT named.account_id FROM unnest(CAST(:account_ids AS uuid[])) AS named (account_id)
WHERE NOT EXISTS (SELECT FROM accounts WHERE accounts.account_id = named.account_id)
""")


async def find_unknown(read: AsyncConnection, account_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these ids are no account's."""
    return {row.account_id for row in await read.execute(_UNKNOWN, {"account_ids": list(account_ids)})}


_DETAILS = tuple(field.name for field in fields(AccountDetails))
# By id, as every writer of accounts locks them.
_HOLD_DETAILS = text(f"""
SELECT account_id, {", ".join(_DETAILS)} FROM accounts
WHERE account_id = ANY (CAST(:account_ids AS uuid[])) ORDER BY account_id FOR UPDATE
""")


async def hold_details(
    connection: AsyncConnection, account_ids: Collection[UUID]
) -> dict[UUID, AccountDetails]:
    """Return what is known of accounts, and keep it from changing until the transaction ends."""
    rows = await connection.execute(_HOLD_DETAILS, {"account_ids": list(account_ids)})
    return {row.account_id: AccountDetails(*(getattr(row, name) for name in _DETAILS)) for row in rows}


_POINTS = text("""
SELECT account_id, latitude, longitude FROM accounts
WHERE account_id = ANY (CAST(:account_ids AS uuid[])) AND latitude IS NOT NULL
""")


async def find_points(
    read: AsyncConnection, account_ids: Collection[UUID]
) -> dict[UUID, tuple[float, float]]:
    """Return latitude and longitude of accounts; one without is left out."""
    rows = await read.execute(_POINTS, {"account_ids": list(account_ids)})
    return {row.account_id: (row.latitude, row.longitude) for row in rows}


# The middle of points on the sphere: right over the date line, too.
_POSTAL_CODES = text("""
SELECT postal_code, atan2d(avg(sind(latitude)), sqrt(
           power(avg(cosd(latitude) * cosd(longitude)), 2) + power(avg(cosd(latitude) * sind(longitude)), 2)
       )) AS latitude,
       atan2d(avg(cosd(latitude) * sind(longitude)), avg(cosd(latitude) * cosd(longitude))) AS longitude
FROM accounts WHERE postal_code = ANY (CAST(:codes AS text[])) AND latitude IS NOT NULL
GROUP BY postal_code
""")


async def locate_postal_codes(
    read: AsyncConnection, codes: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of postal codes: the middle of the accounts there; one without any is left out."""
    rows = await read.execute(_POSTAL_CODES, {"codes": list(codes)})
    return {row.postal_code: (row.latitude, row.longitude) for row in rows}
