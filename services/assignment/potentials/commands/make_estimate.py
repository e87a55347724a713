"""Make a queued estimate, in two transactions with the learning between them, so that none is held open for long.

A worker that dies between them leaves an estimate that another takes later.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.assignment.potentials.potential import (
    FEWEST_KNOWN,
    Company,
    Error,
    PotentialMeasure,
    Potentials,
    Trial,
    as_money,
    digest,
)
from services.assignment.potentials.queries import read_companies
from shared.contracts.assignment import PotentialEstimateCompleted
from shared.db.unit_of_work import UnitOfWork

# Longer than learning from a million accounts takes.
LEASE = timedelta(minutes=10)
_ROWS_PER_STATEMENT = 10_000
_RATIO = Decimal("0.0001")

_TAKE = text("""
UPDATE potential_estimates SET taken_at = :now WHERE estimate_id = (
    SELECT estimate_id FROM potential_estimates
    WHERE state = 'queued' AND (taken_at IS NULL OR taken_at <= :stale)
    ORDER BY estimate_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING estimate_id, measure, currency, seed
""")
_COMPLETE = text("""
UPDATE potential_estimates SET
    state = 'completed', completed_at = :now, known_accounts = :known_accounts, prospects = :prospects,
    method = :method, trial = CAST(:trial AS jsonb), input_digest = :input_digest
WHERE estimate_id = :estimate_id AND state = 'queued'
""")
_FAIL = text("""
UPDATE potential_estimates SET state = 'failed', completed_at = :now, reason = :reason
WHERE estimate_id = :estimate_id AND state = 'queued'
""")
_REMEMBER = text("""
INSERT INTO account_potentials (estimate_id, account_id, known_amount, estimated_amount)
SELECT :estimate_id, i.* FROM unnest(
    CAST(:account_ids AS uuid[]), CAST(:known AS numeric[]), CAST(:estimated AS numeric[])
) AS i
""")


@dataclass(frozen=True, slots=True)
class TakenEstimate:
    """An estimate to make, and the accounts it is made of."""

    estimate_id: UUID
    measure: PotentialMeasure
    currency: str
    seed: int
    companies: list[Company]

    @property
    def known(self) -> int:
        """Return how many accounts can be learnt from."""
        return sum(company.amount is not None for company in self.companies)

    @property
    def enough(self) -> bool:
        """Tell whether those are enough; measures may have changed since the estimate was asked for."""
        return self.known >= FEWEST_KNOWN


@dataclass(frozen=True, slots=True)
class KeepEstimate:
    """What came of an estimate."""

    taken: TakenEstimate
    potentials: Potentials


@dataclass(frozen=True, slots=True)
class FailEstimate:
    """An estimate that cannot be made, and why."""

    estimate_id: UUID
    reason: str


async def take_estimate(lease: timedelta, uow: UnitOfWork) -> TakenEstimate | None:
    """Take the oldest estimate that waits, and read the accounts; None when none waits."""
    row = (await uow.connection.execute(_TAKE, {"now": uow.now, "stale": uow.now - lease})).one_or_none()
    if row is None:
        return None
    measure = PotentialMeasure(row.measure)
    companies = await read_companies(uow.connection, measure, row.currency)
    return TakenEstimate(row.estimate_id, measure, row.currency, row.seed, companies)


async def keep_estimate(command: KeepEstimate, uow: UnitOfWork) -> bool:
    """Keep and announce an estimate; False if another worker did."""
    taken, trial = command.taken, command.potentials.trial
    written = await uow.connection.execute(
        _COMPLETE,
        {
            "estimate_id": taken.estimate_id,
            "now": uow.now,
            "known_accounts": taken.known,
            "prospects": len(taken.companies) - taken.known,
            "method": trial.method,
            "trial": json.dumps(_shown(trial, taken.currency)),
            "input_digest": digest(taken.companies, seed=taken.seed),
        },
    )
    if not written.rowcount:
        return False
    for rows in _rows(taken, command.potentials.amounts):
        await uow.connection.execute(_REMEMBER, {"estimate_id": taken.estimate_id, **rows})
    uow.outbox.add(_announcement(uow, taken, trial))
    return True


async def fail_estimate(command: FailEstimate, uow: UnitOfWork) -> None:
    """Record that an estimate cannot be made; the accounts keep what they have."""
    await uow.connection.execute(
        _FAIL, {"estimate_id": command.estimate_id, "reason": command.reason, "now": uow.now}
    )


def _announcement(uow: UnitOfWork, taken: TakenEstimate, trial: Trial) -> PotentialEstimateCompleted:
    return PotentialEstimateCompleted(
        estimate_id=taken.estimate_id,
        measure=taken.measure.value,
        currency=taken.currency,
        method=trial.method.value,
        beats_baseline=trial.beats_baseline,
        model_error=as_money(trial.model.mean_absolute, taken.currency),
        baseline_error=as_money(trial.baseline.mean_absolute, taken.currency),
        known_accounts=taken.known,
        prospects=len(taken.companies) - taken.known,
        completed_at=uow.now,
    )


def _rows(taken: TakenEstimate, estimates: list[float]) -> Iterator[dict[str, list[Any]]]:
    for start in range(0, len(estimates), _ROWS_PER_STATEMENT):
        companies = taken.companies[start : start + _ROWS_PER_STATEMENT]
        yield {
            "account_ids": [company.account_id for company in companies],
            "known": _money((company.amount for company in companies), taken.currency),
            "estimated": _money(estimates[start : start + _ROWS_PER_STATEMENT], taken.currency),
        }


def _money(amounts: Iterable[float | None], currency: str) -> list[Decimal | None]:
    return [None if amount is None else as_money(amount, currency) for amount in amounts]


def _shown(trial: Trial, currency: str) -> dict[str, Any]:
    return {
        "model": _error(trial.model, currency),
        "baseline": _error(trial.baseline, currency),
        "beats_baseline": trial.beats_baseline,
        "improvement": _ratio(trial.improvement),
        "improvement_error": _ratio(trial.improvement_error),
        "importance": [
            {"feature": one.feature, "error_growth": str(as_money(one.error_growth, currency))}
            for one in trial.importance
        ],
    }


def _error(error: Error, currency: str) -> dict[str, str]:
    return {
        "mean_absolute": str(as_money(error.mean_absolute, currency)),
        "weighted": _ratio(error.weighted),
        "bias": _ratio(error.bias),
    }


def _ratio(number: float) -> str:
    return f"{Decimal(number).quantize(_RATIO):f}"
