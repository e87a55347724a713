"""All sets of units that could be a territory, where units are few, or few to a territory.

Source: Wernicke's ESU (Efficient detection of network motifs, IEEE/ACM Transactions on Computational Biology and
Bioinformatics 3(4), 2006): every connected set is met once, from its lowest unit on. A set whose load is above what any
territory may hold is not grown further.
"""

from typing import NamedTuple

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled


class Subsets(NamedTuple):
    """S sets: members of set s are units[starts[s] : starts[s + 1]]. complete: there are no others."""

    starts: Integers
    units: Labels
    complete: bool

    def sums(self, values: Floats) -> Floats:
        """Return what each set holds of values (n, ...), shape (S, ...)."""
        return np.asarray(np.add.reduceat(values[self.units], self.starts[:-1], axis=0))


def subsets(adjacency: Adjacency, measures: Floats, low: Floats, high: Floats, most: int) -> Subsets:
    """Return the connected sets whose loads are between low and high, shape (A,) each; at most `most` sets are met.

    measures (n, A), not below zero.
    """
    starts, units, complete = _met(adjacency.starts, adjacency.targets, measures, low, high, most)
    return Subsets(starts, units, complete)


def all_touch(units: int) -> Adjacency:
    """Return the adjacency of units of which each touches each other one."""
    one, other = np.nonzero(~np.eye(units, dtype=np.bool_))
    starts = np.searchsorted(one, np.arange(units + 1)).astype(np.int64)
    return Adjacency(starts, other.astype(np.int32))


@compiled
def _met(  # noqa: PLR0915 - one loop without calls
    starts: Integers, targets: Labels, measures: Floats, low: Floats, high: Floats, most: int
) -> tuple[Integers, Labels, bool]:
    n, columns = measures.shape
    out_starts, out_units = np.zeros(1024, np.int64), np.zeros(8192, np.int32)
    found, filled, met = 0, 0, 0
    # How many of the chosen units are at or beside each unit.
    beside = np.zeros(n, np.int64)
    chosen = np.empty(n, np.int64)
    load = np.zeros((n + 1, columns))
    # What each depth may still add is waiting[begins[depth] : ends[depth]].
    waiting = np.empty(4 * n + 64, np.int64)
    begins, ends = np.zeros(n + 2, np.int64), np.zeros(n + 2, np.int64)
    for root in range(n):
        waiting[0] = root
        begins[0], ends[0] = 0, 1
        depth = 0
        while depth >= 0:
            if ends[depth] == begins[depth]:
                depth -= 1
                if depth >= 0:
                    last = chosen[depth]
                    beside[last] -= 1
                    for e in range(starts[last], starts[last + 1]):
                        beside[targets[e]] -= 1
                continue
            ends[depth] -= 1
            unit = waiting[ends[depth]]
            met += 1
            if met > most:
                return out_starts[: found + 1].copy(), out_units[:filled].copy(), False
            fits, fuller = True, True
            for a in range(columns):
                load[depth + 1, a] = load[depth, a] + measures[unit, a]
                fits = fits and load[depth + 1, a] <= high[a]
                fuller = fuller and load[depth + 1, a] >= low[a]
            if not fits:
                continue
            chosen[depth] = unit
            if fuller:
                if found + 2 > len(out_starts):
                    out_starts = np.append(out_starts, np.zeros_like(out_starts))
                while filled + depth + 1 > len(out_units):
                    out_units = np.append(out_units, np.zeros_like(out_units))
                for d in range(depth + 1):
                    out_units[filled + d] = chosen[d]
                filled += depth + 1
                found += 1
                out_starts[found] = filled
            begin = ends[depth]
            size = begin - begins[depth]
            while begin + size + n > len(waiting):
                waiting = np.append(waiting, np.zeros_like(waiting))
            end = begin
            for w in range(begins[depth], ends[depth]):
                waiting[end] = waiting[w]
                end += 1
            for e in range(starts[unit], starts[unit + 1]):
                other = targets[e]
                if other > root and other != unit and beside[other] == 0:
                    waiting[end] = other
                    end += 1
            beside[unit] += 1
            for e in range(starts[unit], starts[unit + 1]):
                beside[targets[e]] += 1
            depth += 1
            begins[depth], ends[depth] = begin, end
    return out_starts[: found + 1].copy(), out_units[:filled].copy(), True
