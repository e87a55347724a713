"""Saying what reps may be certified in. Changed terms are for later awards: periods stay as granted."""

from dataclasses import asdict, dataclass

from sqlalchemy import text

from services.collab.training.certifications.queries import CertificationRow, find_certification
from services.collab.training.certifications.refusals import CertificationExists
from services.collab.training.certifications.validity import Terms
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound, VersionMismatch

_CREATE = text("""
INSERT INTO certifications (certification_code, certification_id, name, kind, tag, validity_months,
    renewal_window_days, grace_days, changed_at, changed_by)
VALUES (:code, :id, :name, :kind, :tag, :validity_months, :renewal_window_days, :grace_days, :now, :actor)
ON CONFLICT (certification_code) DO NOTHING RETURNING certification_code
""")
_LOCK = text("SELECT version FROM certifications WHERE certification_code = :code FOR UPDATE")
_UPDATE = text("""
UPDATE certifications SET name = :name, kind = :kind, tag = :tag, validity_months = :validity_months,
    renewal_window_days = :renewal_window_days, grace_days = :grace_days, version = version + 1,
    changed_at = :now, changed_by = :actor
WHERE certification_code = :code
""")


@dataclass(frozen=True, slots=True)
class Certification:
    """What an award says: a skill, an industry or a language, on which terms."""

    code: str
    name: str
    kind: str
    tag: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class CreateCertification:
    """Make a certification."""

    certification: Certification


@dataclass(frozen=True, slots=True)
class UpdateCertification:
    """Change a certification."""

    certification: Certification
    expected_version: int


async def create_certification(command: CreateCertification, uow: UnitOfWork) -> CertificationRow:
    """Make a certification. Raises CertificationExists."""
    binds = {**_binds(command.certification, uow), "id": new_id()}
    if (await uow.connection.execute(_CREATE, binds)).one_or_none() is None:
        raise CertificationExists(
            "certification_code: a certification has this code; change it or choose another."
        )
    return await find_certification(uow.connection, command.certification.code)


async def update_certification(command: UpdateCertification, uow: UnitOfWork) -> CertificationRow:
    """Change a certification. Raises NotFound or VersionMismatch."""
    code = command.certification.code
    version = (await uow.connection.execute(_LOCK, {"code": code})).scalar_one_or_none()
    if version is None:
        raise NotFound("certification_code: no certification has that code.")
    if version != command.expected_version:
        raise VersionMismatch(f"If-Match: the certification is at version {version}; read it again.")
    await uow.connection.execute(_UPDATE, _binds(command.certification, uow))
    return await find_certification(uow.connection, code)


def _binds(certification: Certification, uow: UnitOfWork) -> dict[str, object]:
    return {
        "code": certification.code,
        "name": certification.name,
        "kind": certification.kind,
        "tag": certification.tag,
        **asdict(certification.terms),
        "now": uow.now,
        "actor": uow.actor,
    }
