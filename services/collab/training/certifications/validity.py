"""On which days a rep holds a certification: what a pass earns, and what a period is on a day. Pure.

A period is half-open: on `valid_to` the certification no longer counts. Periods of one rep and one
certification never overlap. A pass earns, by the day it was made on:

- in the renewal window before the expiry: a period that begins where the old one ends;
- in the grace after the expiry: a period from that day on, which ends where an early renewal's would have;
- later, or with nothing before: a whole period from that day on;
- before the renewal window, in a period that was revoked since, or so late told that its period would reach into
  another: nothing, and the reason is told; nor does one in an enrolment that was completed before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from services.collab.training.certifications.refusals import AwardOver, AwardOverlaps
from services.collab.training.months import add_months

SHORTEST_MONTH = 28


class Withheld(StrEnum):
    """Why a pass earns no period."""

    RENEWAL_WINDOW_NOT_OPEN = "renewal-window-not-open"
    REVOKED_SINCE = "revoked-since"
    FOLLOWED_BY_ANOTHER = "followed-by-another-award"
    COMPLETED_BEFORE = "completed-before"


class AwardState(StrEnum):
    """What an award is on a day."""

    UPCOMING = "upcoming"
    VALID = "valid"
    EXPIRING = "expiring"
    IN_GRACE = "in_grace"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Period:
    """Days on which a certification is held; `cut` when a revocation ended it early."""

    valid_from: date
    valid_to: date
    renewable_from: date
    lapses_on: date
    cut: bool = False

    def holds_on(self, day: date) -> bool:
        """Return whether the certification counts on a day."""
        return self.valid_from <= day < self.valid_to

    def overlaps(self, other: "Period") -> bool:
        """Return whether the two share a day."""
        return max(self.valid_from, other.valid_from) < min(self.valid_to, other.valid_to)

    def state_on(self, day: date) -> AwardState:
        """Return what an award of this period is on a day."""
        if self.cut and day >= self.valid_to:
            return AwardState.REVOKED
        if day < self.valid_from:
            return AwardState.UPCOMING
        if day < self.valid_to:
            renewable = not self.cut and day >= self.renewable_from
            return AwardState.EXPIRING if renewable else AwardState.VALID
        return AwardState.IN_GRACE if day < self.lapses_on else AwardState.EXPIRED

    def cut_from(self, day: date) -> "Period":
        """Return what is left when the award counts no more from a day on. Raises AwardOver."""
        if day >= self.valid_to:
            raise AwardOver(f"award_id: the award ended on {self.valid_to}; there is nothing left to revoke.")
        return replace(self, valid_to=max(day, self.valid_from), cut=True)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a certification is valid, how early it may be renewed, and how late."""

    validity_months: int
    renewal_window_days: int
    grace_days: int

    def period(self, start: date, *, counted_from: date | None = None) -> Period:
        """Return the period from `start`, as long as one from `counted_from` would last."""
        end = add_months(counted_from or start, self.validity_months)
        return Period(
            valid_from=start,
            valid_to=end,
            renewable_from=end - timedelta(days=self.renewal_window_days),
            lapses_on=end + timedelta(days=self.grace_days),
        )


def earn(passed_on: date, terms: Terms, held: Sequence[Period]) -> Period | Withheld:
    """Return what a pass on a day earns, given the periods held."""
    before = [period for period in held if period.valid_from <= passed_on]
    last = max(before, key=lambda period: period.valid_from, default=None)
    if last is None:
        earned = terms.period(passed_on)
    elif last.holds_on(passed_on):
        reason = _why_not_renewable(last, passed_on, held)
        if reason is not None:
            return reason
        earned = terms.period(last.valid_to)
    else:
        in_grace = not last.cut and passed_on < last.lapses_on
        earned = terms.period(passed_on, counted_from=last.valid_to if in_grace else None)
    return earned if _clash(earned, held) is None else Withheld.FOLLOWED_BY_ANOTHER


def require_free(wanted: Period, held: Iterable[Period]) -> None:
    """Check that a period shares no day with those held. Raises AwardOverlaps."""
    clash = _clash(wanted, held)
    if clash is not None:
        raise AwardOverlaps(
            f"valid_from: the rep holds this certification from {clash.valid_from} until {clash.valid_to}; "
            f"a period from {wanted.valid_from} until {wanted.valid_to} would overlap it."
        )


def _clash(wanted: Period, held: Iterable[Period]) -> Period | None:
    return next((period for period in held if period.overlaps(wanted)), None)


def _why_not_renewable(last: Period, passed_on: date, held: Iterable[Period]) -> Withheld | None:
    if last.cut:
        return Withheld.REVOKED_SINCE
    # Renewed before: the window of what follows is not open yet.
    followed = any(other.valid_from == last.valid_to for other in held)
    if followed or passed_on < last.renewable_from:
        return Withheld.RENEWAL_WINDOW_NOT_OPEN
    return None
