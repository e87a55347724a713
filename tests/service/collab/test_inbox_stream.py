"""An inbox followed live, over a real socket: at once, each item once, from where the reader was, in any process."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from services.collab.app import create_app
from services.collab.notes.inbox import stream
from services.collab.settings import Settings
from shared.contracts.assignment import TerritoryNode, TreePublished
from shared.contracts.envelope import EventContract
from shared.db.bell import Bell
from shared.http.bootstrap import build_parts
from shared.testing.databases import ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.tokens import Issuer
from shared.testing.waiting import PATIENCE_SECONDS, eventually
from tests.service.collab.conftest import NORTH, SOUTH, Collab, activated, aligned

ANN = UUID(int=0xA1)
PLAN = str(uuid4())


@dataclass
class Event:
    """One server-sent event."""

    name: str
    id: str
    data: dict[str, Any]


@dataclass
class Apis:
    """Two api processes' worth of server on one database."""

    urls: list[str]
    issuer: Issuer
    servers: list[uvicorn.Server]

    def headers(self, subject: str, territories: Any = "*") -> dict[str, str]:
        return self.issuer.headers("manager", subject=subject, territories=territories)

    async def feed(self, *events: EventContract, version: int = 1) -> None:
        """Apply events as the consumer does."""
        app: Any = self.servers[0].config.app
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            collab = Collab(app.state.parts.engine, http, self.issuer, FrozenClock())
            await collab.feed(*events, version=version)

    async def write(self, text: str, *, at: int = 0, account: UUID | None = None) -> None:
        body = {
            "subject": {"type": "plan", "id": PLAN}
            if account is None
            else {"type": "account", "id": str(account)},
            "body": text,
            "mentions": [{"type": "rep", "id": str(ANN)}],
        }
        async with httpx.AsyncClient(base_url=self.urls[at], timeout=PATIENCE_SECONDS) as http:
            answer = await http.post("/v1/notes", json=body, headers=self.headers("chief"))
        assert answer.status_code == 201, answer.text

    @asynccontextmanager
    async def following(
        self, *, at: int = 0, after: str | None = None, territories: Any = "*"
    ) -> AsyncIterator[list[Event]]:
        """Read Ann's stream in the background into a list."""
        heard: list[Event] = []
        headers = self.headers(str(ANN), territories) | ({} if after is None else {"last-event-id": after})

        async def read() -> None:
            async with (
                httpx.AsyncClient(base_url=self.urls[at], timeout=None) as http,
                http.stream("GET", "/v1/inbox/stream", headers=headers) as answer,
            ):
                assert answer.status_code == 200
                assert answer.headers["content-type"].startswith("text/event-stream")
                told: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    if not line and "event" in told:
                        heard.append(Event(told["event"], told["id"], json.loads(told["data"])))
                        told = {}
                    elif not line.startswith(":"):
                        name, _, value = line.partition(": ")
                        told[name] = value

        reading = asyncio.create_task(read())
        try:
            # The first event tells how things stand.
            await eventually(lambda: heard)
            yield heard
        finally:
            reading.cancel()
            await asyncio.wait({reading})


@pytest.fixture
async def apis(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Apis]:
    # Longer than the test: what comes, comes because the bell rang.
    monkeypatch.setattr(stream, "LOOK_SECONDS", 600.0)
    database, issuer = await service_database("collab"), Issuer()
    jwks = issuer.write_jwks(tmp_path)
    servers, tasks = [], []
    for _ in range(2):
        settings = Settings(environment="development", database_url=database.app_url, auth_jwks=jwks)
        app = create_app(build_parts(settings, service="collab"))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
        servers.append(server)
        tasks.append(asyncio.create_task(server.serve()))
    await eventually(lambda: all(server.started for server in servers))
    ports = [server.servers[0].sockets[0].getsockname()[1] for server in servers]
    yield Apis([f"http://127.0.0.1:{port}" for port in ports], issuer, servers)
    for server in servers:
        server.config.app.state.stopping = server.should_exit = True  # type: ignore[union-attr]
    await asyncio.gather(*tasks)


def items(heard: list[Event]) -> list[str]:
    return [event.data["excerpt"] for event in heard if event.name == "item"]


async def test_what_is_written_in_one_process_is_heard_in_another_at_once(apis: Apis) -> None:
    async with apis.following(at=1) as heard:
        assert (heard[0].name, heard[0].data) == ("counts", {"unread": 0, "to_acknowledge": 0})
        await apis.write("first")
        await eventually(lambda: items(heard) == ["first"])
        await apis.write("second")
        await eventually(lambda: items(heard) == ["first", "second"])
        await eventually(lambda: heard[-1].data == {"unread": 2, "to_acknowledge": 0})
        numbers = [int(event.id) for event in heard]
        assert numbers == sorted(numbers)


