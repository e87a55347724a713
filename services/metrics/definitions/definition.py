"""What a metric is: which figures it adds up, what it divides them by, and what it says when that is nothing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["money", "count", "ratio", "money_per_customer"]
Additivity = Literal["additive", "semi_additive", "ratio_of_sums"]
Terms = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a metric.

    A value is the sum of the `numerator`'s figures, each times its sign, over that of the `denominator` if there
    is one. Figures ending in `_minor` are money; a window or lag is a parameter of the question.
    """

    metric_id: str
    version: int
    title: str
    formula: str
    unit: Unit
    additivity: Additivity
    numerator: Terms
    source: str
    denominator: Terms = field(default_factory=dict)
    when_empty: str | None = None
    parameters: tuple[str, ...] = ()

    @property
    def by_currency(self) -> bool:
        """Tell whether the metric is worked out for each currency by itself; counts go over all of them."""
        return self.unit in {"money", "money_per_customer"} or any(
            figure.endswith("_minor") for figure in self.numerator
        )

    @property
    def figures(self) -> frozenset[str]:
        """Return the figures that the metric is made of."""
        return frozenset({*self.numerator, *self.denominator})
