"""What a service's `__main__` calls for its relay, its consumers and its workers.

All of them build an engine, refuse an old schema, open the health port, and leave within the grace period.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import event_source
from shared.db.engine import ROLE_LIMITS, answering, build_engine
from shared.db.migrations import SchemaNotAtHead, require_head
from shared.kafka.access import KafkaAccess
from shared.kafka.producer import Producer
from shared.messaging import metrics
from shared.messaging.consumer import Consumer
from shared.messaging.housekeeping import Housekeeping
from shared.messaging.relay import Relay, RelayOptions
from shared.messaging.subscription import Subscription
from shared.runtime.clock import SystemClock
from shared.runtime.health_server import HealthServer
from shared.runtime.logging import configure_logging, get_logger
from shared.runtime.probes import Check
from shared.runtime.process import run_until_stopped
from shared.runtime.settings import ServiceSettings

log = get_logger(__name__)

Consumers = Mapping[str, Sequence[Subscription]]
"""What a service reads: subscriptions by the name of the consumer."""

# A projection grows from nothing to millions of rows in minutes. A plan kept from its first batches would read
# all of it for every batch, until the next ANALYZE.
# And a single event may restate years: what outlasts a request's limit here is slow, not poison.
CONSUMER_LIMITS = {**ROLE_LIMITS, "plan_cache_mode": "force_custom_plan", "statement_timeout": "300s"}

Worker = Callable[[AsyncEngine, asyncio.Event], Awaitable[None]]


def run_relay(settings: ServiceSettings, service: str) -> None:
    """Send a service's outbox until SIGTERM."""

    async def relay(running: "Running") -> None:
        options = RelayOptions(service=service, database_url=settings.database_url.get_secret_value())
        access = KafkaAccess.from_settings(settings)
        sender = Relay(options, lambda: Producer(access, client_id=f"{service}.relay"))
        running.ready["outbox"] = _sending(sender)
        # Asked for when Prometheus asks: buckets come and go with sessions.
        metrics.OUTBOX_LEASES.labels(service).set_function(sender.owned)
        housekeeping = Housekeeping(service, running.engine, SystemClock())
        async with asyncio.TaskGroup() as group:
            group.create_task(sender.run(running.stopping))
            group.create_task(housekeeping.keep_measuring(running.stopping))
            group.create_task(housekeeping.keep_purging(running.stopping))

    # One each for the figures, the purge and the probe.
    _run(settings, service, role="relay", main=relay, connections=3)


def run_consumers(settings: ServiceSettings, service: str, consumers: Consumers) -> None:
    """Read on behalf of a service until SIGTERM."""

    async def read(running: "Running") -> None:
        built = [
            Consumer(
                name,
                subscriptions,
                engine=running.engine,
                clock=SystemClock(),
                access=KafkaAccess.from_settings(settings),
                source=event_source(settings.organisation, service),
            )
            for name, subscriptions in consumers.items()
        ]
        for consumer in built:
            running.live[consumer.name] = _not_stalled(consumer)
            running.ready[consumer.name] = _reading(consumer)
        async with asyncio.TaskGroup() as group:
            for consumer in built:
                group.create_task(consumer.run(running.stopping))
            housekeeping = Housekeeping(service, running.engine, SystemClock())
            group.create_task(housekeeping.keep_counting(consumers, running.stopping))
            group.create_task(housekeeping.keep_purging(running.stopping))

    # Four transactions at once per consumer, and one each for the figures, the probe and the purge.
    _run(
        settings,
        service,
        role="consumer",
        main=read,
        connections=4 * len(consumers) + 3,
        limits=CONSUMER_LIMITS,
    )


def run_worker(
    settings: ServiceSettings, service: str, worker: Worker, *, ready: Mapping[str, Check] | None = None
) -> None:
    """Run `worker(engine, stopping)` until SIGTERM; it returns soon after `stopping` is set.

    `ready` is checked beside the database.
    """

    async def work(running: "Running") -> None:
        running.ready.update(ready or {})
        await worker(running.engine, running.stopping)

    _run(settings, service, role="worker", main=work, connections=settings.database_pool_size)


@dataclass(frozen=True, slots=True)
class Running:
    """A process at work; its role may add checks."""

    engine: AsyncEngine
    stopping: asyncio.Event
    live: dict[str, Check]
    ready: dict[str, Check]


Main = Callable[[Running], Awaitable[None]]


def _run(
    settings: ServiceSettings,
    service: str,
    *,
    role: str,
    main: Main,
    connections: int,
    limits: Mapping[str, str] = ROLE_LIMITS,
) -> None:
    configure_logging(service=service, role=role, form=settings.log_format, level=settings.log_level)

    async def whole_life(stopping: asyncio.Event) -> None:
        engine = build_engine(
            settings.database_url.get_secret_value(),
            schema=service,
            application_name=f"{service}.{role}",
            pool_size=connections,
            limits=dict(limits),
            command_timeout=float(limits["statement_timeout"].removesuffix("s")) * 2,
        )
        running = Running(engine, stopping, live={}, ready={"database": answering(engine)})
        await require_head(engine, service=service)
        try:
            async with HealthServer(
                host=settings.http_host, port=settings.health_port, live=running.live, ready=running.ready
            ):
                await main(running)
        finally:
            await engine.dispose()
        log.info("stopped")

    try:
        uvloop.run(run_until_stopped(whole_life))
    except SchemaNotAtHead as refusal:
        sys.exit(str(refusal))


def _sending(relay: Relay) -> Check:
    async def check() -> str | None:
        return None if relay.is_connected() else "no session yet: Kafka or Postgres is away"

    return check


def _not_stalled(consumer: Consumer) -> Check:
    async def check() -> str | None:
        places = [f"{place.topic}[{place.partition}]" for place in consumer.stalled()]
        return f"no progress on {', '.join(places)}" if places else None

    return check


def _reading(consumer: Consumer) -> Check:
    async def check() -> str | None:
        if not consumer.ready:
            return "not joined yet: Kafka or its topics are missing"
        stopped = [f"{p.topic}[{p.partition}]: {reason}" for p, reason in consumer.stopped().items()]
        return "; ".join(stopped) or None

    return check
