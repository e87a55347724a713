"""Saying in a draft which certifications who covers a territory has to hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.certifications.queries import RequiredCertifications, find_required
from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.territories.queries import find_territory
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork

_CLEAR = text("""
DELETE FROM required_certifications WHERE plan_id = :plan_id AND territory_id = :territory_id
""")
_REQUIRE = text("""
INSERT INTO required_certifications (plan_id, territory_id, certification_code)
SELECT :plan_id, :territory_id, i.code FROM unnest(CAST(:codes AS text[])) AS i (code)
""")
_COPY = text("""
INSERT INTO required_certifications (plan_id, territory_id, certification_code)
SELECT :target, territory_id, certification_code FROM required_certifications WHERE plan_id = :source
""")


@dataclass(frozen=True, slots=True)
class RequireCertifications:
    """Replace what one territory of a draft requires; what lies below it requires the same."""

    draft: DraftAsRead
    territory_id: UUID
    certification_codes: Sequence[str]
    scope: Scope


@dataclass(frozen=True, slots=True)
class RevisedRequirement:
    """What the territory requires now, and the version of the plan that this made."""

    version: int
    required: RequiredCertifications


async def require_certifications(command: RequireCertifications, uow: UnitOfWork) -> RevisedRequirement:
    """Replace a territory's requirement. Raises NotFound, PlanNotDraft, VersionMismatch or PlanBusy."""
    version = await revise_draft(uow, command.draft)
    ids = {"plan_id": command.draft.plan_id, "territory_id": command.territory_id}
    await find_territory(uow.connection, command.draft.plan_id, command.territory_id, scope=command.scope)
    await uow.connection.execute(_CLEAR, ids)
    await uow.connection.execute(_REQUIRE, {**ids, "codes": sorted(set(command.certification_codes))})
    required = await find_required(uow.connection, command.draft.plan_id, command.territory_id)
    return RevisedRequirement(version, required)


async def copy_requirements(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Give one plan what the territories of another require; it has their tree already."""
    await uow.connection.execute(_COPY, {"source": source, "target": target})
