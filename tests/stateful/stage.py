"""One example's organisation: databases, which are clones, and the apps, relays and consumers on them.

Topics are the run's, cut off before each example, so that every log begins with it.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import asyncpg
import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import build_engine
from shared.db.transact import Transactor
from shared.http.bootstrap import build_parts
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.relay import RelayOptions
from shared.testing.databases import ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.waiting import eventually
from tests.faults.tampering import witness
from tests.stateful.commands import Request
from tests.stateful.fail_points import FailPoints
from tests.stateful.installation import MEMBERS, RELAYS, Installation
from tests.stateful.model import BEGIN, Names
from tests.stateful.readers import SteppedConsumer
from tests.stateful.relays import SteppedRelay
from tests.stateful.witnessed import witnessed


class Stage:
    """One example's organisation: databases, requests, relays, consumers."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.clock = FrozenClock(BEGIN)
        self.databases: dict[str, ServiceDatabase] = {}
        self.engines: dict[str, AsyncEngine] = {}
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.relays: dict[str, SteppedRelay] = {}
        self.consumers: dict[str, SteppedConsumer] = {}
        self.unsent: set[str] = set()
        """Services that may have something in their outbox."""
        self._owned: list[AsyncEngine] = []
        self._looking: dict[str, Any] = {}

    @property
    def points(self) -> FailPoints:
        """Return the fail points."""
        return self.installation.points

    async def open(self) -> Names:
        """Make everything, and return the ids of a new organisation."""
        installation = self.installation
        installation.examples += 1
        await installation.log.begin()
        await asyncio.gather(*(self._serve(*each) for each in installation.apps.items()))
        await self._install_witness()
        for name, service in RELAYS.items():
            options = RelayOptions(service, self.databases[service].app_url, rows_per_bucket=3)
            self.relays[name] = SteppedRelay(options, installation.producers[name], self.points)
        engines = {member: self._engine_of(member) for member in MEMBERS}
        for key, poller in installation.pollers.items():
            name, member = key.split(" ")
            self.consumers[key] = SteppedConsumer(name, poller)
            self.consumers[key].belong_to(
                witnessed(name), engines[member], self.clock, installation.kafka.access
            )
        return self._names(f"{installation.kafka.access.topic_prefix}{installation.examples}")

    async def close(self) -> None:
        """End everything."""
        self.points.disarm()
        for relay in self.relays.values():
            await relay.let_go(deadly=True)
            await relay.die()
        for consumer in self.consumers.values():
            await consumer.die()
        for client in self.clients.values():
            await client.aclose()
        for connection in self._looking.values():
            await connection.close()
        for engine in self._owned:
            await engine.dispose()
        for database in self.databases.values():
            await self.installation.databases.drop(database)

    async def send(self, request: Request, key: str) -> httpx.Response:
        """Make a request under a key, as an administrator. Raises Died."""
        headers = {**request.headers, "idempotency-key": key}
        return await self.clients[request.service].request(
            request.method, request.path, content=request.content, headers=headers
        )

    async def get(self, service: str, path: str, **parameters: Any) -> Any:
        """Read what must be there."""
        answer = await self.clients[service].get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, service: str, sql: str) -> list[tuple[Any, ...]]:
        """Look into a database."""
        return [tuple(row) for row in await self._looking[service].fetch(sql)]

    async def produce(self, place: TopicPartition, record: IncomingRecord) -> None:
        """Put a record behind all others of its partition."""
        await self.installation.kafka.produce(
            place.topic, record.value, key=record.key, headers=record.headers, partition=place.partition
        )

    async def until_waiting(self, member: str, step: "asyncio.Task[bool]") -> None:
        """Wait until all that a member has begun in a pass waits for other transactions, or the pass is through."""
        # Of this member: partitions of the other one wait for each other, too.
        waiting = f"""
            SELECT coalesce(bool_and(cardinality(pg_blocking_pids(pid)) > 0), false) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = '{member}' AND xact_start IS NOT NULL
        """

        async def stands() -> bool:
            return step.done() or (await self.rows("metrics", waiting)) == [(True,)]

        await eventually(stands, every=0.002)

    def transactor(self) -> Transactor:
        """Return what runs metrics' worker's commands."""
        return Transactor(self.engines["metrics"], self.clock, "/test/metrics")

    def tick(self) -> datetime:
        """Let a minute pass; return the moment."""
        self.clock.advance(timedelta(minutes=1))
        return self.clock.now()

    async def _serve(self, service: str, app: FastAPI) -> None:
        database = await self.installation.databases.for_service(service)
        settings = self.installation.settings_for(database)
        parts = build_parts(settings, service=service, clock=self.clock)
        app.state.parts = replace(parts, tokens=app.state.parts.tokens)
        self.databases[service] = database
        self.points.watch_commits(parts.engine)
        self._owned.append(parts.engine)
        self.engines[service] = self._engine(service, pool_size=2)
        self._looking[service] = await asyncpg.connect(
            database.app_url, server_settings={"search_path": service, "timezone": "UTC"}
        )
        self.clients[service] = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url=f"http://{service}",
            headers=self.installation.issuer.headers("admin"),
        )

    def _engine(self, service: str, *, pool_size: int) -> AsyncEngine:
        engine = self.databases[service].build_engine(pool_size=pool_size)
        self._owned.append(engine)
        return engine

    def _engine_of(self, member: str) -> AsyncEngine:
        """Make an engine whose sessions can be told from those of the other member."""
        url = self.databases["metrics"].app_url
        engine = build_engine(url, schema="metrics", application_name=member, pool_size=8)
        self._owned.append(engine)
        return engine

    async def _install_witness(self) -> None:
        connection = await asyncpg.connect(self.databases["metrics"].owner_url)
        await connection.execute(witness.TABLES)
        await connection.close()

    @staticmethod
    def _names(example: str) -> Names:
        root, city, north, south = (
            uuid5(NAMESPACE_OID, f"{example} {name}") for name in ("root", "city", "north", "south")
        )
        reps = (f"{example} ada", f"{example} bo", f"{example} cy")
        return Names(example, root, (city, north, south), reps)
