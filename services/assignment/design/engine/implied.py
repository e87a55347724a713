"""Prices read off a plan's borders: what each territory has to cost for the borders to be where they are."""

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

from services.assignment.design.engine.arrays import Floats, Integers, Labels

_ROUNDS = 3


def implied_pay(xy: Floats, labels: Labels, centres: Floats, here: Integers, there: Integers) -> Floats:
    """Return what a unit of weight pays for being in each territory, shape (K,), in squared km, the mean of all zero.

    Where two territories meet, at x, it is alike to be in the one or the other: pay_j + |x - c_j|² = pay_k + |x - c_k|²
    (a power diagram's border). Least squares over the pairs of units here and there (pairs,) that are near each other and not in
    one territory, each by the scale of its place, and by less the worse it fits (Cauchy's weights). xy (n, 2), labels (n,),
    centres (K, 2).
    """
    count = len(centres)
    one, other = labels[here], labels[there]
    border = one != other
    here, there, one, other = here[border], there[border], one[border], other[border]
    if not len(here):
        return np.zeros(count)
    middle = (xy[here] + xy[there]) / 2
    near = ((middle - centres[one]) ** 2).sum(axis=1)
    far = ((middle - centres[other]) ** 2).sum(axis=1)
    wanted = far - near
    scale = np.minimum(near, far) + 1e-3 * np.median(np.minimum(near, far)) + 1e-12
    heavy = 1.0 / scale**2
    pay = np.zeros(count)
    for _ in range(_ROUNDS):
        pay = _least_squares(one, other, heavy, wanted, count)
        misfit = (pay[one] - pay[other] - wanted) / scale
        heavy = 1.0 / (scale**2 * (1.0 + (4.0 * misfit) ** 2))
    return pay


def _least_squares(one: Labels, other: Labels, heavy: Floats, wanted: Floats, count: int) -> Floats:
    """Solve pay[one] - pay[other] = wanted, shape (count,); one that is next to none pays the mean."""
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    links = coo_matrix((np.concatenate([heavy, heavy]), (rows, columns)), shape=(count, count)).tocsc()
    degree = np.asarray(links.sum(axis=1)).ravel()
    much = np.bincount(one, heavy * wanted, count) - np.bincount(other, heavy * wanted, count)
    matrix = (diags(degree + 1e-9 * degree[degree > 0].min() + (degree == 0)) - links).tocsc()
    pay = np.asarray(splu(matrix).solve(much), np.float64)
    return np.asarray(pay - pay.mean())
