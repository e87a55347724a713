"""Keep what a run found, with everything that editing, scoring and maps need of its units, and end the run.

One transaction: a proposal is there with all of its units, or not at all.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.answer import Answer
from services.assignment.design.engine.proposal import Reason
from services.assignment.design.inputs.question import Material
from services.assignment.design.proposals.commands.kept_frontier import as_kept
from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.run import LeftOut, RunState, RunTerritory
from shared.db.driver import driver_of
from shared.db.unit_of_work import UnitOfWork

# Laying out and encoding so many rows holds the event loop for some 50 ms.
_ROWS_AT_ONCE = 4_000

_KEEP = text("""
INSERT INTO design_proposals (
    run_id, feasible, units, left_out, elsewhere, unmet, totals, deviation, least_deviation, least_moved, mean_km, cost,
    bound, gap, aligned_accounts, moved_accounts, moved_share, why, seed, solver_version, input_hash, frontier, made_at
) VALUES (
    :run_id, :feasible, :units, CAST(:left_out AS jsonb), :elsewhere, CAST(:unmet AS jsonb), :totals, :deviation,
    :least_deviation, :least_moved, :mean_km, :cost, :bound, :gap, :aligned_accounts, :moved_accounts, :moved_share,
    :why, :seed, :solver_version, :input_hash, CAST(:frontier AS jsonb), :made_at
)
""")
_KEEP_TERRITORIES = text("""
INSERT INTO design_proposal_territories (
    run_id, territory_id, accounts, gained, lost, loads, targets, latitude, longitude, mean_km, parts, binding
) VALUES (
    :run_id, :territory_id, :accounts, :gained, :lost, :loads, :targets, :latitude, :longitude, :mean_km, :parts,
    CAST(:binding AS jsonb)
)
""")
_UNIT_COLUMNS = (
    "run_id",
    "unit",
    "account_id",
    "latitude",
    "longitude",
    "weight",
    "measures",
    "move_value",
    "neighbours",
    "territory_before",
    "territory_after",
    "reason",
)


@dataclass(frozen=True, slots=True)
class KeepProposal:
    """What the engine answered to the worker that took the run for the n-th time."""

    run_id: UUID
    attempt: int
    territories: tuple[RunTerritory, ...]
    material: Material
    answer: Answer


async def keep_proposal(command: KeepProposal, uow: UnitOfWork) -> bool:
    """Keep and announce a proposal; False if another worker took the run, or somebody cancelled or deleted it."""
    answer = command.answer
    ended = EndRun(
        command.run_id,
        command.attempt,
        RunState.FINISHED if answer.proposal.feasible else RunState.INFEASIBLE,
        accounts=len(command.material.account_ids),
        moved_accounts=answer.moved,
    )
    # First of all: it holds the run, and a worker that was overtaken writes nothing.
    if not await end_run(ended, uow):
        return False
    await uow.connection.execute(_KEEP, {**_totals(command), "run_id": command.run_id, "made_at": uow.now})
    await uow.connection.execute(_KEEP_TERRITORIES, list(_territories(command)))
    await _keep_left_out(uow, command)
    await _keep_units(uow, command)
    return True


def _totals(command: KeepProposal) -> dict[str, Any]:
    proposal, material, answer = command.answer.proposal, command.material, command.answer
    reasons = [reason for _, reason in material.left_out]
    return {
        "feasible": proposal.feasible,
        "units": len(material.account_ids),
        "left_out": json.dumps({one.value: reasons.count(one) for one in LeftOut}),
        "elsewhere": material.elsewhere,
        "unmet": json.dumps(to_jsonable_python(material.unmet)),
        "totals": answer.totals.tolist(),
        "deviation": proposal.deviation.tolist(),
        "least_deviation": proposal.least_deviation.tolist(),
        "least_moved": proposal.least_moved.tolist(),
        "mean_km": proposal.mean_km,
        "cost": proposal.cost,
        "bound": proposal.bound,
        "gap": proposal.gap,
        "aligned_accounts": answer.aligned,
        "moved_accounts": answer.moved,
        "moved_share": answer.moved_share,
        "why": list(proposal.why),
        "seed": proposal.seed,
        "solver_version": proposal.solver_version,
        "input_hash": proposal.input_hash,
        "frontier": as_kept(answer.frontier),
    }


def _territories(command: KeepProposal) -> Iterator[dict[str, Any]]:
    answer, proposal = command.answer, command.answer.proposal
    before, after = command.material.question.incumbents, proposal.labels
    count = len(command.territories)
    accounts = np.bincount(after, minlength=count)
    gained = np.bincount(after[before != after], minlength=count)
    lost = np.bincount(before[(before >= 0) & (before != after)], minlength=count)
    # By territory at once: to look through thousands for each of thousands would hold the event loop.
    binding = defaultdict[int, list[dict[str, Any]]](list)
    for limit in proposal.binding:
        binding[limit.territory].append({"measure": limit.measure, "side": limit.side, "price": limit.price})
    for one in command.territories:
        k = one.number
        yield {
            "run_id": command.run_id,
            "territory_id": one.territory_id,
            "accounts": int(accounts[k]),
            "gained": int(gained[k]),
            "lost": int(lost[k]),
            "loads": proposal.loads[k].tolist(),
            "targets": answer.targets[k].tolist(),
            "latitude": _known(answer.latitude[k]),
            "longitude": _known(answer.longitude[k]),
            "mean_km": _known(answer.mean_km[k]),
            "parts": int(proposal.parts[k]),
            "binding": json.dumps(binding[k]),
        }


async def _keep_left_out(uow: UnitOfWork, command: KeepProposal) -> None:
    rows = command.material.left_out
    driver = await driver_of(uow.connection)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        await driver.copy_records_to_table(
            "design_left_out_accounts",
            columns=("run_id", "account_id", "reason"),
            records=[
                (command.run_id, account_id, reason.value)
                for account_id, reason in rows[start : start + _ROWS_AT_ONCE]
            ],
        )


async def _keep_units(uow: UnitOfWork, command: KeepProposal) -> None:
    driver = await driver_of(uow.connection)
    count = len(command.material.account_ids)
    for start in range(0, count, _ROWS_AT_ONCE):
        await driver.copy_records_to_table(
            "design_proposal_units",
            columns=_UNIT_COLUMNS,
            records=_units(command, start, min(start + _ROWS_AT_ONCE, count)),
        )


def _units(command: KeepProposal, start: int, end: int) -> list[tuple[Any, ...]]:
    material, answer = command.material, command.answer
    question, touching = material.question, answer.neighbours
    ids = [one.territory_id for one in command.territories]
    names = {reason.value: reason.name.lower() for reason in Reason}
    targets = touching.targets[touching.starts[start] : touching.starts[end]].tolist()
    starts = (touching.starts[start : end + 1] - touching.starts[start]).tolist()
    return [
        (
            command.run_id,
            unit,
            material.account_ids[unit],
            latitude,
            longitude,
            weight,
            measures,
            value,
            targets[starts[number] : starts[number + 1]],
            material.before[unit],
            ids[label],
            names[reason],
        )
        for number, (unit, latitude, longitude, weight, measures, value, label, reason) in enumerate(
            zip(
                range(start, end),
                question.latitude[start:end].tolist(),
                question.longitude[start:end].tolist(),
                answer.weight[start:end].tolist(),
                question.measures[start:end].tolist(),
                question.move_value[start:end].tolist(),
                answer.proposal.labels[start:end].tolist(),
                answer.proposal.reasons[start:end].tolist(),
                strict=True,
            )
        )
    ]


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
