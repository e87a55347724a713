"""Laying down which certifications the accounts of an industry, or those with a need, ask for."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from services.collab.customers.need_kinds.queries import require_need_kind
from services.collab.training.certifications.queries import require_certifications
from services.collab.training.skill_gaps.queries import ASKED_BY, Asker, RequirementRow, find_requirement
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import PreconditionRequired
from shared.runtime.ids import new_id
from shared.runtime.refusals import VersionMismatch

_LOCK = text(f"SELECT version FROM skill_requirements WHERE {ASKED_BY} FOR UPDATE")
_CREATE = text("""
INSERT INTO skill_requirements (requirement_id, industry, need_kind, certification_codes, changed_at, changed_by)
VALUES (:id, :industry, :need_kind, :codes, :now, :actor) ON CONFLICT DO NOTHING RETURNING requirement_id
""")
_UPDATE = text(f"""
UPDATE skill_requirements SET certification_codes = :codes, version = version + 1, changed_at = :now,
    changed_by = :actor
WHERE {ASKED_BY}
""")


@dataclass(frozen=True, slots=True)
class RequireSkills:
    """Say what an industry or a kind of need asks for; an empty list asks for nothing."""

    asker: Asker
    certification_codes: Sequence[str]
    expected_version: int | None


async def require_skills(command: RequireSkills, uow: UnitOfWork) -> RequirementRow:
    """Lay down or replace.

    Raises UnknownCertification, UnknownNeedKind, PreconditionRequired or VersionMismatch.
    """
    asked_by = command.asker.binds()
    if command.asker.need_kind is not None:
        await require_need_kind(uow.connection, command.asker.need_kind, field="need_kind")
    codes = sorted(set(command.certification_codes))
    await require_certifications(uow.connection, codes, field="certification_codes")
    binds = {**asked_by, "codes": codes, "now": uow.now, "actor": uow.actor}
    if command.expected_version is None:
        if (await uow.connection.execute(_CREATE, {**binds, "id": new_id()})).one_or_none() is None:
            raise PreconditionRequired("If-Match: there are requirements; send the ETag you read.")
    else:
        found = await uow.connection.execute(_LOCK, asked_by)
        version = found.scalar_one_or_none()
        if version != command.expected_version:
            raise VersionMismatch("If-Match: the requirements are at another version; read them again.")
        await uow.connection.execute(_UPDATE, binds)
    return await find_requirement(uow.connection, command.asker)
