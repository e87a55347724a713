"""What edits of a proposal by hand are scored from, as the engine leaves it: in the engine's own process. Pure."""

import numpy as np

from services.assignment.design.answer import Scored
from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.contiguity import broken_territories
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Proposal


def scored_at_first(problem: Problem, visits: Floats, plane: Plane, proposal: Proposal) -> Scored:
    """Return the sums that the proposal's figures are made of, territory by territory.

    visits (n,): how often one travels to each unit, by which lengths are averaged; the problem's weights are of squared roads.
    """
    labels, count = proposal.labels, problem.territories
    off = ((problem.xy - proposal.centres[labels]) ** 2).sum(axis=1)
    movable = np.full(problem.units, True) if problem.fixed is None else problem.fixed < 0
    return Scored(
        xy=problem.xy,
        latitude=plane.latitude,
        longitude=plane.longitude,
        weights=np.bincount(labels, visits, count).astype(np.float64),
        costs=np.bincount(labels, problem.weight * off, count).astype(np.float64),
        broken=np.zeros(count, np.bool_)
        if problem.adjacency is None
        else broken_territories(problem.adjacency, labels, problem.weight, movable, count),
    )
