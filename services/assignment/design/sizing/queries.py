"""Reading what accounts take, and what a plan's territories can carry: nothing is stored."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.runs.run import (
    BalancedMeasure,
    CapacitySource,
    DesignMeasure,
    Disruption,
    LeftOut,
    Mode,
    RunTerritory,
    Scenario,
)
from services.assignment.design.runs.territories import Told, describe_territories, geographic_leaves
from services.assignment.design.sizing.sizing import Sizing, Work, size_up
from services.assignment.plans.queries import find_plan
from services.assignment.potentials.queries import find_completed
from services.assignment.territories.queries import load_tree


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sized up: a measure, how much of it a full-time rep gets done, and how far off a load may be."""

    measure: DesignMeasure
    currency: str | None
    potential_estimate_id: UUID | None
    per_rep: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Staff:
    """What a plan's geographic leaves can carry today: `capacity` of those that somebody covers, in full-time reps."""

    territories: int
    vacant: int
    capacity: float


@dataclass(frozen=True, slots=True)
class PlanSizing:
    """How many territories a plan's accounts take, and what it has."""

    plan_version: int
    accounts: int
    idle: int
    left_out: dict[LeftOut, int]
    work: Work
    sizing: Sizing
    staff: Staff


async def size_plan(read: AsyncConnection, plan_id: UUID, asked: Asked, *, at: datetime) -> PlanSizing:
    """Return what the accounts take that a run of all leaves would be about.

    Raises NotFound, PotentialEstimateNotCompleted.
    """
    # The api learns of arrays when somebody asks for them.
    from services.assignment.design.inputs.queries import read_material  # noqa: PLC0415

    plan = await find_plan(read, plan_id)
    if asked.potential_estimate_id is not None:
        await find_completed(read, asked.potential_estimate_id, field="potential_estimate_id")
    leaves = list(geographic_leaves(await load_tree(read, plan_id)).values())
    territories = await describe_territories(read, leaves, Told({}, {}, equal=False), at=at)
    material = await read_material(read, plan_id, _scenario(asked), territories, at=at)
    amounts = material.question.measures[:, 0]
    work = Work(float(amounts.sum()), float(amounts.max(initial=0.0)))
    staff = _staff(territories)
    left_out = Counter(reason for _, reason in material.left_out)
    return PlanSizing(
        plan_version=plan.version,
        accounts=len(material.account_ids),
        idle=int((amounts <= 0.0).sum()),
        left_out={reason: left_out[reason] for reason in LeftOut},
        work=work,
        sizing=size_up(
            work,
            per_rep=asked.per_rep,
            tolerance=asked.tolerance,
            also=(float(staff.territories), staff.capacity),
        ),
        staff=staff,
    )


def _staff(territories: list[RunTerritory]) -> Staff:
    covered = [one.capacity for one in territories if one.capacity_source is CapacitySource.COVERAGE]
    return Staff(len(territories), len(territories) - len(covered), sum(covered))


def _scenario(asked: Asked) -> Scenario:
    """Return a scenario of all leaves, of which the accounts and one measure are read."""
    measure = BalancedMeasure(
        asked.measure,
        asked.tolerance,
        currency=asked.currency,
        potential_estimate_id=asked.potential_estimate_id,
    )
    return Scenario(
        mode=Mode.GREENFIELD,
        measures=(measure,),
        disruption=Disruption(),
        pull=0.0,
        required=(),
        contiguous=False,
        whole=True,
        with_gaps=True,
        starts=1,
        seed=0,
    )
