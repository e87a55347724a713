"""Scenarios side by side: which of them no other beats on balance, travel and disruption at once. Pure.

Only like is compared with like: three small territories beat a country on travel by being small.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

# Below this, two scenarios are as good as each other: a metre, a hundredth of a percent.
_ALIKE = 1e-4


@dataclass(frozen=True, slots=True)
class Standing:
    """What a scenario is judged by, less is better: the worst deviation of the shared measures, mean km, share moved.

    `deviation` is None when the scenarios balance nothing in common: then it counts for nobody.
    """

    deviation: float | None
    mean_km: float
    moved: float

    def dominates(self, other: "Standing") -> bool:
        """Tell whether it is nowhere worse, and somewhere better."""
        pairs = list(zip(self.values(), other.values(), strict=True))
        return all(mine <= theirs + _ALIKE for mine, theirs in pairs) and any(
            mine < theirs - _ALIKE for mine, theirs in pairs
        )

    def values(self) -> tuple[float, ...]:
        """Return what is compared, a part that counts for nobody as 0."""
        return (0.0 if self.deviation is None else self.deviation, self.mean_km, self.moved)


def shared_measures(measures: Sequence[Collection[Hashable]]) -> frozenset[Hashable]:
    """Return the measures that all scenarios balance."""
    if not measures:
        return frozenset()
    return frozenset(measures[0]).intersection(*map(frozenset, measures[1:]))


def number_groups(subjects: Sequence[Hashable]) -> list[int]:
    """Number scenarios by what they are about, from 1 in the order in which each subject comes first."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(subject, len(numbers) + 1) for subject in subjects]


def on_front(standings: Sequence[Standing], groups: Sequence[int]) -> list[bool]:
    """Tell of each scenario whether it is on the Pareto front of its group."""
    compared = list(zip(standings, groups, strict=True))
    return [
        not any(other.dominates(one) for other, others in compared if others == group)
        for one, group in compared
    ]
