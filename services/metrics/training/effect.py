"""What reps sold before and after they were certified, beside what the others sold in the same months. Pure.

A cohort are the reps first certified in one calendar month. Its months before and after leave out that month itself,
in which they were partly one and partly the other. The others are reps who were not certified by the end of those
months: what changed for them changed without the training. It is a comparison and no proof.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.metrics.measurements.measure import Sums

MonthlySums = Mapping[tuple[UUID | None, date | None], Mapping[str, Mapping[str, int]]]
"""Figures by rep and first day of the month, then by currency."""


@dataclass(frozen=True, slots=True)
class Group:
    """How many reps, and what they come to before and after."""

    reps: int
    before: Sums
    after: Sums


@dataclass(frozen=True, slots=True)
class Effect:
    """A cohort beside the others; not `complete` while its months after are not over."""

    month: date
    cohort: Group
    others: Group
    complete: bool


def shift(month: date, months: int) -> date:
    """Return the first day of a month so many months later, or earlier."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def effects_of(
    certified: Mapping[UUID, date], sums: MonthlySums, *, months: int, first: date, end: date, today: date
) -> list[Effect]:
    """Return the effect for each cohort from the month `first` to before `end`, in order."""
    cohorts: defaultdict[date, set[UUID]] = defaultdict(set)
    for rep, day in certified.items():
        if first <= (month := day.replace(day=1)) < end:
            cohorts[month].add(rep)
    selling = {rep for rep, _ in sums if rep is not None}
    found = []
    for month in sorted(cohorts):
        over = shift(month, months + 1)
        others = {rep for rep in selling if certified.get(rep, over) >= over}
        before = [shift(month, -back) for back in range(months, 0, -1)]
        after = [shift(month, ahead) for ahead in range(1, months + 1)]
        found.append(
            Effect(
                month,
                _group(cohorts[month], sums, before, after),
                _group(others, sums, before, after),
                complete=over <= today,
            )
        )
    return found


def _group(reps: Collection[UUID], sums: MonthlySums, before: Sequence[date], after: Sequence[date]) -> Group:
    return Group(len(reps), _added(reps, sums, before), _added(reps, sums, after))


def _added(reps: Collection[UUID], sums: MonthlySums, months: Sequence[date]) -> Sums:
    added: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for rep in reps:
        for month in months:
            for currency, figures in sums.get((rep, month), {}).items():
                for name, number in figures.items():
                    added[currency][name] += number
    return {currency: dict(figures) for currency, figures in added.items()}
