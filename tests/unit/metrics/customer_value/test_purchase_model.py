"""BG/NBD against its published fit, its golden values, and the integral that it stands for."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import roots_jacobi

from services.metrics.customer_value.likelihood import NotConverged
from services.metrics.customer_value.purchase_model import PurchaseModel, Purchases, fit_purchase_model
from tests import cdnow

PUBLISHED = PurchaseModel(r=0.243, alpha=4.414, a=0.793, b=2.426)


def one(x, t_x, age):
    """Return one customer."""
    return Purchases(*(np.array([float(each)]) for each in (x, t_x, age, 1)))


def cdnow_purchases():
    """Return the customers of the sample."""
    x, t_x, age, _ = np.array(cdnow.customers()).T
    return Purchases(x, t_x, age, np.ones_like(x))


def test_the_fit_of_cdnow_is_the_published_one():
    purchases = cdnow_purchases()
    model = fit_purchase_model(purchases)
    found = (model.r, model.alpha, model.a, model.b)
    assert found == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=1e-3)
    assert model.log_likelihood(purchases) == pytest.approx(-9582.4, abs=0.05)


def test_customers_may_share_a_row():
    """Weights are what makes a fit of many customers fast: they must not change it."""
    table, counts = np.unique(np.array(cdnow.customers())[:, :3], axis=0, return_counts=True)
    grouped = fit_purchase_model(Purchases(*table.T, counts.astype(float)))
    alone = fit_purchase_model(cdnow_purchases())
    assert (grouped.r, grouped.alpha, grouped.a, grouped.b) == pytest.approx(
        (alone.r, alone.alpha, alone.a, alone.b), rel=1e-5
    )


def test_golden_values():
    """Computed from the published formulas; the last agrees with a simulation of 400,000 customers (1.194)."""
    known = one(2, 30.43, 38.86)
    assert PUBLISHED.expected_purchases(known, 39)[0] == pytest.approx(1.2260, abs=5e-5)
    assert PUBLISHED.p_alive(known)[0] == pytest.approx(0.72658, abs=5e-6)
    assert PUBLISHED.expected_purchases(one(0, 0, 39), 39)[0] == pytest.approx(0.19453, abs=5e-6)
    assert PUBLISHED.expected_purchases(one(0, 0, 0), 39)[0] == pytest.approx(1.19672, abs=5e-6)


def test_the_misprinted_form_is_not_the_one_used():
    """One documented form of E[Y] has another argument and denominator: it gives -14.6 for this customer."""
    assert PUBLISHED.expected_purchases(one(2, 30.43, 38.86), 39)[0] > 0


parameters = st.floats(-2.5, 2.5).map(math.exp)
models = st.builds(PurchaseModel, parameters, parameters, parameters, parameters)
ages = st.floats(0.5, 300)


@st.composite
def histories(draw, most=400):
    """Draw a customer: bought once, or again and again, perhaps on the very day of the cut-off."""
    age = draw(ages)
    x = draw(st.sampled_from([0, 0, 1, 2, 7, 40, most]))
    return x, age * draw(st.sampled_from([0.05, 0.5, 0.97, 1.0])) if x else 0.0, age


def integral(model, x, age, weeks):
    """Return the purchases of a customer who is alive: over the leaving probability p, beta(a, b + x)."""
    with np.errstate(all="ignore"):  # SciPy divides by zero on its way when both exponents add up to -1
        nodes, weights = roots_jacobi(400, model.b + x - 1.0, model.a - 1.0)
    p = (1.0 + nodes) / 2.0
    bought = -np.expm1(-(model.r + x) * np.log1p(p * weeks / (model.alpha + age))) / p
    return float(np.sum(weights * bought) / np.sum(weights))


@given(models, histories(), st.floats(0.5, 150))
def test_expected_purchases_are_the_integral_they_stand_for(model, history, weeks):
    x, _, age = history
    purchases = one(*history)
    expected = model.p_alive(purchases)[0] * integral(model, x, age, weeks)
    assert model.expected_purchases(purchases, weeks)[0] == pytest.approx(expected, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("off", [0.0, 1e-9, -1e-6, 5e-5, 1.01e-4, -1e-3])
@pytest.mark.parametrize(("a", "x"), [(1.0, 0), (1.0, 3), (0.4, 0)])
def test_the_poles_of_the_closed_form_cancel(a, x, off):
    """At a = 1, and at a + b + x = 1, the form divides by zero; the expectation does not notice."""
    model = PurchaseModel(0.5, 6.0, a + off, 0.6)
    purchases = one(x, 20.0 if x else 0.0, 30.0)
    expected = model.p_alive(purchases)[0] * integral(model, x, 30.0, 26.0)
    assert model.expected_purchases(purchases, 26.0)[0] == pytest.approx(expected, rel=1e-6)


@given(models, histories(most=100_000), st.floats(0.5, 100))
def test_figures_stay_within_reason(model, history, weeks):
    """Many purchases overflow the published form; negative values were reported of others where T = recency."""
    purchases = one(*history)
    (alive,) = model.p_alive(purchases)
    (soon,), (later,) = (model.expected_purchases(purchases, w) for w in (weeks, 2 * weeks))
    assert 0 <= alive <= 1
    assert 0 <= soon <= later * (1 + 1e-9)
    assert later <= (model.r + history[0]) / (model.alpha + history[2]) * 2 * weeks * (1 + 1e-6)


@given(models, ages)
def test_who_bought_once_has_not_left(model, age):
    assert model.p_alive(one(0, 0, age))[0] == 1.0


@given(models, st.integers(1, 30), ages)
def test_the_longer_the_silence_the_less_alive(model, x, age):
    silent = [model.p_alive(one(x, age * share, age))[0] for share in (1.0, 0.6, 0.2)]
    assert silent == sorted(silent, reverse=True)


@pytest.mark.parametrize("history", [(1, 5.0, 4.0), (1, -1.0, 4.0), (0, 2.0, 4.0), (2, 0.0, 4.0)])
def test_impossible_histories_are_refused(history):
    with pytest.raises(ValueError, match="t_x"):
        one(*history)


def test_customers_who_are_all_alike_tell_nothing():
    """Any spread explains them, so none is the most likely: the parameters run to the edge."""
    alike = Purchases(*(np.full(200, each) for each in (3.0, 30.0, 40.0, 1.0)))
    with pytest.raises(NotConverged):
        fit_purchase_model(alike)


def simulated(truth, customers, *, leaves=True):
    """Return customers who behave as the model says, observed for one to 100 weeks."""
    rng = np.random.default_rng(20260105)
    rows = []
    for _ in range(customers):
        rate, p = rng.gamma(truth.r) / truth.alpha, rng.beta(truth.a, truth.b) if leaves else 0.0
        age, x, last, now = rng.uniform(1, 100), 0, 0.0, rng.exponential(1 / rate)
        while now <= age:
            x, last = x + 1, now
            now = math.inf if rng.random() < p else now + rng.exponential(1 / rate)
        rows.append((x, last, age, 1.0))
    return Purchases(*np.array(rows).T)


def test_a_known_truth_is_found_again():
    truth = PurchaseModel(0.5, 8.0, 0.8, 2.5)
    found = fit_purchase_model(simulated(truth, 6_000))
    assert (found.r, found.alpha) == pytest.approx((0.5, 8.0), rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.3, rel=0.1)


def test_customers_of_whom_nobody_leaves_can_be_fitted():
    """Then a and b run to an edge, and the purchases to expect are those of the plain NBD."""
    truth = PurchaseModel(1.5, 8.0, 0.8, 2.5)
    purchases = simulated(truth, 3_000, leaves=False)
    found = fit_purchase_model(purchases)
    assert found.nobody_leaves()
    assert (found.r, found.alpha) == pytest.approx((1.5, 8.0), rel=0.1)
    plain = (found.r + purchases.x) / (found.alpha + purchases.age) * 10
    assert np.average(found.expected_purchases(purchases, 10)) == pytest.approx(np.average(plain), rel=0.02)


@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_the_fit_is_a_peak(name):
    purchases = cdnow_purchases()
    best = fit_purchase_model(purchases)
    for factor in (0.97, 1.03):
        beside = replace(best, **{name: getattr(best, name) * factor})
        assert beside.log_likelihood(purchases) < best.log_likelihood(purchases) - 1e-3
