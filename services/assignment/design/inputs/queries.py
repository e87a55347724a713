"""Reading what a run is made of, as one picture: accounts page by page into arrays, and what territories can carry."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.fit.queries import offered_by
from services.assignment.alignments.queries import load_matcher, read_units
from services.assignment.alignments.realignment import Unit
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.inputs.permission import ANYWHERE, Kinds
from services.assignment.design.inputs.question import Material, Question
from services.assignment.design.inputs.roads import Roads
from services.assignment.design.inputs.sorting import Taking
from services.assignment.design.inputs.together import Together
from services.assignment.design.runs.run import (
    BalancedMeasure,
    Counted,
    DesignMeasure,
    Mode,
    RunTerritory,
    Scenario,
)
from services.assignment.pins.queries import load_held
from services.assignment.reps.coverages.queries import list_covering
from services.assignment.rules.condition import SEPARATOR
from services.assignment.rules.matcher import ACCOUNT_ID, Matcher
from services.assignment.territories.queries import load_tree
from services.assignment.territories.tree import TerritoryKind

# Decoding more rows at once would hold the event loop.
_ROWS_AT_ONCE = 5_000
_NOWHERE = (np.nan, np.nan)


@dataclass(slots=True)
class _Columns:
    """Accounts as they are read: arrays page by page, because turning all of them at once would hold the event loop."""

    account_ids: list[UUID] = field(default_factory=list)
    before: list[UUID | None] = field(default_factory=list)
    numbers: list[Floats] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    together: Together | None = None
    roads: Roads | None = None

    def add(self, rows: Sequence[Any], taking: Taking, kinds: Kinds | None, measures: int) -> None:
        """Add the accounts of a page that take part."""
        taken = []
        for row in rows:
            place = taking.take(row.account_id, row.territory_id, located=row.latitude is not None)
            if place is not None:
                taken.append((row, place))
            if self.together is not None:
                (self.together.miss if place is None else self.together.take)(row)
        if not taken:
            return
        if self.roads is not None:
            self.roads.take(row for row, _ in taken)
        self.account_ids += [row.account_id for row, _ in taken]
        self.before += [row.territory_id for row, _ in taken]
        self.numbers.append(
            np.array(
                [(row.latitude, row.longitude, row.counted, *row[-measures:]) for row, _ in taken],
                dtype=np.float64,
            )
        )
        self.labels.append(
            np.array(
                [(place.incumbent, place.fixed, _kind(row, kinds)) for row, place in taken], dtype=np.int32
            )
        )


async def read_material(
    read: AsyncConnection,
    plan_id: UUID,
    scenario: Scenario,
    territories: Sequence[RunTerritory],
    *,
    at: datetime,
    families: Mapping[UUID, str] | None = None,
    forbidden: Mapping[UUID, Collection[UUID]] | None = None,
    roads: Roads | None = None,
) -> Material:
    """Return the accounts that a scenario is about; the caller's connection reads one snapshot.

    `families` names that of accounts that have one: those of one family are kept together. `forbidden` tells which
    territories may not have it, of accounts. `roads` take note of them all.
    """
    taking = await _taking(read, plan_id, scenario, territories, at=at)
    kinds = await _kinds(read, scenario, territories, forbidden or {}, at=at)
    apart = not (scenario.keep_together or families)
    together = None if apart else Together(scenario.keep_together, families or {})
    columns = _Columns(together=together, roads=roads)
    statement, binds = _statement(scenario)
    result = await read.stream(statement, binds)
    async for rows in result.partitions(_ROWS_AT_ONCE):
        columns.add(rows, taking, kinds, len(scenario.measures))
    # Of a million accounts that takes seconds.
    groups = None if together is None else await asyncio.to_thread(together.groups)
    question = _question(columns, scenario, territories, kinds)
    return Material(
        question=replace(question, groups=None if groups is None else groups.of),
        account_ids=columns.account_ids,
        before=columns.before,
        left_out=taking.left_out,
        elsewhere=taking.elsewhere,
        unmet=[] if kinds is None else kinds.unmet(),
        groups=groups,
    )


async def _taking(
    read: AsyncConnection,
    plan_id: UUID,
    scenario: Scenario,
    territories: Sequence[RunTerritory],
    *,
    at: datetime,
) -> Taking:
    tree = await load_tree(read, plan_id)
    apart = frozenset(
        node.territory_id for node in tree.territories if node.kind is not TerritoryKind.GEOGRAPHIC
    )
    return Taking(
        numbers={one.territory_id: one.number for one in territories},
        held=await load_held(read, plan_id, at=at),
        whole=scenario.whole,
        with_gaps=scenario.with_gaps,
        apart=apart,
        kept=await _kept(read, plan_id, apart, at=at),
    )


async def _kept(read: AsyncConnection, plan_id: UUID, apart: AbstractSet[UUID], *, at: datetime) -> set[UUID]:
    """Return the accounts that the draft sends to some territories, whatever is live."""
    kept = set[UUID]()
    if apart:
        matcher = await load_matcher(read, plan_id, at=at)
        async for units in read_units(read, plan_id):
            kept |= await asyncio.to_thread(_sent_to, apart, matcher, units)
    return kept


def _sent_to(territories: AbstractSet[UUID], matcher: Matcher, units: Iterable[Unit]) -> set[UUID]:
    return {unit[ACCOUNT_ID] for unit in units if matcher.match(unit).territory_id in territories}


async def _kinds(
    read: AsyncConnection,
    scenario: Scenario,
    territories: Sequence[RunTerritory],
    forbidden: Mapping[UUID, Collection[UUID]],
    *,
    at: datetime,
) -> Kinds | None:
    if not scenario.required and not forbidden:
        return None
    ids = [one.territory_id for one in territories]
    covering = await list_covering(read, ids, at=at) if scenario.required else {}
    offered = {territory: [offered_by(rep) for rep in reps] for territory, reps in covering.items()}
    return Kinds.of(scenario.required, ids, offered, forbidden)


def _statement(scenario: Scenario) -> tuple[TextClause, dict[str, Any]]:
    """Return the query of all accounts with a column `m<i>` per measure and `counted`, and its parameters."""
    columns: list[str] = []
    joins: list[str] = []
    binds: dict[str, Any] = {}
    for number, one in enumerate(scenario.measures):
        column, join, bound = _column(one, number)
        columns.append(f"{column} AS m{number}")
        joins.append(join)
        binds |= bound
    counted = "1"
    if scenario.disruption.counted is Counted.REVENUE:
        counted, join, bound = _amount("counted", DesignMeasure.REVENUE, scenario.disruption.currency)
        joins.append(join)
        binds |= bound
    return text(f"""
