"""Telling a repeat from another event under a number that was used before. Pure.

A publisher whose database was restored to an earlier moment numbers its next events below what readers have seen. By
their numbers alone they are repeats, and would be dropped in silence. But a repeat was applied here before, so its
id is at most the highest id applied of its key, whatever clocks of hosts do: ids are UUIDv7 (RFC 9562), which rise
with time. One above it is an event that was never applied.
"""

import re
from dataclasses import dataclass

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def time_ordered(event_id: str) -> str | None:
    """Return an id that can be compared with others, as text, by when it was made; None for any other."""
    return event_id if _UUID7.fullmatch(event_id) else None


@dataclass(slots=True)
class KnownIds:
    """Which events of a key were applied: the one that has the last number, and the highest id of all.

    The two differ where a clock went back. None before the first event whose id tells time.
    """

    last: str | None = None
    highest: str | None = None

    def advance(self, event_id: str | None) -> None:
        """Note the event that has the next number."""
        self.last = event_id
        self.note(event_id)

    def note(self, event_id: str | None) -> None:
        """Note an event whose number had been used: given up, and no news when it comes again."""
        if event_id is not None and (self.highest is None or event_id > self.highest):
            self.highest = event_id

    def exclude(self, event_id: str | None, *, is_last: bool) -> bool:
        """Tell whether an event under a used number is surely not the one that had it; `is_last`: the last number."""
        if event_id is None or self.highest is None:
            return False
        if event_id > self.highest:
            return True
        return is_last and self.last is not None and event_id not in {self.last, self.highest}
