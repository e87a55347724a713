"""Starting a coverage: who had the role hands it over at the same instant, and may keep a holdover for a time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from services.assignment.certifications.queries import require_certified
from services.assignment.reps.coverages.commands.keep_coverage import insert_coverage, shorten_coverage
from services.assignment.reps.coverages.coverage import ONE_AT_A_TIME, WHOLE, Coverage, Role, peak_share
from services.assignment.reps.coverages.refusals import (
    CoverageOverlaps,
    NobodyHandsOver,
    RepAlreadyCovers,
    SharesExceedWhole,
    ValidFromAhead,
    ValidToPast,
)
from services.assignment.territories.queries import require_known_territory
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_CENTS = Decimal("0.01")

_SELECT = """
SELECT coverage_id, territory_id, rep_id, role, share_percent, lower(valid) AS valid_from, upper(valid) AS valid_to
FROM coverages WHERE territory_id = :territory_id AND role = :role
"""
_RUNNING = text(f"""{_SELECT} AND (upper_inf(valid) OR upper(valid) > :now)
ORDER BY lower(valid) DESC LIMIT 1 FOR UPDATE
""")
_BESIDE = text(f"{_SELECT} AND valid && tstzrange(:valid_from, :valid_to)")
# No constraint adds up shares: whoever adds one to a role of a territory does so alone.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('assignment.coverages ' || :key, 0))")


@dataclass(frozen=True, slots=True)
class Holdover:
    """What the outgoing rep keeps, and until when."""

    until: datetime
    share_percent: Decimal


@dataclass(frozen=True, slots=True)
class StartCoverage:
    """Have a rep cover a territory in a role, from an instant on, perhaps up to another."""

    territory_id: UUID
    rep_id: UUID
    role: Role
    share_percent: Decimal
    valid_from: datetime | None
    valid_to: datetime | None
    holdover: Holdover | None
    scope: Scope


async def start_coverage(command: StartCoverage, uow: UnitOfWork) -> Coverage:
    """Begin a coverage; in a role that one rep has at a time, end the one that runs.

    Raises NotFound, RepNotCertified, UnknownRep, RepAlreadyCovers, CoverageOverlaps, SharesExceedWhole,
    NobodyHandsOver, ValidFromAhead, ValidToPast.
    """
    coverage = _coverage(command, uow.now)
    await require_known_territory(uow.connection, command.territory_id, scope=command.scope)
    # What is told of the past lasts from now on, too: now is when the rep must be certified.
    await require_certified(
        uow.connection, territory_id=command.territory_id, rep_id=command.rep_id, on=uow.now.date()
    )
    outgoing = None
    if coverage.role in ONE_AT_A_TIME:
        outgoing = await _end_running(uow, coverage)
    else:
        await _require_share_left(uow, coverage, field="share_percent")
    await insert_coverage(uow, coverage)
    if command.holdover is not None:
        await _hold_over(uow, coverage, outgoing, command.holdover)
    return coverage


def _coverage(command: StartCoverage, now: datetime) -> Coverage:
    valid_from = command.valid_from or now
    if valid_from > now:
        raise ValidFromAhead("valid_from: lies ahead; leave it out to begin now.")
    if command.valid_to is not None and command.valid_to <= now:
        raise ValidToPast("valid_to: does not lie ahead; name a later instant, or leave it out.")
    if command.holdover is not None and command.holdover.until <= now:
        raise ValidToPast("holdover_until: does not lie ahead; name a later instant, or leave it out.")
    return Coverage(
        coverage_id=new_id(),
        territory_id=command.territory_id,
        rep_id=command.rep_id,
        role=command.role.value,
        share_percent=command.share_percent.quantize(_CENTS),
        valid_from=valid_from,
        valid_to=command.valid_to,
    )


async def _end_running(uow: UnitOfWork, successor: Coverage) -> Coverage | None:
    found = await uow.connection.execute(
        _RUNNING, {"territory_id": successor.territory_id, "role": successor.role, "now": uow.now}
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    running = Coverage(**row)
    if running.rep_id == successor.rep_id:
        raise RepAlreadyCovers("rep_id: this rep covers the territory in this role already.")
    if running.valid_from >= successor.valid_from:
        raise CoverageOverlaps(
            f"valid_from: the running coverage began at {running.valid_from.isoformat()}; begin after it."
        )
    await shorten_coverage(uow, running, to=successor.valid_from)
    return running


async def _require_share_left(uow: UnitOfWork, coverage: Coverage, *, field: str) -> None:
    await uow.connection.execute(_ALONE, {"key": f"{coverage.territory_id} {coverage.role}"})
    rows = await uow.connection.execute(
        _BESIDE,
        {
            "territory_id": coverage.territory_id,
            "role": coverage.role,
            "valid_from": coverage.valid_from,
            "valid_to": coverage.valid_to,
        },
    )
    beside = [Coverage(**row) for row in rows.mappings()]
    if any(one.rep_id == coverage.rep_id for one in beside):
        raise RepAlreadyCovers("rep_id: this rep covers the territory in this role in that time already.")
    taken = peak_share(beside, since=coverage.valid_from, until=coverage.valid_to)
    if taken + coverage.share_percent > WHOLE:
        raise SharesExceedWhole(
            f"{field}: others have up to {taken} % of the {coverage.role} in that time; at most "
            f"{WHOLE - taken} % is left. End one of theirs, or take less."
        )


async def _hold_over(
    uow: UnitOfWork, successor: Coverage, outgoing: Coverage | None, holdover: Holdover
) -> None:
    if outgoing is None:
        raise NobodyHandsOver("holdover_until: no rep hands this role over; leave it out.")
    kept = Coverage(
        coverage_id=new_id(),
        territory_id=successor.territory_id,
        rep_id=outgoing.rep_id,
        role=Role.HOLDOVER.value,
        share_percent=holdover.share_percent.quantize(_CENTS),
        valid_from=successor.valid_from,
        valid_to=holdover.until,
    )
    await _require_share_left(uow, kept, field="holdover_share_percent")
    await insert_coverage(uow, kept)
