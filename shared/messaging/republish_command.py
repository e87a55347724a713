"""`python -m services.<service> republish-state <topic> [--dry-run]`: every current state once more.

For a topic that is new, was lost, or whose contract gained a field. States go out at the versions they have, so readers
that know them pass them over, and running the command again, or after it was stopped, does no harm.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import event_source
from shared.db.engine import build_engine
from shared.db.states import StateTopic, write_states
from shared.runtime.correlation import current_correlation
from shared.runtime.logging import configure_logging
from shared.runtime.settings import ServiceSettings

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
    headers = json.dumps(current_correlation().headers())
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


def run_republish_command(
    argv: Sequence[str], *, settings: ServiceSettings, service: str, states: Sequence[StateTopic]
) -> int:
    """Do what the words after `republish-state` say; answers are JSON lines. Returns the exit status."""
    configure_logging(
        service=service, role="republish-state", form=settings.log_format, level=settings.log_level
    )
    return asyncio.run(republish_state(argv, settings=settings, service=service, states=states))


async def republish_state(
    argv: Sequence[str], *, settings: ServiceSettings, service: str, states: Sequence[StateTopic]
) -> int:
    """Do it inside a running loop."""
    by_topic = {each.topic: each for each in states}
    parser = argparse.ArgumentParser(prog=f"python -m services.{service} republish-state")
    parser.add_argument("topic", choices=sorted(by_topic))
    parser.add_argument("--dry-run", action="store_true", help="only count")
    options = parser.parse_args(argv)
    chosen = by_topic[options.topic]
    engine = build_engine(
        settings.database_url.get_secret_value(),
        schema=service,
        application_name=f"{service}.republish-state",
        pool_size=1,
    )
    try:
        total = await count_entities(engine, chosen)
        if options.dry_run:
            return _say(topic=chosen.topic, entities=total, dry_run=True)
        source = event_source(settings.organisation, service)
        async for progress in republish(engine, chosen, source=source):
            _say(topic=chosen.topic, entities=progress.entities, of=total, written=progress.written)
        return 0
    finally:
        await engine.dispose()


def _say(**line: object) -> int:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 0
