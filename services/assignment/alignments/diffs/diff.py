"""The diff: what each territory would gain, lose and keep under a plan. Pure sums over matched accounts.

An account takes the path from where it is to where the plan sends it. Every figure is a sum over paths, so
what all territories gain is exactly what all territories lose, gaps being a place of their own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from services.assignment.accounts.account import AccountMeasures
from services.assignment.alignments.realignment import TERRITORY_ID, Unit
from services.assignment.rules.matcher import ACCOUNT_ID, Matcher, Reason

Path = tuple[UUID | None, UUID | None]
"""From one territory to another, or to the same; None is the gap."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a caller sees: the accounts that lie in their territories by the live plan, and no others.

    What a draft would bring them from elsewhere is left out, even as a number: who may write rules could ask
    with one after the other what accounts there are elsewhere, and what they are worth.
    """

    everything: bool = False
    live: frozenset[UUID] = frozenset()
    planned: frozenset[UUID] = frozenset()

    def begins(self, origin: UUID | None) -> bool:
        """Tell whether accounts that are here now may be seen."""
        return self.everything or origin in self.live

    def ends(self, target: UUID | None) -> bool:
        """Tell whether the plan's own tree has this place where the caller may look."""
        return self.everything or target in self.planned

    def places(self, path: Path) -> set[UUID | None]:
        """Return the ends of a path that the caller may see; one when they are the same."""
        if not self.begins(path[0]):
            return set()
        return {path[0], path[1]} if self.ends(path[1]) else {path[0]}


@dataclass(slots=True)
class Exchange:
    """Gained, lost and kept, of anything that adds up."""

    gained: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    kept: Decimal = Decimal(0)

    def add(self, path: Path, place: UUID | None, amount: Decimal) -> None:
        """Count what takes a path, as one place sees it."""
        if path[0] == path[1]:
            self.kept += amount
        elif path[1] == place:
            self.gained += amount
        else:
            self.lost += amount


@dataclass(slots=True)
class PlaceDiff:
    """What one territory, or the gap, would gain, lose and keep."""

    accounts: Exchange = field(default_factory=Exchange)
    revenue: dict[str, Exchange] = field(default_factory=dict)
    pipeline: dict[str, Exchange] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Counts the accounts that a caller sees, matched chunk by chunk."""

    sight: Sight
    paths: Counter[Path] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    rules: set[UUID] = field(default_factory=set)
    numbers: dict[Path, int] = field(default_factory=dict)
    measures: dict[Path, dict[str, AccountMeasures]] = field(default_factory=dict)

    def count(self, matcher: Matcher, units: Iterable[Unit]) -> tuple[list[UUID], list[int]]:
        """Count a chunk; return its accounts with the numbers of their paths."""
        accounts: list[UUID] = []
        numbers: list[int] = []
        for unit in units:
            if not self.sight.begins(unit[TERRITORY_ID]):
                continue
            match = matcher.match(unit)
            path = (unit[TERRITORY_ID], match.territory_id)
            self.paths[path] += 1
            if match.rule_id is not None:
                self.rules.add(match.rule_id)
            if match.reason is not None:
                self.reasons[match.reason] += 1
            accounts.append(unit[ACCOUNT_ID])
            numbers.append(self.numbers.setdefault(path, len(self.numbers)))
        return accounts, numbers

    def measure(self, summed: Iterable[tuple[int, AccountMeasures]]) -> None:
        """Add the measures of a chunk, summed by the number of the path."""
        paths = list(self.numbers)
        for number, part in summed:
            by_currency = self.measures.setdefault(paths[number], {})
            before = by_currency.get(part.currency)
            by_currency[part.currency] = part if before is None else before + part

    def by_place(self) -> Mapping[UUID | None, PlaceDiff]:
        """Return what every place that the caller may see gains, loses and keeps."""
        found: dict[UUID | None, PlaceDiff] = {}
        for path in self.paths:
            for place in self.sight.places(path):
                self._add(found.setdefault(place, PlaceDiff()), path, place)
        return found

    def totals(self) -> PlaceDiff:
        """Return the whole: what moves is gained here, and lost elsewhere by as much."""
        whole = PlaceDiff()
        for path in self.paths:
            self._add(whole, path, path[1])
        return whole

    def _add(self, diff: PlaceDiff, path: Path, place: UUID | None) -> None:
        diff.accounts.add(path, place, Decimal(self.paths[path]))
        for currency, measures in self.measures.get(path, {}).items():
            diff.revenue.setdefault(currency, Exchange()).add(path, place, measures.revenue)
            diff.pipeline.setdefault(currency, Exchange()).add(path, place, measures.pipeline)
