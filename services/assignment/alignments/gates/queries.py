"""Holding a plan against the gate: what matching counts, what else is known of it, and the limits in force."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.balances.fairness import measure_fairness
from services.assignment.alignments.balances.queries import working_territories
from services.assignment.alignments.diffs.diff import Sight
from services.assignment.alignments.gates.gate import (
    SUBJECTS_TOLD,
    Check,
    Evidence,
    Finding,
    Limit,
    Limits,
    Severity,
    inspect,
)
from services.assignment.alignments.queries import load_matcher, read_units
from services.assignment.alignments.realignment import Realignment, find_changes
from services.assignment.certifications.queries import certification_findings
from services.assignment.pins.queries import list_expired
from services.assignment.placements.queries import has_placements
from services.assignment.plans.queries import find_plan
from services.assignment.reps.coverages.queries import list_vacant
from services.assignment.territories.queries import load_tree


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """The limits of the gate; each change of them is a version of its own."""

    version: int
    limits: Limits
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class GateReport:
    """What speaks against a plan, by which version of the limits."""

    plan_id: UUID
    version: int
    policy_version: int
    findings: list[Finding]

    @property
    def blocking(self) -> list[Finding]:
        """Return what keeps the plan from going in force."""
        return [finding for finding in self.findings if finding.severity is Severity.BLOCK]


_POLICY = text("SELECT version, limits, set_at, set_by FROM gate_policies ORDER BY version DESC LIMIT 1")


async def read_policy(read: AsyncConnection) -> GatePolicy:
    """Return the limits in force."""
    row = (await read.execute(_POLICY)).one()
    limits = {
        Check(name): Limit(_decimal(limit["warn"]), _decimal(limit["block"]))
        for name, limit in row.limits.items()
    }
    return GatePolicy(row.version, limits, row.set_at, row.set_by)


def _decimal(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)


async def inspect_plan(read: AsyncConnection, plan_id: UUID, *, at: datetime) -> GateReport:
    """Match all accounts by a plan and hold what that counts against the gate. Raises NotFound."""
    await find_plan(read, plan_id)
    matcher = await load_matcher(read, plan_id, at=at)
    counted = Realignment()
    async for units in read_units(read, plan_id):
        counted.count(await asyncio.to_thread(find_changes, matcher, units))
    return await judge_plan(read, plan_id, counted, at=at)


async def judge_plan(
    read: AsyncConnection, plan_id: UUID, counted: Realignment, *, at: datetime
) -> GateReport:
    """Hold a plan against the gate whose accounts are matched already."""
    plan = await find_plan(read, plan_id)
    policy = await read_policy(read)
    decides = plan.rules > 0 or await has_placements(read, plan_id)
    evidence = await _gather(read, plan_id, counted, at=at, decides=decides)
    return GateReport(plan_id, plan.version, policy.version, inspect(policy.limits, evidence))


async def _gather(
    read: AsyncConnection, plan_id: UUID, counted: Realignment, *, at: datetime, decides: bool
) -> Evidence:
    tree = await load_tree(read, plan_id)
    working = working_territories(tree, counted.held, Sight(everything=True))
    ids = [node.territory_id for node in working]
    vacant = await list_vacant(read, ids, at=at)
    uncertified = await certification_findings(read, plan_id, at.date())
    expired, pinned = await list_expired(read, plan_id, at=at, rows=SUBJECTS_TOLD)
    return Evidence(
        missing_parts=(not tree.territories) + (not decides),
        accounts=counted.accounts,
        gaps=counted.gaps,
        ties=counted.ties,
        displaced=counted.displaced,
        placed_before=counted.placed_before,
        territories=len(ids),
        gini=measure_fairness([Decimal(counted.held[territory_id]) for territory_id in ids]).gini.value,
        vacant=[territory_id for territory_id in ids if territory_id in vacant],
        uncertified=sorted({finding.coverage_id for finding in uncertified}),
        expired_pins=expired,
        expired_pin_accounts=pinned,
    )
