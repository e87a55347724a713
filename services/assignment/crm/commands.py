"""Keeping when CRMs changed fields of accounts, so that an older change that comes later loses, and half positions."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text

from services.assignment.crm.field_change import FieldsChanged
from services.assignment.crm.position import Axis, Half
from services.assignment.crm.shapes import System
from shared.db.unit_of_work import UnitOfWork

# Accounts a statement, each with up to eight fields.
CHUNK = 5_000

_KEEP = text("""
INSERT INTO crm_field_changes AS known (source, account_id, field, changed_at)
SELECT :source, told.account_id, field, told.changed_at
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:fields AS text[]), CAST(:instants AS timestamptz[]))
    AS told (account_id, fields, changed_at)
CROSS JOIN unnest(string_to_array(told.fields, ' ')) AS field
ON CONFLICT (source, account_id, field) DO UPDATE SET changed_at = excluded.changed_at
WHERE known.changed_at < excluded.changed_at
""")
_KEEP_HALVES = text("""
MERGE INTO half_positions AS known
USING unnest(CAST(:account_ids AS uuid[]), CAST(:latitudes AS float8[]), CAST(:longitudes AS float8[]))
    AS told (account_id, latitude, longitude)
ON known.account_id = told.account_id
WHEN MATCHED AND num_nonnulls(told.latitude, told.longitude) = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET latitude = told.latitude, longitude = told.longitude
WHEN NOT MATCHED AND num_nonnulls(told.latitude, told.longitude) = 1 THEN
    INSERT (account_id, latitude, longitude) VALUES (told.account_id, told.latitude, told.longitude)
""")


async def keep_field_changes(uow: UnitOfWork, source: System, changes: Sequence[FieldsChanged]) -> None:
    """Record when fields were changed, each field of an account at most once."""
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        await uow.connection.execute(
            _KEEP,
            {
                "source": source,
                "account_ids": [change.account_id for change in chunk],
                # Lists travel as one text each, because Postgres unnests a list of lists into its single elements.
                "fields": [" ".join(change.fields) for change in chunk],
                "instants": [change.changed_at for change in chunk],
            },
        )


async def keep_halves(uow: UnitOfWork, halves: Mapping[UUID, Half | None]) -> None:
    """Keep the half of its position that an account has got, or, with None, no half any more."""
    await uow.connection.execute(
        _KEEP_HALVES,
        {
            "account_ids": list(halves),
            "latitudes": [_degrees(half, "latitude") for half in halves.values()],
            "longitudes": [_degrees(half, "longitude") for half in halves.values()],
        },
    )


def _degrees(half: Half | None, axis: Axis) -> float | None:
    return half.degrees if half is not None and half.axis == axis else None
