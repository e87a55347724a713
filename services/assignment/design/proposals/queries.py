"""Reading proposals: totals, territory by territory, account by account."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.proposals.frontier import KeptFrontier, read_frontier
from services.assignment.design.proposals.kept_together import KEPT_TOGETHER, KeptTogether
from services.assignment.design.proposals.refusals import DesignRunWithoutProposal
from services.assignment.design.proposals.shortfall import Shortfall
from services.assignment.design.proposals.staleness import Stale, read_now
from services.assignment.design.runs.queries import DesignRun, find_run
from services.assignment.design.runs.run import LeftOut
from services.assignment.placements.placement import Pair
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

ReasonWhy = Literal["fixed", "stays", "nearest", "balance", "whole", "together", "hand"]
UNMET = TypeAdapter(list[Unmet])
SHORTFALLS = TypeAdapter(list[Shortfall])


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that costs travel: of a measure by its place in the scenario, at the low or the high side."""

    measure: int
    side: Literal["low", "high"]
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalTerritory:
    """What a territory would get."""

    territory_id: UUID
    name: str
    capacity: float
    least_accounts: int | None
    most_accounts: int | None
    accounts: int
    gained: int
    lost: int
    loads: list[float]
    targets: list[float]
    latitude: float | None
    longitude: float | None
    mean_km: float | None
    parts: int
    binding: list[Limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalTotals:
    """What a proposal comes to; lists are by measure."""

    feasible: bool
    units: int
    left_out: dict[LeftOut, int]
    elsewhere: int
    unmet: list[Unmet]
    kept_together: KeptTogether | None
    totals: list[float]
    deviation: list[float]
    least_deviation: list[float]
    least_moved: list[float]
    mean_km: float
    cost: float
    bound: float
    gap: float | None
    aligned_accounts: int
    moved_accounts: int
    moved_share: float
    why: list[Shortfall]
    seed: int
    solver_version: str
    input_hash: str
    live_sequence: int | None
    frontier: KeptFrontier | None
    sensitivity: dict[str, Any] | None
    made_at: datetime
    edit_version: int
    edited_accounts: int


@dataclass(frozen=True, slots=True)
class ProposalFound:
    """A proposal with the run that it is of."""

    run: DesignRun
    totals: ProposalTotals
    territories: list[ProposalTerritory]
    stale: Stale


@dataclass(frozen=True, slots=True)
class ProposedAccount:
    """Where an account would go, where it is today, and why."""

    account_id: UUID
    territory_before: UUID | None
    territory_after: UUID
    reason: ReasonWhy
    territory_proposed: UUID
    road_factor: float


_TOTALS = text("""
SELECT feasible, units, left_out, elsewhere, unmet, kept_together, totals, deviation, least_deviation, least_moved,
       mean_km, cost, bound, gap, aligned_accounts, moved_accounts, moved_share, why, seed, solver_version, input_hash,
       live_sequence, frontier, sensitivity, made_at, edit_version, edited_accounts
FROM design_proposals WHERE run_id = :run_id
""")
_TERRITORIES = text("""
SELECT p.territory_id, r.name, r.capacity, r.least_accounts, r.most_accounts, p.accounts, p.gained, p.lost, p.loads, p.targets,
       p.latitude, p.longitude, p.mean_km, p.parts, p.binding
FROM design_proposal_territories AS p JOIN design_run_territories AS r USING (run_id, territory_id)
WHERE p.run_id = :run_id ORDER BY r.name, p.territory_id
""")
_ACCOUNTS = text("""
SELECT account_id, territory_before, territory_after, reason, coalesce(territory_proposed, territory_after), coalesce(road_factor, 1)
FROM design_proposal_units
WHERE run_id = :run_id
  AND (CAST(:territory_id AS uuid) IS NULL OR :territory_id IN (territory_before, territory_after))
  AND (CAST(:moved AS boolean) IS NULL OR (territory_before IS NOT NULL AND territory_before <> territory_after) = :moved)
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
""")
_HAS_TERRITORY = text("""
SELECT 1 FROM design_run_territories WHERE run_id = :run_id AND territory_id = :territory_id
UNION ALL SELECT 1 FROM design_proposal_units WHERE run_id = :run_id AND territory_before = :territory_id LIMIT 1
""")
_PAIRS = text("""
SELECT account_id, territory_after FROM design_proposal_units
WHERE run_id = :run_id
  AND (CAST(:territory_ids AS uuid[]) IS NULL OR territory_after = ANY (CAST(:territory_ids AS uuid[])))
ORDER BY account_id
""")


async def find_proposing(read: AsyncConnection, run_id: UUID) -> DesignRun:
    """Return a run that has a proposal. Raises NotFound, DesignRunWithoutProposal."""
    run = await find_run(read, run_id)
    if not run.state.proposes:
        wait = "it has none" if run.state.ended else "wait for it to finish"
        raise DesignRunWithoutProposal(f"run_id: the design run {run_id} is {run.state}; {wait}.")
    return run


async def find_proposal(read: AsyncConnection, run_id: UUID) -> ProposalFound:
    """Return what a run proposes. Raises NotFound, DesignRunWithoutProposal."""
    run = await find_proposing(read, run_id)
    row = (await read.execute(_TOTALS, {"run_id": run_id})).mappings().one()
    told = {
        "left_out": {LeftOut(reason): count for reason, count in row["left_out"].items()},
        "unmet": UNMET.validate_python(row["unmet"]),
        "kept_together": KEPT_TOGETHER.validate_python(row["kept_together"]),
        "why": SHORTFALLS.validate_python(row["why"]),
        "frontier": read_frontier(row["frontier"]),
    }
    territories = await read.execute(_TERRITORIES, {"run_id": run_id})
    return ProposalFound(
        run,
        ProposalTotals(**{**row, **told}),
        [
            ProposalTerritory(**{**one, "binding": [Limit(**limit) for limit in one["binding"]]})
            for one in territories.mappings()
        ],
        (await read_now(read, run.plan_id)).stale(run.plan_version, row["live_sequence"]),
    )


async def check_proposed_territory(read: AsyncConnection, run_id: UUID, territory_id: UUID) -> None:
    """See that accounts may go to a territory, or that some come from it. Raises NotFound."""
    known = await read.execute(_HAS_TERRITORY, {"run_id": run_id, "territory_id": territory_id})
    if known.first() is None:
        raise NotFound(
            f"territory_id: the run does not design {territory_id}, and no account of it is there today."
        )


async def list_proposed_accounts(
    read: AsyncConnection, run_id: UUID, *, territory_id: UUID | None, moved: bool | None, page: PageRequest
) -> list[ProposedAccount]:
    """Return accounts that go to or come from a territory, by id, one more than the page holds."""
    rows = await read.execute(
        _ACCOUNTS,
        {
            "run_id": run_id,
            "territory_id": territory_id,
            "moved": moved,
            "after": page.after,
            "rows": page.limit + 1,
        },
    )
    return [ProposedAccount(*row) for row in rows]


async def list_places(
    read: AsyncConnection, run_id: UUID, territory_ids: Collection[UUID] | None
) -> list[Pair]:
    """Return accounts with where they would go: all of them, or those that go to some territories."""
    wanted = None if territory_ids is None else list(territory_ids)
    result = await read.stream(_PAIRS, {"run_id": run_id, "territory_ids": wanted})
    places: list[Pair] = []
    # Decoding more rows at once would hold the event loop.
    async for rows in result.partitions(5_000):
        places += [Pair(row.account_id, row.territory_after) for row in rows]
    return places
