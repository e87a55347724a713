"""Waiting in a process that may be told to stop."""

import asyncio

import pytest

from shared.kafka.starting import STOP_SECONDS
from shared.messaging.leases import HEARTBEAT_SECONDS
from shared.messaging.relay import PATIENCE_AT_STOP
from shared.runtime.process import GRACE_SECONDS
from shared.runtime.stopping import pause, unless_told


async def test_a_pause_ends_when_the_process_is_told_to_stop():
    stopping = asyncio.Event()
    pausing = asyncio.ensure_future(pause(stopping, 3600))
    await asyncio.sleep(0)
    assert not pausing.done()
    stopping.set()
    await pausing


async def test_a_pause_ends_by_itself():
    await pause(asyncio.Event(), 0.001)


async def test_work_that_ends_is_told_from_work_that_was_dropped():
    stopping, tidied = asyncio.Event(), []

    async def quick() -> None:
        await asyncio.sleep(0)

    async def endless() -> None:
        stopping.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(True)

    assert await unless_told(stopping, quick())
    assert not await unless_told(stopping, endless())
    assert tidied == [True]


async def test_what_work_raises_is_raised():
    async def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await unless_told(asyncio.Event(), broken())


async def test_work_is_dropped_with_the_one_who_waits_for_it():
    """Else a client that is half started would be left behind by a cancelled task group."""
    started, dropped = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()

    waiting = asyncio.ensure_future(unless_told(asyncio.Event(), endless()))
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert dropped.is_set()


def test_a_relay_whose_brokers_are_away_leaves_before_it_is_made_to():
    notices_and_gives_up = HEARTBEAT_SECONDS + PATIENCE_AT_STOP + HEARTBEAT_SECONDS
    assert notices_and_gives_up + STOP_SECONDS < GRACE_SECONDS
