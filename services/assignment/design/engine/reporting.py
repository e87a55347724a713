"""What a plan is worth, what it could be worth at best, and why each unit is where it is."""

import hashlib

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.balancing import Free
from services.assignment.design.engine.contiguity import Adjacency, parts_of
from services.assignment.design.engine.dual import Dual
from services.assignment.design.engine.level import Level, make_level
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Effort, Problem, loads_of
from services.assignment.design.engine.proposal import SOLVER_VERSION, Binding, Proposal, Reason
from services.assignment.design.engine.scaled import Scaled

_TEMPERATURES = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
_HOTTER = (2.0, 1.0, 0.5, 0.25)
_IN_BAND = 1e-6
_MATTERS = 1e-3


def report(
    problem: Problem,
    scaled: Scaled,
    free: Free,
    plan: Plan,
    adjacency: Adjacency | None,
    effort: Effort,
    prices: Floats,
) -> Proposal:
    """Return the proposal of a finished plan; prices (K, A) are a guess at those at its centres."""
    labels = plan.labels
    territories = problem.territories
    centres = _anchors(plan, free)
    off = ((problem.xy - centres[labels]) ** 2).sum(axis=1)
    weight = problem.weight
    cost = float((scaled.units.weight * off).sum())
    bound, prices = _bound(free, centres, prices, off, scaled)
    per_weight = weight.sum() / territories
    loads = loads_of(labels, problem.measures, territories)
    wanted = problem.targets / problem.targets.sum(axis=0) * problem.measures.sum(axis=0)
    deviation = np.abs(loads / np.where(wanted > 0, wanted, 1.0) - 1).max(axis=0)
    parts = np.minimum(plan.count, 1) if adjacency is None else parts_of(adjacency, labels, territories)
    moved = (scaled.units.owner >= 0) & (scaled.units.owner != labels)
    known = float(scaled.move_value[scaled.units.owner >= 0].sum())
    why = _why(problem, scaled, plan, deviation, parts)
    return Proposal(
        labels=labels,
        centres=centres,
        loads=loads,
        deviation=deviation,
        mean_km=float((weight * np.sqrt(off)).sum() / max(weight.sum(), 1e-300)),
        cost=cost * per_weight,
        bound=bound * per_weight,
        gap=cost / bound - 1 if bound > 0 else 0.0,
        parts=parts,
        moved=float(scaled.move_value[moved].sum() / known) if known > 0 else 0.0,
        moved_units=int(moved.sum()),
        least_moved=_least_moved(scaled),
        binding=_binding(prices, scaled, cost),
        reasons=_reasons(scaled, labels, centres, prices),
        feasible=not why,
        least_deviation=scaled.oversize + np.where(scaled.oversize > 0, problem.tolerance, 0.0),
        why=why,
        seed=effort.seed,
        solver_version=SOLVER_VERSION,
        input_hash=input_hash(problem, effort),
    )


def input_hash(problem: Problem, effort: Effort) -> str:
    """Return the SHA-256, in hex, of everything that an answer depends on."""
    digest = hashlib.sha256(SOLVER_VERSION.encode())
    for name in (*Problem.__dataclass_fields__, *Effort.__dataclass_fields__):
        value = getattr(problem, name, None) if name in Problem.__dataclass_fields__ else getattr(effort, name)
        digest.update(name.encode())
        arrays = [value.starts, value.targets] if isinstance(value, Adjacency) else [value]
        for one in arrays:
            if isinstance(one, np.ndarray):
                digest.update(f"{one.dtype}{one.shape}".encode() + np.ascontiguousarray(one).tobytes())
            else:
                digest.update(repr(one).encode())
    return digest.hexdigest()


def _anchors(plan: Plan, free: Free) -> Floats:
    masses = np.column_stack([plan.weight, plan.sums])
    return free.anchors.without_held().of(masses, np.zeros_like(plan.sums))


def _bound(
    free: Free, centres: Floats, prices: Floats, off: Floats, scaled: Scaled
) -> tuple[float, Floats]:
    """Return the best bound found at these centres, in scaled travel, and its prices."""
    fixed = float((scaled.units.weight * off)[~scaled.movable].sum())
    if not len(free.order):
        return fixed, prices
    level: Level = make_level(free.units, per_block=32)
    dual = Dual(level, free.band, centres, prices, free.permitted)
    best = (dual.bound(), dual.prices)
    dual.solve(_TEMPERATURES[0], steps=8)
    if dual.worst > 0.35:
        dual.anneal(_HOTTER, steps=4)
    for temperature in _TEMPERATURES:
        dual.go_to(centres)
        dual.solve(temperature, steps=8, near_enough=1e-4)
        if temperature < 0.02 and (value := dual.bound()) > best[0]:
            best = (value, dual.prices)
    return best[0] + fixed, best[1]


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
            territory=int(j), measure=int(a), side="high" if prices[j, a] > 0 else "low", price=float(share[j, a])
        )
        for j, a in zip(*np.nonzero(share > _MATTERS), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.price, one.territory, one.measure)))


def _reasons(scaled: Scaled, labels: Labels, centres: Floats, prices: Floats) -> Labels:
    """Return why each unit is where it is, shape (n,)."""
    units = scaled.units
    own = ((units.xy - centres[labels]) ** 2).sum(axis=1)
    nearest = np.full(len(labels), np.inf)
    cheapest = np.full(len(labels), np.inf)
    ratio = units.measures / units.weight[:, None]
    pays = own + (prices[labels] * ratio).sum(axis=1)
    for kind in np.unique(units.kinds):
        mine = np.flatnonzero(units.kinds == kind)
        may = np.flatnonzero(scaled.permitted[kind])
        some = min(16, len(may))
        distance, near = cKDTree(centres[may]).query(units.xy[mine], k=some)
        distance, near = distance.reshape(-1, some), may[near.reshape(-1, some)]
        nearest[mine] = distance[:, 0] ** 2
        all_pay = distance**2 + np.einsum("nta,na->nt", prices[near], ratio[mine])
        cheapest[mine] = all_pay.min(axis=1)
    out = np.full(len(labels), Reason.WHOLE, np.int32)
    out[pays <= cheapest + 1e-6 * np.abs(own)] = Reason.BALANCE
    stays = (units.owner == labels) & (units.bonus > 0)
    out[stays] = Reason.STAYS
    out[own <= nearest * (1 + 1e-9)] = Reason.NEAREST
    out[~scaled.movable] = Reason.FIXED
    return out


def _why(
    problem: Problem, scaled: Scaled, plan: Plan, deviation: Floats, parts: Floats
) -> tuple[str, ...]:
    """Return the reasons why not all hard limits hold; none if they do."""
    found = []
    tolerance = np.broadcast_to(problem.tolerance, deviation.shape)
    for a in np.flatnonzero(scaled.hard & (deviation > tolerance + _IN_BAND)):
        if scaled.oversize[a] > 0:
            found.append(f"measure-{a}: one unit alone is above what any territory may hold")
        else:
            found.append(f"measure-{a}: no plan within the tolerance was found")
    if (plan.count == 0).any():
        found.append(f"empty: {int((plan.count == 0).sum())} territories have no unit")
    if problem.adjacency is not None and (parts > 1).any():
        found.append(f"parts: {int((parts > 1).sum())} territories are in more than one part")
    for limit, sign, name in ((problem.least_units, 1, "least_units"), (problem.most_units, -1, "most_units")):
        if limit is not None and (sign * plan.count < sign * limit).any():
            found.append(f"{name}: {int((sign * plan.count < sign * limit).sum())} territories do not keep to it")
    return tuple(found)
