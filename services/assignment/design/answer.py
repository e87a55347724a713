"""What the engine's process answers. Pure."""

from dataclasses import dataclass

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.reachable import Frontier
from services.assignment.design.sensitivity import Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What scores of edits begin with, for n units in K territories.

    xy (n, 2): places in km in the plane that touches the earth at latitude, longitude (degrees). weights (K,), costs
    (K,): weight, and weighted squared km of road to the middle. broken (K,): in parts that nothing pinned keeps apart; False
    where territories need not be in one piece.
    """

    xy: Floats
    latitude: float
    longitude: float
    weights: Floats
    costs: Floats
    broken: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A proposal under the names of the question's territories, and what else is known of its n units and K territories.

    weight (n,): how often one travels there. neighbours: who touches whom. latitude, longitude (K,): the middles of
    territories; mean_km (K,): mean length to them, nan without units; overall_km: of all units. targets (K, A): what each territory
    should hold, in the measures' own units. `moved` counts accounts that belong to a territory today and
    go to another, of `aligned` that belong to one; `moved_share` is of what the scenario counts. `unmet_groups`: how many
    groups of accounts that are kept together nobody may hold whole, for what they wish: they may go anywhere. frontier:
    what is within reach where a tolerance is missed, None where none is or no time was left. sensitivity: None when there
    was no time for it. scored: what edits by hand are scored from.
    """

    proposal: Proposal
    weight: Floats
    neighbours: Adjacency
    latitude: Floats
    longitude: Floats
    mean_km: Floats
    overall_km: float
    targets: Floats
    totals: Floats
    moved: int
    aligned: int
    moved_share: float
    scored: Scored
    frontier: Frontier | None
    sensitivity: Sensitivity | None
    unmet_groups: int = 0
