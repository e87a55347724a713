"""Ending a coverage, now or ahead, with nobody taking over."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.reps.coverages.commands.keep_coverage import shorten_coverage
from services.assignment.reps.coverages.coverage import Coverage
from services.assignment.reps.coverages.queries import find_coverage
from services.assignment.reps.coverages.refusals import CoverageEnds, ValidToPast
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork

_HOLD = text("SELECT 1 FROM coverages WHERE coverage_id = :coverage_id FOR UPDATE")


@dataclass(frozen=True, slots=True)
class EndCoverage:
    """End a coverage at an instant; now, if none is named."""

    coverage_id: UUID
    valid_to: datetime | None
    scope: Scope


async def end_coverage(command: EndCoverage, uow: UnitOfWork) -> Coverage:
    """End a coverage before it would end by itself. Raises NotFound, ValidToPast, CoverageEnds."""
    await uow.connection.execute(_HOLD, {"coverage_id": command.coverage_id})
    coverage = await find_coverage(uow.connection, command.coverage_id, scope=command.scope)
    at = command.valid_to or uow.now
    if at < uow.now or at <= coverage.valid_from:
        raise ValidToPast("valid_to: lies in the past, or before it began; leave it out to end it now.")
    if coverage.valid_to is not None and coverage.valid_to <= at:
        raise CoverageEnds(
            f"valid_to: it ends at {coverage.valid_to.isoformat()} already; start another to go on after that."
        )
    await shorten_coverage(uow, coverage, to=at)
    return replace(coverage, valid_to=at)
