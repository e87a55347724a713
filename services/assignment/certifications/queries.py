"""Who covers a territory without a certification that it requires, on any day.

A territory requires what it or a territory above it was told to. Days are UTC; a coverage counts on a day
that it lasts to the end of. Certifications are known by their periods, as they were granted: nobody waits
for the news that one has run out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.certifications.eligibility import CertificationFinding, why_missing
from services.assignment.certifications.refusals import RepNotCertified
from services.assignment.plans.queries import find_plan, read_live_plan
from shared.db.scope import Scope, require_in_scope


@dataclass(frozen=True, slots=True)
class RequiredCertifications:
    """What a territory of a plan requires: by itself, and by the territories above it."""

    territory_id: UUID
    certification_codes: Sequence[str]
    inherited_codes: Sequence[str]


# `asked` has a rep and a code; the certification's periods around the day tell why it is missing.
_AROUND = """
(SELECT max(h.valid_to) FROM held_certifications AS h WHERE h.rep_id = asked.rep_id
    AND h.certification_code = asked.certification_code AND h.valid_from < h.valid_to AND h.valid_to <= :on
) AS held_until,
(SELECT min(h.valid_from) FROM held_certifications AS h WHERE h.rep_id = asked.rep_id
    AND h.certification_code = asked.certification_code AND h.valid_from < h.valid_to AND h.valid_from > :on
) AS held_from
"""
_NOT_HELD = """
NOT EXISTS (SELECT 1 FROM held_certifications AS h WHERE h.rep_id = asked.rep_id
    AND h.certification_code = asked.certification_code AND h.valid_from <= :on AND h.valid_to > :on)
"""
_ASKED = """
SELECT DISTINCT c.coverage_id, c.territory_id, c.rep_id, r.certification_code
FROM coverages AS c
JOIN plan_closure AS p ON p.plan_id = :plan_id AND p.territory_id = c.territory_id
JOIN required_certifications AS r ON r.plan_id = p.plan_id AND r.territory_id = p.ancestor_id
WHERE c.valid @> (CAST(CAST(:on AS date) + 1 AS timestamp) AT TIME ZONE 'UTC' - interval '1 microsecond')
"""
_FINDINGS = f"SELECT asked.*, {_AROUND} FROM ({_ASKED}) AS asked WHERE {_NOT_HELD}"
_ALL = text(f"{_FINDINGS} ORDER BY asked.coverage_id, asked.certification_code")
_PAGE = text(f"""
WITH finding AS MATERIALIZED ({_FINDINGS} AND {Scope.covers("asked.territory_id")}), page AS (
    SELECT DISTINCT coverage_id FROM finding
    WHERE (CAST(:after AS uuid) IS NULL OR coverage_id > :after)
      AND (CAST(:territory_id AS uuid) IS NULL OR territory_id IN (
          SELECT below.territory_id FROM plan_closure AS below
          WHERE below.plan_id = :plan_id AND below.ancestor_id = :territory_id))
    ORDER BY coverage_id LIMIT :rows
)
SELECT finding.* FROM finding JOIN page USING (coverage_id)
ORDER BY finding.coverage_id, finding.certification_code
""")
_OF_ONE = text(f"""
SELECT asked.certification_code, {_AROUND} FROM (
    SELECT DISTINCT CAST(:rep_id AS uuid) AS rep_id, r.certification_code
    FROM live_closure AS live JOIN live_plan ON true
    JOIN required_certifications AS r ON r.plan_id = live_plan.plan_id AND r.territory_id = live.ancestor_id
    WHERE live.territory_id = :territory_id
) AS asked WHERE {_NOT_HELD} ORDER BY asked.certification_code
""")
_REQUIRED = text("""
SELECT r.certification_code, r.territory_id = :territory_id AS own
FROM plan_closure AS p JOIN required_certifications AS r ON r.plan_id = p.plan_id AND r.territory_id = p.ancestor_id
WHERE p.plan_id = :plan_id AND p.territory_id = :territory_id
ORDER BY r.certification_code
""")


async def certification_findings(
    connection: AsyncConnection, plan_id: UUID, on: date
) -> list[CertificationFinding]:
    """Return who would cover a territory of the plan on a day without what the plan requires there."""
    return [_finding(row) for row in await connection.execute(_ALL, {"plan_id": plan_id, "on": on})]


async def list_ineligible(
    read: AsyncConnection,
    *,
    plan_id: UUID | None,
    on: date,
    territory_id: UUID | None,
    scope: Scope,
    after: UUID | None,
    rows: int,
) -> list[CertificationFinding]:
    """Return the findings of a plan (None: the live one) in the scope, of up to `rows` coverages by their ids.

    Raises NotFound.
    """
    await require_in_scope(read, territory_id, scope)
    asked = (await read_live_plan(read) if plan_id is None else await find_plan(read, plan_id)).plan_id
    binds: dict[str, Any] = {"on": on, "territory_id": territory_id, "after": after, "rows": rows}
    found = await read.execute(_PAGE, {**binds, "plan_id": asked, **scope.parameters()})
    return [_finding(row) for row in found]


async def require_certified(
    connection: AsyncConnection, *, territory_id: UUID, rep_id: UUID, on: date
) -> None:
    """Check that a rep holds what the live plan requires of who covers a territory. Raises RepNotCertified."""
    found = await connection.execute(_OF_ONE, {"territory_id": territory_id, "rep_id": rep_id, "on": on})
    missing = [
        {
            "certification_code": row.certification_code,
            "reason": why_missing(row.held_until, row.held_from),
            "held_until": None if row.held_until is None else row.held_until.isoformat(),
        }
        for row in found
    ]
    if missing:
        codes = ", ".join(f"{one['certification_code']} ({one['reason']})" for one in missing)
        raise RepNotCertified(
            f"rep_id: the territory requires what the rep does not hold on {on}: {codes}.", missing=missing
        )


async def find_required(read: AsyncConnection, plan_id: UUID, territory_id: UUID) -> RequiredCertifications:
    """Return what a territory of a plan requires; that it is there was checked."""
    rows = (await read.execute(_REQUIRED, {"plan_id": plan_id, "territory_id": territory_id})).all()
    own = [row.certification_code for row in rows if row.own]
    inherited = sorted({row.certification_code for row in rows if not row.own})
    return RequiredCertifications(territory_id, own, inherited)


def _finding(row: Row[Any]) -> CertificationFinding:
    return CertificationFinding(
        coverage_id=row.coverage_id,
        territory_id=row.territory_id,
        rep_id=row.rep_id,
        certification_code=row.certification_code,
        reason=why_missing(row.held_until, row.held_from),
        held_until=row.held_until,
        held_from=row.held_from,
    )
