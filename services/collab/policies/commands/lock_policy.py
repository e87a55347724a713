"""A policy, held for a change."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.collab.policies.audience import STANDING
from services.collab.policies.policy import Audience, Draft, Policy, PolicyVersion
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

_LOCK = text("SELECT * FROM policies WHERE code = :code FOR UPDATE")
_STANDING = text(f"""
SELECT v.* FROM policy_versions AS v WHERE v.policy_id = :policy AND {STANDING} ORDER BY v.version
""")


async def lock_policy(code: str, uow: UnitOfWork) -> tuple[UUID, int, Policy]:
    """Return the policy's id, its revision and how it stands. Raises NotFound."""
    row = (await uow.connection.execute(_LOCK, {"code": code})).one_or_none()
    if row is None:
        raise NotFound("code: no such policy.")
    found = await uow.connection.execute(_STANDING, {"policy": row.policy_id, "now": uow.now})
    return row.policy_id, row.revision, Policy(tuple(map(_version, found)), _draft(row))


def _version(row: Row[Any]) -> PolicyVersion:
    audience = Audience(tuple(row.roles), row.territory_id)
    return PolicyVersion(row.version, row.title, row.text, audience, row.effective_from)


def _draft(row: Row[Any]) -> Draft | None:
    if row.draft_title is None:
        return None
    audience = Audience(tuple(row.draft_roles), row.draft_territory_id)
    return Draft(row.draft_title, row.draft_text, audience, row.draft_effective_from)
