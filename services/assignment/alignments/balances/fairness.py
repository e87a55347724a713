"""Fairness: how evenly something is spread over territories. Pure; exact up to the last rounding.

Sales literature aims at equal potential within 15 % of the mean; Gini and P90/P10 are those of economics, with
percentiles between ranks interpolated (method 7 of Hyndman and Fan, as spreadsheets do).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

BAND = Decimal("0.15")
_RATIO = Decimal("0.0001")


class Undefined(StrEnum):
    """Why a ratio has no value."""

    NO_TERRITORIES = "no_territories"
    NOTHING_TO_SPREAD = "nothing_to_spread"
    LOW_END_IS_ZERO = "low_end_is_zero"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A number, or why there is none."""

    value: Decimal | None
    reason: Undefined | None = None


@dataclass(frozen=True, slots=True)
class Fairness:
    """How evenly the amounts of territories are spread; `within_band` of them lie near the mean."""

    territories: int
    total: Decimal
    mean: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None
    within_band: int
    gini: Ratio
    p90_to_p10: Ratio
    highest_to_lowest: Ratio
    share_within_band: Ratio
    balance: Ratio


def measure_fairness(amounts: Sequence[Decimal]) -> Fairness:
    """Measure how evenly amounts, none of them negative, are spread."""
    ranked = sorted(amounts)
    total = sum(ranked, Decimal(0))
    if not ranked or not total:
        return _undefined(ranked, Undefined.NOTHING_TO_SPREAD if ranked else Undefined.NO_TERRITORIES)
    count = len(ranked)
    mean = total / count
    within = sum(abs(amount - mean) <= BAND * mean for amount in ranked)
    away = sum((abs(amount - mean) for amount in ranked), Decimal(0))
    return Fairness(
        territories=count,
        total=total,
        mean=mean,
        lowest=ranked[0],
        highest=ranked[-1],
        within_band=within,
        gini=_ratio(_gini(ranked, total), Decimal(1)),
        p90_to_p10=_ratio(percentile(ranked, Decimal("0.9")), percentile(ranked, Decimal("0.1"))),
        highest_to_lowest=_ratio(ranked[-1], ranked[0]),
        share_within_band=_ratio(Decimal(within), Decimal(count)),
        balance=_ratio(2 * total - away, 2 * total),
    )


def percentile(ranked: Sequence[Decimal], share: Decimal) -> Decimal:
    """Return the amount below which this share of them lies, interpolated between ranks."""
    place = share * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])


def _gini(ranked: Sequence[Decimal], total: Decimal) -> Decimal:
    count = len(ranked)
    weighted = sum((rank * amount for rank, amount in enumerate(ranked, start=1)), Decimal(0))
    return 2 * weighted / (count * total) - Decimal(count + 1) / count


def _ratio(numerator: Decimal, denominator: Decimal) -> Ratio:
    if not denominator:
        return Ratio(None, Undefined.LOW_END_IS_ZERO)
    return Ratio((numerator / denominator).quantize(_RATIO))


def _undefined(ranked: Sequence[Decimal], reason: Undefined) -> Fairness:
    none = Ratio(None, reason)
    bound = Decimal(0) if ranked else None
    return Fairness(len(ranked), Decimal(0), bound, bound, bound, 0, none, none, none, none, none)
