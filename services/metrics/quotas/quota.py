"""What targets come to in a period: each by the share of its days that lies in it. Pure.

The share is the difference of what is due by the period's end and by its beginning, both rounded: so the periods
that a target is cut into add up to it, to the minor unit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from uuid import UUID

from shared.contracts.money import to_minor


@dataclass(frozen=True, slots=True)
class Target:
    """An amount of revenue that a territory is to reach in a half-open period."""

    territory_id: UUID
    currency: str
    amount: Decimal
    first_day: date
    end_day: date


@dataclass(frozen=True, slots=True)
class CoveredDays:
    """The days at whose end a rep covers a territory; `end_day` is None while no end is known."""

    rep_id: UUID
    first_day: date
    end_day: date | None


def split_by_rep(target: Target, covered: Sequence[CoveredDays]) -> Iterator[tuple[UUID | None, date, date]]:
    """Cut a target's days into spans of one rep each, None where nobody covers; of two reps the later one counts."""
    edges = {target.first_day, target.end_day}
    edges |= {day for one in covered for day in (one.first_day, one.end_day) if day is not None}
    days = sorted(day for day in edges if target.first_day <= day <= target.end_day)
    for first_day, end_day in pairwise(days):
        holding = [
            one for one in covered
            if one.first_day <= first_day and (one.end_day is None or one.end_day > first_day)
        ]  # fmt: skip
        last = max(holding, key=lambda one: one.first_day, default=None)
        yield (None if last is None else last.rep_id), first_day, end_day


def quota_minor(targets: Iterable[Target], first_day: date, end_day: date, currency: str) -> int:
    """Return the quota of the period in minor units: every day of a target weighs the same."""
    return sum(_share(target, first_day, end_day) for target in targets if target.currency == currency)


def _share(target: Target, first_day: date, end_day: date) -> int:
    return _due_by(end_day, target) - _due_by(first_day, target) if first_day < end_day else 0


def _due_by(day: date, target: Target) -> int:
    days = (min(max(day, target.first_day), target.end_day) - target.first_day).days
    due = Decimal(to_minor(target.amount, target.currency)) * days / (target.end_day - target.first_day).days
    return int(due.to_integral_value(ROUND_HALF_UP))
