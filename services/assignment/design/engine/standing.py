"""A plan that stands, as territories see it: what each holds, where its middle is, how far its travel reaches, whom it touches."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.scaled import Scaled


@dataclass(frozen=True, slots=True)
class Standing:
    """K territories of a plan; units in no territory count nowhere.

    loads (K, A), scaled; amount (K,), the mean of them; middles (K, 2); scale (K,), squared km, the travel of its mean
    weight; touching (K, K), how many links there are between two; dearer (K, K), squared km: how much further from the
    second's middle than from their own those units of the first are that touch the second.
    """

    loads: Floats
    amount: Floats
    middles: Floats
    scale: Floats
    touching: Integers
    dearer: Floats


def standing(scaled: Scaled, adjacency: Adjacency, labels: Labels) -> Standing:
    """Add up a plan, labels (n,), -1 for no territory."""
    units, territories = scaled.units, scaled.territories
    # Nobody's units are added up behind the others and let fall.
    where = np.where(labels >= 0, labels, territories)

    def added(values: Floats) -> Floats:
        return np.asarray(np.bincount(where, values, territories + 1)[:territories], np.float64)

    weight = np.maximum(added(units.weight), 1e-300)
    middles = np.column_stack([added(units.weight * units.xy[:, axis]) for axis in (0, 1)]) / weight[:, None]
    square = np.einsum("ij,ij->i", units.xy, units.xy)
    scale = added(units.weight * square) / weight - (middles**2).sum(axis=1)
    loads = np.column_stack([added(column) for column in units.measures.T])
    touching, dearer = _borders(
        adjacency.starts, adjacency.targets, where.astype(np.int32), territories, units.xy, middles
    )
    return Standing(
        loads,
        loads[:, : len(scaled.hard)].mean(axis=1),
        middles,
        np.maximum(scale, 1e-12),
        touching,
        dearer / np.maximum(touching, 1),
    )


@compiled
def _borders(
    starts: Integers, targets: Labels, labels: Labels, territories: int, xy: Floats, middles: Floats
) -> tuple[Integers, Floats]:
    links = np.zeros((territories, territories), np.int64)
    dearer = np.zeros((territories, territories))
    for i in range(len(labels)):
        j = labels[i]
        if j == territories:
            continue
        for e in range(starts[i], starts[i + 1]):
            k = labels[targets[e]]
            if k != j and k < territories:
                links[j, k] += 1
                dearer[j, k] += (xy[i, 0] - middles[k, 0]) ** 2 + (xy[i, 1] - middles[k, 1]) ** 2
                dearer[j, k] -= (xy[i, 0] - middles[j, 0]) ** 2 + (xy[i, 1] - middles[j, 1]) ** 2
    return links, dearer


def beside(adjacency: Adjacency, units: Flags, labels: Labels) -> Integers:
    """Return the territories that touch some of these units (n,), in order."""
    touched = _around(adjacency.starts, adjacency.targets, units)
    found = np.unique(labels[touched])
    return found[found >= 0].astype(np.int64)


@compiled
def _around(starts: Integers, targets: Labels, units: Flags) -> Flags:
    out = np.zeros(len(units), np.bool_)
    for i in range(len(units)):
        if units[i]:
            for e in range(starts[i], starts[i + 1]):
                out[targets[e]] = True
    return out
