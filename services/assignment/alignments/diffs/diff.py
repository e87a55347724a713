"""The diff: what each territory would gain, lose and keep under a plan. Pure sums over matched accounts.

An account takes the path from where it is to where the plan sends it. Every figure is a sum over paths, so
what all territories gain is exactly what all territories lose, gaps being a place of their own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from services.assignment.alignments.realignment import ACCOUNT_ID, TERRITORY_ID, Unit
from services.assignment.projections.weight import Weight
from services.assignment.rules.matcher import Matcher, Reason

Path = tuple[UUID | None, UUID | None]
"""From one territory to another, or to the same; None is the gap."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a caller sees: where accounts are by the live tree, where they would go by the plan's own.

    The two never mix: a draft that puts a foreign territory under the caller's root would otherwise show the
    accounts that are there today.
    """

    everything: bool = False
    live: frozenset[UUID] = frozenset()
    planned: frozenset[UUID] = frozenset()

    def begins(self, origin: UUID | None) -> bool:
        """Tell whether accounts that are here now may be seen."""
        return self.everything or origin in self.live

    def ends(self, target: UUID | None) -> bool:
        """Tell whether accounts that the plan sends here may be seen."""
        return self.everything or target in self.planned

    def sees(self, path: Path) -> bool:
        """Tell whether a path begins or ends where the caller may look."""
        return self.begins(path[0]) or self.ends(path[1])

    def places(self, path: Path) -> set[UUID | None]:
        """Return the ends of a path that the caller may see; one when they are the same."""
        places = {path[0]} if self.begins(path[0]) else set()
        return places | ({path[1]} if self.ends(path[1]) else set())


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
    """Counts matched accounts, chunk by chunk."""

    paths: Counter[Path] = field(default_factory=Counter)
    gaps: Counter[tuple[Path, Reason]] = field(default_factory=Counter)
    rules: Counter[UUID] = field(default_factory=Counter)
    numbers: dict[Path, int] = field(default_factory=dict)
    weights: dict[Path, dict[str, Weight]] = field(default_factory=dict)

    def count(self, matcher: Matcher, units: Iterable[Unit]) -> tuple[list[UUID], list[int]]:
        """Count a chunk; return its accounts with the numbers of their paths."""
        accounts: list[UUID] = []
        numbers: list[int] = []
        for unit in units:
            match = matcher.match(unit)
            path = (unit[TERRITORY_ID], match.territory_id)
            self.paths[path] += 1
            if match.rule_id is not None:
                self.rules[match.rule_id] += 1
            if match.reason is not None:
                self.gaps[path, match.reason] += 1
            accounts.append(unit[ACCOUNT_ID])
            numbers.append(self.numbers.setdefault(path, len(self.numbers)))
        return accounts, numbers

    def weigh(self, summed: Iterable[tuple[int, Weight]]) -> None:
        """Add the weights of a chunk, summed by the number of the path."""
        paths = list(self.numbers)
        for number, weight in summed:
            by_currency = self.weights.setdefault(paths[number], {})
            before = by_currency.get(weight.currency)
            by_currency[weight.currency] = weight if before is None else before + weight

    def see(self, sight: Sight) -> None:
        """Leave out the paths that neither begin nor end where the caller may look."""
        self.paths = Counter({path: count for path, count in self.paths.items() if sight.sees(path)})
        self.gaps = Counter({gap: count for gap, count in self.gaps.items() if sight.sees(gap[0])})

    def reasons(self) -> dict[Reason, int]:
        """Return why accounts would be in a gap, and how many."""
        found: Counter[Reason] = Counter()
        for (_, reason), count in self.gaps.items():
            found[reason] += count
        return dict(found)

    def by_place(self, sight: Sight) -> Mapping[UUID | None, PlaceDiff]:
        """Return what every place that the caller may see gains, loses and keeps."""
        found: dict[UUID | None, PlaceDiff] = {}
        for path, accounts in self.paths.items():
            for place in sight.places(path):
                diff = found.setdefault(place, PlaceDiff())
                diff.accounts.add(path, place, Decimal(accounts))
                self._weigh_place(diff, path, place)
        return found

    def _weigh_place(self, diff: PlaceDiff, path: Path, place: UUID | None) -> None:
        for currency, weight in self.weights.get(path, {}).items():
            diff.revenue.setdefault(currency, Exchange()).add(path, place, weight.revenue)
            diff.pipeline.setdefault(currency, Exchange()).add(path, place, weight.pipeline)

    def totals(self) -> PlaceDiff:
        """Return the whole: what moves is gained here, and lost elsewhere by as much."""
        whole = PlaceDiff()
        for path, accounts in self.paths.items():
            whole.accounts.add(path, path[1], Decimal(accounts))
            self._weigh_place(whole, path, path[1])
        return whole
