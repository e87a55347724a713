"""The model: gradient boosted trees over size, industry and place. Pure.

It learns the median of logarithms, which is the logarithm of the median: what least absolute error asks for, and what
the baseline estimates too. Importing it takes seconds, so only the process that trains does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from services.assignment.potentials.potential import Company, Feature

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

COLUMNS: Mapping[Feature, tuple[int, ...]] = {
    Feature.EMPLOYEES: (0,),
    Feature.INDUSTRY: (1,),
    Feature.LOCATION: (2, 3, 4),
}
_CATEGORIES = [1, 2]
# The trees tell at most 255 values of a category apart; the rarest share one.
_MOST_CATEGORIES = 200
# Below every number of employees and every degree.
_UNKNOWN = -1000.0


def lay_out(companies: Sequence[Company]) -> Matrix:
    """Return the companies as rows of numbers; what is not known is a number of its own, for trees to split off."""
    columns = [
        _numbers(companies, lambda company: company.employees),
        _codes([company.industry for company in companies]),
        _codes([company.state for company in companies]),
        _numbers(companies, lambda company: company.latitude),
        _numbers(companies, lambda company: company.longitude),
    ]
    return np.column_stack(columns)


class BoostedTrees:
    """Estimates amounts above zero."""

    def __init__(self, *, seed: int) -> None:
        self._trees = HistGradientBoostingRegressor(
            loss="absolute_error",
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=20,
            l2_regularization=1.0,
            categorical_features=_CATEGORIES,
            # Stopping early would set accounts aside by chance, and does so from 10,000 on only.
            early_stopping=False,
            random_state=seed,
        )

    def learn(self, rows: Matrix, amounts: Vector) -> "BoostedTrees":
        """Learn from rows and their amounts."""
        self._trees.fit(rows, np.log(amounts))
        return self

    def estimate(self, rows: Matrix) -> Vector:
        """Estimate rows."""
        return np.exp(np.asarray(self._trees.predict(rows), dtype=np.float64))


def _numbers(companies: Sequence[Company], read: Callable[[Company], float | None]) -> Vector:
    found = (read(company) for company in companies)
    return np.array([_UNKNOWN if number is None else number for number in found], dtype=np.float64)


def _codes(values: Sequence[str | None]) -> Vector:
    counted = Counter(values)
    ranked = sorted(counted, key=lambda value: (-counted[value], value or ""))
    codes = {value: min(rank, _MOST_CATEGORIES) for rank, value in enumerate(ranked)}
    return np.array([codes[value] for value in values], dtype=np.float64)
