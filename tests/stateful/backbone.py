"""Relays and consumers of one example: who moves next, who dies where, and what comes twice."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from shared.kafka.records import TopicPartition
from tests.stateful.fail_points import API, Died, Gate
from tests.stateful.installation import MEMBERS, READ, RELAYS
from tests.stateful.stage import Stage
from tests.stateful.violation import require

T = TypeVar("T")


class Backbone:
    """Moves one example's relays and consumers, one pass at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._injected: list[str] = []

    @property
    def repeatable(self) -> list[str]:
        """Return the ids of events that may lie in the log once more: as often as they are named."""
        died = [one for relay in self._stage.relays.values() for one in relay.repeatable]
        return [*died, *self._injected]

    # -- Relays ----------------------------------------------------------------------------------------------

    async def relay(self, name: str, passes: int) -> None:
        """Have a relay make passes, unless it is held."""
        relay = self._stage.relays[name]
        with contextlib.suppress(Died):
            for _ in range(0 if relay.is_held else passes):
                await relay.step()

    async def relay_all(self) -> None:
        """Have all relays send what there is, but for those that are held."""
        for relay in self._stage.relays.values():
            with contextlib.suppress(Died):
                while not relay.is_held and await relay.step():
                    pass
        self._stage.unsent.clear()

    async def kill_relay(self, point: str, which: int) -> None:
        """Have a relay that has something to send die in a pass."""
        for name in self._able_relays(which):
            self._stage.points.arm(point)
            # The first pass finds out when Postgres has ended the session in the meantime.
            await self.relay(name, 2)
            if not self._stage.points.is_armed(point):
                return
        self._stage.points.disarm_all_but(API)

    async def hold_relay(self, point: str, which: int) -> None:
        """Have a relay that has something to send stand still in a pass, with its session alive."""
        for name in self._able_relays(which):
            if await self._stage.relays[name].hold(point):
                return

    async def let_go(self, *, deadly: bool) -> None:
        """Have the relays that stand still go on, or die where they stand."""
        for relay in self._stage.relays.values():
            await relay.let_go(deadly=deadly)

    def _able_relays(self, which: int) -> list[str]:
        # All of them: which of two owns the bucket is for Postgres to say.
        able = [name for name, service in RELAYS.items() if service in self._stage.unsent]
        return [name for name in _from(able, which) if not self._stage.relays[name].is_held]

    # -- Consumers -------------------------------------------------------------------------------------------

    async def consume(self, name: str, member: str, **how: Any) -> None:
        """Have a member of a consumer make a pass, from where Postgres has it or from Kafka's hint."""
        with contextlib.suppress(Died):
            await self._stage.consumers[f"{name} {member}"].step(**how)

    async def kill_consumer(self, point: str, which: int) -> None:
        """Have a member die in a pass, over everything that there is to tell."""
        await self.relay_all()
        self._stage.points.arm(point)
        for name in _from(READ, which):
            await self.consume(name, MEMBERS[which % 2])
            if not self._stage.points.is_armed(point):
                return
        self._stage.points.disarm_all_but(API)

    async def seek(self, name: str, member: str, share: int) -> None:
        """Change Kafka's opinion on where a member stands: old records again, or some left out."""
        consumer = self._stage.consumers[f"{name} {member}"]
        for place in consumer.poller.places():
            await consumer.seek(place, share=share)

    async def consume_at_once(self, name: str) -> None:
        """Have two members apply the same records at the same time."""
        await self.relay_all()
        first, second = (self._stage.consumers[f"{name} {member}"] for member in MEMBERS)
        # Once the first is held, a start is looked up when that one has committed.
        await second.look_up()
        gate = Gate()
        self._stage.points.arm("consumer: before commit", gate)
        step = asyncio.ensure_future(first.step())
        if await first.wait_for(gate.reached, step):
            other = asyncio.ensure_future(second.step())
            await self._stage.until_waiting(MEMBERS[1], other)
            gate.opened.set()
            await other
        self._stage.points.disarm_all_but(API)
        await step

    # -- The log ---------------------------------------------------------------------------------------------

    async def send_again(self, which: int) -> None:
        """Have an old record come once more, behind all others."""
        records = await self._stage.installation.log.read()
        if records:
            record = records[which % len(records)]
            self._injected.append(record.event_id)
            place = TopicPartition(record.topic, record.partition)
            await self._stage.produce(place, record.incoming())

    async def drain(self) -> None:
        """Send and read everything. Raises Violation when something stays in an outbox."""
        left = await self._left()
        # A session that Postgres ended in the meantime costs its relay a pass, and its buckets one of the other relay.
        for _ in range(3 if left else 0):
            await self.relay_all()
            if not (left := await self._left()):
                break
        require(not left, f"G: still in the outbox: {left}")
        for name in READ:
            consumer = self._stage.consumers[f"{name} {MEMBERS[0]}"]
            # It may stand at the end of the log without having read what is there; a new one looks up where to read.
            await consumer.die()
            while await consumer.step():
                pass

    async def _left(self) -> list[tuple[object, ...]]:
        """Return what outboxes hold."""
        return [
            (service, *row)
            for service in self._stage.databases
            for row in await self._stage.rows(service, "SELECT type, aggregateid FROM outbox")
        ]


def _from(those: Sequence[T], which: int) -> Iterator[T]:
    """Go through all, beginning with one of them."""
    return (those[(which + step) % len(those)] for step in range(len(those)))
