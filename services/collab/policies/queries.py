"""Reading policies, their versions, and who acknowledged them or has yet to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.policies.audience import ASKED, UNACKNOWLEDGED
from services.collab.training.visibility import rep_visible
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy: its latest version, the one in force, and whether another is being drafted."""

    code: str
    policy_id: UUID
    revision: int
    latest_version: int | None
    version_in_force: int | None
    has_draft: bool


@dataclass(frozen=True, slots=True)
class DraftRow:
    """What the next version would say."""

    code: str
    revision: int
    title: str
    text: str
    roles: Sequence[str]
    territory_id: UUID | None
    effective_from: datetime | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A published version."""

    code: str
    policy_id: UUID
    version: int
    title: str
    text: str
    fingerprint: str
    roles: Sequence[str]
    territory_id: UUID | None
    effective_from: datetime
    in_force: bool
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class AcknowledgementRow:
    """Who acknowledged which version when."""

    rep_id: UUID
    version: int
    acknowledged_at: datetime


@dataclass(frozen=True, slots=True)
class OutstandingRow:
    """Who has yet to acknowledge which versions, and a territory through which they concern them."""

    rep_id: UUID
    territory_id: UUID
    versions: Sequence[int]


# Versions take effect in their order, so the last one whose time has come is in force.
_IN_FORCE = """
(SELECT max(f.version) FROM policy_versions AS f WHERE f.policy_id = p.policy_id AND f.effective_from <= :at)
"""
_POLICY = f"""
SELECT p.code, p.policy_id, p.revision, p.draft_title IS NOT NULL AS has_draft,
    (SELECT max(v.version) FROM policy_versions AS v WHERE v.policy_id = p.policy_id) AS latest_version,
    {_IN_FORCE} AS version_in_force
FROM policies AS p
"""
_FIND = text(f"{_POLICY} WHERE p.code = :code")
_LIST = text(f"""{_POLICY}
WHERE CAST(:after AS uuid) IS NULL OR p.policy_id > :after ORDER BY p.policy_id LIMIT :limit
""")
_DRAFT = text("""
SELECT code, revision, draft_title AS title, draft_text AS text, draft_roles AS roles,
    draft_territory_id AS territory_id, draft_effective_from AS effective_from
FROM policies WHERE code = :code AND draft_title IS NOT NULL
""")
_VERSION = f"""
SELECT p.code, v.*, v.version = {_IN_FORCE} IS TRUE AS in_force
FROM policy_versions AS v JOIN policies AS p USING (policy_id) WHERE p.code = :code
"""
_FIND_VERSION = text(f"{_VERSION} AND v.version = :version")
_LIST_VERSIONS = text(f"{_VERSION} AND v.version > :after ORDER BY v.version LIMIT :limit")
_ACKNOWLEDGEMENTS = text(f"""
SELECT a.rep_id, a.version, a.acknowledged_at
FROM acknowledgements AS a JOIN policies AS p USING (policy_id)
WHERE p.code = :code AND a.version = :version AND {rep_visible("a.rep_id")}
  AND (CAST(:after AS uuid) IS NULL OR a.rep_id > :after)
ORDER BY a.rep_id LIMIT :limit
""")
_OUTSTANDING = text(f"""
SELECT asked.rep_id, (array_agg(asked.territory_id ORDER BY asked.territory_id))[1] AS territory_id,
    array_agg(DISTINCT asked.version ORDER BY asked.version) AS versions
FROM ({ASKED}) AS asked
WHERE asked.code = :code AND {UNACKNOWLEDGED}
  AND ({Scope.covers("asked.territory_id")} OR CAST(asked.rep_id AS text) = CAST(:viewer AS text))
  AND (CAST(:after AS uuid) IS NULL OR asked.rep_id > :after)
GROUP BY asked.rep_id ORDER BY asked.rep_id LIMIT :limit
""")


async def find_policy(read: AsyncConnection, code: str, *, at: datetime) -> PolicyRow:
    """Return a policy as it stands at an instant. Raises NotFound."""
    row = (await read.execute(_FIND, {"code": code, "at": at})).mappings().one_or_none()
    if row is None:
        raise NotFound("code: no such policy.")
    return PolicyRow(**row)


async def list_policies(
    read: AsyncConnection, *, at: datetime, after: UUID | None, limit: int
) -> list[PolicyRow]:
    """Return policies in the order they were first drafted."""
    rows = await read.execute(_LIST, {"at": at, "after": after, "limit": limit})
    return [PolicyRow(**row) for row in rows.mappings()]


async def find_draft(read: AsyncConnection, code: str) -> DraftRow:
    """Return what the next version would say. Raises NotFound."""
    row = (await read.execute(_DRAFT, {"code": code})).mappings().one_or_none()
    if row is None:
        raise NotFound("code: no such policy, or nothing is drafted.")
    return DraftRow(**row)


async def find_version(read: AsyncConnection, code: str, version: int, *, at: datetime) -> VersionRow:
    """Return a published version. Raises NotFound."""
    found = await read.execute(_FIND_VERSION, {"code": code, "version": version, "at": at})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("version: no such version of a policy by that code.")
    return VersionRow(**row)


async def list_versions(
    read: AsyncConnection, code: str, *, at: datetime, after: int, limit: int
) -> list[VersionRow]:
    """Return the published versions, the first one first. Raises NotFound."""
    await find_policy(read, code, at=at)
    rows = await read.execute(_LIST_VERSIONS, {"code": code, "at": at, "after": after, "limit": limit})
    return [VersionRow(**row) for row in rows.mappings()]


async def list_acknowledgements(
    read: AsyncConnection,
    version: VersionRow,
    *,
    at: datetime,
    viewer: str,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[AcknowledgementRow]:
    """Return who acknowledged a version, of the reps the caller may see, by their ids."""
    binds: dict[str, Any] = {"code": version.code, "version": version.version, "at": at, "viewer": viewer}
    rows = await read.execute(
        _ACKNOWLEDGEMENTS, {**scope.parameters(), **binds, "after": after, "limit": limit}
    )
    return [AcknowledgementRow(**row) for row in rows.mappings()]


async def list_outstanding(
    read: AsyncConnection,
    policy: PolicyRow,
    *,
    at: datetime,
    viewer: str,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[OutstandingRow]:
    """Return who has yet to acknowledge what is in force or to come, of the reps the caller may see, by their ids."""
    binds: dict[str, Any] = {"code": policy.code, "now": at, "viewer": viewer, "after": after, "limit": limit}
    rows = await read.execute(_OUTSTANDING, {**scope.parameters(), **binds})
    return [OutstandingRow(**row) for row in rows.mappings()]
