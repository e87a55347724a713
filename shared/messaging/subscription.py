"""A consumer module's routing table: contract class -> batch handler, for one topic."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.contracts.envelope import AggregateOrder, EventContract
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.projection import UNDECLARED, Entangled, Projection
from shared.messaging.received import Received, Tombstone

BatchHandler = Callable[[Sequence[Received[Any]], UnitOfWork], Awaitable[None]]
TombstoneHandler = Callable[[Sequence[Tombstone], UnitOfWork], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """What to do with the events of a topic; types without a handler are passed over.

    A handler gets as many events as order allows, runs in the transaction that advances the offset, and
    never commits. On state topics (`rising`) it gets each key once, with its newest state. `keeps` says whether
    an operator may have what it writes built anew from the topic.
    """

    topic: str
    handlers: Mapping[type[EventContract], BatchHandler]
    on_tombstones: TombstoneHandler | None = None
    keeps: Projection | Entangled = UNDECLARED

    def __post_init__(self) -> None:
        if not self.handlers:
            raise ValueError(f"{self.topic}: a subscription needs a handler")
        if strangers := [c.TYPE for c in self.handlers if self.topic != c.TOPIC]:
            raise ValueError(f"{self.topic} does not carry {', '.join(strangers)}")
        if len({contract.ORDER for contract in self.handlers}) > 1:
            raise ValueError(f"{self.topic}: its contracts disagree about the order of versions")

    @cached_property
    def order(self) -> AggregateOrder:
        """Return how versions count on this topic."""
        return next(iter(self.handlers)).ORDER

    @cached_property
    def contracts(self) -> dict[str, type[EventContract]]:
        """Return the handled contracts by wire type."""
        return {contract.TYPE: contract for contract in self.handlers}


def dead_letter_topic(topic: str, consumer: str) -> str:
    """Return where a consumer's rejected records of a topic go."""
    return f"{topic}.{consumer}.dlq"
