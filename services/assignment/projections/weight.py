"""What an account weighs in a realignment."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Weight:
    """Revenue of the last twelve months and open pipeline, in one currency."""

    currency: str
    revenue: Decimal
    pipeline: Decimal

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(self.currency, self.revenue + other.revenue, self.pipeline + other.pipeline)
