"""From orders to values: the published fit from raw purchases, the level that is left, the same answer each time."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.customer_value.history import CustomerHistory, Terms
from services.metrics.customer_value.purchase_model import PurchaseModel, Purchases
from services.metrics.customer_value.valuation import (
    WEEKS_PER_MONTH,
    discounted_purchases,
    historic_value_minor,
    value_customers,
)
from tests import cdnow

NAMESPACE = UUID("11111111-2222-3333-4444-555555555555")
FIRST = date(2026, 1, 5)
TERMS = Terms("USD", FIRST + timedelta(days=270), margin=1.0, annual_discount_rate=0.1, horizon_months=12)


def cdnow_histories():
    """Return the customers of the log up to the published cut-off."""
    days = defaultdict(lambda: defaultdict(int))
    for purchase in cdnow.purchases():
        if purchase.on <= cdnow.CUT_OFF:
            days[purchase.customer][purchase.on] += int(purchase.amount * 100)
    return [
        CustomerHistory(
            uuid5(NAMESPACE, customer),
            len(of),
            min(of),
            max(of),
            sum(of.values()) - of[min(of)],
            sum(of.values()),
        )
        for customer, of in days.items()
    ]


CDNOW_TERMS = Terms("USD", cdnow.CUT_OFF, margin=1.0, annual_discount_rate=0.1, horizon_months=12)


@pytest.fixture(scope="module")
def cdnow_valuation():
    """The customers of the log, valued."""
    return value_customers(cdnow_histories(), CDNOW_TERMS)


def test_the_log_gives_the_published_fits(cdnow_valuation):
    fit = cdnow_valuation.fit
    assert (fit.level, fit.reason, fit.customers, fit.repeat_customers) == ("fitted", "fitted", 2357, 946)
    buying, spend = fit.models.purchases, fit.models.spend
    assert (buying.r, buying.alpha, buying.a, buying.b) == pytest.approx(
        (0.243, 4.414, 0.793, 2.426), abs=1e-3
    )
    # Published with two decimals; v 15.4435 and q 3.7442 are rounded to them.
    assert (round(spend.p, 2), round(spend.q, 2), round(spend.v, 2)) == (6.25, 3.74, 15.44)
    assert (spend.p, spend.v) == pytest.approx((6.25, 15.44), rel=1e-3)


def test_equal_histories_give_equal_results_to_the_last_bit(cdnow_valuation):
    backwards = value_customers(cdnow_histories()[::-1], CDNOW_TERMS)
    assert backwards == cdnow_valuation
    other = value_customers(cdnow_histories()[1:], CDNOW_TERMS)
    assert other.input_digest != cdnow_valuation.input_digest


def test_values_add_up_to_what_the_models_expect(cdnow_valuation):
    """Valued by hand from the fit: each month's expected purchases times the expected spend, discounted."""
    fit = cdnow_valuation.fit
    history = next(h for h in cdnow_histories() if h.purchases > 3)
    value = next(v for v in cdnow_valuation.values if v.account_id == history.account_id)
    x = history.purchases - 1
    weeks = [(end - history.first_on).days / 7 for end in (history.last_on, cdnow.CUT_OFF)]
    customer = Purchases(*(np.array([float(each)]) for each in (x, *weeks, 1)))
    expected = [fit.models.purchases.expected_purchases(customer, i * 4.345)[0] for i in range(13)]
    spend = fit.models.spend.expected_spend(np.array([x]), np.array([history.repeat_minor / x / 100]))[0]
    by_hand = sum((b - a) / 1.1 ** (i / 12) for i, (a, b) in enumerate(pairwise(expected), 1)) * spend
    assert value.value_minor / 100 == pytest.approx(by_hand, abs=0.006)
    assert value.forecast.expected_purchases == pytest.approx(expected[12])
    assert value.forecast.expected_spend_minor == round(spend * 100)


def test_without_discount_the_months_add_up_to_the_horizon():
    model = PurchaseModel(0.243, 4.414, 0.793, 2.426)
    customer = Purchases(*(np.array([each]) for each in (2.0, 30.43, 38.86, 1.0)))
    free, dear = (Terms("USD", FIRST, 1.0, rate, 12) for rate in (0.0, 0.5))
    expected, undiscounted = discounted_purchases(model, customer, free)
    assert undiscounted == pytest.approx(expected)
    assert expected == pytest.approx(model.expected_purchases(customer, 12 * WEEKS_PER_MONTH))
    assert discounted_purchases(model, customer, dear)[1] < undiscounted


def customer(name, purchases, *, total=None, last=100):
    """Return a history with so many purchases of 10.00 each."""
    return CustomerHistory(
        uuid5(NAMESPACE, str(name)),
        purchases,
        FIRST,
        FIRST + timedelta(days=last if purchases > 1 else 0),
        1_000 * (purchases - 1),
        1_000 * purchases if total is None else total,
    )