SELECT unit.account_id, profile.latitude, profile.longitude, alignment.territory_id,
       unit.postal_code, unit.county, unit.state, unit.language, unit.industry, unit.need, {counted} AS counted, {", ".join(columns)}
FROM account_units AS unit JOIN account_profiles AS profile USING (account_id)
LEFT JOIN open_alignments AS alignment USING (account_id)
{" ".join(joins)}
ORDER BY unit.account_id
"""), binds


def _column(one: BalancedMeasure, number: int) -> tuple[str, str, dict[str, Any]]:
    name = f"of_{number}"
    match one.measure:
        case DesignMeasure.ACCOUNTS:
            return "1", "", {}
        case DesignMeasure.EMPLOYEES:
            return "coalesce(unit.employees, 0)", "", {}
        case DesignMeasure.POTENTIAL:
            join = (
                "LEFT JOIN (SELECT account_id, amount FROM account_worths "
                f"WHERE estimate_id = :{name}_estimate) AS {name} USING (account_id)"
            )
            return (
                f"coalesce(CAST({name}.amount AS float8), 0)",
                join,
                {f"{name}_estimate": one.potential_estimate_id},
            )
        case DesignMeasure.REVENUE | DesignMeasure.PIPELINE:
            return _amount(name, one.measure, one.currency)


def _amount(name: str, measure: DesignMeasure, currency: str | None) -> tuple[str, str, dict[str, Any]]:
    join = (
        "LEFT JOIN (SELECT account_id, amount FROM account_amounts "
        f"WHERE measure = :{name}_measure AND currency = :{name}_currency) AS {name} USING (account_id)"
    )
    binds = {f"{name}_measure": measure.value, f"{name}_currency": currency}
    return f"coalesce(CAST({name}.amount AS float8), 0)", join, binds


def _kind(row: Any, kinds: Kinds | None) -> int:
    if kinds is None:
        return ANYWHERE
    needs = () if row.need is None else tuple(row.need.split(SEPARATOR))
    return kinds.number(row.account_id, row.language, row.industry, needs)


def _question(
    columns: _Columns, scenario: Scenario, territories: Sequence[RunTerritory], kinds: Kinds | None
) -> Question:
    none = (np.empty((0, 3 + len(scenario.measures))), np.empty((0, 3), np.int32))
    numbers = np.concatenate([*columns.numbers, none[0]])
    labels = np.concatenate([*columns.labels, none[1]])
    fixed = labels[:, 1].copy()
    return Question(
        latitude=numbers[:, 0].copy(),
        longitude=numbers[:, 1].copy(),
        move_value=numbers[:, 2].copy(),
        measures=numbers[:, 3:].copy(),
        incumbents=labels[:, 0].copy(),
        uprooted=np.array([one is not None for one in columns.before], dtype=np.bool_) & (labels[:, 0] < 0),
        fixed=fixed,
        # Where an account is pinned is decided, whoever covers there.
        kinds=None if kinds is None else np.where(fixed >= 0, np.int32(ANYWHERE), labels[:, 2]),
        permitted=None if kinds is None else kinds.permitted(),
        capacities=np.array([one.capacity for one in territories], dtype=np.float64),
        homes=np.array([one.home or _NOWHERE for one in territories], dtype=np.float64),
        tolerance=np.array([one.tolerance for one in scenario.measures], dtype=np.float64),
        soft=np.array([one.soft for one in scenario.measures], dtype=np.bool_),
        pull=scenario.pull,
        stay=scenario.disruption.stay,
        most_moved=scenario.disruption.most_moved,
        contiguous=scenario.contiguous,
        starts=scenario.starts,
        seed=scenario.seed,
        around=scenario.mode is Mode.WHAT_IF,
    )
