"""The census of a plan: what each territory would hold, who is wanted by several, and what moves. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from uuid import UUID

from services.assignment.alignments.balances.travel import Point
from services.assignment.alignments.diffs.diff import Tally
from services.assignment.alignments.fit.fit import FitTally, Scorer, Wanted
from services.assignment.alignments.realignment import TERRITORY_ID, Unit
from services.assignment.rules.condition import INDEX
from services.assignment.rules.matcher import Matcher

_EMPLOYEES = INDEX["employees"]

Pair = tuple[UUID, UUID]


@dataclass(slots=True)
class Holding:
    """What a territory would hold; money by currency."""

    accounts: int = 0
    employees: int = 0
    revenue: dict[str, Decimal] = field(default_factory=dict)
    pipeline: dict[str, Decimal] = field(default_factory=dict)
    potential: dict[str, Decimal] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    fits: FitTally = field(default_factory=FitTally)


@dataclass(slots=True)
class Census:
    """Counts the accounts that the tally's caller sees, matched chunk by chunk."""

    tally: Tally
    scorer: Scorer
    holdings: dict[UUID | None, Holding] = field(default_factory=dict)
    overlapping: int = 0
    overlaps: Counter[Pair] = field(default_factory=Counter)

    def count(self, matcher: Matcher, units: Iterable[Unit]) -> tuple[list[UUID], list[int]]:
        """Count a chunk; return its accounts with the numbers of the paths they take."""
        seen = [unit for unit in units if self.tally.sight.begins(unit[TERRITORY_ID])]
        accounts, numbers = self.tally.count(matcher, seen)
        paths = list(self.tally.numbers)
        for unit, number in zip(seen, numbers, strict=True):
            territory_id = paths[number][1]
            holding = self._holding(territory_id)
            holding.accounts += 1
            if territory_id is not None:
                holding.fits.add(self.scorer.score(territory_id, Wanted.of(unit)))
            holding.employees += unit[_EMPLOYEES] or 0
            wanting = matcher.wanting(unit)
            if len(wanting) > 1:
                self.overlapping += 1
                self.overlaps.update(combinations(sorted(wanting), 2))
        return accounts, numbers

    def place(self, accounts: Iterable[UUID], numbers: Iterable[int], points: Mapping[UUID, Point]) -> None:
        """Add where the accounts of a chunk lie, those that lie anywhere."""
        paths = list(self.tally.numbers)
        for account_id, number in zip(accounts, numbers, strict=True):
            if (point := points.get(account_id)) is not None:
                self._holding(paths[number][1]).points.append(point)

    def add_potentials(self, currency: str, sums: Iterable[tuple[int, Decimal]]) -> None:
        """Add what the accounts of a chunk may be worth, summed by the numbers of their paths."""
        paths = list(self.tally.numbers)
        for number, amount in sums:
            _add(self._holding(paths[number][1]).potential, currency, amount)

    def holdings_with_money(self) -> Mapping[UUID | None, Holding]:
        """Return what every place would hold, once everything is counted."""
        for path, by_currency in self.tally.measures.items():
            holding = self._holding(path[1])
            for currency, measures in by_currency.items():
                _add(holding.revenue, currency, measures.revenue)
                _add(holding.pipeline, currency, measures.pipeline)
        return self.holdings

    def _holding(self, territory_id: UUID | None) -> Holding:
        holding = self.holdings.get(territory_id)
        if holding is None:
            holding = self.holdings[territory_id] = Holding()
        return holding


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, Decimal(0)) + amount
