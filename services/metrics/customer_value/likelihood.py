"""The greatest likelihood of positive parameters, found the same way each time. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Vector = NDArray[np.float64]
Likelihood = Callable[[Vector], tuple[float, Vector]]

# Parameters are sought between e^-9 and e^9 of their scale. Where the likelihood still rises there it has no
# greatest value; only the model knows whether it makes sense at that edge.
_EDGE = 9.0
_NEAR_EDGE = _EDGE - 0.05
# The mean log-likelihood per customer is flat to this slope: parameters are then good to five digits.
_GRADIENT = 1e-7
_FLAT = 1e-5


class NotConverged(ArithmeticError):
    """No greatest likelihood was found, or none that makes sense."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The parameters found, which of them stopped at the edge, and the log-likelihood of all customers there."""

    parameters: tuple[float, ...]
    at_edge: tuple[bool, ...]
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
        at_edge = np.abs(result.x) >= _NEAR_EDGE
        slope = np.where(at_edge, 0.0, np.abs(result.jac))
        if np.isfinite(result.fun) and float(np.max(slope)) < _FLAT:
            parameters = tuple(float(each) for each in np.exp(result.x))
            edges = tuple(bool(each) for each in at_edge)
            found.append(Optimum(parameters, edges, -float(result.fun) * customers))
    if not found:
        raise NotConverged("no optimum from any start")
    return max(found, key=lambda optimum: optimum.log_likelihood)
