"""Reading what CRMs call our plans, territories and rules, and what is remembered of their changes of accounts."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.crm.position import Half
from services.assignment.crm.references import References
from services.assignment.crm.shapes import System

_KNOWN = text("SELECT kind, external_id, our_id FROM crm_references WHERE system = :system")
_FIELD_CHANGES = text("""
SELECT account_id, field, greatest(changed_at, to_timestamp(0)) AS changed_at FROM crm_field_changes
WHERE source = :source AND account_id = ANY (CAST(:account_ids AS uuid[]))
""")
# A row an account: of an import there may be a hundred thousand, with eight fields each.
_NEWER_FIELDS = text("""
SELECT known.account_id, array_agg(known.field) AS fields
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:instants AS timestamptz[])) AS told (account_id, changed_at)
JOIN crm_field_changes AS known USING (account_id)
WHERE known.source = :source AND known.changed_at > told.changed_at
GROUP BY known.account_id
""")
_HALVES = text("""
SELECT account_id, latitude, longitude FROM half_positions
WHERE account_id = ANY (CAST(:account_ids AS uuid[]))
""")


async def load_references(read: AsyncConnection, system: System) -> References:
    """Return all references of a CRM."""
    rows = await read.execute(_KNOWN, {"system": system})
    return References(system, {(row.kind, row.external_id): row.our_id for row in rows})


async def find_field_changes(
    read: AsyncConnection, source: System, account_ids: Collection[UUID]
) -> dict[tuple[UUID, str], datetime]:
    """Return when each field of the accounts was last changed in the CRM; the caller holds the accounts."""
    found = await read.execute(_FIELD_CHANGES, {"source": source, "account_ids": list(account_ids)})
    return {(row.account_id, row.field): row.changed_at for row in found}


async def find_newer_fields(
    read: AsyncConnection, source: System, told: Mapping[UUID, datetime]
) -> dict[UUID, frozenset[str]]:
    """Return which fields of the accounts changed in the CRM after each was told of; the caller holds the accounts."""
    found = await read.execute(
        _NEWER_FIELDS,
        {"source": source, "account_ids": list(told), "instants": list(told.values())},
    )
    return {row.account_id: frozenset(row.fields) for row in found}


async def find_halves(read: AsyncConnection, account_ids: Collection[UUID]) -> dict[UUID, Half]:
    """Return the halves of positions that wait; the caller holds the accounts."""
    found = await read.execute(_HALVES, {"account_ids": list(account_ids)})
    return {
        row.account_id: Half("latitude", row.latitude)
        if row.longitude is None
        else Half("longitude", row.longitude)
        for row in found
    }
