"""What a handler gets: decoded events with the place they were read from."""

from collections.abc import Callable, Hashable, Iterable
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


def last_of_each(received: Iterable[Received[E_co]], entity_of: Callable[[E_co], Hashable]) -> list[E_co]:
    """Return the event told last of each entity, in the order in which entities were first told of.

    A batch may hold several of one entity, and SQL that joins or upserts a list with repeats takes any of them.
    """
    return list({entity_of(item.event): item.event for item in received}.values())


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
