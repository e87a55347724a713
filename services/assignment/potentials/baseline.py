"""The baseline: an account is worth the median of its industry. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from services.assignment.potentials.potential import Company

# The median of fewer says more about them than about their industry.
FEWEST_OF_INDUSTRY = 5


@dataclass(frozen=True, slots=True)
class IndustryMedians:
    """The median of each industry of which enough accounts are known, and of all accounts for the others."""

    by_industry: dict[str | None, float]
    overall: float

    @classmethod
    def learn(cls, known: Sequence[Company]) -> "IndustryMedians":
        """Learn from companies whose amounts are known; at least one."""
        amounts: dict[str | None, list[float]] = defaultdict(list)
        for company in known:
            if company.amount is not None:
                amounts[company.industry].append(company.amount)
        return cls(
            {key: median(of_key) for key, of_key in amounts.items() if len(of_key) >= FEWEST_OF_INDUSTRY},
            median(amount for of_key in amounts.values() for amount in of_key),
        )

    def estimate(self, companies: Sequence[Company]) -> list[float]:
        """Estimate companies."""
        return [self.by_industry.get(company.industry, self.overall) for company in companies]
