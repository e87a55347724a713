"""What a plan is worth, what it could be worth at best, and why each unit is where it is."""

import hashlib

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.balancing import Free
from services.assignment.design.engine.bounding import bounded
from services.assignment.design.engine.contiguity import parts_of
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Effort, Problem, loads_of
from services.assignment.design.engine.proposal import SOLVER_VERSION, Binding, Proposal, Reason
from services.assignment.design.engine.reach import least_deviation
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.shortfalls import shortfalls

_IN_BAND = 1e-6
_MATTERS = 1e-3
_NOTHING = 1e-15
_AROUND = 16


def report(
    problem: Problem,
    scaled: Scaled,
    free: Free,
    plan: Plan,
    effort: Effort,
    prices: Floats,
    touching: Adjacency | None,
) -> Proposal:
    """Return the proposal of a finished plan; prices (K, A) are a guess at those at its centres.

    touching: who is beside whom, if that is known, also where territories may be in several parts.
    """
    labels, adjacency = plan.labels, problem.adjacency
    territories = problem.territories
    centres = _anchors(plan, free)
    off = ((problem.xy - centres[labels]) ** 2).sum(axis=1)
    weight = problem.weight
    cost = float((scaled.units.weight * off).sum())
    bound, prices, telling = bounded(scaled, free, plan, touching, centres, prices, off)
    extent = max(float((np.ptp(problem.xy, axis=0) ** 2).sum()), 1e-300)
    per_weight = weight.sum() / territories
    loads = loads_of(labels, problem.measures, territories)
    wanted = problem.targets / problem.targets.sum(axis=0) * problem.measures.sum(axis=0)
    off_target = np.where(wanted > 0, loads / np.where(wanted > 0, wanted, 1.0) - 1, 0.0)
    deviation = np.abs(off_target).max(axis=0)
    parts = np.minimum(plan.held, 1) if adjacency is None else parts_of(adjacency, labels, territories)
    moved = (scaled.units.owner >= 0) & (scaled.units.owner != labels)
    known = float(scaled.move_value[scaled.units.owner >= 0].sum())
    share = float(scaled.move_value[moved].sum() / known) if known > 0 else 0.0
    sizes = plan.loads[:, len(deviation) :]
    low, high = scaled.band.low[:, len(deviation) :], scaled.band.high[:, len(deviation) :]
    in_sizes = bool(((sizes >= low - _IN_BAND) & (sizes <= high + _IN_BAND)).all())
    in_band = in_sizes and bool(
        (deviation <= np.broadcast_to(problem.tolerance, deviation.shape) + _IN_BAND).all()
    )
    why = shortfalls(problem, scaled, plan, off_target, parts, share)
    return Proposal(
        labels=labels,
        centres=np.where(plan.held[:, None] > 0, centres, np.nan),
        loads=loads,
        deviation=deviation,
        mean_km=float((weight * np.sqrt(off)).sum() / max(weight.sum(), 1e-300)),
        cost=cost * per_weight,
        bound=max(bound, 0.0) * per_weight,
        gap=_gap(cost / extent, bound / extent) if in_band else None,
        parts=parts,
        moved=share,
        moved_units=int(moved.sum()),
        least_moved=_least_moved(scaled),
        binding=_binding(prices, scaled, cost),
        reasons=_reasons(problem, scaled, labels, centres, telling),
        feasible=not why,
        least_deviation=least_deviation(problem, scaled) if why else np.zeros(len(deviation)),
        why=why,
        seed=effort.seed,
        solver_version=SOLVER_VERSION,
        input_hash=input_hash(problem, effort),
    )


def input_hash(problem: Problem, effort: Effort) -> str:
    """Return the SHA-256, in hex, of everything that an answer depends on."""
    digest = hashlib.sha256(SOLVER_VERSION.encode())
    for asked in (problem, effort):
        for name in asked.__dataclass_fields__:
            value = getattr(asked, name)
            digest.update(name.encode())
            for one in (value.starts, value.targets) if isinstance(value, Adjacency) else (value,):
                # Equal numbers of whatever type are equal; -0.0 is 0.0.
                array = np.asarray(one if one is not None else [], np.float64) + 0.0
                digest.update(f"{one is None}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _gap(cost: float, bound: float) -> float | None:
    if cost <= _NOTHING:
        return 0.0
    return cost / bound - 1 if bound > 0.0 else None


def _anchors(plan: Plan, free: Free) -> Floats:
    masses = np.column_stack([plan.weight, plan.sums])
    middle = np.broadcast_to(plan.sums.sum(axis=0) / plan.weight.sum(), plan.sums.shape)
    return free.anchors.without_held().of(masses, middle)


def _least_moved(scaled: Scaled) -> Floats:
    """Return the share of each measure that has to move at least: what today's territories have too much, or too little."""
    owner, measures = scaled.units.owner, scaled.units.measures[:, : scaled.target.shape[1]]
    known = owner >= 0
    if not known.any():
        return np.zeros(measures.shape[1])
    loads = loads_of(owner[known], measures[known], scaled.territories)
    band = scaled.band
    over = np.maximum(loads - band.high[:, : loads.shape[1]], 0.0).sum(axis=0)
    under = np.maximum(band.low[:, : loads.shape[1]] - loads, 0.0).sum(axis=0) - measures[~known].sum(axis=0)
    return np.asarray(np.maximum(np.maximum(over, under), 0.0) / np.maximum(measures.sum(axis=0), 1e-300))


def _binding(prices: Floats, scaled: Scaled, cost: float) -> tuple[Binding, ...]:
    columns = scaled.target.shape[1]
    share = np.abs(prices[:, :columns]) * scaled.target / max(cost, 1e-300)
    found = [
        Binding(
            territory=int(j),
            measure=int(a),
            side="high" if prices[j, a] > 0 else "low",
            price=float(share[j, a]),
        )
        for j, a in zip(*np.nonzero(share > _MATTERS), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.price, one.territory, one.measure)))


def _reasons(problem: Problem, scaled: Scaled, labels: Labels, centres: Floats, prices: Floats) -> Labels:
    """Return why each unit is where it is, shape (n,)."""
    units = scaled.units
    own = ((units.xy - centres[labels]) ** 2).sum(axis=1)
    nearest = np.full(len(labels), np.inf)
    cheapest = np.full(len(labels), np.inf)
    pays = np.full(len(labels), np.inf)
    for kind in np.unique(units.kinds):
        may = np.flatnonzero(scaled.permitted[kind])
        tree = cKDTree(centres[may])
        mine = np.flatnonzero(units.kinds == kind)
        nearest[mine] = tree.query(units.xy[mine])[0] ** 2
        mine = mine[own[mine] > nearest[mine] * (1 + 1e-9)]
        some = min(_AROUND, len(may))
        distance, near = tree.query(units.xy[mine], k=some)
        distance, near = distance.reshape(-1, some), may[near.reshape(-1, some)]
        ratio = units.measures[mine] / units.weight[mine, None]
        cheapest[mine] = (distance**2 + np.einsum("nta,na->nt", prices[near], ratio)).min(axis=1)
        pays[mine] = own[mine] + (prices[labels[mine]] * ratio).sum(axis=1)
    out = np.full(len(labels), Reason.WHOLE, np.int32)
    out[pays <= cheapest + 1e-6 * np.abs(own)] = Reason.BALANCE
    if problem.stay > 0 or problem.most_moved < 1:
        out[units.owner == labels] = Reason.STAYS
    out[own <= nearest * (1 + 1e-9)] = Reason.NEAREST
    out[~scaled.movable] = Reason.FIXED
    return out
