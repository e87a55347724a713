"""Reading reps: with a scope, those who cover a territory in it at that instant, whether or not an end is known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.reps.rep import RepDetails
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Rep:
    """A rep as stored."""

    rep_id: UUID
    external_id: str
    name: str
    postal_code: str | None
    languages: tuple[str, ...]
    industries: tuple[str, ...]
    need_kinds: tuple[str, ...]
    registered_at: datetime
    changed_at: datetime


_VISIBLE = f"""(CAST(:scope_everything AS boolean) OR EXISTS (
    SELECT 1 FROM coverages WHERE coverages.rep_id = reps.rep_id AND coverages.valid @> CAST(:at AS timestamptz)
    AND {Scope.covers("coverages.territory_id")}
))"""
_SELECT = """
SELECT rep_id, external_id, name, postal_code, languages, industries, need_kinds, registered_at, changed_at
FROM reps
"""
_FIND = text(f"{_SELECT} WHERE rep_id = :rep_id AND {_VISIBLE}")
_LIST = text(f"""{_SELECT}
WHERE {_VISIBLE}
  AND (CAST(:external_id AS text) IS NULL OR external_id = :external_id)
  AND (CAST(:after AS uuid) IS NULL OR rep_id > :after)
ORDER BY rep_id LIMIT :rows
""")
_DETAILS = tuple(field.name for field in fields(RepDetails))
_HOLD = text(f"""
SELECT rep_id, {", ".join(_DETAILS)} FROM reps
WHERE rep_id = ANY (CAST(:rep_ids AS uuid[])) ORDER BY rep_id FOR UPDATE
""")


async def find_rep(read: AsyncConnection, rep_id: UUID, *, scope: Scope, at: datetime) -> Rep:
    """Return one rep. Raises NotFound."""
    found = await read.execute(_FIND, {"rep_id": rep_id, "at": at, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("rep_id: there is no such rep.")
    return _rep(row)


async def list_reps(
    read: AsyncConnection, *, external_id: str | None, scope: Scope, at: datetime, page: PageRequest
) -> list[Rep]:
    """Return reps by id, one more than the page holds."""
    rows = await read.execute(
        _LIST,
        {
            "external_id": external_id,
            "at": at,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [_rep(row) for row in rows.mappings()]


async def hold_reps(connection: AsyncConnection, rep_ids: Collection[UUID]) -> dict[UUID, RepDetails]:
    """Return what is known of reps, and keep it from changing until the transaction ends."""
    rows = await connection.execute(_HOLD, {"rep_ids": list(rep_ids)})
    return {
        row["rep_id"]: RepDetails(**{name: row[name] for name in _DETAILS} | _lists(row))
        for row in rows.mappings()
    }


def _rep(row: Mapping[Any, Any]) -> Rep:
    return Rep(**{**row, **_lists(row)})


def _lists(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: tuple(row[name]) for name in ("languages", "industries", "need_kinds")}
