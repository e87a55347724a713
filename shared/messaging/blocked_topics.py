"""Topics that Kafka refuses for now, so that their rows do not hold up the rest of the outbox."""

import time
from dataclasses import dataclass, field

LONGEST_BLOCK = 30.0


@dataclass(slots=True)
class BlockedTopics:
    """Topics that cannot be sent to for now; their rows wait without holding up the others."""

    _until: dict[str, float] = field(default_factory=dict)
    _pause: dict[str, float] = field(default_factory=dict)

    def block(self, topic: str) -> None:
        """Leave a topic alone for a while, longer each time."""
        self._pause[topic] = min(LONGEST_BLOCK, self._pause.get(topic, 1.0) * 2)
        self._until[topic] = time.monotonic() + self._pause[topic]

    def now(self) -> list[str]:
        """Return the topics to leave alone."""
        present = time.monotonic()
        return [topic for topic, until in self._until.items() if until > present]

    def release(self, topics: set[str]) -> None:
        """Forget the trouble with topics that took records."""
        for topic in topics & self._pause.keys():
            del self._pause[topic], self._until[topic]
