"""Starting a coverage: the rep who had the role hands it over at the same instant, without gap or overlap."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.certifications.queries import require_certified
from services.assignment.reps.coverages.coverage import Coverage
from services.assignment.reps.coverages.refusals import (
    CoverageOverlaps,
    RepAlreadyCovers,
    UnknownRep,
    ValidFromAhead,
)
from services.assignment.territories.queries import require_known_territory
from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.scope import Scope
from shared.db.transact import sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

EXCLUSION_VIOLATION, FOREIGN_KEY_VIOLATION = "23P01", "23503"

_CENTS = Decimal("0.01")

_RUNNING = text("""
SELECT coverage_id, rep_id, lower(valid) AS valid_from FROM coverages
WHERE territory_id = :territory_id AND role = :role AND upper_inf(valid) FOR UPDATE
""")
_END = text("""
UPDATE coverages SET valid = tstzrange(lower(valid), :at) WHERE coverage_id = :coverage_id
""")
_START = text("""
INSERT INTO coverages (coverage_id, territory_id, rep_id, role, share_percent, valid, recorded_at, recorded_by)
VALUES (:coverage_id, :territory_id, :rep_id, :role, :share_percent, tstzrange(:valid_from, NULL), :now, :actor)
""")


@dataclass(frozen=True, slots=True)
class StartCoverage:
    """Have a rep cover a territory in a role, from an instant on."""

    territory_id: UUID
    rep_id: UUID
    role: Literal["primary"]
    share_percent: Decimal
    valid_from: datetime | None
    scope: Scope


async def start_coverage(command: StartCoverage, uow: UnitOfWork) -> Coverage:
    """Begin a coverage, ending the one that runs.

    Raises NotFound, RepNotCertified, UnknownRep, RepAlreadyCovers, CoverageOverlaps, ValidFromAhead.
    """
    valid_from = command.valid_from or uow.now
    if valid_from > uow.now:
        raise ValidFromAhead("valid_from: lies ahead; leave it out to begin now.")
    await require_known_territory(uow.connection, command.territory_id, scope=command.scope)
    # What is told of the past lasts from now on, too: now is when the rep must be certified.
    await require_certified(
        uow.connection, territory_id=command.territory_id, rep_id=command.rep_id, on=uow.now.date()
    )
    coverage = Coverage(
        coverage_id=new_id(),
        territory_id=command.territory_id,
        rep_id=command.rep_id,
        role=command.role,
        share_percent=command.share_percent.quantize(_CENTS),
        valid_from=valid_from,
    )
    await _end_running(uow, coverage)
    await _insert(uow, coverage)
    uow.outbox.add(
        CoverageStarted(
            coverage_id=coverage.coverage_id,
            territory_id=coverage.territory_id,
            rep_id=coverage.rep_id,
            role=command.role,
            share_percent=coverage.share_percent,
            valid_from=coverage.valid_from,
        )
    )
    return coverage


async def _end_running(uow: UnitOfWork, successor: Coverage) -> None:
    found = await uow.connection.execute(
        _RUNNING, {"territory_id": successor.territory_id, "role": successor.role}
    )
    running = found.one_or_none()
    if running is None:
        return
    if running.rep_id == successor.rep_id:
        raise RepAlreadyCovers("rep_id: this rep covers the territory in this role already.")
    if running.valid_from >= successor.valid_from:
        raise CoverageOverlaps(
            f"valid_from: the running coverage began at {running.valid_from.isoformat()}; begin after it."
        )
    await uow.connection.execute(_END, {"coverage_id": running.coverage_id, "at": successor.valid_from})
    uow.outbox.add(
        CoverageEnded(
            coverage_id=running.coverage_id,
            territory_id=successor.territory_id,
            rep_id=running.rep_id,
            valid_to=successor.valid_from,
        )
    )


async def _insert(uow: UnitOfWork, coverage: Coverage) -> None:
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
