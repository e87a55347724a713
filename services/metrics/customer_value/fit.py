"""A fit of both models to the histories of all customers, or the reason why there is none. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.metrics.customer_value.history import CustomerHistory, Terms
from services.metrics.customer_value.likelihood import NotConverged, Vector
from services.metrics.customer_value.purchase_model import PurchaseModel, Purchases, fit_purchase_model
from services.metrics.customer_value.spend_model import (
    Spending,
    SpendModel,
    fit_spend_model,
)
from shared.contracts.money import exponent

Level = Literal["fitted", "historic", "none"]

# Below these the likelihood is so flat that four parameters say nothing: the optimiser wanders off.
MIN_CUSTOMERS = 50
MIN_REPEAT_CUSTOMERS = 20
# The spend model takes frequency and value for independent; above this they visibly are not.
CORRELATED = 0.3
INFINITE_MEAN_SPEND = "infinite-mean-spend"


@dataclass(frozen=True, slots=True)
class FittedModels:
    """Both models with their log-likelihoods, and how frequency and value correlate."""

    purchases: PurchaseModel
    purchases_log_likelihood: float
    spend: SpendModel
    spend_log_likelihood: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of fitting. Without models `reason` says why, and values are historic."""

    reason: str
    customers: int
    repeat_customers: int
    findings: tuple[str, ...]
    models: FittedModels | None = None

    @property
    def level(self) -> Level:
        """Return on which level customers can be valued."""
        return "historic" if self.models is None else "fitted"


@dataclass(frozen=True, slots=True)
class Columns:
    """Histories of customers who bought, as columns in whole days and minor units."""

    repeats: NDArray[np.int64]
    recency: NDArray[np.int64]
    age: NDArray[np.int64]
    repeat_minor: NDArray[np.int64]


def columns_of(customers: Sequence[CustomerHistory], terms: Terms) -> Columns:
    """Return histories as columns. All must have a purchase."""
    rows = [
        (
            history.purchases - 1,
            (history.last_on - history.first_on).days,
            (terms.cut_off_on - history.first_on).days,
            history.repeat_minor,
        )
        for history in customers
        if history.first_on is not None and history.last_on is not None
    ]
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
    return Columns(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def grouped_purchases(columns: Columns) -> tuple[Purchases, NDArray[np.intp]]:
    """Return the different purchase histories, and which of them each customer has.

    Thousands of customers share a few hundred histories; sorted, so that sums come out the same to the last bit
    whatever order the customers came in.
    """
    table = np.stack([columns.repeats, columns.recency, columns.age], axis=1)
    different, group, counts = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    x, recency, age = different.astype(np.float64).T
    return Purchases(x, recency / 7.0, age / 7.0, counts.astype(np.float64)), group.reshape(-1)


def grouped_spending(columns: Columns, currency: str) -> Spending:
    """Return the different spending histories of customers with repeat purchases of value."""
    table = np.stack([columns.repeats, columns.repeat_minor], axis=1)
    kept = table[(columns.repeats > 0) & (columns.repeat_minor > 0)]
    different, counts = np.unique(kept, axis=0, return_counts=True)
    x, minor = different.astype(np.float64).T
    return Spending(x, minor / x / 10.0 ** exponent(currency), counts.astype(np.float64))


def fit_models(columns: Columns, terms: Terms) -> Fit:
    """Fit both models to customers who bought at least once."""
    customers = len(columns.repeats)
    repeaters = int(np.sum((columns.repeats > 0) & (columns.repeat_minor > 0)))
    negative = ("negative-margin",) if terms.margin < 0 else ()

    def without_models(reason: str) -> Fit:
        return Fit(reason, customers, repeaters, negative)

    if customers < MIN_CUSTOMERS:
        return without_models("too-few-customers")
    if repeaters < MIN_REPEAT_CUSTOMERS:
        return without_models("too-few-repeat-customers")
    spending, (purchases, _) = grouped_spending(columns, terms.currency), grouped_purchases(columns)
    try:
        models = _fit(purchases, spending)
    except NotConverged:
        return without_models("not-converged")
    return Fit("fitted", customers, repeaters, (*negative, *_findings(models)), models)


def _findings(models: FittedModels) -> Iterator[str]:
    if models.purchases.nobody_leaves():
        yield "nobody-leaves"
    if math.isinf(models.spend.mean()):
        yield INFINITE_MEAN_SPEND
    if abs(models.correlation) > CORRELATED:
        yield "spend-depends-on-frequency"


def _fit(purchases: Purchases, spending: Spending) -> FittedModels:
    purchase_model, spend_model = fit_purchase_model(purchases), fit_spend_model(spending)
    return FittedModels(
        purchases=purchase_model,
        purchases_log_likelihood=purchase_model.log_likelihood(purchases),
        spend=spend_model,
        spend_log_likelihood=spend_model.log_likelihood(spending),
        correlation=spending.correlation(),
    )


def means_of(columns: Columns, currency: str) -> tuple[Vector, Vector]:
    """Return how many repeat purchases tell a customer's own mean value, and that mean; 0 and 0 where none does."""
    tells = (columns.repeats > 0) & (columns.repeat_minor > 0)
    x = np.where(tells, columns.repeats, 0).astype(np.float64)
    mean = columns.repeat_minor / np.maximum(columns.repeats, 1) / 10.0 ** exponent(currency)
    return x, np.where(tells, mean, 0.0)
