"""The greatest likelihood of positive parameters, found the same way each time. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Vector = NDArray[np.float64]
Likelihood = Callable[[Vector], tuple[float, Vector]]

# Parameters are sought between e^-9 and e^9 of their scale. A likelihood that still rises there has no
# greatest value: the data do not tell the parameters apart.
_EDGE = 9.0
_NEAR_EDGE = _EDGE - 0.05
# The mean log-likelihood per customer is flat to this slope: parameters are then good to five digits.
_GRADIENT = 1e-7
_FLAT = 1e-5


class NotConverged(ArithmeticError):
    """No greatest likelihood was found inside the bounds."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The parameters found, and the log-likelihood of all customers there."""

    parameters: tuple[float, ...]
    log_likelihood: float


def maximise(likelihood: Likelihood, *, customers: int, starts: Sequence[Sequence[float]]) -> Optimum:
    """Return the best optimum reached from any of the starts. Raises NotConverged.

    `likelihood` returns the log-likelihood and its gradient by the parameters. They are sought as logarithms, so
    they stay positive, and few starts are enough.
    """

    def cost(logarithms: Vector) -> tuple[float, Vector]:
        parameters = np.exp(logarithms)
        value, gradient = likelihood(parameters)
        return -value / customers, -gradient * parameters / customers

    found: list[Optimum] = []
    for start in starts:
        with np.errstate(all="ignore"):
            result = minimize(
                cost,
                np.log(np.asarray(start, dtype=np.float64)),
                jac=True,
                method="L-BFGS-B",
                bounds=[(-_EDGE, _EDGE)] * len(start),
                options={"maxiter": 2_000, "maxfun": 4_000, "ftol": 1e-15, "gtol": _GRADIENT, "maxls": 50},
            )
        inside = bool(np.all(np.abs(result.x) < _NEAR_EDGE))
        if inside and np.isfinite(result.fun) and float(np.max(np.abs(result.jac))) < _FLAT:
            found.append(
                Optimum(tuple(float(each) for each in np.exp(result.x)), -float(result.fun) * customers)
            )
    if not found:
        raise NotConverged("no optimum inside the bounds")
    return max(found, key=lambda optimum: optimum.log_likelihood)
