"""Brings the topics of a cluster in line with deploy/kafka/topics.yaml.

Runs on a laptop, in tests (with a prefix) and in a container of its own, so it needs only PyYAML and
confluent-kafka.
"""

import argparse
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from deploy.local.trouble import Trouble

TOPICS_FILE = Path(__file__).resolve().parents[1] / "kafka" / "topics.yaml"
DEAD_LETTERS = "dead-letters"
TIMEOUT = 30.0
COORDINATOR_PATIENCE = 5.0
ANY_TOPIC = "any"  # a group has a position in every topic, there or not: none yet
# Any other error is an answer too: a group that nobody has joined yet, or one that we may not look at.
NO_COORDINATOR_YET = frozenset(
    {
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError._TIMED_OUT,  # noqa: SLF001  # librdkafka's own errors are public by this name
    }
)


@dataclass(frozen=True)
class Topic:
    """A topic as it is, or as it should be."""

    name: str
    partitions: int
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What brings a cluster in line."""

    create: tuple[Topic, ...]
    alter: tuple[Topic, ...]

    def __bool__(self) -> bool:
        return bool(self.create or self.alter)


def read_topics(file: Path = TOPICS_FILE, *, prefix: str = "") -> list[Topic]:
    """Return every topic of the list, dead letter topics included."""
    listed = yaml.safe_load(file.read_text())
    settings = {
        kind: {name: str(value) for name, value in values.items()} for kind, values in listed["kinds"].items()
    }
    topics = [
        Topic(prefix + topic["name"], topic["partitions"], settings[topic["kind"]])
        for topic in listed["topics"]
    ]
    names = {topic.name for topic in topics}
    for consumer in listed["consumers"]:
        for name in consumer["reads"]:
            if prefix + name not in names:
                raise Trouble(
                    f"{consumer['name']} reads {name}, which is no topic.", fix=f"Add it to {file}."
                )
            dead_letters = f"{prefix}{name}.{consumer['name']}.dlq"
            topics.append(Topic(dead_letters, 1, settings[DEAD_LETTERS]))
    return topics


def read_groups(file: Path = TOPICS_FILE, *, prefix: str = "") -> list[str]:
    """Return the consumer groups of the list, as the consumers name them."""
    return [prefix + consumer["name"] for consumer in yaml.safe_load(file.read_text())["consumers"]]


def read_replication(file: Path = TOPICS_FILE) -> int:
    """Return the copies per partition that the list asks for."""
    replication: int = yaml.safe_load(file.read_text())["replication"]
    return replication


def changes_between(wanted: Iterable[Topic], existing: Mapping[str, Topic]) -> Changes:
    """Compare; refuse a different number of partitions, which would send keys to other partitions."""
    create: list[Topic] = []
    alter: list[Topic] = []
    for topic in wanted:
        found = existing.get(topic.name)
        if found is None:
            create.append(topic)
        elif found.partitions != topic.partitions:
            raise Trouble(
                f"Topic {topic.name} has {found.partitions} partitions, topics.yaml says {topic.partitions}.",
                fix="Keys would change partition and lose their order: put the number back, or carry the "
                "events over to a new topic.",
            )
        elif differing := different_settings(topic, found):
            alter.append(Topic(topic.name, topic.partitions, differing))
    return Changes(tuple(create), tuple(alter))


def different_settings(wanted: Topic, found: Topic) -> dict[str, str]:
    """Return the wanted settings that are not so; settings that the list does not name are left alone."""
    return {name: value for name, value in wanted.settings.items() if found.settings.get(name) != value}


def existing_topics(admin: AdminClient, names: Iterable[str]) -> dict[str, Topic]:
    """Return those of the topics that the cluster has."""
    cluster = admin.list_topics(timeout=TIMEOUT).topics
    there = [name for name in names if name in cluster]
    if not there:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
    described = admin.describe_configs(resources, request_timeout=TIMEOUT)
    return {
        resource.name: Topic(
            resource.name,
            len(cluster[resource.name].partitions),
            {name: entry.value for name, entry in answer.result().items()},
        )
        for resource, answer in described.items()
    }


def apply_topics(
    bootstrap_servers: str,
    *,
    prefix: str = "",
    replication: int | None = None,
    client_settings: Mapping[str, Any] | None = None,
) -> Changes:
    """Create what is missing, mend what differs, and say what was done."""
    client = {"bootstrap.servers": bootstrap_servers, **(client_settings or {})}
    admin = AdminClient(client)
    wanted = read_topics(prefix=prefix)
    changes = changes_between(wanted, existing_topics(admin, [topic.name for topic in wanted]))
    create_topics(admin, changes.create, replication or read_replication())
    alter_topics(admin, changes.alter)
    wait_for_coordinators(client, read_groups(prefix=prefix))
    return changes


def create_topics(admin: AdminClient, topics: Iterable[Topic], replication: int) -> None:
    """Create the topics and wait until the cluster has them."""
    durable = durability(replication)
    new = [
        NewTopic(topic.name, topic.partitions, replication, config={**durable, **topic.settings})
        for topic in topics
    ]
    if new:
        for answer in admin.create_topics(new, operation_timeout=TIMEOUT).values():
            answer.result()


def durability(replication: int) -> dict[str, str]:
    """Return how many copies a record must have before it counts as written: most of them.

    Brokers ask for one by default, whatever the number of copies: the last of three brokers would acknowledge what is
    lost with it. Of two copies most are both, and then neither could be missing.
    """
    return {"min.insync.replicas": str(replication // 2 + 1)} if replication >= 3 else {}


def alter_topics(admin: AdminClient, topics: Iterable[Topic]) -> None:
    """Set the settings that differ and leave all others."""
    resources = [alteration(topic) for topic in topics]
    if resources:
        for answer in admin.incremental_alter_configs(resources).values():
            answer.result()


def wait_for_coordinators(
    client: Mapping[str, Any], groups: Sequence[str], *, timeout: float = TIMEOUT
) -> None:
    """Return once every group has a broker that coordinates it.

    A new cluster makes the topic for that when a group first asks, which takes a second or two. Asked for here, it is
    there before the consumers start, and they have nothing to complain about. The first group alone: each of several
    at once would have the topic made.
    """
    deadline = time.monotonic() + timeout

    def wait(group: str) -> None:
        while error_of_asking(client, group) in NO_COORDINATOR_YET:
            if time.monotonic() > deadline:
                raise Trouble(
                    f"No broker coordinates the group {group} after {timeout:.0f} s.",
                    fix="Look at the cluster's topic __consumer_offsets: are its replicas up, and enough of them?",
                )

    wait(groups[0])
    with ThreadPoolExecutor() as pool:
        list(pool.map(wait, groups[1:]))


def error_of_asking(client: Mapping[str, Any], group: str) -> int | None:
    """Ask a group's coordinator for a position; return the code of the error that came instead, else None."""
    # Not the administrator's way of asking: once told "not yet", that client may never be closed again.
    consumer = Consumer({**client, "group.id": group})
    try:
        consumer.committed([TopicPartition(ANY_TOPIC, 0)], timeout=COORDINATOR_PATIENCE)
    except KafkaException as error:
        code: int = error.args[0].code()
        return code
    finally:
        consumer.close()
    return None


