"""What lasts for a run: apps, clients of Kafka, topics. Making them takes longer than an example does."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from services.assignment.app import create_app as create_assignment
from services.metrics.app import create_app as create_metrics
from services.metrics.consumers import CONSUMERS
from shared.contracts import assignment, sales
from shared.http.bootstrap import build_parts
from shared.kafka.log import Log as OperatorsLog
from shared.kafka.log import open_log
from shared.kafka.producer import Producer
from shared.kafka.records import TopicPartition
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.runtime.settings import ServiceSettings
from shared.testing.databases import Databases, ServiceDatabase
from shared.testing.kafka import KafkaSandbox
from shared.testing.tokens import Issuer
from tests.stateful.fail_points import FailPoints
from tests.stateful.log import Log
from tests.stateful.readers import SteppedPoller

PARTITIONS = {
    assignment.ACCOUNTS: 2,
    assignment.COVERAGES: 2,
    sales.FACTS: 2,
    assignment.PLANS: 1,
    assignment.TERRITORIES: 1,
    assignment.REPS: 1,
    assignment.ACCOUNT_STATES: 1,
}
RELAYS = {"one": "assignment", "two": "assignment", "metrics": "metrics"}
"""Every relay, and whose it is."""
MEMBERS = ("one", "two")
"""Of each consumer. Both read every partition, as around a rebalance."""
READ = ("metrics.attribution", "metrics.coverages", "metrics.facts")
_APPS = {"assignment": create_assignment, "metrics": create_metrics}


@dataclass(kw_only=True)
class Installation:
    """What lasts for a run: apps, clients of Kafka, topics. `points` stand around all of it."""

    databases: Databases
    kafka: KafkaSandbox
    issuer: Issuer
    settings: ServiceSettings
    apps: dict[str, FastAPI]
    producers: dict[str, Producer]
    pollers: dict[str, SteppedPoller]
    log: Log
    operators_log: OperatorsLog
    points: FailPoints
    examples: int = 0
    steps: int = 0
    rebuilds: int = 0

    def settings_for(self, database: ServiceDatabase) -> ServiceSettings:
        """Return the run's settings with a database of one example."""
        urls = {"database_url": database.app_url, "migration_database_url": database.owner_url}
        return self.settings.model_copy(update={name: SecretStr(url) for name, url in urls.items()})


@asynccontextmanager
async def install(databases: Databases, bootstrap: str, folder: Path) -> AsyncIterator[Installation]:
    """Make what lasts, and end it."""
    kafka, issuer = KafkaSandbox(bootstrap), Issuer()
    topics = {**PARTITIONS, **{dead_letter_topic(s.topic, name): 1 for name in READ for s in CONSUMERS[name]}}
    await kafka.create_topics(topics)
    async with AsyncExitStack() as stack:
        spare = await databases.for_service("metrics")
        stack.push_async_callback(databases.drop, spare)
        settings = ServiceSettings(
            environment="development",
            database_url=SecretStr(spare.app_url),
            auth_jwks=issuer.write_jwks(folder),
        )
        producers = {name: Producer(kafka.access, client_id=name) for name in RELAYS}
        pollers = {
            f"{name} {member}": SteppedPoller(kafka.access, group_id=name, places=places_of(CONSUMERS[name]))
            for name in READ
            for member in MEMBERS
        }
        clients: tuple[Producer | SteppedPoller, ...] = (*producers.values(), *pollers.values())
        for client in clients:
            await client.start()
            stack.push_async_callback(client.close)
        log = Log(kafka, topics)
        stack.callback(log.close)
        yield Installation(
            databases=databases,
            kafka=kafka,
            issuer=issuer,
            settings=settings,
            apps={service: await _open_app(stack, settings, service) for service in _APPS},
            producers=producers,
            pollers=pollers,
            log=log,
            operators_log=await stack.enter_async_context(open_log(kafka.access, client_id="operator")),
            points=FailPoints(),
        )


async def _open_app(stack: AsyncExitStack, settings: ServiceSettings, service: str) -> FastAPI:
    parts = build_parts(settings, service=service)
    stack.push_async_callback(parts.engine.dispose)
    return _APPS[service](parts)


def places_of(subscriptions: Sequence[Subscription]) -> list[TopicPartition]:
    """Return every partition that subscriptions read."""
    return [TopicPartition(s.topic, number) for s in subscriptions for number in range(PARTITIONS[s.topic])]
