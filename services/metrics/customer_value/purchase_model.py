"""How often customers come back and whether they still will: BG/NBD (Fader, Hardie and Lee 2005). Pure.

A customer buys at a rate of their own (gamma: r, alpha) until, after some purchase, they leave for good (beta: a, b).
Of each we know x repeat purchases, the age t_x at the last of them, and the age T today, all times in weeks.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, hyp2f1

from services.metrics.customer_value.likelihood import NotConverged, Vector, maximise

# Nearer than this to a removable singularity the closed form loses digits; between its two sides it is straight.
_SINGULAR = 1e-4
_NEVER = 1e-3
_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.1, 0.8, 2.5))


@dataclass(frozen=True, slots=True)
class Purchases:
    """What is known of customers, a column each; `weight` says how many customers share a row."""

    x: Vector
    t_x: Vector
    age: Vector
    weight: Vector

    def __post_init__(self) -> None:
        """Refuse what cannot have happened: it would come out as a negative value much later."""
        if not (np.all(self.t_x >= 0) and np.all(self.t_x <= self.age)):
            raise ValueError("0 <= t_x <= age must hold for every customer")
        if not np.all((self.x >= 0) & ((self.x == 0) == (self.t_x == 0))):
            raise ValueError("t_x is 0 where there is no repeat purchase, and only there")


@dataclass(frozen=True, slots=True)
class PurchaseModel:
    """Fitted parameters; `alpha` in weeks."""

    r: float
    alpha: float
    a: float
    b: float

    def nobody_leaves(self) -> bool:
        """Tell whether customers leave so rarely after a purchase that the data may as well say never."""
        return self.a / (self.a + self.b) < _NEVER

    def log_likelihood(self, of: Purchases) -> float:
        """Return the log-likelihood of the purchases."""
        value, _ = _likelihood(np.array([self.r, self.alpha, self.a, self.b]), of)
        return value

    def p_alive(self, of: Purchases) -> Vector:
        """Return the probability that each is still a customer; whoever bought once has not left yet."""
        here, gone = _log_terms(np.array([self.r, self.alpha, self.a, self.b]), of)
        return np.asarray(np.exp(-np.logaddexp(0.0, gone - here)), dtype=np.float64)

    def expected_purchases(self, of: Purchases, weeks: float) -> Vector:
        """Return the purchases to expect of each in the weeks to come."""
        a = np.full_like(of.x, self.a)
        # The form has poles at a = 1, and at a + b + x = 1 (x = 0 only), that cancel out.
        other = 1.0 - self.b - of.x
        pole = np.where(np.abs(a - other) < _SINGULAR, other, 1.0)
        near = np.abs(a - pole) < _SINGULAR
        if not np.any(near):
            return self._closed_form(of, weeks, a)
        low, high = (self._closed_form(of, weeks, pole + side) for side in (-_SINGULAR, _SINGULAR))
        between = low + (a - pole + _SINGULAR) / (2 * _SINGULAR) * (high - low)
        return np.where(near, between, self._closed_form(of, weeks, np.where(near, pole + _SINGULAR, a)))

    def _closed_form(self, of: Purchases, weeks: float, a: Vector) -> Vector:
        # ((alpha+T)/(alpha+T+t))^(r+x) * 2F1 of the published form overflows for many purchases. Euler's
        # transformation of it is tame for any x, but not where a is large; there the published form is.
        z = weeks / (self.alpha + of.age + weeks)
        total = a + self.b + of.x - 1.0
        with np.errstate(all="ignore"):
            published = (1.0 - z) ** (self.r + of.x) * hyp2f1(self.r + of.x, self.b + of.x, total, z)
            transformed = (1.0 - z) ** (a - 1.0) * hyp2f1(total - self.r - of.x, a - 1.0, total, z)
        kept = np.where(a > self.r + of.x + 1.0, published, transformed)
        if not np.all(np.isfinite(kept)):
            plain = (1.0 - z) ** (a - 1.0) * _series(total - self.r - of.x, a - 1.0, total, z)
            kept = np.where(np.isfinite(kept), kept, plain)
        alive = total / (a - 1.0) * (1.0 - kept)
        return np.asarray(alive * self.p_alive(of), dtype=np.float64)


def _series(one: Vector, two: Vector, below: Vector, z: Vector) -> Vector:
    """Return 2F1 term by term: for a large `below`, where SciPy's gives up and few terms are enough."""
    term = total = np.ones_like(z)
    for n in range(2_000):
        term = term * (one + n) * (two + n) / ((below + n) * (n + 1.0)) * z
        total = total + term
        if np.all(np.abs(term) <= 1e-17 * np.abs(total)):
            break
    return total


def fit_purchase_model(of: Purchases) -> PurchaseModel:
    """Return the parameters of greatest likelihood. Raises NotConverged."""
    # In units of the mean age alpha is near 1, whatever the business.
    unit = float(np.average(of.age, weights=of.weight)) or 1.0
    scaled = Purchases(of.x, of.t_x / unit, of.age / unit, of.weight)
    best = maximise(
        lambda parameters: _likelihood(parameters, scaled),
        customers=int(np.sum(of.weight)),
        starts=_STARTS,
    )
    r, alpha, a, b = best.parameters
    model = PurchaseModel(r, alpha * unit, a, b)
    # a and b run to the edge where nobody seems to leave, and the model is none the worse for it.
    if any(best.at_edge[:2]) or (any(best.at_edge) and not model.nobody_leaves()):
        raise NotConverged("parameters at the edge")
    return model


def _log_terms(parameters: Vector, of: Purchases) -> tuple[Vector, Vector]:
    """Return the logarithms of both ways a history can end: still here, or gone after the last purchase."""
    r, alpha, a, b = parameters
    here = (r + of.x) * (np.log(alpha + of.t_x) - np.log(alpha + of.age))
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.where(of.x > 0, np.log(a) - np.log(np.maximum(b + of.x - 1.0, 0.0)), -np.inf)
    return here, gone


def _likelihood(parameters: Vector, of: Purchases) -> tuple[float, Vector]:
    r, alpha, a, b = parameters
    x, t_x, age, weight = of.x, of.t_x, of.age, of.weight
    here, gone = _log_terms(parameters, of)
    both = np.logaddexp(here, gone)
    p_here, p_gone = np.exp(here - both), np.exp(gone - both)
    values = (
        gammaln(r + x)
        - gammaln(r)
        + gammaln(a + b)
        + gammaln(b + x)
        - gammaln(b)
        - gammaln(a + b + x)
        + r * np.log(alpha)
        - (r + x) * np.log(alpha + t_x)
        + both
    )
    stay = digamma(a + b) - digamma(a + b + x)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - np.log(alpha + t_x)
    by_r = by_r + p_here * (np.log(alpha + t_x) - np.log(alpha + age))
    by_alpha = (
        r / alpha - (r + x) / (alpha + t_x) + p_here * (r + x) * (1 / (alpha + t_x) - 1 / (alpha + age))
    )
    by_a = stay + p_gone / a
    # Where x is 0 nobody has left: p_gone is 0, and the divisor must only not be 0 as well.
    by_b = stay + digamma(b + x) - digamma(b) - p_gone / np.where(x > 0, b + x - 1.0, 1.0)
    gradient = np.array([float(np.sum(weight * each)) for each in (by_r, by_alpha, by_a, by_b)])
    return float(np.sum(weight * values)), gradient
