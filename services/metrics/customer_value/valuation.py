"""What each customer is worth, from the best level there is: fitted, else historic. Pure.

fitted: the margin of the purchases to expect within the horizon, discounted by the month.
historic: the margin of the orders so far.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple
from uuid import UUID

import numpy as np

from services.metrics.customer_value.fit import (
    INFINITE_MEAN_SPEND,
    Columns,
    Fit,
    FittedModels,
    Level,
    columns_of,
    fit_models,
    grouped_purchases,
    means_of,
)
from services.metrics.customer_value.history import CustomerHistory, Terms, digest_of
from services.metrics.customer_value.likelihood import Vector
from services.metrics.customer_value.purchase_model import PurchaseModel, Purchases
from shared.contracts.money import exponent

WEEKS_PER_MONTH = 4.345
# What no customer is worth in any currency: past it, a figure says that the mean is all but infinite.
_ABSURD_MINOR = 1e17


class Forecast(NamedTuple):
    """What the models say of a customer; money in minor units."""

    p_alive: float
    expected_purchases: float
    expected_spend_minor: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """A customer's value with its level and reason; `forecast` where the level is fitted."""

    account_id: UUID
    level: Level
    reason: str
    value_minor: int
    history: CustomerHistory
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Valuation:
    """The fit, the name of what went into it, and the value of every account that has orders."""

    fit: Fit
    input_digest: str
    values: tuple[CustomerValue, ...]


def value_customers(histories: Sequence[CustomerHistory], terms: Terms) -> Valuation:
    """Fit the models and value every account. Equal histories give equal results, in whatever order."""
    ordered = sorted(histories)
    customers = [history for history in ordered if history.purchases > 0]
    columns = columns_of(customers, terms)
    fit = fit_models(columns, terms)
    forecasts: dict[UUID, Forecast] = {}
    if fit.models is not None:
        made = _forecast(columns, fit.models, terms)
        forecasts = {
            history.account_id: forecast
            for history, forecast in zip(customers, made, strict=True)
            if forecast is not None
        }
    values = tuple(_value(history, forecasts.get(history.account_id), fit, terms) for history in ordered)
    return Valuation(fit, digest_of(ordered, terms), values)


def discounted_purchases(model: PurchaseModel, of: Purchases, terms: Terms) -> tuple[Vector, Vector]:
    """Return the purchases to expect within the horizon, as they are and discounted month by month."""
    rate = terms.monthly_discount_rate()
    so_far = discounted = np.zeros_like(of.x)
    for month in range(1, terms.horizon_months + 1):
        expected = model.expected_purchases(of, month * WEEKS_PER_MONTH)
        discounted = discounted + (expected - so_far) / (1.0 + rate) ** month
        so_far = expected
    return so_far, discounted


def historic_value_minor(history: CustomerHistory, terms: Terms) -> int:
    """Return the margin of the orders so far, rounded half to even."""
    exact = Decimal(history.total_minor) * Decimal(str(terms.margin))
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _forecast(columns: Columns, models: FittedModels, terms: Terms) -> Iterator[Forecast | None]:
    purchases, group = grouped_purchases(columns)
    expected, discounted = discounted_purchases(models.purchases, purchases, terms)
    p_alive = models.purchases.p_alive(purchases)
    spend = models.spend.expected_spend(*means_of(columns, terms.currency)) * 10.0 ** exponent(terms.currency)
    for alive, bought, worth, each in _rows((p_alive[group], expected[group], discounted[group], spend)):
        value = worth * each * terms.margin
        if math.isfinite(value) and each < _ABSURD_MINOR and abs(value) < _ABSURD_MINOR:
            yield Forecast(alive, bought, round(each), round(value))
        else:
            yield None


def _rows(columns: Sequence[Vector]) -> Iterator[tuple[float, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)


def _value(history: CustomerHistory, forecast: Forecast | None, fit: Fit, terms: Terms) -> CustomerValue:
    if forecast is not None:
        return CustomerValue(
            history.account_id, "fitted", fit.reason, forecast.value_minor, history, forecast
        )
    return CustomerValue(
        history.account_id,
        "historic",
        _why_historic(history, fit),
        historic_value_minor(history, terms),
        history,
    )


def _why_historic(history: CustomerHistory, fit: Fit) -> str:
    if history.purchases == 0:
        # Refunds only: the account is no customer, but the money was paid.
        return "no-purchase"
    # With models at hand only the spend can be out of reach: nothing of the customer's own, and no mean of all.
    return fit.reason if fit.models is None else INFINITE_MEAN_SPEND
