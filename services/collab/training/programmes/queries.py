"""Reading programmes and their versions."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.training.programmes.programme import Course, EnrolmentRule, ProgrammeVersion
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """One version of a programme as readers see it."""

    programme_id: UUID
    version: int
    content: ProgrammeVersion
    published_at: datetime
    published_by: str


_SELECT = """
SELECT v.programme_id, v.version, v.name, v.grants, v.courses, v.territory_kinds, v.industries, v.on_expiry,
    v.due_days, v.published_at, v.published_by
FROM programme_versions AS v
"""
_LATEST = f"{_SELECT} JOIN programmes AS p USING (programme_id, version)"
_FIND = text(f"{_LATEST} WHERE v.programme_id = :programme")
_FIND_VERSION = text(f"{_SELECT} WHERE v.programme_id = :programme AND v.version = :version")
_LIST = text(f"""{_LATEST}
WHERE CAST(:after AS uuid) IS NULL OR v.programme_id > :after ORDER BY v.programme_id LIMIT :limit
""")
_VERSIONS = text(f"""{_SELECT}
WHERE v.programme_id = :programme AND v.version > :after ORDER BY v.version LIMIT :limit
""")


async def find_programme(read: AsyncConnection, programme_id: UUID) -> ProgrammeRow:
    """Return a programme at its latest version. Raises NotFound."""
    row = (await read.execute(_FIND, {"programme": programme_id})).one_or_none()
    if row is None:
        raise NotFound("programme_id: no such programme.")
    return _programme(row)


async def find_version(read: AsyncConnection, programme_id: UUID, version: int) -> ProgrammeVersion:
    """Return what one version says; it is known to be there."""
    row = (await read.execute(_FIND_VERSION, {"programme": programme_id, "version": version})).one()
    return _programme(row).content


async def list_programmes(read: AsyncConnection, *, after: UUID | None, limit: int) -> list[ProgrammeRow]:
    """Return programmes at their latest versions, in the order they were made."""
    return [_programme(row) for row in await read.execute(_LIST, {"after": after, "limit": limit})]


async def list_versions(
    read: AsyncConnection, programme_id: UUID, *, after: int, limit: int
) -> list[ProgrammeRow]:
    """Return the versions of a programme, oldest first. Raises NotFound."""
    await find_programme(read, programme_id)
    rows = await read.execute(_VERSIONS, {"programme": programme_id, "after": after, "limit": limit})
    return [_programme(row) for row in rows]


def _programme(row: Row[Any]) -> ProgrammeRow:
    content = ProgrammeVersion(
        name=row.name,
        grants=row.grants,
        courses=tuple(Course(c["code"], c["title"], Decimal(c["mastery_score"])) for c in row.courses),
        rule=EnrolmentRule(tuple(row.territory_kinds), tuple(row.industries), row.on_expiry),
        due_days=row.due_days,
    )
    return ProgrammeRow(row.programme_id, row.version, content, row.published_at, row.published_by)
