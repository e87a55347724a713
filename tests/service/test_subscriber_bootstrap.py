"""The Python example's bootstrap on a real Kafka: states as a topic holds them before compaction, and events around.

Read state to its end, then apply events above the state's version: whatever overlaps, repeats or is stale counts once.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.local.paths import REPOSITORY
from shared.contracts.assignment import (
    ACCOUNT_STATES,
    ACCOUNTS,
    AccountAligned,
    AccountChanged,
    AccountRegistered,
    AlignedAccountState,
)
from shared.contracts.envelope import Envelope, EventContract
from shared.contracts.examples import examples_of
from shared.kafka import cloudevents
from shared.testing.kafka import KafkaSandbox

EXAMPLE = REPOSITORY / "examples/subscribers/python"
A, B, C = (f"0198c5a2-0000-7000-8000-00000000000{letter}" for letter in "abc")
NORTH, SOUTH = (f"0198c5a2-0000-7000-8000-0000000000{number}" for number in (21, 22))
Tell = Callable[..., Awaitable[None]]


@pytest.fixture
async def tell(kafka: KafkaSandbox) -> Tell:
    await kafka.create_topics({ACCOUNT_STATES: 2, ACCOUNTS: 2})

    async def send(contract: type[EventContract], account: str, version: int, **fields: Any) -> None:
        event = contract.model_validate({**examples_of(contract.TYPE)[-1], "account_id": account, **fields})
        await send_raw(contract, account, version, event.model_dump_json().encode())

    async def send_raw(
        contract: type[EventContract], account: str, version: int, value: bytes | None
    ) -> None:
        envelope = Envelope(
            id=f"{account}-{version}",
            source="/test",
            type=contract.TYPE,
            subject=account,
            aggregateversion=version,
        )
        headers = cloudevents.encode(envelope)
        await kafka.produce(contract.TOPIC, value, key=account.encode(), headers=headers)

    send.gone = lambda account, version: send_raw(AlignedAccountState, account, version, None)  # type: ignore[attr-defined]
    return send


async def subscribe(kafka: KafkaSandbox, file: Path) -> tuple[int | None, list[dict[str, Any]], str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "subscribe.py",
        *("--bootstrap-servers", kafka.access.bootstrap_servers, "--prefix", kafka.access.topic_prefix),
        *("--file", str(file), "--until-end"),
        cwd=EXAMPLE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, [json.loads(line) for line in out.splitlines()], error.decode()


def kept(file: Path) -> dict[str, tuple[int, str | None]]:
    with sqlite3.connect(file) as read:
        rows = read.execute("SELECT account_id, version, territory_id FROM accounts")
        return {account: (version, territory) for account, version, territory in rows}


async def test_states_first_then_what_is_newer(kafka: KafkaSandbox, tell: Tell, tmp_path: Path):
    # As a relay that died between acknowledgement and delete leaves it, and no compaction came by yet.
    for version, territory in ((1, None), (2, NORTH), (1, None), (2, NORTH)):
        await tell(AlignedAccountState, A, version, territory_id=territory)
    await tell(AlignedAccountState, B, 1, territory_id=None)
    await tell(AlignedAccountState, C, 1, territory_id=SOUTH)
    await tell.gone(C, 2)  # type: ignore[attr-defined]
    # Overlapping with the states, with repeats; A's third event is news, and so is all of what B was told after.
    await tell(AccountRegistered, A, 1)
    await tell(AccountAligned, A, 2, to_territory_id=NORTH)
    await tell(AccountAligned, A, 3, to_territory_id=SOUTH)
    await tell(AccountAligned, A, 2, to_territory_id=NORTH)
    await tell(AccountAligned, A, 3, to_territory_id=SOUTH)
    await tell(AccountRegistered, B, 1)
    await tell(AccountChanged, B, 2, employees=9)
    file = tmp_path / "accounts.sqlite"
    status, told, error = await subscribe(kafka, file)
    assert (status, error) == (0, "")
    assert told == [{"account_id": A, "territory_id": SOUTH}]
    assert kept(file) == {A: (3, SOUTH), B: (2, None)}
    # Later it goes on from where it was: by events alone.
    await tell(AlignedAccountState, B, 3, territory_id=NORTH)
    await tell(AccountAligned, B, 3, to_territory_id=NORTH)
    status, told, _ = await subscribe(kafka, file)
    assert (status, told) == (0, [{"account_id": B, "territory_id": NORTH}])
    assert kept(file) == {A: (3, SOUTH), B: (3, NORTH)}


async def test_a_hole_in_the_versions_is_told_and_nothing_of_the_batch_is_kept(
    kafka: KafkaSandbox, tell: Tell, tmp_path: Path
):
    await tell(AlignedAccountState, A, 1, territory_id=NORTH)
    await tell(AccountAligned, A, 3, to_territory_id=SOUTH)
    file = tmp_path / "accounts.sqlite"
    status, told, error = await subscribe(kafka, file)
    assert (status, told) == (1, [])
    assert f"account {A}: version 3 after 1" in error
    assert kept(file) == {A: (1, NORTH)}
