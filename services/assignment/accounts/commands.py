"""Registering and changing accounts, set-based: what is new, what differs, what is as it was.

What rules look at is kept by period beside the account itself.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from uuid import UUID

from sqlalchemy import text

from services.assignment.accounts.account import AccountDetails
from services.assignment.accounts.states import ACCOUNT_STATE
from services.assignment.accounts.versions.commands import record_versions
from shared.contracts.assignment import AccountChanged, AccountRegistered
from shared.db.unit_of_work import UnitOfWork

# Sorted by id, as every writer of accounts is: two imports of the same accounts queue, they never lock crosswise.
_UPSERT = text("""
INSERT INTO accounts AS a (account_id, external_id, name, postal_code, county, state, latitude, longitude,
                           industry, employees, registered_at, changed_at)
SELECT i.account_id, i.external_id, i.name, i.postal_code, i.county, i.state, i.latitude, i.longitude,
       i.industry, i.employees, :now, :now
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:names AS text[]),
            CAST(:postal_codes AS text[]), CAST(:counties AS text[]), CAST(:states AS text[]),
            CAST(:latitudes AS float8[]), CAST(:longitudes AS float8[]), CAST(:industries AS text[]),
            CAST(:employees AS int[]))
    AS i (account_id, external_id, name, postal_code, county, state, latitude, longitude, industry, employees)
ORDER BY i.account_id
ON CONFLICT (account_id) DO UPDATE
SET name = excluded.name, postal_code = excluded.postal_code, county = excluded.county,
    state = excluded.state, latitude = excluded.latitude, longitude = excluded.longitude,
    industry = excluded.industry, employees = excluded.employees, changed_at = excluded.changed_at
WHERE (a.name, a.postal_code, a.county, a.state, a.latitude, a.longitude, a.industry, a.employees)
    IS DISTINCT FROM (excluded.name, excluded.postal_code, excluded.county, excluded.state,
                      excluded.latitude, excluded.longitude, excluded.industry, excluded.employees)
RETURNING a.account_id, old.account_id IS NULL AS registered
""")
_COLUMNS = (
    "external_ids",
    "names",
    "postal_codes",
    "counties",
    "states",
    "latitudes",
    "longitudes",
    "industries",
    "employees",
)
_VALUES = attrgetter(*AccountDetails.__dataclass_fields__)
_LOCK = text("""
SELECT account_id FROM accounts WHERE account_id = ANY (CAST(:account_ids AS uuid[])) ORDER BY account_id FOR UPDATE
""")


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did, and from when on it holds; the rest of what was given stands as it stood."""

    at: datetime
    registered: tuple[UUID, ...] = ()
    changed: tuple[UUID, ...] = ()

    @property
    def touched(self) -> tuple[UUID, ...]:
        """Return the accounts whose alignment may have become another."""
        return tuple(sorted((*self.registered, *self.changed)))


async def lock_accounts(uow: UnitOfWork, account_ids: Collection[UUID]) -> list[UUID]:
    """Hold accounts while they are aligned anew, and return those that are registered."""
    return [row.account_id for row in await uow.connection.execute(_LOCK, {"account_ids": list(account_ids)})]


async def upsert_accounts(uow: UnitOfWork, accounts: Mapping[UUID, AccountDetails]) -> Upserted:
    """Store accounts, given by their ids, and announce those that are new or differ."""
    if not accounts:
        return Upserted(uow.now)
    columns = zip(*map(_VALUES, accounts.values()), strict=True)
    parameters = dict(zip(_COLUMNS, map(list, columns), strict=True))
    rows = await uow.connection.execute(
        _UPSERT, {**parameters, "account_ids": list(accounts), "now": uow.now}
    )
    registered: list[UUID] = []
    changed: list[UUID] = []
    for row in rows:
        (registered if row.registered else changed).append(row.account_id)
    upserted = Upserted(await record_versions(uow, registered + changed), tuple(registered), tuple(changed))
    # Spelling out thousands of events is pure work: elsewhere, so that the api goes on answering.
    await asyncio.to_thread(
        uow.outbox.add_all,
        chain(
            (_event(AccountRegistered, account_id, accounts[account_id]) for account_id in registered),
            (_event(AccountChanged, account_id, accounts[account_id]) for account_id in changed),
        ),
    )
    uow.outbox.add_states(ACCOUNT_STATE, map(str, upserted.touched))
    return upserted


def _event(contract: type[AccountRegistered], account_id: UUID, account: AccountDetails) -> AccountRegistered:
    return contract(
        account_id=account_id,
        external_id=account.external_id,
        postal_code=account.postal_code,
        county=account.county,
        state=account.state,
        industry=account.industry,
        employees=account.employees,
    )
