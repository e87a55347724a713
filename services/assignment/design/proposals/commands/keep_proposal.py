"""Keep what a run found, with everything that editing, scoring and maps need of its units, and end the run.

One transaction: a proposal is there with all of its units, or not at all.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from uuid import UUID

import numpy as np
from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.answer import Answer
from services.assignment.design.engine.arrays import Integers
from services.assignment.design.engine.proposal import Reason
from services.assignment.design.inputs.permission import ANYWHERE
from services.assignment.design.inputs.question import Material, Question
from services.assignment.design.proposals.commands.kept_frontier import as_kept
from services.assignment.design.proposals.kept_together import count_groups
from services.assignment.design.proposals.sensitivity import sensitivity_told
from services.assignment.design.proposals.shortfall import with_ids
from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.run import Figures, LeftOut, RunState, RunTerritory
from shared.db.driver import driver_of
from shared.db.unit_of_work import UnitOfWork

# Laying out and encoding so many rows holds the event loop for some 50 ms.
_ROWS_AT_ONCE = 4_000

_KEEP = text("""
INSERT INTO design_proposals (
    run_id, feasible, units, left_out, elsewhere, unmet, kept_together, totals, deviation, least_deviation, least_moved,
    mean_km, cost, bound, gap, aligned_accounts, moved_accounts, moved_share, why, seed, solver_version, input_hash,
    live_sequence, frontier, sensitivity, made_at, plane_latitude, plane_longitude, aligned_value
) VALUES (
    :run_id, :feasible, :units, CAST(:left_out AS jsonb), :elsewhere, CAST(:unmet AS jsonb),
    CAST(:kept_together AS jsonb), :totals, :deviation, :least_deviation, :least_moved, :mean_km, :cost,
    :bound, :gap, :aligned_accounts, :moved_accounts, :moved_share, CAST(:why AS jsonb), :seed, :solver_version, :input_hash,
    :live_sequence, CAST(:frontier AS jsonb), CAST(:sensitivity AS jsonb), :made_at, :plane_latitude, :plane_longitude,
    :aligned_value
)
""")
_KEEP_TERRITORIES = text("""
INSERT INTO design_proposal_territories (
    run_id, territory_id, accounts, gained, lost, loads, targets, latitude, longitude, mean_km, parts, binding,
    weight, cost, moved_accounts, moved_value, broken
) VALUES (
    :run_id, :territory_id, :accounts, :gained, :lost, :loads, :targets, :latitude, :longitude, :mean_km, :parts,
    CAST(:binding AS jsonb), :weight, :cost, :moved_accounts, :moved_value, :broken
)
""")
_UNIT_COLUMNS = (
    "run_id",
    "unit",
    "account_id",
    "latitude",
    "longitude",
    "weight",
    "road_factor",
    "measures",
    "move_value",
    "neighbours",
    "territory_before",
    "territory_after",
    "reason",
    "x",
    "y",
    "kind",
    "kept_with",
)


@dataclass(frozen=True, slots=True)
class KeepProposal:
    """What the engine answered to the worker that took the run for the n-th time.

    `live_sequence`: how many times a plan had gone live when the alignments were read.
    """

    run_id: UUID
    attempt: int
    territories: tuple[RunTerritory, ...]
    material: Material
    answer: Answer
    live_sequence: int


async def keep_proposal(command: KeepProposal, uow: UnitOfWork) -> bool:
    """Keep and announce a proposal; False if another worker took the run, or somebody cancelled or deleted it."""
    answer = command.answer
    ended = EndRun(
        command.run_id,
        command.attempt,
        RunState.FINISHED if answer.proposal.feasible else RunState.INFEASIBLE,
        accounts=len(command.material.account_ids),
        moved_accounts=answer.moved,
        figures=Figures(tuple(answer.proposal.deviation.tolist()), answer.overall_km, answer.moved_share),
    )
    # First of all: it holds the run, and a worker that was overtaken writes nothing.
    if not await end_run(ended, uow):
        return False
    await uow.connection.execute(_KEEP, {**_totals(command), "run_id": command.run_id, "made_at": uow.now})
    await uow.connection.execute(_KEEP_TERRITORIES, list(_territories(command)))
    await _keep_left_out(uow, command)
    await _keep_kinds(uow, command)
    await _keep_units(uow, command)
    return True


def _totals(command: KeepProposal) -> dict[str, Any]:
    proposal, material, answer = command.answer.proposal, command.material, command.answer
    kept = count_groups(material.groups, unmet=answer.unmet_groups)
    reasons = [reason for _, reason in material.left_out]
    ids = [one.territory_id for one in command.territories]
    return {
        "feasible": proposal.feasible,
        "units": len(material.account_ids),
        "left_out": json.dumps({one.value: reasons.count(one) for one in LeftOut}),
        "elsewhere": material.elsewhere,
        "unmet": json.dumps(to_jsonable_python(material.unmet)),
        "kept_together": None if kept is None else json.dumps(to_jsonable_python(kept)),
        "totals": answer.totals.tolist(),
        "deviation": proposal.deviation.tolist(),
        "least_deviation": proposal.least_deviation.tolist(),
        "least_moved": proposal.least_moved.tolist(),
        "mean_km": answer.overall_km,
        "cost": proposal.cost,
        "bound": proposal.bound,
        "gap": proposal.gap,
        "aligned_accounts": answer.aligned,
        "moved_accounts": answer.moved,
        "moved_share": answer.moved_share,
        "why": json.dumps(to_jsonable_python(with_ids(proposal.why, ids))),
        "seed": proposal.seed,
        "solver_version": proposal.solver_version,
        "input_hash": proposal.input_hash,
        "live_sequence": command.live_sequence,
        "frontier": as_kept(answer.frontier),
        "sensitivity": sensitivity_told(
            answer.sensitivity, [one.territory_id for one in command.territories]
        ),
        "plane_latitude": answer.scored.latitude,
        "plane_longitude": answer.scored.longitude,
        "aligned_value": float(material.question.move_value[material.question.aligned].sum()),
    }


def _territories(command: KeepProposal) -> Iterator[dict[str, Any]]:
    answer, proposal = command.answer, command.answer.proposal
    before, after = command.material.question.incumbents, proposal.labels
    count = len(command.territories)
    accounts = np.bincount(after, minlength=count)
    gained = np.bincount(after[before != after], minlength=count)
    lost = np.bincount(before[(before >= 0) & (before != after)], minlength=count)
    question = command.material.question
    moved = question.moved(after)
    moved_accounts = np.bincount(after[moved], minlength=count)
    moved_value = np.bincount(after[moved], question.move_value[moved], count)
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
            "weight": float(answer.scored.weights[k]),
            "cost": float(answer.scored.costs[k]),
            "moved_accounts": int(moved_accounts[k]),
            "moved_value": float(moved_value[k]),
            "broken": bool(answer.scored.broken[k]),
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


async def _keep_kinds(uow: UnitOfWork, command: KeepProposal) -> None:
    permitted = command.material.question.permitted
    if permitted is None:
        return
    ids = [one.territory_id for one in command.territories]
    driver = await driver_of(uow.connection)
    await driver.copy_records_to_table(
        "design_proposal_kinds",
        columns=("run_id", "kind", "territory_ids"),
        records=[
            (command.run_id, kind, [ids[k] for k in np.flatnonzero(row)])
            for kind, row in enumerate(permitted)
            if kind != ANYWHERE
        ],
    )


async def _keep_units(uow: UnitOfWork, command: KeepProposal) -> None:
    driver = await driver_of(uow.connection)
    # A territory's units lie side by side: to score it is to read some pages instead of nearly all.
    order = np.argsort(command.answer.proposal.labels, kind="stable")
    kept_with = _groups(command.material.question)
    for start in range(0, len(order), _ROWS_AT_ONCE):
        await driver.copy_records_to_table(
            "design_proposal_units",
            columns=_UNIT_COLUMNS,
            records=_units(command, order[start : start + _ROWS_AT_ONCE], kept_with),
        )


def _groups(question: Question) -> Integers:
    """Return which group each account is kept together in, shape (n,), -1 for those that are with nobody."""
    if question.groups is None:
        return np.full(len(question.latitude), -1)
    groups = question.groups.astype(np.int64)
    return np.where(np.bincount(groups)[groups] > 1, groups, -1)


def _units(command: KeepProposal, chosen: Integers, kept_with: Integers) -> list[tuple[Any, ...]]:
    material, answer = command.material, command.answer
    question, touching = material.question, answer.neighbours
    ids = [one.territory_id for one in command.territories]
    names = {reason.value: reason.name.lower() for reason in Reason}
    kinds = np.full(len(chosen), ANYWHERE) if question.kinds is None else question.kinds[chosen]
    return [
        (
            command.run_id,
            unit,
            material.account_ids[unit],
            latitude,
            longitude,
            weight,
            road,
            measures,
            value,
            touching.targets[start:end].tolist(),
            material.before[unit],
            ids[label],
            names[reason],
            x,
            y,
            None if kind == ANYWHERE else kind,
            None if group < 0 else group,
        )
        for unit, latitude, longitude, weight, road, measures, value, start, end, label, reason, (
            x,
            y,
        ), kind, group in zip(
            chosen.tolist(),
            question.latitude[chosen].tolist(),
            question.longitude[chosen].tolist(),
            answer.weight[chosen].tolist(),
            repeat(None, len(chosen)) if question.road is None else question.road[chosen].tolist(),
            question.measures[chosen].tolist(),
            question.move_value[chosen].tolist(),
            touching.starts[chosen].tolist(),
            touching.starts[chosen + 1].tolist(),
            answer.proposal.labels[chosen].tolist(),
            answer.proposal.reasons[chosen].tolist(),
            answer.scored.xy[chosen].tolist(),
            kinds.tolist(),
            kept_with[chosen].tolist(),
            strict=True,
        )
    ]


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
