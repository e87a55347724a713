"""Real processes of the services over a database and topics of their own: started, killed, read from outside.

with ServiceProcesses(admin_url, bootstrap_servers, folder) as processes:
    processes.start("metrics.api", "metrics.relay", "metrics.consumer")
    processes.api("metrics", role="admin").get("/v1/figures", ...)
    processes.kill("metrics.consumer")
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

from deploy.demo.client import Installation, Service
from deploy.local.child import Child, Process, last_words
from deploy.local.endpoints import Endpoints
from deploy.local.issuer import DevelopmentIssuer
from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres_binaries import find_postgres
from deploy.local.service_processes import SERVICE_ROLES, answers
from deploy.local.topics import apply_topics
from deploy.local.watchdog import Watchdog

ALL = tuple(f"{service}.{role}" for service, roles in SERVICE_ROLES.items() for role in roles)


class ServiceProcesses:
    """Whatever of the three services a test wants to run."""

    # Copies of each partition; None as the list of topics says.
    replication: int | None = None
    start_timeout = 60.0

    def __init__(
        self, admin_url: str, bootstrap_servers: str, folder: Path, *, template: str | None = None
    ) -> None:
        """`template` is a database at head to copy; without one the three schemas are migrated first."""
        self.bootstrap_servers = bootstrap_servers
        self.topic_prefix = f"flow-{uuid4().hex[:12]}."
        self.folder = folder
        self._admin_url = admin_url
        self._template = template
        self._database = f"flow_{uuid4().hex[:12]}"
        self._ports = {service: free_port() for service in SERVICE_ROLES}
        self._issuer = DevelopmentIssuer(folder / "issuer")
        self._watchdog = Watchdog()
        self._children: dict[str, Child] = {}
        self._installation: Installation | None = None

    def __enter__(self) -> Self:
        """Have the database at head, the topics and the keys; no process runs yet."""
        self._issuer.ensure_keys()
        template = self._template or "bailiwick"
        execute(self._admin_url, f'CREATE DATABASE "{self._database}" TEMPLATE "{template}"')
        apply_topics(self.bootstrap_servers, prefix=self.topic_prefix, replication=self.replication)
        if self._template is None:
            self.migrate()
        return self

    def migrate(self) -> None:
        """Bring the three schemas to head."""
        migrations = {service: self._migration(service) for service in SERVICE_ROLES}
        for service, migration in migrations.items():
            assert migration.wait() == 0, last_words(self._log(f"{service}.migrate"))

    def __exit__(self, *_: object) -> None:
        if self._installation is not None:
            self._installation.__exit__()
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            child.stop()
        self._watchdog.close()
        execute(self._admin_url, f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')

    def start(self, *names: str) -> None:
        """Start processes, named like "metrics.consumer", and return when all of them are ready."""
        started = [self._child(name) for name in names]
        self._children |= dict(zip(names, started, strict=True))
        for child in started:
            child.wait_ready()

    def kill(self, name: str) -> None:
        """End a process with kill -9; `start` brings it back."""
        self._children.pop(name).kill()

    def stop(self, name: str) -> int | None:
        """Ask a process to end, as an orchestrator would; return its exit code."""
        child = self._children.pop(name)
        child.stop()
        return child.exit_code

    def log_of(self, name: str) -> str:
        """Return everything a process has written so far."""
        return self._log(name).read_text(errors="replace")

    def api(self, service: str, *, role: str, scope: str = "*", subject: str = "tester") -> Service:
        """Return a service's api for a caller."""
        return self.installation().service(service, role=role, scope=scope, subject=subject)

    def token(self, *, role: str, scope: str = "*", subject: str = "tester") -> str:
        """Return a token for clients of a test's own."""
        return self._issuer.token(role=role, scope=scope, subject=subject)

    def installation(self) -> Installation:
        """Return the services as the demo finds them."""
        if self._installation is None:
            self._installation = Installation(self.endpoints(), self._issuer)
        return self._installation

    def database_url(self, role: str | None = None) -> str:
        """Return the address of the database for a role, or for the administrator."""
        address = urlsplit(self._admin_url)._replace(path=f"/{self._database}")
        if role is not None:
            address = address._replace(netloc=f"{role}:{role}@{address.hostname}:{address.port}")
        return address.geturl()

    def endpoints(self) -> Endpoints:
        """Say what runs, in the words of `.local/endpoints.json`."""
        return Endpoints(
            urls={service: f"http://{LOOPBACK}:{port}" for service, port in self._ports.items()},
            kafka_bootstrap_servers=self.bootstrap_servers,
            database_url=self.database_url(),
            database_urls={service: self.database_url(f"{service}_app") for service in SERVICE_ROLES},
            pids={name: child.pid for name, child in self._children.items()},
            logs={name: str(self._log(name)) for name in self._children},
            health={},
            issuer={"jwks": str(self._issuer.jwks)},
        )

    def environment(self) -> dict[str, str]:
        """Return what a program has to be told to find these topics."""
        return {**os.environ, "KAFKA_TOPIC_PREFIX": self.topic_prefix}

    def _child(self, name: str) -> Child:
        service, role, *_ = name.split(".")
        port = self._port_of(name)
        process = Process(
            name=name,
            command=self._command(name, service, role),
            log=self._log(name),
            is_ready=lambda: answers(f"http://{LOOPBACK}:{port}/health/ready"),
            environment=self._environment(name, service, port),
            folder=REPOSITORY,
            start_timeout=self.start_timeout,
        )
        return Child(process, watchdog=self._watchdog)

    def _port_of(self, name: str) -> int:
        service, role, *_ = name.split(".")
        return self._ports[service] if role == "api" else free_port()

    def _command(self, _name: str, service: str, role: str) -> list[str]:
        return [sys.executable, "-m", f"services.{service}", role]

    def _environment(self, _name: str, service: str, port: int) -> Mapping[str, str]:
        return self._told(service, port)

    def _migration(self, service: str) -> subprocess.Popen[bytes]:
        with self._log(f"{service}.migrate").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"services.{service}", "migrate"],
                env={**os.environ, **self._told(service, 0)},
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )

    def _told(self, service: str, port: int) -> Mapping[str, str]:
        told = {
            "ENVIRONMENT": "development",
            "DATABASE_URL": self.database_url(f"{service}_app"),
            "MIGRATION_DATABASE_URL": self.database_url(f"{service}_owner"),
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.topic_prefix,
            "HTTP_PORT": str(port),
            "HEALTH_PORT": str(port),
            "AUTH_JWKS": str(self._issuer.jwks),
            "LOG_FORMAT": "console",
        }
        return {f"{service.upper()}_{name}": value for name, value in told.items()}

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def execute(admin_url: str, statement: str) -> None:
    """Run one statement as administrator."""
    done = subprocess.run(
        [find_postgres().path("psql"), "--no-psqlrc", "--quiet", "-d", admin_url, "-c", statement],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
