"""The linear systems of Newton's method: one unknown per territory and measure, coupled where territories are near."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from services.assignment.design.engine.arrays import Floats, Labels

_DENSE = 400


class System:
    """Where the entries of the matrix are: slot (K, K) says where a pair of territories, smaller first, has its."""

    def __init__(self, slot: Labels, kinds: int) -> None:
        rows, columns = np.nonzero(slot >= 0)
        self._places = slot[rows, columns]
        self._size = len(slot) * kinds
        each = np.arange(kinds)
        self._rows = (rows[:, None, None] * kinds + each[:, None]).repeat(kinds, 2).ravel()
        self._columns = (columns[:, None, None] * kinds + each[None, :]).repeat(kinds, 1).ravel()
        self._off = self._rows != self._columns

    def solved(self, curvature: Floats, diagonal: Floats, damping: float, wanted: Floats) -> Floats:
        """Solve (curvature with its diagonal dearer by a share, + diagonal) x = wanted for x, shape (K, A)."""
        values = curvature[self._places].ravel()
        if self._size <= _DENSE:
            return self._dense(values, diagonal, damping, wanted)
        off = self._off
        matrix = csc_matrix(
            (
                np.concatenate([values, values[off]]),
                (
                    np.concatenate([self._rows, self._columns[off]]),
                    np.concatenate([self._columns, self._rows[off]]),
                ),
            ),
            shape=(self._size, self._size),
        )
        matrix.setdiag(matrix.diagonal() * (1 + damping) + diagonal)
        return splu(matrix).solve(wanted.ravel()).reshape(wanted.shape)

    def _dense(self, values: Floats, diagonal: Floats, damping: float, wanted: Floats) -> Floats:
        matrix = np.zeros((self._size, self._size))
        matrix[self._rows, self._columns] = values
        matrix[self._columns, self._rows] = values
        matrix.flat[:: self._size + 1] += damping * matrix.diagonal() + diagonal
        try:
            return cho_solve(cho_factor(matrix, lower=True), wanted.ravel()).reshape(wanted.shape)
        except LinAlgError:
            return np.linalg.lstsq(matrix, wanted.ravel(), rcond=None)[0].reshape(wanted.shape)
