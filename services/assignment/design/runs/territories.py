"""Which territories a run designs, what each can carry, and where its rep lives."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import locate_postal_codes
from services.assignment.design.runs.refusals import InvalidScenario
from services.assignment.design.runs.run import ANY_SIZE, CapacitySource, RunTerritory, Size
from services.assignment.reps.coverages.queries import list_capacities, list_home_codes
from services.assignment.territories.tree import Territory, TerritoryKind, Tree

Home = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller says of territories; it counts before what is known of those who cover them."""

    capacities: Mapping[UUID, float]
    homes: Mapping[UUID, Home]
    equal: bool
    size: Size = ANY_SIZE
    sizes: Mapping[UUID, Size] = field(default_factory=dict)


def geographic_leaves(tree: Tree) -> dict[UUID, Territory]:
    """Return the territories of a tree that are drawn on a map, by id."""
    inner = {node.parent_id for node in tree.territories}
    return {
        node.territory_id: node
        for node in tree.territories
        if node.territory_id not in inner and node.kind is TerritoryKind.GEOGRAPHIC
    }


def choose_territories(tree: Tree, wanted: Collection[UUID] | None) -> list[Territory]:
    """Return the geographic leaves of a tree, or those that are wanted, by id. Raises InvalidScenario."""
    leaves = geographic_leaves(tree)
    if wanted is None:
        wanted = leaves.keys()
    errors = [
        {"pointer": "/territory_ids", "detail": f"{one}: {_why_not(tree, one)}"}
        for one in sorted(set(wanted) - leaves.keys())
    ]
    if not wanted:
        errors = [
            {"pointer": "/territory_ids", "detail": "the draft has no geographic leaf; give it territories"}
        ]
    _refuse(errors)
    return [leaves[one] for one in sorted(wanted)]


async def describe_territories(
    read: AsyncConnection, chosen: Sequence[Territory], told: Told, *, at: datetime
) -> list[RunTerritory]:
    """Return territories as a run takes them, numbered in order. Raises InvalidScenario."""
    ids = [node.territory_id for node in chosen]
    _refuse(list(_strangers(told, set(ids))))
    covered: Mapping[UUID, Decimal] = {} if told.equal else await list_capacities(read, ids, at=at)
    homes = {**await _homes(read, ids, at=at), **told.homes}
    return [
        RunTerritory(
            number,
            node.territory_id,
            node.name,
            *_capacity(node.territory_id, told, covered),
            homes.get(node.territory_id),
            told.sizes.get(node.territory_id, told.size),
        )
        for number, node in enumerate(chosen)
    ]


async def _homes(read: AsyncConnection, ids: Sequence[UUID], *, at: datetime) -> dict[UUID, Home]:
    codes = await list_home_codes(read, ids, at=at)
    places = await locate_postal_codes(read, set(codes.values()))
    return {territory: places[code] for territory, code in codes.items() if code in places}


def _capacity(
    territory_id: UUID, told: Told, covered: Mapping[UUID, Decimal]
) -> tuple[float, CapacitySource]:
    if territory_id in told.capacities:
        return told.capacities[territory_id], CapacitySource.TOLD
    if told.equal:
        return 1.0, CapacitySource.EQUAL
    if territory_id in covered:
        return float(covered[territory_id]), CapacitySource.COVERAGE
    # Whoever comes is expected to come full-time.
    return 1.0, CapacitySource.VACANT


def _strangers(told: Told, chosen: Collection[UUID]) -> Iterator[dict[str, str]]:
    for name, ids in (
        ("capacities", told.capacities),
        ("homes", told.homes),
        ("accounts/territories", told.sizes),
    ):
        for one in sorted(set(ids) - set(chosen)):
            yield {"pointer": f"/{name}", "detail": f"{one}: this run does not design that territory"}


def _why_not(tree: Tree, territory_id: UUID) -> str:
    node = tree.find(territory_id)
    if node is None:
        return "the plan has no such territory"
    if node.kind is not TerritoryKind.GEOGRAPHIC:
        return f"a {node.kind.value} territory is not drawn on a map; name geographic ones"
    return "other territories lie below it; name those"


def _refuse(errors: Sequence[dict[str, str]]) -> None:
    if errors:
        raise InvalidScenario(
            "; ".join(f"{error['pointer'][1:]}: {error['detail']}" for error in errors[:3]) + ".",
            errors=list(errors[:100]),
        )
