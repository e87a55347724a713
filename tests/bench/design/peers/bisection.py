"""Recursive bisection: cut across the longer axis where the load parts as the territories do, and again.

Kalcsics, Nickel, Schroeder 2005 call them successive dichotomies. Where the others begin, too.
"""

from typing import Any

import numpy as np

from tests.bench.design.geography import Floats, Integers
from tests.bench.design.instances import Instance


def solve(instance: Instance, territories: int) -> tuple[Integers, dict[str, Any]]:
    """Return labels."""
    return bisected(instance.xy, instance.measures[:, 0], territories), {}


def bisected(xy: Floats, load: Floats, territories: int) -> Integers:
    """Return labels (n,) of territories with about the same load."""
    labels = np.zeros(len(xy), np.int64)
    waiting = [(np.arange(len(xy)), 0, territories)]
    while waiting:
        units, first, count = waiting.pop()
        if count == 1:
            labels[units] = first
            continue
        away = xy[units] - np.average(xy[units], axis=0, weights=load[units])
        axis = np.linalg.eigh(away.T @ (away * load[units, None]))[1][:, -1]
        order = units[np.argsort(away @ axis, kind="stable")]
        total = np.cumsum(load[order])
        left = count // 2
        cut = int(np.searchsorted(total, total[-1] * left / count))
        waiting += [(order[:cut], first, left), (order[cut:], first + left, count - left)]
    return labels


def means(xy: Floats, weight: Floats, labels: Integers, territories: int) -> Floats:
    """Return the weighted means of territories, shape (K, 2)."""
    total = np.maximum(np.bincount(labels, weight, territories), 1e-300)
    sums = [np.bincount(labels, weight * xy[:, axis], territories) for axis in (0, 1)]
    return np.column_stack(sums) / total[:, None]
