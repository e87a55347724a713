"""Fairness of spreads: golden values by hand and from the literature, edges, and what must hold of any amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.balances.fairness import Fairness, Undefined, measure_fairness


def _of(*amounts: float) -> Fairness:
    return measure_fairness([Decimal(str(amount)) for amount in amounts])


@pytest.mark.parametrize(
    ("amounts", "gini"),
    [
        # (sum of all |x-y|) / (2 n^2 mean) by hand: 20 / (2 * 16 * 2.5), 6 / (2 * 16 * 0.25), 0.
        ((1, 2, 3, 4), "0.2500"),
        ((0, 0, 0, 1), "0.7500"),
        ((7, 7, 7), "0.0000"),
        # Incomes 10, 20, 30, 40, 100 (mean 40): the sum of all differences is 800; 800 / (2 * 25 * 40).
        ((10, 20, 30, 40, 100), "0.4000"),
    ],
)
def test_gini(amounts: tuple[float, ...], gini: str) -> None:
    assert _of(*amounts).gini.value == Decimal(gini)


def test_percentiles_are_interpolated_between_ranks() -> None:
    """1..10: P90 = 9.1 and P10 = 1.9, as PERCENTILE.INC of spreadsheets and numpy's default say."""
    assert _of(*range(1, 11)).p90_to_p10.value == Decimal("4.7895")


def test_the_band_is_fifteen_percent_of_the_mean_with_its_edges() -> None:
    found = _of(85, 115, 84.9, 115.1)
    assert (found.mean, found.within_band, found.share_within_band.value) == (100, 2, Decimal("0.5000"))


def test_balance_is_one_less_half_the_distances_by_the_total() -> None:
    """(20, 10, 0) around 10: half of 20 by 30 is a third."""
    found = _of(20, 10, 0)
    assert found.balance.value == Decimal("0.6667")
    assert (found.highest_to_lowest.value, found.highest_to_lowest.reason) == (
        None,
        Undefined.LOW_END_IS_ZERO,
    )


def test_what_cannot_be_divided_has_a_reason_and_no_value() -> None:
    nothing, nobody = _of(0, 0), _of()
    assert (nothing.gini.value, nothing.gini.reason) == (None, Undefined.NOTHING_TO_SPREAD)
    assert (nobody.share_within_band.value, nobody.gini.reason) == (None, Undefined.NO_TERRITORIES)
    assert (nothing.mean, nobody.mean) == (0, None)


amounts_of_any_size = st.lists(st.decimals(0, 10**9, places=2), min_size=1, max_size=30)


@given(amounts_of_any_size, st.integers(2, 1000))
def test_the_unit_of_an_amount_changes_no_ratio(amounts: list[Decimal], factor: int) -> None:
    one, other = measure_fairness(amounts), measure_fairness([amount * factor for amount in amounts])
    assert (one.gini, one.p90_to_p10, one.within_band, one.balance) == (
        other.gini,
        other.p90_to_p10,
        other.within_band,
        other.balance,
    )


@given(amounts_of_any_size)
def test_ratios_stay_within_their_bounds(amounts: list[Decimal]) -> None:
    found = measure_fairness(amounts)
    if found.gini.value is None:
        assert sum(amounts) == 0
        return
    assert 0 <= found.gini.value < 1
    assert found.balance.value is not None
    assert 0 <= found.balance.value <= 1
    assert found.lowest == min(amounts)
    assert found.mean is not None
    assert (found.highest or 0) >= found.mean.quantize(Decimal("0.01")) - Decimal("0.01")


@given(st.lists(st.decimals(1, 10**6, places=2), min_size=2, max_size=20))
def test_taking_from_the_largest_for_the_smallest_never_raises_gini(amounts: list[Decimal]) -> None:
    """The transfer principle of Pigou and Dalton."""
    ranked = sorted(amounts)
    gift = (ranked[-1] - ranked[0]) / 2
    before, after = (
        measure_fairness(ranked),
        measure_fairness([ranked[0] + gift, *ranked[1:-1], ranked[-1] - gift]),
    )
    assert before.gini.value is not None
    assert after.gini.value is not None
    assert after.gini.value <= before.gini.value
