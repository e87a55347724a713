"""Reading awards of the reps a caller may see, and who was first certified when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.training.certifications.validity import AwardState, Period
from services.collab.training.visibility import rep_visible
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class AwardRow:
    """An award as readers see it; `state` is of the day asked for."""

    award_id: UUID
    rep_id: UUID
    certification_code: str
    valid_from: date
    valid_to: date
    granted_to: date
    renewable_from: date
    lapses_on: date
    renewal: bool
    enrolment_id: UUID | None
    granted_at: datetime
    granted_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    revocation_reason: str | None
    state: AwardState


@dataclass(frozen=True, slots=True)
class AwardFilter:
    """Which awards to list."""

    rep_id: UUID | None = None
    certification_code: str | None = None
    valid_on: date | None = None


@dataclass(frozen=True, slots=True)
class CohortRow:
    """The reps who were first certified in a month, and how many of them still are."""

    month: date
    rep_ids: Sequence[UUID]
    certified_now: int


_COLUMNS = ", ".join(f"w.{name}" for name in AwardRow.__dataclass_fields__ if name != "state")
_SELECT = f"SELECT {_COLUMNS} FROM awards AS w WHERE {rep_visible('w.rep_id')}"
_FIND = text(f"{_SELECT} AND w.award_id = :award")
_LIST = text(f"""{_SELECT}
  AND (CAST(:rep AS uuid) IS NULL OR w.rep_id = :rep)
  AND (CAST(:code AS text) IS NULL OR w.certification_code = :code)
  AND (CAST(:valid_on AS date) IS NULL OR (w.valid_from <= :valid_on AND w.valid_to > :valid_on))
  AND (CAST(:after AS uuid) IS NULL OR w.award_id > :after)
ORDER BY w.award_id LIMIT :limit
""")
_COHORTS = text(f"""
WITH firsts AS (
    SELECT w.rep_id, min(w.valid_from) AS since,
           bool_or(w.valid_from <= :today AND w.valid_to > :today) AS certified_now
    FROM awards AS w
    WHERE w.certification_code = :code AND w.valid_from < w.valid_to AND {rep_visible("w.rep_id")}
    GROUP BY w.rep_id
)
SELECT CAST(date_trunc('month', f.since) AS date) AS month, array_agg(f.rep_id ORDER BY f.rep_id) AS rep_ids,
       count(*) FILTER (WHERE f.certified_now) AS certified_now
FROM firsts AS f
WHERE (CAST(:since AS date) IS NULL OR f.since >= :since) AND (CAST(:until AS date) IS NULL OR f.since < :until)
GROUP BY 1 ORDER BY 1
""")


async def find_award(
    read: AsyncConnection, award_id: UUID, *, viewer: str, scope: Scope, at: datetime
) -> AwardRow:
    """Return one award, in the state it is in at an instant. Raises NotFound."""
    found = await read.execute(_FIND, {**scope.parameters(), "viewer": viewer, "at": at, "award": award_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("award_id: no such award.")
    return _award(row, at.date())


async def list_awards(
    read: AsyncConnection,
    wanted: AwardFilter,
    *,
    viewer: str,
    scope: Scope,
    at: datetime,
    after: UUID | None,
    limit: int,
) -> list[AwardRow]:
    """Return awards in the order they were granted, in the state of the day asked for, or of now."""
    rows = await read.execute(
        _LIST,
        {
            **scope.parameters(),
            "viewer": viewer,
            "rep": wanted.rep_id,
            "code": wanted.certification_code,
            "valid_on": wanted.valid_on,
            "at": at,
            "after": after,
            "limit": limit,
        },
    )
    day = wanted.valid_on or at.date()
    return [_award(row, day) for row in rows]


async def list_cohorts(
    read: AsyncConnection,
    certification_code: str,
    *,
    since: date | None,
    until: date | None,
    viewer: str,
    scope: Scope,
    at: datetime,
) -> list[CohortRow]:
    """Return the reps first certified in each month of the period, `until` excluded."""
    rows = await read.execute(
        _COHORTS,
        {
            **scope.parameters(),
            "viewer": viewer,
            "code": certification_code,
            "since": since,
            "until": until,
            "today": at.date(),
            "at": at,
        },
    )
    return [CohortRow(row.month, row.rep_ids, row.certified_now) for row in rows]


def _award(row: Row[Any], on: date) -> AwardRow:
    period = Period(
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        renewable_from=row.renewable_from,
        lapses_on=row.lapses_on,
        cut=row.revoked_at is not None,
    )
    return AwardRow(**dict(zip(row._fields, row, strict=True)), state=period.state_on(on))
