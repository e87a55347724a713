"""The product's relay, one pass at a time: a lane on a session of its own, which a death ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from shared.kafka.producer import Producer
from shared.messaging.blocked_topics import BlockedTopics
from shared.messaging.leases import Leases, connect_directly
from shared.messaging.relay import _ENDS_A_SESSION, Lane, RelayOptions
from shared.testing.waiting import eventually
from tests.stateful.fail_points import API, Died, FailPoints, Gate

Ask = Callable[[str], Awaitable[bool]]


class SteppedRelay:
    """One relay of a service. Its passes are the product's; when one runs is for the machine to say."""

    def __init__(self, options: RelayOptions, producer: Producer, points: FailPoints) -> None:
        self._options = options
        self._producer = producer
        self._points = points
        self._stopping = asyncio.Event()
        self._lane: Lane | None = None
        self._held: tuple[asyncio.Task[int], Gate] | None = None
        self._sent_before: list[str] = []
        self.repeatable: list[str] = []
        """Events sent in passes that did not come to their end: they may come again."""

    @property
    def is_held(self) -> bool:
        """Tell whether a pass of it waits at a point."""
        return self._held is not None

    async def step(self) -> int:
        """Make one pass; return how many rows it sent and deleted. Raises Died."""
        self._points.sent.clear()
        try:
            if self._lane is None:
                await self._begin()
            assert self._lane is not None
            assert self._lane.leases is not None
            await self._lane.leases.balance()
            sent, _ = await self._lane._send_batch(self._lane.leases.owned, self._stopping)
        except (Died, *_ENDS_A_SESSION) as end:
            self.repeatable += self._points.sent
            await self.die()
            if isinstance(end, Died):
                raise
            return 0
        return sent

    async def hold(self, point: str) -> bool:
        """Begin a pass and leave it at a point; tell whether it came there."""
        gate = Gate()
        self._points.arm(point, gate)
        task = asyncio.ensure_future(self.step())
        reached = asyncio.ensure_future(gate.reached.wait())
        await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
        if gate.reached.is_set():
            # Others send meanwhile: what it has sent so far is its own.
            self._sent_before = list(self._points.sent)
            self._held = task, gate
            return True
        reached.cancel()
        self._points.disarm_all_but(API)
        await task
        return False

    async def let_go(self, *, deadly: bool) -> None:
        """Have a held pass go on, or die where it stands."""
        if self._held is None:
            return
        (task, gate), self._held = self._held, None
        gate.deadly = deadly
        self._points.sent = list(self._sent_before)
        gate.opened.set()
        with contextlib.suppress(Died):
            await task

    async def die(self) -> None:
        """End without a word, and wait until Postgres has noticed."""
        if self._lane is not None:
            connection, self._lane = self._lane._connection, None
            pid = None if connection.is_closed() else connection.get_server_pid()
            connection.terminate()
            if pid is not None:
                await self._until_gone(pid)

    async def _until_gone(self, pid: int) -> None:
        looking = await connect_directly(
            self._options.database_url, schema=self._options.service, application_name="looking"
        )
        try:
            held = "SELECT count(*) FROM pg_locks WHERE pid = $1"
            await eventually(lambda: _none(looking.fetchval(held, pid)), every=0.002)
        finally:
            await looking.close()

    async def _begin(self) -> None:
        self._lane = Lane(self._options, self._producer, BlockedTopics())
        name = f"{self._options.service}.relay"
        self._lane._connection = await connect_directly(
            self._options.database_url, schema=self._options.service, application_name=name
        )
        self._lane.leases = Leases(self._lane._connection, name=f"{self._options.service}.outbox")
        await self._lane.leases.announce()


async def _none(count: Awaitable[int]) -> bool:
    return await count == 0
