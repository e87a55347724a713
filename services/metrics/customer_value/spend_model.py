"""What a purchase of a customer is worth: gamma-gamma (Fader and Hardie 2013). Pure.

A customer's purchases scatter around a mean of their own, and the means around that of all. Few purchases say little,
so an estimate lies between the customer's mean and everybody's.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from services.metrics.customer_value.likelihood import NotConverged, Vector, maximise

_STARTS = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5))


@dataclass(frozen=True, slots=True)
class Spending:
    """Customers with repeat purchases: their number `x`, their mean value `mean`, `weight` customers a row."""

    x: Vector
    mean: Vector
    weight: Vector

    def __post_init__(self) -> None:
        """Refuse what the model has no place for."""
        if not (np.all(self.x >= 1) and np.all(self.mean > 0)):
            raise ValueError("x >= 1 and mean > 0 must hold for every customer")

    def correlation(self) -> float:
        """Return how frequency and value go together; the model takes them for independent."""
        if len(self.x) < 2 or np.ptp(self.x) == 0 or np.ptp(self.mean) == 0:
            return 0.0
        covariance = np.cov(self.x, self.mean, aweights=self.weight)
        return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


@dataclass(frozen=True, slots=True)
class SpendModel:
    """Fitted parameters; `v` in units of currency."""

    p: float
    q: float
    v: float

    def mean(self) -> float:
        """Return the mean value of a purchase over all customers; infinite where a few large ones decide all."""
        return self.p * self.v / (self.q - 1.0) if self.q > 1.0 else math.inf

    def log_likelihood(self, of: Spending) -> float:
        """Return the log-likelihood of the mean values."""
        value, _ = _likelihood(np.array([self.p, self.q, self.v]), of)
        return value

    def expected_spend(self, x: Vector, mean: Vector) -> Vector:
        """Return the value to expect of a purchase; without repeat purchases (x = 0), everybody's mean.

        The published weighted mean of both, written so that it stands where everybody's mean is infinite (q <= 1) and
        the customer's own purchases are enough; infinite where they are not.
        """
        certain = self.p * x + self.q - 1.0
        enough = certain > 0
        expected = self.p * (self.v + x * mean) / np.where(enough, certain, 1.0)
        return np.where(enough, expected, np.inf)


def fit_spend_model(of: Spending) -> SpendModel:
    """Return the parameters of greatest likelihood. Raises NotConverged."""
    # In units of the middle value v is near 1, whatever the currency; a mean could be one customer's alone.
    unit = float(np.exp(np.average(np.log(of.mean), weights=of.weight)))
    scaled = Spending(of.x, of.mean / unit, of.weight)
    best = maximise(
        lambda parameters: _likelihood(parameters, scaled),
        customers=int(np.sum(of.weight)),
        starts=_STARTS,
    )
    if any(best.at_edge):
        raise NotConverged("parameters at the edge")
    p, q, v = best.parameters
    return SpendModel(p, q, v * unit)


def _likelihood(parameters: Vector, of: Spending) -> tuple[float, Vector]:
    p, q, v = parameters
    x, mean, weight = of.x, of.mean, of.weight
    shape, total = p * x, np.log(v + x * mean)
    values = (
        gammaln(shape + q)
        - gammaln(shape)
        - gammaln(q)
        + q * np.log(v)
        + (shape - 1.0) * np.log(mean)
        + shape * np.log(x)
        - (shape + q) * total
    )
    both = digamma(shape + q)
    by_p = x * (both - digamma(shape) + np.log(mean) + np.log(x) - total)
    by_q = both - digamma(q) + np.log(v) - total
    by_v = q / v - (shape + q) / (v + x * mean)
    gradient = np.array([float(np.sum(weight * each)) for each in (by_p, by_q, by_v)])
    return float(np.sum(weight * values)), gradient