async def test_who_comes_back_hears_what_was_missed_once_and_in_order(apis: Apis) -> None:
    async with apis.following() as heard:
        await apis.write("heard")
        await eventually(lambda: items(heard) == ["heard"])
        last = heard[-1].id
    for number in range(120):
        await apis.write(f"missed {number}", at=number % 2)
    async with apis.following(at=1, after=last) as heard:
        await eventually(lambda: len(items(heard)) >= 120)
        await apis.write("live")
        await eventually(lambda: items(heard)[-1] == "live")
        assert items(heard) == [*(f"missed {number}" for number in range(120)), "live"]


async def test_what_can_be_seen_only_later_comes_then_live_and_on_resume(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts come to Ann after what was written on the account she had: the number she has is no reason to skip it."""
    monkeypatch.setattr(stream, "LOOK_SECONDS", 1.0)
    hers, first, second = uuid4(), uuid4(), uuid4()
    tree_id, plan_id = uuid4(), uuid4()
    nodes = tuple(
        TerritoryNode(territory_id=one, parent_id=None, kind="geographic") for one in (NORTH, SOUTH)
    )
    await apis.feed(TreePublished(plan_id=plan_id, tree_id=tree_id, territories=nodes))
    await apis.feed(activated(plan_id, tree_id, 1))
    await apis.feed(
        *(aligned(one, None, NORTH, None) for one in (first, second)), aligned(hers, None, SOUTH, None)
    )
    async with apis.following(territories=[str(SOUTH)]) as heard:
        for account, words in ((first, "first"), (second, "second"), (hers, "hers")):
            await apis.write(words, account=account)
        await eventually(lambda: items(heard) == ["hers"])
        await apis.feed(aligned(first, NORTH, SOUTH, uuid4()), version=2)
        await eventually(lambda: items(heard) == ["hers", "first"])
        await eventually(lambda: heard[-1].data == {"unread": 2, "to_acknowledge": 0})
        numbers = [int(event.id) for event in heard]
        assert numbers == sorted(numbers)
    await apis.feed(aligned(second, NORTH, SOUTH, uuid4()), version=2)
    async with apis.following(at=1, after=heard[-1].id, territories=[str(SOUTH)]) as resumed:
        await eventually(lambda: items(resumed) == ["second"])
        await apis.write("live", account=second)
        await eventually(lambda: items(resumed) == ["second", "live"])


async def test_a_number_that_the_inbox_never_had_starts_afresh(apis: Apis) -> None:
    await apis.write("before")
    async with apis.following(after="999999999999999999") as heard:
        assert (heard[0].name, heard[0].data["unread"]) == ("reset", 1)
        await apis.write("after")
        await eventually(lambda: items(heard) == ["after"])
        assert [event.name for event in heard].count("reset") == 1


async def test_reading_elsewhere_changes_the_counts(apis: Apis) -> None:
    await apis.write("to be read")
    async with (
        apis.following() as heard,
        httpx.AsyncClient(
            base_url=apis.urls[1], headers=apis.headers(str(ANN)), timeout=PATIENCE_SECONDS
        ) as http,
    ):
        assert heard[0].data["unread"] == 1
        (item,) = (await http.get("/v1/inbox")).json()["items"]
        done = await http.post("/v1/inbox/readings", json={"item_ids": [item["item_id"]]})
        assert done.json()["unread"] == 0
        await eventually(lambda: heard[-1].data == {"unread": 0, "to_acknowledge": 0})


async def test_others_hear_nothing_and_a_strange_number_is_refused(apis: Apis) -> None:
    await apis.write("for Ann")
    async with httpx.AsyncClient(
        base_url=apis.urls[0], headers=apis.headers("ben"), timeout=PATIENCE_SECONDS
    ) as http:
        assert (await http.get("/v1/inbox")).json()["items"] == []
        refused = await http.get("/v1/inbox/stream", headers={"last-event-id": "yesterday"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
        nobody = await http.get("/v1/inbox/stream", headers={"authorization": ""})
        assert nobody.status_code == 401


async def test_a_stopping_process_ends_its_streams(apis: Apis) -> None:
    async with apis.following() as heard:
        assert heard
        apis.servers[0].config.app.state.stopping = apis.servers[0].should_exit = True  # type: ignore[union-attr]
        await eventually(lambda: not apis.servers[0].started or not apis.servers[0].server_state.connections)


async def test_a_ring_that_is_missed_is_made_up_for(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits looks by themselves now and then: the bell only makes it quicker."""
    monkeypatch.setattr(stream, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(Bell, "_ring", lambda *_: None)
    async with apis.following() as heard:
        await apis.write("unheard")
        await eventually(lambda: items(heard) == ["unheard"])
