"""What a handler gets: decoded events with the place they were read from."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.contracts.envelope import Envelope, EventContract

E_co = TypeVar("E_co", bound=EventContract, covariant=True)


@dataclass(frozen=True, slots=True)
class Received(Generic[E_co]):
    """One event as it was read. `version` counts the events of its key; 0 on topics that do not count."""

    event: E_co
    envelope: Envelope
    topic: str
    partition: int
    offset: int
    key: str

    @property
    def version(self) -> int:
        """Return the event's number within its aggregate."""
        return self.envelope.aggregateversion or 0


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The news that an entity of a state topic is gone."""

    envelope: Envelope
    topic: str
    partition: int
    offset: int
    key: str

    @property
    def version(self) -> int:
        """Return the number of the entity's last event."""
        return self.envelope.aggregateversion or 0
