"""Keeps what rules could look at on an account, by period, so that a past alignment can be explained.

A version begins at the instant from which the account is aligned anew, or would be: the two histories agree.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from shared.db.unit_of_work import UnitOfWork

_LATEST = text("""
SELECT max(greatest(lower(version.valid), alignment.valid_from))
FROM unnest(CAST(:account_ids AS uuid[])) AS touched (account_id)
LEFT JOIN account_versions AS version
    ON version.account_id = touched.account_id AND upper_inf(version.valid)
LEFT JOIN open_alignments AS alignment ON alignment.account_id = touched.account_id
""")
_CLOSE = text("""
UPDATE account_versions AS version SET valid = tstzrange(lower(version.valid), :at)
FROM account_units AS unit
WHERE unit.account_id = ANY (CAST(:account_ids AS uuid[])) AND version.account_id = unit.account_id
  AND upper_inf(version.valid) AND version.attributes <> to_jsonb(unit) - 'account_id'
""")
_OPEN = text("""
INSERT INTO account_versions (account_id, valid, attributes)
SELECT unit.account_id, tstzrange(:at, NULL), to_jsonb(unit) - 'account_id'
FROM account_units AS unit
WHERE unit.account_id = ANY (CAST(:account_ids AS uuid[])) AND NOT EXISTS (
    SELECT FROM account_versions AS version
    WHERE version.account_id = unit.account_id AND upper_inf(version.valid))
""")
_TICK = timedelta(microseconds=1)


def instant_after(now: datetime, latest: datetime | None) -> datetime:
    """Return now, or the first instant after what is recorded already, should a clock have run ahead of ours."""
    return now if latest is None else max(now, latest + _TICK)


async def record_versions(uow: UnitOfWork, account_ids: Collection[UUID]) -> datetime:
    """Record accounts as they are now; return from when on, which is from when they are to be realigned.

    The caller has the accounts' rows locked. What rules do not look at makes no version.
    """
    touched = {"account_ids": list(account_ids)}
    latest = (await uow.connection.execute(_LATEST, touched)).scalar_one()
    at = instant_after(uow.now, latest)
    await uow.connection.execute(_CLOSE, {**touched, "at": at})
    await uow.connection.execute(_OPEN, {**touched, "at": at})
    return at
