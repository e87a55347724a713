"""Reads of needs with their evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.access import require_account
from services.collab.customers.needs.need import LIVE, DropReason, NeedStatus
from services.collab.customers.source import Source
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Something that shows how a need stands; `text` is None once it was erased."""

    evidence_id: UUID
    kind: str
    text: str | None
    added_at: datetime
    added_by: str
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A need as readers see it; `text` is None once it was erased."""

    need_id: UUID
    account_id: UUID
    kind: str
    text: str | None
    owner_rep_id: UUID | None
    status: NeedStatus
    drop_reason: DropReason | None
    due_on: date | None
    source: Source
    confidence_percent: int
    captured_at: datetime
    version: int
    registered_at: datetime
    registered_by: str
    changed_at: datetime
    closed_at: datetime | None
    erased_at: datetime | None
    evidence: tuple[EvidenceRow, ...]


_SELECT = """
SELECT n.need_id, n.account_id, n.kind, n.body, n.owner_rep_id, n.status, n.drop_reason, n.due_on, n.source,
    n.confidence_percent, n.captured_at, n.version, n.registered_at, n.registered_by, n.changed_at, n.closed_at,
    n.erased_at
FROM needs AS n WHERE n.account_id = :account
"""
_FIND = text(f"{_SELECT} AND n.need_id = :need")
_LIST = text(f"""{_SELECT}
    AND (CAST(:statuses AS text[]) IS NULL OR n.status = ANY(CAST(:statuses AS text[])))
    AND (CAST(:after AS uuid) IS NULL OR n.need_id > CAST(:after AS uuid))
ORDER BY n.need_id LIMIT :limit
""")
_EVIDENCE = text("""
SELECT need_id, evidence_id, kind, body, added_at, added_by, erased_at FROM need_evidence
WHERE need_id = ANY(CAST(:needs AS uuid[])) ORDER BY evidence_id
""")

# A profile shows this many needs that are still to be met; the list has the rest.
MOST_LIVE = 200


async def list_needs(
    read: AsyncConnection,
    account_id: UUID,
    *,
    status: NeedStatus | None,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[NeedRow]:
    """Return needs in the order they were registered. Raises NotFound for an account outside the scope."""
    await require_account(read, account_id, scope)
    statuses = None if status is None else [status]
    return await _page(read, account_id, statuses=statuses, after=after, limit=limit)


async def list_live_needs(read: AsyncConnection, account_id: UUID) -> list[NeedRow]:
    """Return the needs that are open or in progress, whoever asks."""
    return await _page(read, account_id, statuses=sorted(LIVE), after=None, limit=MOST_LIVE)


async def find_need(read: AsyncConnection, account_id: UUID, need_id: UUID, *, scope: Scope) -> NeedRow:
    """Return one need. Raises NotFound."""
    await require_account(read, account_id, scope)
    rows = (await read.execute(_FIND, {"account": account_id, "need": need_id})).all()
    if not rows:
        raise NotFound("need_id: the account has no such need.")
    return (await _with_evidence(read, rows))[0]


async def _page(
    read: AsyncConnection,
    account_id: UUID,
    *,
    statuses: Sequence[str] | None,
    after: UUID | None,
    limit: int,
) -> list[NeedRow]:
    binds = {"account": account_id, "statuses": statuses, "after": after, "limit": limit}
    return await _with_evidence(read, (await read.execute(_LIST, binds)).all())


async def _with_evidence(read: AsyncConnection, rows: Sequence[Row[Any]]) -> list[NeedRow]:
    found: dict[UUID, list[EvidenceRow]] = {row.need_id: [] for row in rows}
    for row in await read.execute(_EVIDENCE, {"needs": list(found)}):
        found[row.need_id].append(
            EvidenceRow(row.evidence_id, row.kind, row.body, row.added_at, row.added_by, row.erased_at)
        )
    return [_need(row, tuple(found[row.need_id])) for row in rows]


def _need(row: Row[Any], evidence: tuple[EvidenceRow, ...]) -> NeedRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    values["text"] = values.pop("body")
    values["status"] = NeedStatus(row.status)
    values["source"] = Source(row.source)
    values["drop_reason"] = None if row.drop_reason is None else DropReason(row.drop_reason)
    return NeedRow(**values, evidence=evidence)
