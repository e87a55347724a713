"""What a person may choose about a run, by environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.ports import LOOPBACK, require_free
from deploy.local.trouble import Trouble

SERVICE_PORTS = {"assignment": 8001, "metrics": 8002, "collab": 8003}
POSTGRES_PORT = 54329
KAFKA_PORT = 9094


@dataclass(frozen=True)
class LocalSettings:
    """Ports, and engines elsewhere that replace ours."""

    ports: Mapping[str, int]
    database_url: str | None
    kafka_bootstrap_servers: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "LocalSettings":
        """Read the environment. Raises Trouble when a port is no port."""
        defaults = {**SERVICE_PORTS, "postgres": POSTGRES_PORT, "kafka": KAFKA_PORT}
        return cls(
            ports={name: port_from(environment, name, default) for name, default in defaults.items()},
            database_url=environment.get("DATABASE_URL") or None,
            kafka_bootstrap_servers=environment.get("KAFKA_BOOTSTRAP_SERVERS") or None,
        )

    @property
    def own_ports(self) -> dict[str, int]:
        """The ports that this run will listen on."""
        elsewhere = {
            name
            for name, address in (("postgres", self.database_url), ("kafka", self.kafka_bootstrap_servers))
            if address
        }
        return {name: port for name, port in self.ports.items() if name not in elsewhere}

    def require_free_ports(self) -> None:
        """Refuse ports that are taken, or named twice."""
        owner: dict[int, str] = {}
        for name, port in self.own_ports.items():
            if port in owner:
                raise Trouble(
                    f"{variable_of(name)} and {variable_of(owner[port])} are both {port}.",
                    fix="Give each its own port.",
                )
            owner[port] = name
            require_free(port, of=name, variable=variable_of(name))

    def url_of(self, service: str) -> str:
        """Return where the service's api will listen."""
        return f"http://{LOOPBACK}:{self.ports[service]}"


def variable_of(name: str) -> str:
    """Name the environment variable that chooses the port."""
    return f"{name.upper()}_PORT"


def port_from(environment: Mapping[str, str], name: str, default: int) -> int:
    """Read one port."""
    given = environment.get(variable_of(name)) or str(default)
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise Trouble(
            f"{variable_of(name)}={given} is no port.", fix=f"Give a number, for example {default}."
        )
    return int(given)
