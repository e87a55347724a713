"""Writing coverages down and announcing them, the same way wherever they come from."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.reps.coverages.coverage import Coverage
from services.assignment.reps.coverages.refusals import CoverageOverlaps, UnknownRep
from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.sqlstate import EXCLUSION_VIOLATION, FOREIGN_KEY_VIOLATION, sqlstate_of
from shared.db.unit_of_work import UnitOfWork

_END = text("""
UPDATE coverages SET valid = tstzrange(lower(valid), :at) WHERE coverage_id = :coverage_id
""")
_START = text("""
INSERT INTO coverages (coverage_id, territory_id, rep_id, role, share_percent, valid, recorded_at, recorded_by)
VALUES (:coverage_id, :territory_id, :rep_id, :role, :share_percent, tstzrange(:valid_from, :valid_to), :now, :actor)
""")


async def insert_coverage(uow: UnitOfWork, coverage: Coverage) -> None:
    """Record a coverage and announce it, with its end if that is known. Raises CoverageOverlaps, UnknownRep."""
    parameters: dict[str, Any] = {name: getattr(coverage, name) for name in Coverage.__dataclass_fields__}
    try:
        await uow.connection.execute(_START, {**parameters, "now": uow.now, "actor": uow.actor})
    except IntegrityError as error:
        if sqlstate_of(error) == EXCLUSION_VIOLATION:
            raise CoverageOverlaps(
                "valid_from: another coverage holds from then on, or began just now; read again and decide anew."
            ) from None
        if sqlstate_of(error) == FOREIGN_KEY_VIOLATION:
            raise UnknownRep("rep_id: no rep has that id; import reps first.") from None
        raise
    uow.outbox.add(
        CoverageStarted.model_validate(
            {name: parameters[name] for name in CoverageStarted.model_fields if name in parameters}
        )
    )
    if coverage.valid_to is not None:
        uow.outbox.add(_ended(coverage, coverage.valid_to))


async def shorten_coverage(uow: UnitOfWork, coverage: Coverage, *, to: datetime) -> None:
    """End a coverage at an instant of its period, and announce that."""
    await uow.connection.execute(_END, {"coverage_id": coverage.coverage_id, "at": to})
    uow.outbox.add(_ended(coverage, to))


def _ended(coverage: Coverage, at: datetime) -> CoverageEnded:
    return CoverageEnded(
        coverage_id=coverage.coverage_id,
        territory_id=coverage.territory_id,
        rep_id=coverage.rep_id,
        valid_to=at,
    )
