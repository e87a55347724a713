"""A territory tree as lines: each territory with its ancestors, from near to far. Pure."""

from collections.abc import Mapping
from uuid import UUID

from shared.contracts.identity import ORGANISATION


def lines_of(parents: Mapping[UUID, UUID | None]) -> dict[UUID, list[UUID]]:
    """Return for each territory itself, its ancestors and the organisation.

    A parent that the tree does not name ends the line. A cycle, which no published tree has, ends it too:
    a wrong tree must not stop the reading of all that follow.
    """
    return {territory: [*_walk(territory, parents), ORGANISATION] for territory in parents}


def _walk(territory: UUID, parents: Mapping[UUID, UUID | None]) -> list[UUID]:
    line = [territory]
    parent = parents.get(territory)
    while parent is not None and parent in parents and parent not in line:
        line.append(parent)
        parent = parents[parent]
    return line
