"""Reading what reps are matched by: who covers, where they live, and which accounts they have today."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import locate_postal_codes
from services.assignment.design.matching.question import Bond, Place, Question, Seat
from services.assignment.design.proposals.queries import ProposalFound, find_proposal
from services.assignment.design.runs.queries import DesignRun, list_run_territories
from services.assignment.design.runs.run import Requirement, RunTerritory
from services.assignment.reps.coverages.coverage import Role
from services.assignment.reps.coverages.queries import (
    CoveringRep,
    list_covering,
    list_home_codes,
    list_running,
)

_ACCOUNTS = text("""
SELECT territory_before, territory_after, count(*) AS amount FROM design_proposal_units
WHERE run_id = :run_id AND territory_before IS NOT NULL
GROUP BY territory_before, territory_after
""")
_REVENUE = text("""
SELECT u.territory_before, u.territory_after, CAST(sum(a.amount) AS float8) AS amount
FROM design_proposal_units AS u JOIN account_amounts AS a USING (account_id)
WHERE u.run_id = :run_id AND u.territory_before IS NOT NULL AND a.measure = 'revenue' AND a.currency = :currency
GROUP BY u.territory_before, u.territory_after
""")


async def read_question(
    read: AsyncConnection, run_id: UUID, *, currency: str | None, relocation_weight: float, at: datetime
) -> tuple[DesignRun, Question]:
    """Return a run and what its reps are matched by: accounts, or their revenue where a currency is told.

    Raises NotFound, DesignRunWithoutProposal.
    """
    found = await find_proposal(read, run_id)
    seats = await _seats(read, found, at=at)
    bonds = await _bonds(read, run_id, [seat.territory_id for seat in seats], currency=currency, at=at)
    return found.run, Question(seats=seats, bonds=bonds, relocation_weight=relocation_weight)


async def _seats(read: AsyncConnection, found: ProposalFound, *, at: datetime) -> tuple[Seat, ...]:
    run = found.run
    territories = await list_run_territories(read, run.run_id)
    ids = [one.territory_id for one in territories]
    covering = {one: _primary(reps) for one, reps in (await list_covering(read, ids, at=at)).items()}
    homes = await _homes(read, run, territories, at=at)
    middles = {
        one.territory_id: (one.latitude, one.longitude)
        for one in found.territories
        if one.latitude is not None and one.longitude is not None
    }
    required = run.scenario.required
    return tuple(
        Seat(
            territory_id=one.territory_id,
            name=one.name,
            capacity=one.capacity,
            middle=middles.get(one.territory_id),
            rep_id=None if (rep := covering[one.territory_id]) is None else rep.rep_id,
            home=None if rep is None else homes.get(one.territory_id),
            brings=_brings(rep, required),
        )
        for one in territories
    )


def _primary(reps: Sequence[CoveringRep]) -> CoveringRep | None:
    return next((rep for rep in reps if rep.role == Role.PRIMARY), None)


def _brings(rep: CoveringRep | None, required: Collection[Requirement]) -> tuple[frozenset[str], ...]:
    if rep is None:
        return tuple(frozenset() for _ in required)
    offers: Mapping[Requirement, tuple[str, ...]] = {
        Requirement.LANGUAGE: rep.languages,
        Requirement.INDUSTRY: rep.industries,
        Requirement.NEEDS: rep.need_kinds,
    }
    return tuple(frozenset(offers[one]) for one in required)


async def _homes(
    read: AsyncConnection, run: DesignRun, territories: Sequence[RunTerritory], *, at: datetime
) -> dict[UUID, Place]:
    """Return where who covers each territory now lives: as the run was told, unless somebody else has come since."""
    ids = [one.territory_id for one in territories]
    codes = await list_home_codes(read, ids, at=at)
    places = await locate_postal_codes(read, set(codes.values()))
    homes = {territory: places[code] for territory, code in codes.items() if code in places}
    then, now = [await _reps(read, ids, at=instant) for instant in (run.asked_at, at)]
    for one in territories:
        if one.home is not None and then.get(one.territory_id) == now.get(one.territory_id):
            homes[one.territory_id] = one.home
    return homes


async def _reps(read: AsyncConnection, ids: Collection[UUID], *, at: datetime) -> dict[UUID, UUID]:
    """Return who covers territories as primary."""
    running = await list_running(read, ids, at=at, role=Role.PRIMARY)
    return {one.territory_id: one.rep_id for one in running}


async def _bonds(
    read: AsyncConnection, run_id: UUID, ids: Sequence[UUID], *, currency: str | None, at: datetime
) -> tuple[Bond, ...]:
    """Return what each rep has today of each territory; accounts that nobody covers are nobody's."""
    statement = _ACCOUNTS if currency is None else _REVENUE
    binds = {"run_id": run_id} if currency is None else {"run_id": run_id, "currency": currency}
    rows = (await read.execute(statement, binds)).all()
    reps = await _reps(read, {row.territory_before for row in rows}, at=at)
    numbers = {territory_id: number for number, territory_id in enumerate(ids)}
    amounts = defaultdict[tuple[UUID, int], float](float)
    for row in rows:
        if row.territory_before in reps:
            amounts[reps[row.territory_before], numbers[row.territory_after]] += float(row.amount)
    return tuple(Bond(rep_id, number, amount) for (rep_id, number), amount in sorted(amounts.items()))
