"""When each tree was in force, as a function of the set of activations. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TreeActivation:
    """An activation: from `effective_at` on this tree is in force, unless a higher sequence says otherwise."""

    sequence: int
    tree_id: UUID
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class TreePeriod:
    """A half-open period with one tree."""

    valid_from: datetime
    valid_to: datetime
    tree_id: UUID


@dataclass(frozen=True, slots=True)
class TreeShift:
    """A period whose facts were spread by one tree and are to be spread by another; None is no tree."""

    valid_from: datetime
    valid_to: datetime
    from_tree: UUID | None
    to_tree: UUID | None


def periods_of(activations: Iterable[TreeActivation]) -> list[TreePeriod]:
    """Return the periods, each as long as the tree stays the same; the last one has no end."""
    periods: list[TreePeriod] = []
    ruling = 0
    # At an instant the highest sequence among those in effect rules; so, going forward in time, a lower
    # sequence than the one that rules changes nothing.
    for activation in sorted(activations, key=lambda a: (a.effective_at, -a.sequence)):
        if activation.sequence < ruling:
            continue
        ruling = activation.sequence
        if periods and periods[-1].tree_id == activation.tree_id:
            continue
        if periods:
            last = periods.pop()
            periods.append(TreePeriod(last.valid_from, activation.effective_at, last.tree_id))
        periods.append(TreePeriod(activation.effective_at, END, activation.tree_id))
    return periods


def shifts_between(before: Sequence[TreePeriod], after: Sequence[TreePeriod]) -> list[TreeShift]:
    """Return where the tree in force differs, in order of time."""
    edges = sorted(
        {BEGINNING, END, *(edge for p in (*before, *after) for edge in (p.valid_from, p.valid_to))}
    )
    shifts: list[TreeShift] = []
    for start, end in pairwise(edges):
        old, new = _tree_at(before, start), _tree_at(after, start)
        if old != new:
            shifts.append(TreeShift(start, end, old, new))
    return shifts


def _tree_at(periods: Sequence[TreePeriod], moment: datetime) -> UUID | None:
    return next((p.tree_id for p in periods if p.valid_from <= moment < p.valid_to), None)
