"""The issuer's keys are renewed beside the requests that use them, once at a time and not too often."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from shared.http.keys import PAUSE_SECONDS, RENEW_SECONDS, STALE_SECONDS, TRUST_SECONDS, Keys
from shared.testing.tokens import Issuer
from shared.testing.waiting import eventually


class Provider:
    """An identity provider's JWKS endpoint that can be made to take as long as one likes."""

    def __init__(self) -> None:
        self.document: object = Issuer(key_id="first").jwks()
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.answers.wait()
        body = json.dumps(self.document).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    yield made
    made.answers.set()
    server.close()
    await server.wait_closed()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def keys(provider: Provider, seconds: Seconds) -> AsyncIterator[Keys]:
    """Keys that were read once."""
    made = Keys(provider.url, seconds=seconds)
    assert await made.get("first") is not None
    yield made
    provider.answers.set()
    if made._reading is not None:
        await made._reading


async def test_known_keys_serve_while_a_slow_provider_is_asked(keys, provider, seconds):
    provider.answers.clear()
    provider.document = Issuer(key_id="second").jwks()
    seconds.now += RENEW_SECONDS + 1

    # The provider answers nobody yet: whoever waited for it would never come back.
    for _ in range(50):
        assert await keys.get("first") is not None
    await eventually(lambda: provider.asked == 2)
    assert await keys.get("first") is not None

    provider.answers.set()
    await eventually(lambda: keys._reading is None)
    assert provider.asked == 2
    assert await keys.get("second") is not None
    assert await keys.get("first") is None


async def test_unknown_key_ids_wait_for_one_reading_together(keys, provider, seconds):
    provider.answers.clear()
    provider.document = Issuer(key_id="second").jwks()
    seconds.now += PAUSE_SECONDS
    waiting = [asyncio.create_task(keys.get("second")) for _ in range(20)]
    await eventually(lambda: provider.asked == 2)
    assert await keys.get("first") is not None, "the others go on"
    assert not any(task.done() for task in waiting)

    provider.answers.set()
    assert all(key is not None for key in await asyncio.gather(*waiting))
    assert provider.asked == 2


async def test_a_caller_who_hangs_up_does_not_end_the_reading_of_the_others(keys, provider, seconds):
    provider.answers.clear()
    provider.document = Issuer(key_id="second").jwks()
    seconds.now += PAUSE_SECONDS
    impatient, patient = (asyncio.create_task(keys.get("second")) for _ in range(2))
    await eventually(lambda: provider.asked == 2)
    impatient.cancel()
    provider.answers.set()

    assert await patient is not None


async def test_unknown_key_ids_ask_the_provider_once_per_pause(keys, provider, seconds):
    for _ in range(10):
        assert await keys.get("stranger") is None
    assert provider.asked == 1

    seconds.now += PAUSE_SECONDS
    for _ in range(10):
        assert await keys.get("stranger") is None
    assert provider.asked == 2


async def test_keys_that_nobody_used_for_long_are_read_before_they_serve(keys, provider, seconds):
    """Any of them may have been withdrawn meanwhile; nobody is let in before that is known."""
    provider.answers.clear()
    provider.document = {"keys": []}
    seconds.now += TRUST_SECONDS + 1
    withdrawn = [asyncio.create_task(keys.get("first")) for _ in range(3)]
    await eventually(lambda: provider.asked == 2)
    assert not any(task.done() for task in withdrawn)

    provider.answers.set()
    assert await asyncio.gather(*withdrawn) == [None, None, None]


async def test_a_provider_that_is_away_costs_a_steady_caller_no_wait(keys, provider, seconds):
    """Away is a silence here, the worst of answers."""
    provider.document = "no key set"
    seconds.now += RENEW_SECONDS + 1
    assert await keys.get("first") is not None
    await eventually(lambda: keys._reading is None)

    provider.answers.clear()
    for asked in (3, 4, 5):
        seconds.now += PAUSE_SECONDS + 1
        assert await keys.get("first") is not None
        await eventually(lambda asked=asked: provider.asked == asked)
        keys._reading.cancel()
        await eventually(lambda: keys._reading is None)
    assert await keys.get("first") is not None


async def test_keys_of_the_development_issuer_count_in_development_only(provider, seconds):
    provider.document = Issuer(key_id="development-1").jwks()

    assert await Keys(provider.url, seconds=seconds).get("development-1") is None
    assert await Keys(provider.url, development=True, seconds=seconds).get("development-1") is not None


async def test_an_issuer_that_stays_away_is_not_trusted_for_ever(keys, provider, seconds):
    provider.document = "no key set"
    seconds.now += STALE_SECONDS - TRUST_SECONDS
    assert await keys.get("first") is not None
    seconds.now += 2 * TRUST_SECONDS
    assert await keys.get("first") is None
    assert not keys.are_known
