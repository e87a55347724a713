"""Gamma-gamma against its published fit and golden values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.customer_value.spend_model import (
    Spending,
    SpendModel,
    fit_spend_model,
)
from tests import cdnow

PUBLISHED = SpendModel(p=6.25, q=3.74, v=15.44)


def columns(*values):
    """Return numbers as a column."""
    return np.array([float(value) for value in values])


def test_the_fit_of_the_cdnow_summary_is_the_published_one():
    """The summary's means are rounded to cents; the log's fit, in test_valuation, agrees to every digit."""
    x, _, _, mean = np.array(cdnow.customers()).T
    kept = (x > 0) & (mean > 0)
    spending = Spending(x[kept], mean[kept], np.ones(int(kept.sum())))
    model = fit_spend_model(spending)
    assert len(spending.x) == 946
    assert (model.p, model.v) == pytest.approx((6.25, 15.44), rel=1e-3)
    assert round(model.q, 2) == 3.74
    assert spending.correlation() == pytest.approx(0.1139, abs=1e-4)


def test_golden_values():
    expected = PUBLISHED.expected_spend(columns(1, 0), columns(20, 0))
    assert expected == pytest.approx((24.6385, 35.2190), abs=5e-5)


@given(st.integers(0, 10_000), st.floats(0.01, 1e6))
def test_an_estimate_lies_between_the_customers_mean_and_everybodys(x, mean):
    (expected,) = PUBLISHED.expected_spend(columns(x), columns(mean))
    low, high = sorted((mean, PUBLISHED.mean()))
    assert low * (1 - 1e-12) <= expected <= high * (1 + 1e-12)


@pytest.mark.parametrize("rate", [0.001, 7.3, 1000.0])
def test_the_fit_does_not_depend_on_the_currency(rate):
    rng = np.random.default_rng(7)
    x = rng.integers(1, 9, 300).astype(float)
    mean = rng.gamma(6 * x) / (6 * x) * 20 / rng.gamma(4.0, size=300)
    one = fit_spend_model(Spending(x, mean, np.ones(300)))
    other = fit_spend_model(Spending(x, mean * rate, np.ones(300)))
    assert (other.p, other.q, other.v) == pytest.approx((one.p, one.q, one.v * rate), rel=1e-4)


def test_where_the_mean_of_all_is_infinite_own_purchases_still_tell():
    """Values so heavy-tailed that q is below 1: who bought once could be worth anything."""
    rng = np.random.default_rng(11)
    x = rng.integers(2, 9, 4_000).astype(float)
    mean = rng.gamma(6 * x) / (6 * x) / rng.gamma(0.6, size=4_000)
    model = fit_spend_model(Spending(x, mean, np.ones(4_000)))
    assert model.q == pytest.approx(0.6, rel=0.1)
    once, often = model.expected_spend(columns(0, 4), columns(0, 100))
    assert np.isinf(once)
    assert np.isinf(model.mean())
    assert often == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize(("x", "mean"), [(0, 10), (1, 0), (2, -5)])
def test_what_the_model_has_no_place_for_is_refused(x, mean):
    with pytest.raises(ValueError, match="x >= 1"):
        Spending(columns(x), columns(mean), columns(1))
