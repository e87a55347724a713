"""What a run is told beside balance: how many accounts a territory may have, barriers, roads, and who is kept together."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.inputs.question import Material
from services.assignment.design.inputs.roads import Roads
from services.assignment.design.runs.queries import (
    DesignRun,
    list_barriers,
    list_families,
    list_forbidden,
    list_road_regions,
)
from services.assignment.design.runs.run import Failure, RunTerritory

Forbidden = Mapping[UUID, Collection[UUID]]
"""The territories that may not have it, of each account that there are such of."""

# So many groups are named where something is wrong with them; the others are like them.
_NAMED = 3


async def read_families(read: AsyncConnection, run_id: UUID) -> dict[UUID, str]:
    """Return the family of each account that a run was told one of."""
    families = await list_families(read, run_id)
    return {account_id: family.name for family in families for account_id in family.account_ids}


async def read_forbidden(read: AsyncConnection, run_id: UUID) -> Forbidden:
    """Return what a run was told that territories may not have, by account."""
    barred = defaultdict[UUID, set[UUID]](set)
    for one in await list_forbidden(read, run_id):
        for account_id in one.account_ids:
            barred[account_id].add(one.territory_id)
    return barred


async def read_roads(read: AsyncConnection, run: DesignRun) -> Roads | None:
    """Return how much longer roads are than a run's ways as the crow flies; None if nothing was told of them."""
    asked = run.scenario
    if asked.road_factor == 1.0 and not asked.road_regions:
        return None
    return Roads(asked.road_factor, await list_road_regions(read, run.run_id))


async def with_limits(
    read: AsyncConnection, run_id: UUID, material: Material, territories: Sequence[RunTerritory]
) -> Material:
    """Return what a run is made of with the sizes of its territories and its barriers."""
    least = [one.size.least for one in territories]
    most = [one.size.most for one in territories]
    question = replace(
        material.question,
        least_accounts=_sizes(least, 0.0),
        most_accounts=_sizes(most, float(max(len(material.account_ids), 1))),
        barriers=tuple(np.array(line, dtype=np.float64) for line in await list_barriers(read, run_id)),
    )
    return replace(material, question=question)


async def with_roads(material: Material, roads: Roads | None) -> Material:
    """Return what a run is made of with the road factors of its accounts, of which `roads` have taken note."""
    if roads is None:
        return material
    asked = material.question
    # Without a transaction, which may not wait for so long: a thousand areas of a million accounts take half a minute.
    road = await asyncio.to_thread(roads.factors, asked.latitude, asked.longitude)
    return replace(material, question=replace(asked, road=road))


def what_cannot_be(
    material: Material, territories: Sequence[RunTerritory], forbidden: Forbidden
) -> tuple[Failure, str] | None:
    """Tell which limit no plan can hold, and what to change; None as far as none is known."""
    if torn := _why_torn(material, territories):
        return Failure.TORN_GROUP, f"keep_together: {torn}; lift pins, or keep fewer accounts together."
    if barred := _why_barred(material, territories, forbidden):
        return Failure.TORN_GROUP, f"forbidden: {barred}; allow one territory to all that are kept together."
    if impossible := _why_impossible(material, territories):
        return Failure.IMPOSSIBLE_SIZES, f"accounts: {impossible}; ask for other sizes."
    return None


def _why_impossible(material: Material, territories: Sequence[RunTerritory]) -> str | None:
    """Tell why no plan can have the sizes that are asked for, as far as numbers alone tell."""
    accounts = len(material.account_ids)
    least = material.question.least_accounts
    if least is not None and least.sum() > accounts:
        return f"territories want {least.sum():,.0f} together at least, and {accounts:,} take part"
    # Those without a limit take what the others do not.
    if territories and all(one.size.most is not None for one in territories):
        most = sum(one.size.most or 0 for one in territories)
        if most < accounts:
            return f"territories take {most:,} together at most, and {accounts:,} take part"
    return None


def _why_torn(material: Material, territories: Sequence[RunTerritory]) -> str:
    """Tell which accounts that are kept together are pinned apart; nothing if none are."""
    if material.groups is None:
        return ""
    torn = list(material.groups.torn(material.question.fixed, [one.name for one in territories]))
    return "; ".join(torn)


def _why_barred(material: Material, territories: Sequence[RunTerritory], forbidden: Forbidden) -> str:
    """Tell of accounts that are kept together and that no territory may have all of, unless pins decide it."""
    if material.groups is None or not forbidden:
        return ""
    pinned = set(material.groups.of[material.question.fixed >= 0].tolist())
    barred = defaultdict[int, set[UUID]](set)
    for account_id, group in zip(material.account_ids, material.groups.of.tolist(), strict=True):
        if account_id in forbidden and group not in pinned:
            barred[group].update(forbidden[account_id])
    nowhere = sorted(group for group, found in barred.items() if len(found) == len(territories))
    return "; ".join(
        f"each territory is forbidden to some of the accounts of {material.groups.names[group]}"
        for group in nowhere[:_NAMED]
    )


def _sizes(numbers: Sequence[int | None], unlimited: float) -> Floats | None:
    if all(one is None for one in numbers):
        return None
    return np.array([unlimited if one is None else float(one) for one in numbers], dtype=np.float64)
