"""Keeping when CRMs changed fields of accounts, so that an older change that comes later loses."""

from collections.abc import Sequence

from sqlalchemy import text

from services.assignment.crm.field_change import FieldsChanged
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
