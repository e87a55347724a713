"""The writing side: whatever writers race, each key's events are numbered densely, in the order of seq."""

import asyncio
from collections import defaultdict

from tests.service.shared import toy


async def test_versions_are_dense_and_follow_seq_under_concurrent_writers(publish, query):
    async def write(writer):
        for number in range(10):
            await publish(
                *(toy.Happened(thing=f"t{(writer + number + step) % 5}", number=number) for step in range(3))
            )

    await asyncio.gather(*(write(writer) for writer in range(8)))
    found = defaultdict(list)
    for key, version in await query("SELECT aggregateid, aggregateversion FROM outbox ORDER BY seq"):
        found[key].append(version)
    assert sum(map(len, found.values())) == 8 * 10 * 3
    assert all(versions == list(range(1, len(versions) + 1)) for versions in found.values())


async def test_a_key_has_a_count_per_topic(publish, query):
    await publish(toy.Happened(thing="lamp", number=1), toy.ThingState(thing="lamp", number=1))
    await publish(toy.Happened(thing="lamp", number=2))
    rows = await query("SELECT aggregatetype, aggregateversion FROM outbox ORDER BY seq")
    assert rows == [(toy.EVENTS, 1), (toy.STATES, 1), (toy.EVENTS, 2)]
