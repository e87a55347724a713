"""Publishing programmes: a change is a new version."""

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.training.certifications.queries import require_certifications
from services.collab.training.programmes.programme import ProgrammeVersion
from services.collab.training.programmes.queries import ProgrammeRow, find_programme
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound, VersionMismatch

_CREATE = text("INSERT INTO programmes (programme_id, version) VALUES (:programme, 1)")
_LOCK = text("SELECT version FROM programmes WHERE programme_id = :programme FOR UPDATE")
_BUMP = text("UPDATE programmes SET version = :version WHERE programme_id = :programme")
_PUBLISH = text("""
INSERT INTO programme_versions (programme_id, version, name, grants, courses, territory_kinds, industries,
    on_expiry, due_days, published_at, published_by)
VALUES (:programme, :version, :name, :grants, CAST(:courses AS jsonb), :territory_kinds, :industries,
    :on_expiry, :due_days, :now, :actor)
""")


@dataclass(frozen=True, slots=True)
class CreateProgramme:
    """Publish a new programme."""

    content: ProgrammeVersion


@dataclass(frozen=True, slots=True)
class ReviseProgramme:
    """Publish another version of a programme."""

    programme_id: UUID
    expected_version: int
    content: ProgrammeVersion


async def create_programme(command: CreateProgramme, uow: UnitOfWork) -> ProgrammeRow:
    """Publish version 1. Raises UnknownCertification."""
    programme_id = new_id()
    await uow.connection.execute(_CREATE, {"programme": programme_id})
    return await _publish(programme_id, 1, command.content, uow)


async def revise_programme(command: ReviseProgramme, uow: UnitOfWork) -> ProgrammeRow:
    """Publish the next version; who is enrolled goes on under theirs.

    Raises NotFound, VersionMismatch, UnknownCertification.
    """
    found = await uow.connection.execute(_LOCK, {"programme": command.programme_id})
    version = found.scalar_one_or_none()
    if version is None:
        raise NotFound("programme_id: no such programme.")
    if version != command.expected_version:
        raise VersionMismatch(f"If-Match: the programme is at version {version}; read it again.")
    await uow.connection.execute(_BUMP, {"programme": command.programme_id, "version": version + 1})
    return await _publish(command.programme_id, version + 1, command.content, uow)


async def _publish(
    programme_id: UUID, version: int, content: ProgrammeVersion, uow: UnitOfWork
) -> ProgrammeRow:
    if content.grants is not None:
        await require_certifications(uow.connection, [content.grants], field="grants")
    courses = [
        {"code": course.code, "title": course.title, "mastery_score": str(course.mastery_score)}
        for course in content.courses
    ]
    await uow.connection.execute(
        _PUBLISH,
        {
            "programme": programme_id,
            "version": version,
            "name": content.name,
            "grants": content.grants,
            "courses": json.dumps(courses),
            "territory_kinds": list(content.rule.territory_kinds),
            "industries": list(content.rule.industries),
            "on_expiry": content.rule.on_expiry,
            "due_days": content.due_days,
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    return await find_programme(uow.connection, programme_id)
