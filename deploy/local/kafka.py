"""A real Apache Kafka 4 on loopback: one broker in KRaft mode, gone with us.

kafka = EmbeddedKafka(folder, fast=True)
kafka.start()
kafka.bootstrap_servers
"""

import base64
import logging
import string
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.build_once import build_once
from deploy.local.child import Process, last_words
from deploy.local.embedded import EmbeddedEngine
from deploy.local.java import find_java
from deploy.local.kafka_jars import find_jars
from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.trouble import Trouble

TEMPLATES = REPOSITORY / "deploy/kafka"
HEAP = ("-Xms128m", "-Xmx512m")
# A start takes 4 s of CPU instead of 7; a broker that runs for days is better off without.
FAST = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class EmbeddedKafka(EmbeddedEngine):
    """One broker over one data folder."""

    NAME = "Kafka"
    HEAP = HEAP
    # The controller's port is nobody else's business, so it is any free one, new on every start.
    _controller_port = 0
    _probe: AdminClient | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients."""
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Have formatted storage that a broker can start on, and the port free."""
        self.require_port()
        self._controller_port = free_port()
        build_once(self.data_dir, self._format)
        self._write_properties(self.data_dir)

    def process(self) -> Process:
        """Describe the broker for whoever runs it."""
        return Process(
            name="kafka",
            command=self._java("kafka.Kafka", str(self.data_dir / "server.properties")),
            log=self._log,
            is_ready=self.is_ready,
            prepare=self.prepare,
        )

    def is_ready(self) -> bool:
        """Tell whether a broker answers, and that it is the one with our storage."""
        if self._probe is None:
            self._probe = quiet_admin(self.bootstrap_servers)
        try:
            metadata = self._probe.list_topics(timeout=0.3)
        except KafkaException:
            return False
        ready = bool(metadata.brokers) and metadata.cluster_id == self._cluster_id()
        if ready:
            self._probe = None
        return ready

    def _format(self, unfinished: Path) -> None:
        properties = self._write_properties(unfinished)
        # In one argument: an id may begin with a dash.
        arguments = ["format", f"--cluster-id={self._new_cluster_id()}", "--config", str(properties)]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            done = subprocess.run(
                self._java("kafka.tools.StorageTool", *arguments), stdout=log, stderr=log, check=False
            )
        if done.returncode != 0:
            raise Trouble(
                f"Kafka could not format its storage: {last_words(self._log)}",
                fix=f"Free some disk space; the whole log: {self._log}",
            )

    def _new_cluster_id(self) -> str:
        return new_cluster_id()

    def _write_properties(self, folder: Path) -> Path:
        template = string.Template((TEMPLATES / "server.properties").read_text())
        file = folder / "server.properties"
        file.write_text(
            template.substitute(
                port=self.port, controller_port=self._controller_port, data_dir=folder / "data"
            )
        )
        return file

    def _java(self, main: str, *arguments: str) -> list[str]:
        return [
            *(find_java().command, *self.HEAP, *(FAST if self._fast else ())),
            f"-Dlog4j2.configurationFile={TEMPLATES / 'log4j2.properties'}",
            "-Dlog4j2.shutdownHookEnabled=false",  # keeps the last lines of a shutdown
            *("-cp", f"{find_jars()}/*", main, *arguments),
        ]

    def _cluster_id(self) -> str:
        lines = (self.data_dir / "data" / "meta.properties").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]


def new_cluster_id() -> str:
    """Return an id as Kafka makes them: a UUID in URL-safe base64."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def quiet_admin(bootstrap_servers: str) -> AdminClient:
    """Return a client that tries often and keeps quiet about failing: for waiting until a broker is up."""
    silent = logging.Logger("silent")  # noqa: LOG001  # in no hierarchy, so that nothing prints it
    silent.addHandler(logging.NullHandler())
    return AdminClient(
        {
            "bootstrap.servers": bootstrap_servers,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 200,
        },
        logger=silent,
    )
