"""The territory tree of a plan, checked as a whole: known parents, no cycle, no name twice beside each other."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.assignment.territories.refusals import InvalidTree
from shared.contracts.identity import ORGANISATION, UNASSIGNED, tree_id_of

MAX_TERRITORIES = 5_000
# Who lies under whom is stored for every pair: a chain of n costs n * n / 2 rows.
MAX_DEPTH = 16


class TerritoryKind(StrEnum):
    """What decides who belongs to a territory."""

    GEOGRAPHIC = "geographic"
    NAMED_ACCOUNT = "named_account"
    OVERLAY = "overlay"


@dataclass(frozen=True, slots=True)
class Territory:
    """A named responsibility area within one plan."""

    territory_id: UUID
    parent_id: UUID | None
    name: str
    kind: TerritoryKind
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """Territories that form a tree, or several side by side."""

    territories: tuple[Territory, ...]

    @property
    def tree_id(self) -> UUID:
        """Return the id of its shape."""
        return tree_id_of((node.territory_id, node.parent_id) for node in self.territories)

    def closure(self) -> Iterator[tuple[UUID, UUID, int]]:
        """Walk (ancestor, territory, depth); every territory is its own ancestor at depth 0."""
        parents = {node.territory_id: node.parent_id for node in self.territories}
        for node in self.territories:
            ancestor: UUID | None = node.territory_id
            depth = 0
            while ancestor is not None:
                yield ancestor, node.territory_id, depth
                ancestor, depth = parents[ancestor], depth + 1

    def with_territory(self, territory: Territory) -> "Tree":
        """Return the tree with one territory added or replaced.

        Raises InvalidTree, which speaks of this territory alone: the caller may not know the others.
        """
        others = [node for node in self.territories if node.territory_id != territory.territory_id]
        nodes = (*others, territory)
        found = sorted(_misfits(nodes))
        own = [(field, detail) for index, field, detail in found if index == len(others)]
        if found and not own:
            # The tree was right before: only what lies under a territory can come to lie too deep with it.
            own = [("/parent_id", f"at most {MAX_DEPTH} levels, those under this territory included")]
        if len(nodes) > MAX_TERRITORIES:
            own = [("", f"a plan has at most {MAX_TERRITORIES} territories")]
        _refuse([{"pointer": field, "detail": detail} for field, detail in own])
        return Tree(nodes)

    def find(self, territory_id: UUID) -> Territory | None:
        """Return one territory, if the tree has it."""
        return next((node for node in self.territories if node.territory_id == territory_id), None)


def plant_tree(territories: Sequence[Territory]) -> Tree:
    """Check that these territories form a tree. Raises InvalidTree naming every place that does not fit."""
    errors = [
        {"pointer": f"/territories/{index}{field}", "detail": detail}
        for index, field, detail in sorted(_misfits(territories))
    ]
    if len(territories) > MAX_TERRITORIES:
        errors = [{"pointer": "/territories", "detail": f"at most {MAX_TERRITORIES} territories"}]
    _refuse(errors)
    return Tree(tuple(territories))


def _refuse(errors: Sequence[dict[str, str]]) -> None:
    if errors:
        raise InvalidTree(
            "; ".join(f"{error['pointer'] or 'body'}: {error['detail']}" for error in errors[:3]),
            errors=list(errors[:100]),
        )


def _misfits(territories: Sequence[Territory]) -> Iterator[tuple[int, str, str]]:
    ids = Counter(node.territory_id for node in territories)
    names = Counter((node.parent_id, node.name) for node in territories)
    depths = _depths(territories)
    for index, node in enumerate(territories):
        if ids[node.territory_id] > 1:
            yield index, "/territory_id", "this id stands here twice"
        if node.territory_id in {UNASSIGNED, ORGANISATION}:
            yield index, "/territory_id", "this id is reserved; choose another"
        if names[node.parent_id, node.name] > 1:
            yield index, "/name", "this name is taken under this parent; choose another"
        if node.parent_id is not None and node.parent_id not in ids:
            yield index, "/parent_id", "no territory of this plan has that id"
        elif node.territory_id not in depths:
            yield index, "/parent_id", "this territory would lie under itself"
        elif depths[node.territory_id] >= MAX_DEPTH:
            yield index, "/parent_id", f"at most {MAX_DEPTH} levels"


def _depths(territories: Iterable[Territory]) -> dict[UUID, int]:
    """Return the depth of everything that is reached from a root; what lies on a cycle is not."""
    children: dict[UUID | None, list[UUID]] = {}
    known = {node.territory_id for node in territories}
    for node in territories:
        # An unknown parent is a mistake of its own; its subtree hangs on nothing but is no cycle.
        parent = node.parent_id if node.parent_id in known else None
        children.setdefault(parent, []).append(node.territory_id)
    depths: dict[UUID, int] = {}
    level = list(children.get(None, []))
    depth = 0
    while level:
        fresh = [territory for territory in level if territory not in depths]
        depths.update(dict.fromkeys(fresh, depth))
        level = [child for territory in fresh for child in children.get(territory, [])]
        depth += 1
    return depths
