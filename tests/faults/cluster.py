"""A real broker whose clients come through proxies: a listener of its own per link, advertised at the proxy's port.

A client that bootstraps through its link is told the link's address by the broker, so all of its connections
stay on the link, and breaking it breaks nobody else's.
"""

from collections.abc import Sequence
from pathlib import Path

from deploy.local.kafka import EmbeddedKafka
from deploy.local.ports import LOOPBACK, free_port
from tests.faults.proxy import Link, Proxies


class ProxiedKafka(EmbeddedKafka):
    """One broker with a listener per link, beside the direct one."""

    def __init__(self, data_dir: Path, proxies: Proxies, links: Sequence[str]) -> None:
        super().__init__(data_dir)
        self.links = {name: _link_of(proxies, name) for name in links}

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