def test_no_orders_at_all():
    valuation = value_customers([], TERMS)
    assert (valuation.fit.level, valuation.fit.reason, valuation.values) == (
        "historic",
        "too-few-customers",
        (),
    )


@pytest.mark.parametrize(
    ("histories", "reason"),
    [
        ([customer(n, 3) for n in range(49)], "too-few-customers"),
        ([customer(n, 1) for n in range(500)], "too-few-repeat-customers"),
        # All alike: any spread of rates explains them, so none is the most likely.
        ([customer(n, 3) for n in range(500)], "not-converged"),
    ],
)
def test_what_cannot_be_fitted_is_valued_by_its_history(histories, reason):
    valuation = value_customers(histories, TERMS)
    assert (valuation.fit.level, valuation.fit.reason, valuation.fit.models) == ("historic", reason, None)
    assert {(value.level, value.reason) for value in valuation.values} == {("historic", reason)}
    assert [value.value_minor for value in valuation.values] == [
        history.total_minor for history in sorted(histories)
    ]


def test_refunds_without_a_purchase_are_no_customer(cdnow_valuation):
    refunded = CustomerHistory(uuid5(NAMESPACE, "refunded"), 0, None, None, 0, -2_500)
    valuation = value_customers([*cdnow_histories(), refunded], CDNOW_TERMS)
    value = next(v for v in valuation.values if v.account_id == refunded.account_id)
    assert (value.level, value.reason, value.value_minor) == ("historic", "no-purchase", -2_500)
    assert valuation.fit == cdnow_valuation.fit


def test_bought_once_where_the_mean_of_all_is_infinite():
    """Large and small customers mixed: those who came back are forecast, the others fall back, each with its reason."""
    rng = np.random.default_rng(5)
    histories = [
        h._replace(repeat_minor=int(h.repeat_minor * scale) + 1, total_minor=int(h.total_minor * scale) + 1)
        for h, scale in zip(cdnow_histories(), np.minimum(1 / rng.gamma(0.4, size=2357), 1e7), strict=True)
    ]
    valuation = value_customers(histories, CDNOW_TERMS)
    assert valuation.fit.findings == ("infinite-mean-spend",)
    told = {(v.level, v.reason, v.history.repeat_minor > 1) for v in valuation.values}
    assert told == {("fitted", "fitted", True), ("historic", "infinite-mean-spend", False)}


def test_free_repeat_purchases_are_valued_like_everybodys(cdnow_valuation):
    """Mean 0 has no place in gamma-gamma: the customer's own purchases tell nothing about their value."""
    free = next(h for h in cdnow_histories() if h.purchases > 1 and h.repeat_minor > 0)._replace(
        account_id=uuid5(NAMESPACE, "free"), repeat_minor=0
    )
    valuation = value_customers([*cdnow_histories(), free], CDNOW_TERMS)
    value = next(v for v in valuation.values if v.account_id == free.account_id)
    assert value.forecast.expected_spend_minor == round(valuation.fit.models.spend.mean() * 100)


def test_bought_again_on_the_day_of_the_cut_off(cdnow_valuation):
    """T = recency is where others report negative values."""
    last_day = [v for v in cdnow_valuation.values if v.history.last_on == cdnow.CUT_OFF]
    assert min(value.value_minor for value in last_day) > 0
    assert min(value.value_minor for value in cdnow_valuation.values) >= 0


def test_a_negative_margin_is_allowed_and_told():
    lossy = Terms("USD", cdnow.CUT_OFF, margin=-0.1, annual_discount_rate=0.1, horizon_months=12)
    valuation = value_customers(cdnow_histories(), lossy)
    assert valuation.fit.findings == ("negative-margin",)
    assert all(value.value_minor <= 0 for value in valuation.values)


@given(st.integers(-(10**12), 10**12), st.decimals(-1, 1, places=4))
def test_the_historic_value_is_exact(total, margin):
    terms = Terms("USD", FIRST, float(margin), 0.1, 12)
    history = CustomerHistory(NAMESPACE, 1, FIRST, FIRST, 0, total)
    assert abs(historic_value_minor(history, terms) * 10_000 - total * int(margin * 10_000)) <= 5_000


moves = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 200), st.integers(0, 50_000)), max_size=12)


@given(moves)
def test_any_few_customers_get_a_value(drawn):
    """Tiny samples, same-day cut-offs, free purchases: a level and a reason, never an error."""
    histories = [
        CustomerHistory(
            uuid5(NAMESPACE, str(n)),
            purchases,
            FIRST,
            FIRST + timedelta(days=last if purchases > 1 else 0),
            value if purchases > 1 else 0,
            value,
        )
        for n, (purchases, last, value) in enumerate(drawn)
    ]
    valuation = value_customers(histories, TERMS)
    assert len(valuation.values) == len(histories)
    assert {value.level for value in valuation.values} <= {"historic"}
