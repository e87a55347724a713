"""What the engine's process answers. Pure."""

from dataclasses import dataclass

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.reachable import Frontier


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A proposal under the names of the question's territories, and what else is known of its n units and K territories.

    weight (n,): how often one travels there. neighbours: who touches whom. latitude, longitude (K,): the middles of
    territories; mean_km (K,): weighted mean distance to them, nan without units. targets (K, A): what each territory
    should hold, in the measures' own units. `moved` counts accounts that belong to a territory today and
    go to another, of `aligned` that belong to one; `moved_share` is of what the scenario counts. frontier: what is within reach
    where a tolerance is missed, None where none is or no time was left.
    """

    proposal: Proposal
    weight: Floats
    neighbours: Adjacency
    latitude: Floats
    longitude: Floats
    mean_km: Floats
    targets: Floats
    totals: Floats
    moved: int
    aligned: int
    moved_share: float
    frontier: Frontier | None
