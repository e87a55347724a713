"""Laying down which certifications the accounts of an industry ask for."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from services.collab.training.certifications.queries import require_certifications
from services.collab.training.skill_gaps.queries import RequirementRow, find_requirement
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import PreconditionRequired
from shared.runtime.ids import new_id
from shared.runtime.refusals import VersionMismatch

_LOCK = text("SELECT version FROM skill_requirements WHERE industry = :industry FOR UPDATE")
_CREATE = text("""
INSERT INTO skill_requirements (industry, requirement_id, certification_codes, changed_at, changed_by)
VALUES (:industry, :id, :codes, :now, :actor) ON CONFLICT (industry) DO NOTHING RETURNING industry
""")
_UPDATE = text("""
UPDATE skill_requirements SET certification_codes = :codes, version = version + 1, changed_at = :now,
    changed_by = :actor
WHERE industry = :industry
""")


@dataclass(frozen=True, slots=True)
class RequireSkills:
    """Say what an industry asks for; an empty list asks for nothing."""

    industry: str
    certification_codes: Sequence[str]
    expected_version: int | None


async def require_skills(command: RequireSkills, uow: UnitOfWork) -> RequirementRow:
    """Lay down or replace. Raises UnknownCertification, PreconditionRequired or VersionMismatch."""
    codes = sorted(set(command.certification_codes))
    await require_certifications(uow.connection, codes, field="certification_codes")
    binds = {"industry": command.industry, "codes": codes, "now": uow.now, "actor": uow.actor}
    if command.expected_version is None:
        if (await uow.connection.execute(_CREATE, {**binds, "id": new_id()})).one_or_none() is None:
            raise PreconditionRequired("If-Match: the industry has requirements; send the ETag you read.")
    else:
        found = await uow.connection.execute(_LOCK, {"industry": command.industry})
        version = found.scalar_one_or_none()
        if version != command.expected_version:
            raise VersionMismatch("If-Match: the requirements are at another version; read them again.")
        await uow.connection.execute(_UPDATE, binds)
    return await find_requirement(uow.connection, command.industry)
