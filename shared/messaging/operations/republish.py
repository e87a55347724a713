"""Every current state of a topic once more: `events state republish TOPIC`.

For a topic that is new, was lost, or whose contract gained a field, and after a restore. States go out at the versions
they have, so readers that know them pass them over, and running the command again, or after it was stopped, does no harm.
They say that they are told once more (`ce_republished`): another state under a number that was told is a restored
publisher's otherwise (`versions compare`).
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.states import StateTopic, write_states
from shared.messaging.operations.retelling import REPUBLISHED
from shared.runtime.correlation import current_correlation

BATCH = 1_000

# Locked, so that no event of these keys commits between the reading of a state and its version.
_NEXT = text("""
SELECT aggregateid FROM aggregate_versions
WHERE aggregatetype = :events AND aggregateid > :after ORDER BY aggregateid LIMIT :rows FOR UPDATE
""")
_COUNT = text("SELECT count(*) FROM aggregate_versions WHERE aggregatetype = :events")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many entities were looked at, and how many states were put into the outbox."""

    entities: int = 0
    written: int = 0


async def count_entities(engine: AsyncEngine, states: StateTopic) -> int:
    """Return how many entities have had events."""
    async with engine.connect() as connection:
        found: int = (await connection.execute(_COUNT, {"events": states.events})).scalar_one()
    return found


async def republish(
    engine: AsyncEngine, states: StateTopic, *, source: str, batch: int = BATCH
) -> AsyncIterator[Progress]:
    """Put every state into the outbox, a transaction per batch; tell after each how far it is.

    A state that still waits there at the same version is not written again.
    """
    headers = json.dumps({**current_correlation().headers(), REPUBLISHED: "true"})
    done, after = Progress(), ""
    while True:
        names = {"events": states.events, "after": after, "rows": batch}
        async with engine.begin() as connection:
            keys = [row.aggregateid for row in await connection.execute(_NEXT, names)]
            written = await write_states(connection, states, keys, source=source, headers=headers)
        if not keys:
            return
        after = keys[-1]
        done = Progress(done.entities + len(keys), done.written + written)
        yield done
