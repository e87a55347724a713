"""Match against what is: which accounts would change under a plan. Pure; the caller brings the rows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.assignment.rules.matcher import ACCOUNT_ID, PLACED_IN, Match, Matcher, Reason

TERRITORY_ID, RULE_ID, REASON, CAUSE, VALID_FROM = range(PLACED_IN + 1, PLACED_IN + 6)
"""Where a unit's row holds, after the values that rules look at, who it is and where it is placed, where it belongs now."""

Unit = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Change:
    """An account whose alignment becomes another; `known` tells that it had one."""

    account_id: UUID
    from_territory_id: UUID | None
    match: Match
    known: bool

    @property
    def moved(self) -> bool:
        """Tell whether the account changes territory, and not only the rule, the cause or the reason."""
        return self.from_territory_id != self.match.territory_id


@dataclass(slots=True)
class Realignment:
    """What a plan changes, how many accounts it was asked about, and how many each territory would hold.

    Who is displaced had a territory, and has another or none.
    """

    accounts: int = 0
    gaps: int = 0
    ties: int = 0
    moved: int = 0
    displaced: int = 0
    placed_before: int = 0
    held: Counter[UUID | None] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)

    def count(self, other: "Realignment") -> None:
        """Add the counts of another part; its changes stay with it."""
        self.accounts += other.accounts
        self.gaps += other.gaps
        self.ties += other.ties
        self.moved += other.moved
        self.displaced += other.displaced
        self.placed_before += other.placed_before
        self.held.update(other.held)


def find_changes(matcher: Matcher, units: Iterable[Unit]) -> Realignment:
    """Match units and return those whose territory, rule, reason or cause differs from what is in force."""
    found = Realignment()
    for unit in units:
        match = matcher.match(unit)
        found.accounts += 1
        found.held[match.territory_id] += 1
        found.placed_before += unit[TERRITORY_ID] is not None
        if match.reason is not None:
            found.gaps += 1
            found.ties += match.reason is Reason.TIE
        if (
            unit[TERRITORY_ID] != match.territory_id
            or unit[RULE_ID] != match.rule_id
            or unit[REASON] != match.reason
            # A pin and a placement name no rule: what was held by one may be held by the other in the same place.
            or unit[CAUSE] != match.cause
        ):
            change = Change(unit[ACCOUNT_ID], unit[TERRITORY_ID], match, unit[VALID_FROM] is not None)
            found.changes.append(change)
            found.moved += change.moved
            found.displaced += change.moved and change.from_territory_id is not None
    return found
