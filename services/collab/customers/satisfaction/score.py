"""Answers to satisfaction surveys, and the figures made of them. Pure.

NPS: promoters answer 9 or 10, detractors 0 to 6; the figure is the share of the former less the share of the
latter, from -100 to 100 (Reichheld 2003). CSAT: the share of answers 4 and 5 of 5. Both are null, with a reason,
when nobody answered.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Literal


class ScoreKind(StrEnum):
    """Which question was answered."""

    NPS = "nps"
    CSAT = "csat"


RANGES = {ScoreKind.NPS: range(11), ScoreKind.CSAT: range(1, 6)}
PROMOTER, DETRACTOR = 9, 6
SATISFIED = 4
LOW = {ScoreKind.NPS: DETRACTOR, ScoreKind.CSAT: 2}
"""An answer up to this one asks for something to be done."""

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it was made of; `value` is None with a `reason` when `n` is 0."""

    value: Decimal | None
    reason: Literal["no-answers"] | None
    n: int
    high: int
    low: int


def net_promoter_score(*, n: int, promoters: int, detractors: int) -> Figure:
    """Return the NPS to a tenth; ratios are sums over sums, so figures of parts are never averaged."""
    return _figure(promoters - detractors, n, promoters, detractors)


def satisfied_percent(*, n: int, satisfied: int) -> Figure:
    """Return the CSAT in percent to a tenth."""
    return _figure(satisfied, n, satisfied, n - satisfied)


def _figure(numerator: int, n: int, high: int, low: int) -> Figure:
    if n == 0:
        return Figure(None, "no-answers", 0, 0, 0)
    value = (Decimal(100 * numerator) / n).quantize(_TENTH, rounding=ROUND_HALF_EVEN)
    return Figure(value, None, n, high, low)
