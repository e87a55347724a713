"""Ask for an estimate: a row that the worker takes, because learning takes longer than a request should."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.potentials.potential import FEWEST_KNOWN, FOLDS, PotentialMeasure
from services.assignment.potentials.queries import EstimateFound, count_known, find_estimate
from services.assignment.potentials.refusals import PotentialEstimateQueued, TooFewKnownAccounts
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id_at

_QUEUE = text("""
INSERT INTO potential_estimates (estimate_id, measure, currency, state, seed, folds, asked_by, asked_at)
VALUES (:estimate_id, :measure, :currency, 'queued', :seed, :folds, :asked_by, :now)
ON CONFLICT (measure, currency) WHERE state = 'queued' DO NOTHING
RETURNING estimate_id
""")
_QUEUED = text("""
SELECT estimate_id FROM potential_estimates
WHERE measure = :measure AND currency = :currency AND state = 'queued'
""")


@dataclass(frozen=True, slots=True)
class AskForEstimate:
    """Learn one measure in one currency; the same seed and accounts give the same estimate."""

    measure: PotentialMeasure
    currency: str
    seed: int


async def ask_for_estimate(command: AskForEstimate, uow: UnitOfWork) -> EstimateFound:
    """Queue an estimate. Raises TooFewKnownAccounts or PotentialEstimateQueued."""
    await _require_enough(command, uow)
    estimate_id = new_id_at(uow.now)
    queued = await uow.connection.execute(
        _QUEUE,
        {
            "estimate_id": estimate_id,
            "measure": command.measure,
            "currency": command.currency,
            "seed": command.seed,
            "folds": FOLDS,
            "asked_by": uow.actor,
            "now": uow.now,
        },
    )
    if queued.scalar() is None:
        await _refuse(command, uow)
    return await find_estimate(uow.connection, estimate_id)


async def _require_enough(command: AskForEstimate, uow: UnitOfWork) -> None:
    known = await count_known(uow.connection, command.measure)
    count = known.get(command.currency, 0)
    if count >= FEWEST_KNOWN:
        return
    others = ", ".join(
        f"{currency} ({number})" for currency, number in known.items() if number >= FEWEST_KNOWN
    )
    raise TooFewKnownAccounts(
        f"currency: {count} accounts have a {command.measure} above zero in {command.currency}, and {FEWEST_KNOWN} "
        f"are needed to learn from. Enough have one in: {others or 'no currency; send their facts first'}.",
        known_accounts=count,
        needed=FEWEST_KNOWN,
    )


async def _refuse(command: AskForEstimate, uow: UnitOfWork) -> None:
    asked = {"measure": command.measure, "currency": command.currency}
    waiting: UUID | None = (await uow.connection.execute(_QUEUED, asked)).scalar()
    raise PotentialEstimateQueued(
        f"measure, currency: an estimate of {command.measure} in {command.currency} waits to be made; read that one.",
        estimate_id=None if waiting is None else str(waiting),
    )
