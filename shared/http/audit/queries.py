"""Reads of the audit, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.ids import first_id_at

_SELECT = """
SELECT audit_id, recorded_at, actor, roles, scope, method, route, path_parameters, operation, status, location,
    correlation_id, idempotency_key, encode(body_sha256, 'hex') AS body_sha256
FROM audit_entries
"""
_MILLISECOND = timedelta(milliseconds=1)
# The ids tell the millisecond and are what is indexed; the column tells the rest.
_CONDITIONS = {
    "actor": "actor = :actor",
    "operation": "operation = :operation",
    "since": "recorded_at >= :since",
    "since_id": "audit_id >= :since_id",
    "until": "recorded_at < :until",
    "until_id": "audit_id < :until_id",
    "before": "audit_id < :before",
}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; None does not narrow."""

    actor: str | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_audit_entries(
    read: AsyncConnection, wanted: AuditFilter, *, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the newest entries, or those before one of them."""
    given = {
        "actor": wanted.actor,
        "operation": wanted.operation,
        "since": wanted.since,
        "since_id": None if wanted.since is None else first_id_at(wanted.since),
        "until": wanted.until,
        "until_id": None if wanted.until is None else first_id_at(wanted.until + _MILLISECOND),
        "before": before,
    }
    binds = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join(["true", *(_CONDITIONS[name] for name in binds)])
    statement = text(f"{_SELECT} WHERE {where} ORDER BY audit_id DESC LIMIT :limit")
    return (await read.execute(statement, {**binds, "limit": limit})).all()
