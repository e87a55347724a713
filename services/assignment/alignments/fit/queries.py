"""How well those who cover an account fit it: now, or under a plan that is not live."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import find_account
from services.assignment.alignments.fit.fit import (
    Fit,
    Offered,
    Scorer,
    Unknown,
    Wanted,
    best_score,
    measure_fit,
)
from services.assignment.alignments.queries import load_matcher, read_some_units
from services.assignment.plans.queries import find_plan
from services.assignment.reps.coverages.queries import CoveringRep, list_covering
from services.assignment.territories.queries import require_in_scope
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class RepFit:
    """A rep who covers the account's territory, and how well they fit."""

    rep_id: UUID
    role: str
    fit: Fit


@dataclass(frozen=True, slots=True)
class AccountFit:
    """What an account asks for, and how well those who cover it fit; the best of them counts."""

    account_id: UUID
    plan_id: UUID | None
    territory_id: UUID | None
    wanted: Wanted
    score: int | None
    reason: Unknown | None
    reps: tuple[RepFit, ...]


def offered_by(rep: CoveringRep) -> Offered:
    """Return what a rep brings."""
    return Offered(rep.languages, rep.industries, rep.need_kinds)


async def load_scorer(read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime) -> Scorer:
    """Return what scores accounts against those who cover these territories at an instant."""
    covering = await list_covering(read, territory_ids, at=at)
    return Scorer({territory: [offered_by(one) for one in reps] for territory, reps in covering.items()})


async def find_fit(
    read: AsyncConnection, account_id: UUID, *, plan_id: UUID | None, at: datetime, scope: Scope
) -> AccountFit:
    """Return the fit of an account under the live plan, or another one. Raises NotFound."""
    account = await find_account(read, account_id, scope=scope)
    (unit,) = await read_some_units(read, [account_id], plan_id)
    territory_id = account.territory_id
    if plan_id is not None:
        await find_plan(read, plan_id)
        territory_id = (await load_matcher(read, plan_id, at=at)).match(unit).territory_id
        if territory_id is not None:
            await require_in_scope(read, plan_id, {territory_id}, scope=scope)
    wanted = Wanted.of(unit)
    covering = (
        [] if territory_id is None else (await list_covering(read, [territory_id], at=at))[territory_id]
    )
    reps = tuple(RepFit(one.rep_id, one.role, measure_fit(wanted, offered_by(one))) for one in covering)
    score, reason = best_score(one.fit for one in reps)
    return AccountFit(
        account_id=account_id,
        plan_id=plan_id or account.plan_id,
        territory_id=territory_id,
        wanted=wanted,
        score=score,
        reason=Unknown.NO_TERRITORY if territory_id is None else reason,
        reps=reps,
    )
