"""Brokers to break: one whose clients come through proxies, and a cluster of three.

The one has a listener of its own per link, advertised at the proxy's port.

A client that bootstraps through its link is told the link's address by the broker, so all of its connections
stay on the link, and breaking it breaks nobody else's.
"""

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from deploy.local.child import Child, Process
from deploy.local.kafka import EmbeddedKafka, new_cluster_id
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.watchdog import Watchdog
from tests.faults.proxy import Link, Proxies


class PatientKafka(EmbeddedKafka):
    """A broker that may take its time to start, on a machine that others use."""

    def process(self) -> Process:
        """Describe the broker for whoever runs it."""
        return replace(super().process(), start_timeout=240.0)


class ProxiedKafka(PatientKafka):
    """One broker with a listener per link, beside the direct one."""

    def __init__(self, data_dir: Path, proxies: Proxies, links: Sequence[str]) -> None:
        super().__init__(data_dir)
        self.links = {name: _link_of(proxies, name) for name in links}

    replication: int | None = None

    def through(self, name: str) -> str:
        """Return the address for clients on a link."""
        return f"{LOOPBACK}:{self.links[name].port}"

    def _write_properties(self, folder: Path) -> Path:
        file = super()._write_properties(folder)
        # A later line of a properties file replaces an earlier one.
        file.write_text(file.read_text() + "\n".join(self._overrides()) + "\n")
        return file

    def _overrides(self) -> list[str]:
        names = [f"LINK{number}" for number in range(len(self.links))]
        pairs = list(zip(names, self.links.values(), strict=True))
        listening = [f"BROKER://{LOOPBACK}:{self.port}", f"CONTROLLER://{LOOPBACK}:{self._controller_port}"]
        listening += [f"{name}://{LOOPBACK}:{link.target}" for name, link in pairs]
        advertised = [f"BROKER://{LOOPBACK}:{self.port}"]
        advertised += [f"{name}://{LOOPBACK}:{link.port}" for name, link in pairs]
        protocols = [f"{name}:PLAINTEXT" for name in ("BROKER", "CONTROLLER", *names)]
        return [
            f"listeners={','.join(listening)}",
            f"advertised.listeners={','.join(advertised)}",
            f"listener.security.protocol.map={','.join(protocols)}",
            # Threads are per listener, and there are many.
            "num.network.threads=1",
        ]


def _link_of(proxies: Proxies, name: str) -> Link:
    return proxies.link(f"{name} to kafka", free_port())


class Broker(PatientKafka):
    """One of several brokers that vote together."""

    HEAP = ("-Xms96m", "-Xmx384m")
    ROLES = "broker,controller"

    def __init__(self, data_dir: Path, number: int, controllers: Mapping[int, int], cluster_id: str) -> None:
        super().__init__(data_dir, fast=True)
        self.number = number
        self._controllers = controllers
        self._shared_id = cluster_id

    @property
    def _controller_port(self) -> int:  # type: ignore[override]
        return self._controllers[self.number]

    @_controller_port.setter
    def _controller_port(self, _: int) -> None:
        """Stay at the port that the other voters know."""

    def launch(self) -> None:
        """Start, and do not wait: alone it is never ready."""
        self.prepare()
        self._watchdog = self._watchdog or Watchdog()
        self._child = Child(self.process(), watchdog=self._watchdog)

    def wait_ready(self) -> None:
        """Return when it serves."""
        assert self._child is not None
        self._child.wait_ready()

    def led_since(self) -> str:
        """Return when it last began to lead the controllers, as its log tells the time of day; empty if never."""
        lines = self._log.read_text(errors="replace").splitlines()
        return max((line[:12] for line in lines if "Performing controller activation" in line), default="")

    def _new_cluster_id(self) -> str:
        return self._shared_id

    def _write_properties(self, folder: Path) -> Path:
        file = super()._write_properties(folder)
        voters = ",".join(f"{number}@{LOOPBACK}:{port}" for number, port in self._controllers.items())
        overrides = [
            f"process.roles={self.ROLES}",
            f"node.id={self.number}",
            f"controller.quorum.voters={voters}",
            "default.replication.factor=3",
            "unclean.leader.election.enable=false",
            "offsets.topic.replication.factor=3",
            "transaction.state.log.replication.factor=3",
            "transaction.state.log.min.isr=2",
            "share.coordinator.state.topic.replication.factor=3",
            "share.coordinator.state.topic.min.isr=2",
        ]
        file.write_text(file.read_text() + "\n".join(overrides) + "\n")
        return file


class BrokerOnly(Broker):
    """One that takes part in no vote."""

    ROLES = "broker"
    # Its own port for controllers, which it does not open.
    _controller_port = 0

    def _write_properties(self, folder: Path) -> Path:
        file = super()._write_properties(folder)
        file.write_text(f"{file.read_text()}listeners=BROKER://{LOOPBACK}:{self.port}\n")
        return file


class ControllerOnly(Broker):
    """One that votes, and holds no records."""

    HEAP = ("-Xms64m", "-Xmx192m")
    ROLES = "controller"

    def is_ready(self) -> bool:
        """Tell whether it listens; brokers will tell whether it leads."""
        with suppress(OSError), socket.create_connection((LOOPBACK, self._controller_port), timeout=0.3):
            return True
        return False

    def _write_properties(self, folder: Path) -> Path:
        file = super()._write_properties(folder)
        listening = f"CONTROLLER://{LOOPBACK}:{self._controller_port}"
        file.write_text(f"{file.read_text()}listeners={listening}\nadvertised.listeners={listening}\n")
        return file


class Cluster:
    """Three brokers, three copies of everything. No proxies.

    How many copies have to be there for a write is left to the topics, as the product makes them.
    The brokers are their own controllers, or `apart` there is one that outlives them.
    """

    replication: int | None = 3

    def __init__(self, folder: Path, *, apart: bool = False) -> None:
        numbers = (1, 2, 3)
        controllers = {number: free_port() for number in ((9,) if apart else numbers)}
        cluster_id = new_cluster_id()
        kind = BrokerOnly if apart else Broker
        self.brokers = [kind(folder / f"broker-{n}", n, controllers, cluster_id) for n in numbers]
        self.controllers = [
            ControllerOnly(folder / f"controller-{n}", n, controllers, cluster_id)
            for n in controllers
            if n not in numbers
        ]
        self.links: dict[str, Link] = {}

    @property
    def bootstrap_servers(self) -> str:
        """Return the addresses of all brokers."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    def through(self, name: str) -> str:
        """Refuse: nobody has a link of its own here."""
        raise LookupError(name)

    def by_leadership(self) -> list[Broker]:
        """Return the brokers, the one first that leads the controllers now, if it is one of them."""
        return sorted(self.brokers, key=Broker.led_since, reverse=True)

    def start(self) -> None:
        """Start all, and return when each serves."""
        for node in (*self.controllers, *self.brokers):
            node.launch()
        for node in (*self.controllers, *self.brokers):
            node.wait_ready()

    def stop(self) -> None:
        """End all."""
        for node in (*self.brokers, *self.controllers):
            node.kill()
            node.stop()
