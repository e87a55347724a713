"""The shape of a territory tree as its closure. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID


class BrokenTree(ValueError):
    """The parents do not form a forest."""


@dataclass(frozen=True, slots=True)
class Below:
    """A territory lies `depth` steps below an ancestor; every territory lies 0 below itself."""

    ancestor_id: UUID
    territory_id: UUID
    depth: int


def closure_of(parents: Iterable[tuple[UUID, UUID | None]]) -> list[Below]:
    """Return every pair of ancestor and territory. Raises BrokenTree on cycles, orphans and repeats."""
    pairs = list(parents)
    parent_of = dict(pairs)
    if len(parent_of) != len(pairs):
        raise BrokenTree("a territory is listed twice")
    return [below for territory in parent_of for below in _path(territory, parent_of)]


def _path(territory: UUID, parent_of: dict[UUID, UUID | None]) -> Iterator[Below]:
    ancestor: UUID | None = territory
    depth = 0
    while ancestor is not None:
        if ancestor not in parent_of:
            raise BrokenTree(f"parent {ancestor} is not in the tree")
        if depth == len(parent_of):
            raise BrokenTree(f"{territory} is below itself")
        yield Below(ancestor, territory, depth)
        ancestor, depth = parent_of[ancestor], depth + 1
