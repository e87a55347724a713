"""Some territories of a scaled problem, by themselves: their units, and the links between these."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.level import NOBODY
from services.assignment.design.engine.scaled import Scaled


def part_of(scaled: Scaled, band: Band, members: Integers, territories: Integers) -> Scaled:
    """Return the units `members` and these territories, in this order, with their part of the band; scales are kept."""
    place = np.full(scaled.territories + 1, NOBODY, np.int32)
    place[territories] = np.arange(len(territories))
    units = scaled.units.taken(members)
    return Scaled(
        units._replace(owner=place[units.owner]),
        scaled.target[territories],
        Band(band.low[territories], band.high[territories], band.give),
        scaled.oversize,
        scaled.movable[members],
        place[scaled.fixed[members]],
        np.ascontiguousarray(scaled.permitted[:, territories]),
        scaled.homes[territories],
        scaled.pull,
        scaled.move_value[members],
        scaled.hard,
    )


def taken_links(adjacency: Adjacency, members: Integers) -> Adjacency:
    """Return who of the members touches whom of them, by their places among them."""
    if len(members) == len(adjacency.starts) - 1:
        return adjacency
    return Adjacency(*_taken(adjacency.starts, adjacency.targets, members))


@compiled
def _taken(starts: Integers, targets: Labels, members: Integers) -> tuple[Integers, Labels]:
    place = np.full(len(starts) - 1, -1, np.int32)
    for a in range(len(members)):
        place[members[a]] = a
    begins = np.zeros(len(members) + 1, np.int64)
    for a in range(len(members)):
        count = 0
        for e in range(starts[members[a]], starts[members[a] + 1]):
            count += place[targets[e]] >= 0
        begins[a + 1] = begins[a] + count
    ends = np.empty(begins[-1], np.int32)
    at = 0
    for a in range(len(members)):
        for e in range(starts[members[a]], starts[members[a] + 1]):
            if place[targets[e]] >= 0:
                ends[at] = place[targets[e]]
                at += 1
    return begins, ends
