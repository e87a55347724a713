"""A toy service: two kinds of numbered events, one state, one foreign fact, and a ledger of what was applied."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import text

from shared.contracts.envelope import AggregateOrder, Envelope, EventContract
from shared.db.migrations import backbone_statements
from shared.db.unit_of_work import UnitOfWork
from shared.kafka import cloudevents
from shared.kafka.records import IncomingRecord
from shared.messaging.received import Received, Tombstone
from shared.messaging.subscription import Subscription

EVENTS, STATES, FACTS, ECHOES = (
    "toy.thing.events.v1",
    "toy.thing.state.v1",
    "toy.facts.v1",
    "toy.echo.events.v1",
)
READER = "toy.reader"
SERVICE = "assignment"  # any of the three: the roles and the schema are what we need

STATEMENTS = [
    *backbone_statements(SERVICE),
    "CREATE TABLE ledger (entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text, version bigint, what text)",
]


class Happened(EventContract):
    TYPE: ClassVar[str] = "toy.thing.happened.v1"
    TOPIC: ClassVar[str] = EVENTS
    thing: str
    number: int

    @property
    def key(self) -> str:
        return self.thing


class Renamed(Happened):
    TYPE: ClassVar[str] = "toy.thing.renamed.v1"


class Stranger(Happened):
    """Published on the topic, and nobody's business here."""

    TYPE: ClassVar[str] = "toy.thing.strange.v1"


class ThingState(Happened):
    TYPE: ClassVar[str] = "toy.thing.state.v1"
    TOPIC: ClassVar[str] = STATES
    ORDER: ClassVar[AggregateOrder] = "rising"


class Fact(Happened):
    TYPE: ClassVar[str] = "toy.facts.recorded.v1"
    TOPIC: ClassVar[str] = FACTS
    ORDER: ClassVar[AggregateOrder] = "none"


class Echoed(Happened):
    TYPE: ClassVar[str] = "toy.echo.heard.v1"
    TOPIC: ClassVar[str] = ECHOES


class Large(EventContract):
    TYPE: ClassVar[str] = "toy.thing.large.v1"
    TOPIC: ClassVar[str] = EVENTS
    thing: str
    pad: str

    @property
    def key(self) -> str:
        return self.thing


class Homeless(Happened):
    """Announced on a topic that nobody created."""

    TYPE: ClassVar[str] = "toy.homeless.v1"
    TOPIC: ClassVar[str] = "toy.homeless.events.v1"


class Bug(Exception):
    """What the toy's handlers raise on purpose."""


class Ledger:
    """Handlers that write what they got; `refuse` makes them fail for some keys."""

    def __init__(self) -> None:
        self.refuse: set[str] = set()
        self.calls: list[int] = []

    async def enter(self, received: Sequence[Received[Any]], uow: UnitOfWork) -> None:
        self.calls.append(len(received))
        await _enter(uow, [(r.key, r.version, str(r.event.number)) for r in received])
        if refused := self.refuse & {r.key for r in received}:
            raise Bug(f"cannot cope with {sorted(refused)}")

    async def remove(self, gone: Sequence[Tombstone], uow: UnitOfWork) -> None:
        await _enter(uow, [(t.key, t.version, "gone") for t in gone])

    async def echo(self, received: Sequence[Received[Any]], uow: UnitOfWork) -> None:
        await self.enter(received, uow)
        uow.outbox.add_all(Echoed(thing=r.key, number=r.event.number) for r in received)

    def events(self) -> Subscription:
        return Subscription(EVENTS, {Happened: self.enter, Renamed: self.enter})

    def states(self) -> Subscription:
        return Subscription(STATES, {ThingState: self.enter}, on_tombstones=self.remove)

    def facts(self) -> Subscription:
        return Subscription(FACTS, {Fact: self.enter})


async def _enter(uow: UnitOfWork, rows: list[tuple[str, int, str]]) -> None:
    keys, versions, whats = (list(column) for column in zip(*rows, strict=True))
    await uow.connection.execute(
        text(
            "INSERT INTO ledger (key, version, what) SELECT * FROM unnest(CAST(:keys AS text[]), "
            "CAST(:versions AS bigint[]), CAST(:whats AS text[]))"
        ),
        {"keys": keys, "versions": versions, "whats": whats},
    )


def headers_of(event: EventContract, version: int | None) -> list[tuple[str, bytes | None]]:
    """Return an event's headers as the relay would send them."""
    envelope = Envelope(
        id=f"{event.key}-{version}",
        source="/toy",
        type=event.TYPE,
        subject=event.key,
        aggregateversion=version,
    )
    return list(cloudevents.encode(envelope))


def with_headers(record: IncomingRecord, headers: list[tuple[str, bytes | None]]) -> IncomingRecord:
    return replace(record, headers=headers)