def alteration(topic: Topic) -> ConfigResource:
    """Say which settings of the topic to set."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in topic.settings.items()
    ]
    return ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=entries)


def client_settings_from_environment() -> dict[str, str]:
    """Return what a cluster with TLS or SASL asks of its clients, under the services' names."""
    names = {
        "KAFKA_SECURITY_PROTOCOL": "security.protocol",
        "KAFKA_SASL_MECHANISM": "sasl.mechanism",
        "KAFKA_SASL_USERNAME": "sasl.username",
        "KAFKA_SASL_PASSWORD": "sasl.password",
        "KAFKA_SSL_CAFILE": "ssl.ca.location",
    }
    return {setting: os.environ[name] for name, setting in names.items() if os.environ.get(name)}


def prefix_from_environment() -> str:
    """Return what stands before every topic's name."""
    return os.environ.get("KAFKA_TOPIC_PREFIX", "")


def main(arguments: list[str] | None = None) -> None:
    """Apply the list to the cluster that the arguments or the environment name."""
    environment = os.environ
    parser = argparse.ArgumentParser(prog="topics", description=__doc__)
    parser.add_argument("--bootstrap", default=environment.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9094"))
    parser.add_argument("--prefix", default=prefix_from_environment())
    parser.add_argument("--replication", type=int, default=environment.get("KAFKA_REPLICATION"))
    options = parser.parse_args(arguments)
    changes = apply_topics(
        options.bootstrap,
        prefix=options.prefix,
        replication=options.replication,
        client_settings=client_settings_from_environment(),
    )
    for topic in changes.create:
        print(f"created {topic.name} with {topic.partitions} partitions")
    for topic in changes.alter:
        print(f"set {', '.join(f'{name}={value}' for name, value in topic.settings.items())} on {topic.name}")
    if not changes:
        print("all topics are as listed")


if __name__ == "__main__":
    main()
