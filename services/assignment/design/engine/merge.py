"""Units that have to stay together, merged into one before the engine and told of one by one after it."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.linking import adjacency_of, links_of
from services.assignment.design.engine.problem import Effort, Problem, WrongProblemError
from services.assignment.design.engine.proposal import Proposal, Reason, Shortfall
from services.assignment.design.engine.short_of import ShortOf

_ALIKE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """problem: of m merged units, in the order of their first units. of (n,): the merged unit of each unit. first (m,): a
    unit of each. spread: weighted squared distance of units to the middle of theirs, which no plan changes.
    unmet: how many merged units no territory may hold whole, for their units' kinds; they may go anywhere.
    """  # noqa: D205 - one sentence

    problem: Problem
    of: Labels
    first: Integers
    spread: float
    unmet: int


def linked(adjacency: Adjacency, groups: Labels) -> Adjacency:
    """Return an adjacency in which units of one group, groups (n,), touch as well: they are one piece wherever they are."""
    _, first, of = np.unique(groups, return_index=True, return_inverse=True)
    hub = first[of]
    rest = np.flatnonzero(hub != np.arange(len(groups)))
    chained = np.column_stack([hub[rest], rest]).astype(np.int32)
    return adjacency_of(np.concatenate([links_of(adjacency), chained]), len(groups))


def touching(adjacency: Adjacency, of: Labels, count: int) -> Adjacency:
    """Return which merged units touch, of (n,) their numbers: those of which some units do."""
    return adjacency_of(of[links_of(adjacency)], count)


def merged(problem: Problem, groups: Labels) -> Merged:
    """Return a problem with one unit for each group, groups (n,) any numbers.

    Weights, measures, and what units count for, add up; the place is the weighted mean; who may hold a merged unit may
    hold all of it. Its incumbent is the territory that has most of its move_value; leaving costs what is there, and the
    rest moves in any case, out of the budget. Travel from any point is that of the merged units and their spread
    (parallel axis theorem), so a bound on theirs, with it, is a bound.
    Raise WrongProblemError for a group with units fixed in several territories.
    """
    _, first, sorted_of = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    of, first, count = rank[sorted_of], first[order], len(first)
    weight = _sums(of, problem.weight, count)
    xy = _middles(problem, of, weight)
    fixed = _fixed(problem, of, count)
    kinds, permitted, unmet = _kinds(problem, of, fixed, count)
    incumbents, value, settled = _today(problem, of, count)
    counts = np.ones(problem.units) if problem.counts is None else problem.counts
    adjacency = problem.adjacency
    if adjacency is not None:
        adjacency = touching(adjacency, of, count)
    one = replace(
        problem,
        xy=xy,
        weight=weight,
        measures=np.column_stack([_sums(of, column, count) for column in problem.measures.T]),
        counts=_sums(of, counts, count),
        adjacency=adjacency,
        fixed=fixed,
        kinds=kinds,
        permitted=permitted,
        incumbents=incumbents,
        move_value=value,
        most_moved=_most_moved(problem, incumbents, value, settled),
    )
    one = replace(one, stay=_stay(problem, one))
    away = ((problem.xy - xy[of]) ** 2).sum(axis=1)
    return Merged(problem=one, of=of, first=first, spread=float((problem.weight * away).sum()), unmet=unmet)


def unfolded(done: Merged, problem: Problem, proposal: Proposal, effort: Effort) -> Proposal:
    """Return the proposal of the units, shape (n,), of a problem from one of their merged units.

    Figures are those of the units; bound, prices, and what no plan gets below, those of the merged units.
    """
    labels = proposal.labels[done.of].astype(np.int32)
    # What nobody may hold whole goes anywhere, and is told of: its units' kinds must not count against it.
    single = judged(replace(problem, kinds=None, permitted=None), labels, effort)
    bound = max(single.bound, proposal.bound + done.spread)
    gap = None
    if proposal.gap is not None:
        gap = single.cost / bound - 1 if bound > 0.0 else single.gap
    why = _why(single, proposal)
    digest = hashlib.sha256((single.input_hash + proposal.input_hash).encode() + done.of.tobytes())
    return replace(
        single,
        bound=bound,
        gap=gap,
        binding=proposal.binding,
        reasons=_reasons(done, problem, proposal, labels),
        feasible=not why,
        why=why,
        least_deviation=np.maximum(single.least_deviation, proposal.least_deviation)
        if why
        else proposal.deviation * 0,
        input_hash=digest.hexdigest(),
    )


def _why(single: Proposal, proposal: Proposal) -> tuple[Shortfall, ...]:
    """Return what the units fall short of; where a merged unit alone is above what any territory may hold, that is why."""
    too_large = {one.measure for one in proposal.why if one.code is ShortOf.UNIT_TOO_LARGE}
    return tuple(
        replace(one, code=ShortOf.UNIT_TOO_LARGE)
        if one.code is ShortOf.OUT_OF_TOLERANCE and one.measure in too_large
        else one
        for one in single.why
    )


def _sums(of: Labels | Integers, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(of, values, count), dtype=np.float64)


def _middles(problem: Problem, of: Labels, weight: Floats) -> Floats:
    # Units without weight are somewhere, too.
    part = np.where(weight[of] > 0, problem.weight, 1.0)
    total = _sums(of, part, len(weight))
    return np.column_stack([_sums(of, part * problem.xy[:, d], len(weight)) / total for d in (0, 1)])


def _fixed(problem: Problem, of: Labels, count: int) -> Labels | None:
    if problem.fixed is None:
        return None
    held = problem.fixed >= 0
    low = np.full(count, problem.territories, np.int64)
    high = np.full(count, -1, np.int64)
    np.minimum.at(low, of[held], problem.fixed[held])
    np.maximum.at(high, of[held], problem.fixed[held])
    torn = np.flatnonzero((high >= 0) & (low != high))
    if len(torn):
        units = np.flatnonzero(held & (of == torn[0]))
        raise WrongProblemError(
            "fixed",
            f"units {int(units[0])} to {int(units[-1])} have to stay together and are fixed in several territories",
        )
    return high.astype(np.int32)


def _kinds(
    problem: Problem, of: Labels, fixed: Labels | None, count: int
) -> tuple[Labels | None, Flags | None, int]:
    """Return kinds (m,) of merged units and who may hold them, and how many nobody may: those may go anywhere."""
    if problem.kinds is None or problem.permitted is None:
        return None, None, 0
    pairs = np.unique(np.column_stack([of, problem.kinds]).astype(np.int64), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(count + 1))
    kinds = pairs[starts[:-1], 1].astype(np.int32)
    rows = list(problem.permitted)
    anywhere = len(rows)
    rows.append(np.ones(problem.territories, np.bool_))
    known: dict[tuple[int, ...], int] = {}
    unmet = 0
    for unit in np.flatnonzero(np.diff(starts) > 1):
        several = tuple(pairs[starts[unit] : starts[unit + 1], 1].tolist())
        if several not in known:
            row = problem.permitted[list(several)].all(axis=0)
            known[several] = len(rows) if row.any() else anywhere
            if row.any():
                rows.append(row)
        kinds[unit] = known[several]
        unmet += kinds[unit] == anywhere and (fixed is None or fixed[unit] < 0)
    if fixed is not None:
        # Where a unit is fixed is decided, whoever else is with it.
        kinds[fixed >= 0] = anywhere
    return kinds, np.stack(rows), int(unmet)


def _today(problem: Problem, of: Labels, count: int) -> tuple[Labels | None, Floats | None, Floats]:
    """Return incumbents and move_value of merged units, each (m,), and what of them moves in any case."""
    value = np.ones(problem.units) if problem.move_value is None else problem.move_value
    if problem.incumbents is None:
        return None, _sums(of, value, count), np.zeros(count)
    known = np.flatnonzero(problem.incumbents >= 0)
    keys = of[known].astype(np.int64) * problem.territories + problem.incumbents[known]
    pairs, at = np.unique(keys, return_inverse=True)
    there, units = _sums(at, value[known], len(pairs)), np.bincount(at, minlength=len(pairs))
    unit, territory = np.divmod(pairs, problem.territories)
    # The last of each unit's is the one with most: of its value, else of its units, else the lowest number.
    order = np.lexsort((-territory, units, there, unit))
    last = np.ones(len(order), np.bool_)
    last[:-1] = unit[order[1:]] != unit[order[:-1]]
    best = order[last]
    incumbents = np.full(count, -1, np.int32)
    incumbents[unit[best]] = territory[best]
    total = _sums(of[known], value[known], count)
    stays = _sums(of, value, count)
    stays[unit[best]] = there[best]
    return incumbents, stays, np.where(incumbents >= 0, total - stays, 0.0)


def _stay(problem: Problem, one: Problem) -> float:
    """Return what a move of merged units costs, so that it costs as much per move_value as before."""
    if problem.incumbents is None or problem.stay == 0.0:
        return problem.stay
    before, after = _per_value(problem), _per_value(one)
    return problem.stay * before / after if before > 0.0 and after > 0.0 else problem.stay


def _per_value(problem: Problem) -> float:
    """Return what a stay of 1 makes a move cost per move_value, in squared km times weight."""
    owner = np.full(problem.units, -1) if problem.incumbents is None else problem.incumbents
    known = owner >= 0
    value = np.ones(problem.units) if problem.move_value is None else problem.move_value
    if not known.any() or not value.any():
        return 0.0
    of, weight, xy = owner[known], problem.weight[known], problem.xy[known]
    held = np.maximum(np.bincount(of, weight), 1e-300)
    middles = np.column_stack([np.bincount(of, weight * xy[:, d]) for d in (0, 1)]) / held[:, None]
    travel = float((weight * ((xy - middles[of]) ** 2).sum(axis=1)).sum())
    return travel / float(known.sum()) / float(value.mean())


def _most_moved(problem: Problem, incumbents: Labels | None, value: Floats | None, settled: Floats) -> float:
    """Return the budget of merged units: what of it is left when what moves in any case has moved."""
    if problem.most_moved >= 1.0 or incumbents is None or value is None:
        return problem.most_moved
    free = float(value[incumbents >= 0].sum())
    left = problem.most_moved * (free + float(settled.sum())) - float(settled.sum())
    return min(max(left / free, 0.0), 1.0) if free > 0.0 else 0.0


def _reasons(done: Merged, problem: Problem, proposal: Proposal, labels: Labels) -> Labels:
    """Return why each unit is where it is, shape (n,): for its own sake where that holds, else for those it is with."""
    alone = np.bincount(done.of)[done.of] == 1
    theirs = proposal.reasons[done.of]
    out = np.full(len(labels), Reason.TOGETHER, np.int32)
    out[(theirs == Reason.BALANCE) | (theirs == Reason.WHOLE)] = theirs[
        (theirs == Reason.BALANCE) | (theirs == Reason.WHOLE)
    ]
    if problem.incumbents is not None:
        out[(theirs == Reason.STAYS) & (problem.incumbents == labels)] = Reason.STAYS
    out[_is_nearest(problem, proposal.centres, labels)] = Reason.NEAREST
    out[alone] = theirs[alone]
    if problem.fixed is not None:
        out[problem.fixed >= 0] = Reason.FIXED
    return out


def _is_nearest(problem: Problem, centres: Floats, labels: Labels) -> Flags:
    """Tell of each unit whether no territory that may hold it is nearer."""
    kinds = np.zeros(problem.units, np.int32) if problem.kinds is None else problem.kinds
    permitted = problem.permitted
    if permitted is None:
        permitted = np.ones((1, problem.territories), np.bool_)
    own = np.sqrt(((problem.xy - centres[labels]) ** 2).sum(axis=1))
    found = np.zeros(problem.units, np.bool_)
    held = ~np.isnan(centres[:, 0])
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        may = permitted[kind] & held
        if may.any():
            found[mine] = own[mine] <= cKDTree(centres[may]).query(problem.xy[mine])[0] * (1 + _ALIKE)
    return found
