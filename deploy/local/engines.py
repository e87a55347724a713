"""Postgres and Kafka for a run: ours on this machine, or those that the environment names."""

import asyncio
from urllib.parse import urlsplit

from deploy.local.issuer import DevelopmentIssuer
from deploy.local.kafka import EmbeddedKafka
from deploy.local.kafka_jars import kafka_version
from deploy.local.log_view import LogView
from deploy.local.paths import KAFKA_DATA, LOGS, POSTGRES_DATA
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import SUPERUSER, EmbeddedPostgres
from deploy.local.postgres_binaries import find_postgres
from deploy.local.roles import apply_roles
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import Supervisor
from deploy.local.surroundings import Surroundings
from deploy.local.topics import apply_topics, client_settings_from_environment, prefix_from_environment


def where_engines_are(settings: LocalSettings, issuer: DevelopmentIssuer) -> Surroundings:
    """Tell the addresses, which are known before anything starts."""
    own_postgres = f"postgresql://{SUPERUSER}:{SUPERUSER}@{LOOPBACK}:{settings.ports['postgres']}/postgres"
    return Surroundings(
        settings=settings,
        admin_url=settings.database_url or own_postgres,
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers or f"{LOOPBACK}:{settings.ports['kafka']}",
        issuer=issuer,
    )


async def start_postgres(surroundings: Surroundings, supervisor: Supervisor, view: LogView) -> None:
    """Have a Postgres with our database and roles."""
    if surroundings.settings.database_url is None:
        port = surroundings.settings.ports["postgres"]
        postgres = EmbeddedPostgres(POSTGRES_DATA, port, log=LOGS / "postgres.log")
        view.say(f"Starting Postgres {find_postgres().version} on {LOOPBACK}:{port} ...")
        await asyncio.to_thread(postgres.prepare)
        await supervisor.start([postgres.process()])
    await asyncio.to_thread(apply_roles, surroundings.admin_url)
    view.say(f"Postgres is ready on {urlsplit(surroundings.admin_url).hostname}, roles applied.")


async def start_kafka(surroundings: Surroundings, supervisor: Supervisor, view: LogView) -> None:
    """Have a Kafka with our topics."""
    if surroundings.settings.kafka_bootstrap_servers is None:
        port = surroundings.settings.ports["kafka"]
        kafka = EmbeddedKafka(KAFKA_DATA, port, fast=True, log=LOGS / "kafka.log")
        view.say(f"Starting Kafka {kafka_version()} on {kafka.bootstrap_servers} ...")
        await asyncio.to_thread(kafka.prepare)
        await supervisor.start([kafka.process()])
    changes = await asyncio.to_thread(
        apply_topics,
        surroundings.kafka_bootstrap_servers,
        prefix=prefix_from_environment(),
        client_settings=client_settings_from_environment(),
    )
    view.say(f"Kafka is ready, {len(changes.create)} topics created, {len(changes.alter)} changed.")
