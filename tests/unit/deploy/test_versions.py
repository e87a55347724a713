"""A laptop and the containers run the same engines."""

import yaml

from deploy.local.kafka_jars import kafka_version
from deploy.local.paths import REPOSITORY
from deploy.local.postgres_binaries import OLDEST
from deploy.local.service_processes import SERVICE_ROLES

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]


def test_the_jars_and_the_image_are_the_same_kafka():
    assert COMPOSE["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_the_image_is_the_oldest_postgres_that_a_laptop_may_run():
    assert COMPOSE["postgres"]["image"] == f"postgres:{OLDEST}"


def test_containers_and_the_laptop_run_the_same_processes():
    processes = {f"{service}-{role}" for service, roles in SERVICE_ROLES.items() for role in roles}
    once = {"roles", "topics", *(f"{service}-migrate" for service in SERVICE_ROLES)}

    assert set(COMPOSE) == processes | once | {"postgres", "kafka"}


def test_no_container_runs_as_root_or_writes_to_its_root():
    for name, service in COMPOSE.items():
        assert service["user"].split(":")[0] not in {"0", "root"}, name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", [])), name
