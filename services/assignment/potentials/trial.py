"""The trial: model and baseline estimate accounts that they have not seen, and the better one goes on. Pure.

Known accounts fall into folds; those of one fold are estimated by what the other folds teach. The two are compared
account by account, so that what makes an account hard for both does not count as chance between them.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from services.assignment.potentials.baseline import IndustryMedians
from services.assignment.potentials.model import COLUMNS, BoostedTrees, Matrix, Vector, lay_out
from services.assignment.potentials.potential import (
    FOLDS,
    Company,
    Error,
    Feature,
    Importance,
    Method,
    Potentials,
    Trial,
)

_SHUFFLES = 2


def estimate_potentials(companies: Sequence[Company], *, seed: int) -> Potentials:
    """Try the model on the known companies and estimate all of them by what proved better."""
    # One thread: sums are added in one order wherever it runs, and the machine has other work.
    with threadpool_limits(limits=1):
        return _estimate(companies, seed)


def _estimate(companies: Sequence[Company], seed: int) -> Potentials:
    rows = lay_out(companies)
    known = np.array([place for place, company in enumerate(companies) if company.amount is not None])
    known_companies = [companies[place] for place in known]
    amounts = np.array([company.amount for company in known_companies], dtype=np.float64)
    rehearsal = _Rehearsal(known_companies, rows[known], amounts, seed)
    trial = rehearsal.judge()
    if trial.method is Method.GRADIENT_BOOSTING:
        estimates = BoostedTrees(seed=seed).learn(rows[known], amounts).estimate(rows)
        estimates[known] = rehearsal.by_model
    else:
        estimates = np.array(IndustryMedians.learn(known_companies).estimate(companies))
        estimates[known] = rehearsal.by_baseline
    return Potentials(trial, estimates.tolist())


class _Rehearsal:
    """The known accounts, each estimated by what the others teach."""

    def __init__(self, known: Sequence[Company], rows: Matrix, amounts: Vector, seed: int) -> None:
        self._amounts = amounts
        self.by_model, self.by_baseline = np.empty_like(amounts), np.empty_like(amounts)
        self._shuffled = {feature: np.zeros_like(amounts) for feature in COLUMNS}
        dice = np.random.default_rng(seed)
        for held_out in np.array_split(dice.permutation(len(amounts)), FOLDS):
            taught = np.setdiff1d(np.arange(len(amounts)), held_out)
            trees = BoostedTrees(seed=seed).learn(rows[taught], amounts[taught])
            medians = IndustryMedians.learn([known[place] for place in taught])
            self.by_model[held_out] = trees.estimate(rows[held_out])
            self.by_baseline[held_out] = medians.estimate([known[place] for place in held_out])
            self._shuffle(trees, rows, held_out, dice)

    def judge(self) -> Trial:
        """Compare the two."""
        model, baseline = self._distances(self.by_model), self._distances(self.by_baseline)
        gains = baseline - model
        scale = max(float(baseline.mean()), np.finfo(np.float64).tiny)
        return Trial(
            model=self._error(self.by_model),
            baseline=self._error(self.by_baseline),
            improvement=float(gains.mean()) / scale,
            improvement_error=float(gains.std(ddof=1)) / sqrt(len(gains)) / scale,
            importance=self._importance(float(model.mean())),
        )

    def _shuffle(
        self, trees: BoostedTrees, rows: Matrix, held_out: NDArray[np.int64], dice: np.random.Generator
    ) -> None:
        for feature, columns in COLUMNS.items():
            for _ in range(_SHUFFLES):
                mixed = rows[held_out]
                mixed[:, columns] = rows[dice.permutation(held_out)][:, columns]
                distances = np.abs(trees.estimate(mixed) - self._amounts[held_out])
                self._shuffled[feature][held_out] += distances / _SHUFFLES

    def _importance(self, error: float) -> list[Importance]:
        growth: dict[Feature, float] = {
            feature: float(distances.mean()) - error for feature, distances in self._shuffled.items()
        }
        return [
            Importance(feature, growth[feature]) for feature in sorted(growth, key=lambda f: (-growth[f], f))
        ]

    def _error(self, estimates: Vector) -> Error:
        distances, total = self._distances(estimates), float(self._amounts.sum())
        return Error(
            mean_absolute=float(distances.mean()),
            weighted=float(distances.sum()) / total,
            bias=float(estimates.sum()) / total - 1,
        )

    def _distances(self, estimates: Vector) -> Vector:
        return np.abs(estimates - self._amounts)
