"""What the accounts of a territory ask for, against what the reps who cover it hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose accounts ask: those of an industry, or those with a need of a kind that is yet to be met."""

    industry: str | None = None
    need_kind: str | None = None

    def binds(self) -> dict[str, str | None]:
        """Return what `ASKED_BY` refers to."""
        return {"industry": self.industry, "need_kind": self.need_kind}


ASKED_BY = "(industry = :industry OR need_kind = :need_kind)"
"""Selects the row of an asker, of whom exactly one part is set."""


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """Which certifications the accounts of an industry, or those with a need, ask for."""

    industry: str | None
    need_kind: str | None
    requirement_id: UUID
    certification_codes: Sequence[str]
    version: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A certification that accounts of a territory ask for, and who of its reps holds it."""

    certification_code: str
    accounts: int
    certified_rep_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class TerritorySkillsRow:
    """What the accounts of one territory ask for and who covers it."""

    territory_id: UUID
    rep_ids: Sequence[UUID]
    asked_for: Sequence[AskedRow]


_REQUIREMENT = f"SELECT {', '.join(RequirementRow.__dataclass_fields__)} FROM skill_requirements"
_FIND = text(f"{_REQUIREMENT} WHERE {ASKED_BY}")
_LIST = text(f"""{_REQUIREMENT}
WHERE CAST(:after AS uuid) IS NULL OR requirement_id > :after ORDER BY requirement_id LIMIT :limit
""")
_IN_SCOPE = text(f"""
SELECT 1 FROM live_closure AS live WHERE live.territory_id = :territory
AND {Scope.covers("live.territory_id")} LIMIT 1
""")
_TERRITORIES = text("""
SELECT DISTINCT territory_id FROM live_closure
WHERE ancestor_id = :territory AND (CAST(:after AS uuid) IS NULL OR territory_id > :after)
ORDER BY territory_id LIMIT :limit
""")
# An account counts once for a certification, whatever it asks for it by.
_ASKED_FOR = text("""
WITH asked AS (SELECT unnest(CAST(:territories AS uuid[])) AS territory_id),
covering AS (
    SELECT DISTINCT c.territory_id, c.rep_id FROM coverages AS c JOIN asked USING (territory_id)
    WHERE c.valid_from < CAST(:on AS date) + 1 AND (c.valid_to IS NULL OR c.valid_to > CAST(:on AS date))
), here AS (
    SELECT a.territory_id, a.account_id FROM current_alignments AS a JOIN asked USING (territory_id)
), asking AS (
    SELECT h.territory_id, h.account_id, r.certification_codes
    FROM here AS h JOIN account_industries AS i USING (account_id) JOIN skill_requirements AS r USING (industry)
    UNION ALL
    SELECT h.territory_id, h.account_id, r.certification_codes
    FROM here AS h JOIN needs AS n USING (account_id) JOIN skill_requirements AS r ON r.need_kind = n.kind
    WHERE n.status IN ('open', 'in_progress')
), needed AS (
    SELECT a.territory_id, code.certification_code, count(DISTINCT a.account_id) AS accounts
    FROM asking AS a CROSS JOIN LATERAL unnest(a.certification_codes) AS code (certification_code)
    GROUP BY a.territory_id, code.certification_code
)
SELECT asked.territory_id, n.certification_code, n.accounts,
    ARRAY(SELECT c.rep_id FROM covering AS c WHERE c.territory_id = asked.territory_id ORDER BY 1) AS rep_ids,
    ARRAY(SELECT c.rep_id FROM covering AS c WHERE c.territory_id = asked.territory_id AND EXISTS (
        SELECT 1 FROM awards AS w WHERE w.rep_id = c.rep_id AND w.certification_code = n.certification_code
          AND w.valid_from <= :on AND w.valid_to > :on
    ) ORDER BY 1) AS certified
FROM asked LEFT JOIN needed AS n USING (territory_id)
ORDER BY asked.territory_id, n.certification_code
""")


async def find_requirement(read: AsyncConnection, asker: Asker) -> RequirementRow:
    """Return what an industry or a kind of need asks for. Raises NotFound."""
    row = (await read.execute(_FIND, asker.binds())).mappings().one_or_none()
    if row is None:
        field = "industry" if asker.need_kind is None else "need_kind"
        raise NotFound(f"{field}: nothing is laid down for it.")
    return RequirementRow(**row)


async def list_requirements(read: AsyncConnection, *, after: UUID | None, limit: int) -> list[RequirementRow]:
    """Return what industries and kinds of needs ask for, in the order it was laid down."""
    rows = await read.execute(_LIST, {"after": after, "limit": limit})
    return [RequirementRow(**row) for row in rows.mappings()]


async def list_territory_skills(
    read: AsyncConnection, territory_id: UUID, *, on: date, scope: Scope, after: UUID | None, limit: int
) -> list[TerritorySkillsRow]:
    """Return what each territory asks for in a subtree of the live tree, by id. Raises NotFound."""
    binds = {"territory": territory_id, "after": after, "limit": limit}
    if (await read.execute(_IN_SCOPE, {**scope.parameters(), "territory": territory_id})).first() is None:
        raise NotFound("territory_id: the live plan has no such territory.")
    territories = list((await read.execute(_TERRITORIES, binds)).scalars())
    reps: dict[UUID, Sequence[UUID]] = {}
    asked: dict[UUID, list[AskedRow]] = {territory: [] for territory in territories}
    for row in await read.execute(_ASKED_FOR, {"territories": territories, "on": on}):
        reps[row.territory_id] = row.rep_ids
        if row.certification_code is not None:
            asked[row.territory_id].append(AskedRow(row.certification_code, row.accounts, row.certified))
    return [TerritorySkillsRow(territory, reps[territory], asked[territory]) for territory in territories]
