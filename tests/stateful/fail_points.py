"""Where a part can die or be held up, by name. The product knows none of them: they are put around its functions.

A part that reaches a point does what the point was armed with, once. To die is an exception that nothing of the product
handles: what Postgres has not committed by then never happened, and what it has stays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transact import Transactor
from shared.kafka.producer import Producer
from shared.kafka.records import OutgoingRecord
from shared.messaging.batches import Batches
from shared.messaging.progress import Progress
from shared.messaging.relay import Lane

RELAY = ("relay: fetched", "relay: part sent", "relay: sent", "relay: acknowledged", "relay: deleted")
CONSUMER = ("consumer: handled", "consumer: before commit", "consumer: committed")
API = ("api: before events", "api: before commit", "api: committed")
FAIL_POINTS = (*RELAY, *CONSUMER, *API)
"""Every name there is. Relays can be held at any of theirs, consumers before their commit, apis only die."""


class Died(BaseException):
    """A part has died at a point. `answer` is what was committed and never sent, if there was such a thing."""

    def __init__(self, point: str, answer: Any = None) -> None:
        super().__init__(point)
        self.point = point
        self.answer = answer


@dataclass
class Gate:
    """Where a part is held: it has come, and it may go on, alive or not."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    deadly: bool = False


class FailPoints:
    """What is armed, and what was sent to Kafka since somebody looked."""

    def __init__(self) -> None:
        self._armed: dict[str, Gate | None] = {}
        self.reached: dict[str, int] = dict.fromkeys(FAIL_POINTS, 0)
        self.sent: list[str] = []

    def arm(self, point: str, gate: Gate | None = None) -> None:
        """Have whoever comes next die, or be held at a gate."""
        assert point in FAIL_POINTS
        self._armed[point] = gate

    def is_armed(self, point: str) -> bool:
        """Tell whether nobody has come to a point since it was armed."""
        return point in self._armed

    def disarm(self) -> None:
        """Take back what nobody came to."""
        self._armed.clear()

    def disarm_all_but(self, points: Sequence[str]) -> None:
        """Take back what nobody came to, except at these points."""
        self._armed = {point: gate for point, gate in self._armed.items() if point in points}

    async def reach(self, point: str, answer: Any = None) -> None:
        """Die, wait, or go on."""
        if (gate := self.take(point, answer)) is not None:
            gate.reached.set()
            await gate.opened.wait()
            if gate.deadly:
                raise Died(point)

    def take(self, point: str, answer: Any = None) -> Gate | None:
        """Die, or return the gate to wait at, if any."""
        if point not in self._armed:
            return None
        self.reached[point] += 1
        gate = self._armed.pop(point)
        if gate is None:
            raise Died(point, answer)
        return gate

    def watch_commits(self, engine: AsyncEngine) -> None:
        """Put a point between the last statement of an api's transaction and its COMMIT."""
        event.listen(engine.sync_engine, "commit", lambda _: self.take("api: before commit"))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Stand around the product's functions for as long as the block lasts."""
        with pytest.MonkeyPatch.context() as patch:
            self._around_relays(patch)
            self._around_consumers(patch)
            self._around_apis(patch)
            yield

    def _around_relays(self, patch: pytest.MonkeyPatch) -> None:
        deliver, forget = Producer.deliver, Lane._forget

        async def watched_deliver(producer: Producer, records: Sequence[OutgoingRecord]) -> Any:
            await self.reach("relay: fetched")
            rest = records
            if "relay: part sent" in self._armed:
                half, rest = records[: len(records) // 2], records[len(records) // 2 :]
                self._note(half)
                assert not (await deliver(producer, half)).failed
                await self.reach("relay: part sent")
            self._note(rest)
            delivery = await deliver(producer, rest)
            # Of positions among the rest; Kafka is there all the time.
            assert not delivery.failed
            await self.reach("relay: sent")
            return delivery

        async def watched_forget(lane: Lane, rows: Sequence[Any]) -> None:
            await self.reach("relay: acknowledged")
            await forget(lane, rows)
            await self.reach("relay: deleted")

        patch.setattr(Producer, "deliver", watched_deliver)
        patch.setattr(Lane, "_forget", watched_forget)

    def _note(self, records: Sequence[OutgoingRecord]) -> None:
        for record in records:
            self.sent += [value.decode() for name, value in record.headers if name == "ce_id" and value]

    def _around_consumers(self, patch: pytest.MonkeyPatch) -> None:
        advance, apply, run_handlers = Progress.advance, Batches.apply, Batches.run_handlers

        async def watched_handlers(batches: Batches, *arguments: Any) -> None:
            await run_handlers(batches, *arguments)
            await self.reach("consumer: handled")

        async def watched_advance(progress: Progress, connection: Any, *, to: int) -> None:
            await advance(progress, connection, to=to)
            await self.reach("consumer: before commit")

        async def watched_apply(batches: Batches, *arguments: Any, **named: Any) -> Any:
            outcome = await apply(batches, *arguments, **named)
            await self.reach("consumer: committed")
            return outcome

        patch.setattr(Batches, "run_handlers", watched_handlers)
        patch.setattr(Progress, "advance", watched_advance)
        patch.setattr(Batches, "apply", watched_apply)

    def _around_apis(self, patch: pytest.MonkeyPatch) -> None:
        transact = Transactor.__call__

        async def watched(
            transactor: Transactor,
            handler: Callable[..., Awaitable[Any]],
            command: Any,
            *,
            actor: str = "system",
        ) -> Any:
            async def handle(command: Any, uow: Any) -> Any:
                result = await handler(command, uow)
                await self.reach("api: before events")
                return result

            result = await transact(transactor, handle, command, actor=actor)
            await self.reach("api: committed", result)
            return result

        patch.setattr(Transactor, "__call__", watched)
