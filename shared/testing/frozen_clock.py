"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

A_MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FrozenClock:
    """Tells the moment it was given."""

    def __init__(self, now: datetime = A_MONDAY) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the chosen moment."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Choose another moment."""
        self._now = moment

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
