"""The product with one of its safeguards taken out: a fault run over it, or the state machine, has to turn red."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http import idempotency
from shared.http.idempotency import IdempotencyKey
from shared.messaging import classification
from shared.messaging.classification import KeyState, Plan
from shared.messaging.decoding import Decoded, Unreadable
from shared.messaging.leases import BUCKETS, Leases
from shared.messaging.outgoing import to_record
from shared.messaging.progress import Progress
from shared.messaging.relay import FETCH, Lane


def no_row_lock() -> None:
    """Read a partition's progress without locking its row."""
    Progress.lock = Progress.read  # type: ignore[method-assign]


def no_version_test() -> None:
    """Apply every readable event, whatever version of its key was applied last."""
    with_test = classification._place_dense

    def place(plan: Plan, decoded: Decoded) -> None:
        if decoded.key is None or decoded.version is None or isinstance(decoded.content, Unreadable):
            with_test(plan, decoded)
            return
        state = plan.states.setdefault(decoded.key, KeyState())
        classification._advance(plan, state, decoded)

    classification._place_dense = place


def delete_before_ack() -> None:
    """Delete rows when they are read, not when Kafka has acknowledged them."""

    async def send_batch(lane: Lane, buckets: Any, stopping: Any) -> tuple[int, bool]:
        rows = await lane._connection.fetch(
            FETCH, buckets, lane._blocked.now(), lane._options.rows_per_bucket
        )
        if not rows:
            return 0, False
        await lane._forget(rows)
        await lane._with_heartbeat(lane._producer.deliver([to_record(row) for row in rows]), stopping)
        return len(rows), True

    Lane._send_batch = send_batch  # type: ignore[method-assign]


def no_bucket_lease() -> None:
    """Take every bucket without asking who owns it."""

    async def balance(leases: Leases) -> None:
        leases.owned = list(range(BUCKETS))

    Leases.balance = balance  # type: ignore[method-assign]


def no_idempotency_claim() -> None:
    """Take every request under a key for the first one."""

    async def claim(connection: AsyncConnection, key: IdempotencyKey, now: Any) -> bool:
        identity = {"principal": key.principal, "route": key.route, "key": key.key}
        await connection.execute(idempotency._CLAIM, {**identity, "fingerprint": key.fingerprint, "now": now})
        return True

    idempotency._claim = claim
