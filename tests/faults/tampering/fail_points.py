"""Points at which a process dies, hangs, errs or goes by a wrong clock, when armed."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.db.unit_of_work import UnitOfWork
from shared.kafka.poller import Poller
from shared.messaging.batches import Batches
from shared.messaging.progress import Progress
from shared.messaging.relay import Lane
from shared.runtime.clock import SystemClock
from tests.faults.tampering import arming

BLOCKED_SECONDS = 30.0
SLOW_SECONDS = 0.15


def kill_before_delete() -> None:
    """Die when Kafka has acknowledged rows and they are still in the outbox."""
    forget = Lane._forget

    async def dying(lane: Lane, rows: Sequence[Any]) -> None:
        if arming.taken("kill-before-delete"):
            arming.die()
        await forget(lane, rows)

    Lane._forget = dying  # type: ignore[method-assign]


def block_loop() -> None:
    """Block the relay's event loop between acknowledgement and delete, for longer than its lease lasts."""
    forget = Lane._forget

    async def blocking(lane: Lane, rows: Sequence[Any]) -> None:
        if arming.taken("block-loop"):
            time.sleep(BLOCKED_SECONDS)  # noqa: ASYNC251 - that is the point
        await forget(lane, rows)

    Lane._forget = blocking  # type: ignore[method-assign]


def kill_before_commit() -> None:
    """Die when a batch is applied and not committed."""
    advance = Progress.advance

    async def dying(progress: Progress, connection: Any, *, to: int) -> None:
        await advance(progress, connection, to=to)
        if arming.taken("kill-before-commit"):
            arming.die()

    Progress.advance = dying  # type: ignore[method-assign]


def kill_after_commit() -> None:
    """Die when a batch is committed to Postgres and its position not yet to Kafka."""
    apply = Batches.apply

    async def dying(batches: Batches, *arguments: Any, **named: Any) -> Any:
        outcome = await apply(batches, *arguments, **named)
        if outcome.applied and arming.taken("kill-after-commit"):
            arming.die()
        return outcome

    Batches.apply = dying  # type: ignore[method-assign]


def slow_handler() -> None:
    """Take long over each batch while armed, inside its transaction."""
    run_handlers = Batches.run_handlers

    async def slow(batches: Batches, decoded: Any, uow: UnitOfWork) -> None:
        if arming.read("slow-handler") is not None:
            await asyncio.sleep(SLOW_SECONDS)
        await run_handlers(batches, decoded, uow)

    Batches.run_handlers = slow  # type: ignore[method-assign]


def failing_handler() -> None:
    """Have a bug for the key that the file names, for as long as it does."""
    call = Batches._call

    async def failing(batches: Batches, kind: type, contents: Sequence[Any], uow: UnitOfWork) -> None:
        key = arming.read("failing-handler")
        if key is not None and any(content.key == key for content in contents):
            raise ZeroDivisionError("a bug for one key")
        await call(batches, kind, contents, uow)

    Batches._call = failing  # type: ignore[method-assign]


def shifted_clock() -> None:
    """Go by a clock that is wrong by the seconds in the file. Tokens are judged by it as well."""
    import jwt.api_jwt  # noqa: PLC0415 - only the processes that judge tokens

    def now(*_: Any) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(arming.read("shifted-clock") or 0))

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # noqa: ARG003
            return now()

    SystemClock.now = now  # type: ignore[method-assign]
    jwt.api_jwt.datetime = Shifted  # type: ignore[misc, attr-defined]


def another_group() -> None:
    """Read in a Kafka group of its own, so that every partition has two readers of one consumer for good."""
    made = Poller.__init__

    def apart(poller: Poller, access: Any, *, group_id: str, topics: Sequence[str]) -> None:
        made(poller, access, group_id=f"{group_id}.apart", topics=topics)

    Poller.__init__ = apart  # type: ignore[method-assign]
