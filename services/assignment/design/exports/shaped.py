"""Which territory each real shape goes to: the one with most of the accounts that lie in it by their postal code or county."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.exports.design_map import Shapes, When
from services.assignment.design.exports.refusals import AccountsWithoutShape
from services.assignment.shapes.queries import find_shape_set, list_known_keys, read_geometries
from services.assignment.shapes.shape import ShapeLevel

_MOST_NAMED = 100
# Decoding more rows at once would hold the event loop.
_ROWS_AT_ONCE = 5_000

# The names are a list of our own. Accounts that are gone have a key no more.
_VOTES = {
    (level, when): text(f"""
SELECT account.{level} AS key, coalesce(t.number, -1) AS number, count(*) AS accounts
FROM design_proposal_units AS u
LEFT JOIN account_units AS account USING (account_id)
LEFT JOIN design_run_territories AS t ON t.run_id = u.run_id AND t.territory_id = u.territory_{when}
WHERE u.run_id = :run_id GROUP BY 1, 2 ORDER BY 1, 2
""")
    for level in ShapeLevel
    for when in When
}

Votes = Mapping[str | None, Mapping[int, int]]
"""How many accounts of each territory's number, -1 for none, have a key; None: they have none."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """Whose territories are made of which shapes."""

    when: When
    level: ShapeLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapePlaces:
    """The number of the territory that each shape goes to, -1 for none, and how many accounts are another's than theirs."""

    level: ShapeLevel
    shape_set_id: UUID
    numbers: Mapping[str, int]
    of_others: int

    @property
    def digest(self) -> str:
        """Return what is another whenever a map of these is."""
        told = f"{self.shape_set_id} {self.of_others} {list(self.numbers.items())}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]


async def place_shapes(read: AsyncConnection, run_id: UUID, made_of: MadeOf) -> ShapePlaces:
    """Return where shapes go. Raises NotFound for a level without, AccountsWithoutShape."""
    level = made_of.level
    shape_set = await find_shape_set(read, level, field="shapes")
    votes = await _votes(read, run_id, made_of.when, level)
    known = await list_known_keys(read, level, [key for key in votes if key is not None])
    _check_all_known(votes, known, level)
    numbers = {key: most_voted(counts) for key, counts in votes.items() if key is not None}
    return ShapePlaces(
        level=level,
        shape_set_id=shape_set.shape_set_id,
        numbers=numbers,
        of_others=sum(
            accounts
            for key, counts in votes.items()
            for number, accounts in counts.items()
            if key is not None and number not in {-1, numbers[key]}
        ),
    )


async def read_shapes(read: AsyncConnection, places: ShapePlaces) -> Shapes:
    """Return the shapes that were placed, in the snapshot that they were placed in."""
    geometries = await read_geometries(read, places.level, list(places.numbers))
    return Shapes(
        geometries=tuple(geometries.values()),
        labels=tuple(places.numbers[key] for key in geometries),
        accounts_of_others=places.of_others,
    )


def most_voted(counts: Mapping[int, int]) -> int:
    """Return the number with most accounts; among equals a territory comes before none, and the lowest number first."""
    return min(counts, key=lambda number: (-counts[number], number < 0, number))


async def _votes(read: AsyncConnection, run_id: UUID, when: When, level: ShapeLevel) -> Votes:
    votes = defaultdict[str | None, Counter[int]](Counter)
    result = await read.stream(_VOTES[level, when], {"run_id": run_id})
    async for rows in result.partitions(_ROWS_AT_ONCE):
        for row in rows:
            votes[row.key][row.number] += row.accounts
    return votes


def _check_all_known(votes: Votes, known: Collection[str], level: ShapeLevel) -> None:
    without = {key: sum(counts.values()) for key, counts in votes.items() if key is None or key not in known}
    if not without:
        return
    name = level.value.replace("_", " ")
    raise AccountsWithoutShape(
        f"shapes: {sum(without.values()):,} accounts of the run have no shape by {name}; put the missing shapes, or leave "
        "`shapes` out.",
        errors=[
            {
                "pointer": "shapes",
                "detail": f"{accounts:,} accounts have no {name}"
                if key is None
                else f"{name} {key}: no shape for {accounts:,} accounts",
            }
            for key, accounts in list(without.items())[:_MOST_NAMED]
        ],
    )
