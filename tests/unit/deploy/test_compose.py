"""docker-compose.yml, .env.example and docs/operating.md speak of the same settings as the code."""

import re
from importlib import import_module

import pytest
import yaml

from deploy.local.paths import REPOSITORY
from deploy.local.service_processes import SERVICE_ROLES
from shared.runtime.settings import ServiceSettings

COMPOSE = (REPOSITORY / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]


def test_every_variable_of_the_compose_file_is_in_the_example_with_its_default():
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    example = (REPOSITORY / ".env.example").read_text()
    told = dict(re.findall(r"^#(\w+)=(.*)$", example, flags=re.MULTILINE))
    assert told == used


@pytest.mark.parametrize("service", SERVICE_ROLES)
def test_every_process_runs_in_containers_too(service):
    found = {name.partition("-")[2] for name in SERVICES if name.startswith(f"{service}-")}
    assert found == {*SERVICE_ROLES[service], "migrate"}


@pytest.mark.parametrize("name", [name for name in SERVICES if "-" in name])
def test_every_process_starts_with_its_settings(name):
    """With 0.0.0.0 as the image says, and only with names that are settings."""
    service = name.partition("-")[0]
    settings_of = import_module(f"services.{service}.settings").Settings
    prefix = service.upper() + "_"
    told = {
        setting.removeprefix(prefix).lower(): str(value)
        for setting, value in SERVICES[name]["environment"].items()
    }
    assert set(told) <= set(settings_of.model_fields)
    told = {setting: value for setting, value in told.items() if "$" not in value}
    settings = settings_of(**{"database_url": "postgresql://app@postgres/x", "http_host": "0.0.0.0", **told})
    assert settings.in_development


def test_the_page_for_operators_names_every_setting():
    page = (REPOSITORY / "docs/operating.md").read_text()
    # Shortened in the table to what follows KAFKA_SASL.
    shortened = {"kafka_sasl_username", "kafka_sasl_password"}
    of_the_body = {"max_body_bytes"}
    missing = [
        name
        for name in ServiceSettings.model_fields
        if f"`{name.upper()}" not in page and name not in shortened | of_the_body
    ]
    assert missing == []
