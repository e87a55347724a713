"""Who touches whom."""

from dataclasses import dataclass

from services.assignment.design.engine.arrays import Integers, Labels


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Which units touch: of unit i they are targets[starts[i]:starts[i + 1]]. Each pair is there both ways."""

    starts: Integers
    targets: Labels
