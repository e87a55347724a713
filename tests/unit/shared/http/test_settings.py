"""Settings that are fine on a laptop and dangerous elsewhere keep the process from starting."""

import json

import pytest
from pydantic import ValidationError

from services.metrics.settings import Settings
from shared.runtime.production import DEVELOPMENT_ISSUER
from shared.runtime.settings import ServiceSettings, explain
from shared.testing.tokens import Issuer

DATABASE = "postgresql://app:canary@db/bailiwick"
SAFE = {
    "organisation": "northwind",
    "database_url": f"{DATABASE}?sslmode=verify-full",
    "auth_issuer": "https://login.example",
    "auth_jwks": "https://login.example/jwks",
    "kafka_security_protocol": "SASL_SSL",
}
LAPTOP = {"environment": "development", "database_url": DATABASE}


def test_what_is_not_told_is_production():
    assert ServiceSettings(**SAFE).environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("organisation", "demo"),
        ("organisation", " Demo"),
        ("auth_issuer", DEVELOPMENT_ISSUER),
        ("auth_issuer", DEVELOPMENT_ISSUER + "/"),
        ("auth_issuer", DEVELOPMENT_ISSUER.upper()),
        ("auth_jwks", "http://login.example/jwks"),
        ("auth_jwks", "HTTP://login.example/jwks"),
        ("auth_jwks", ".local/issuer/jwks.json"),
        ("kafka_security_protocol", "PLAINTEXT"),
        ("kafka_security_protocol", "SASL_PLAINTEXT"),
        ("database_url", DATABASE),
        ("database_url", f"{DATABASE}?sslmode=disable"),
        # Both fall back to the clear when somebody in between says that there is no TLS.
        ("database_url", f"{DATABASE}?sslmode=prefer"),
        ("database_url", f"{DATABASE}?sslmode=allow"),
        ("database_url", f"{DATABASE}?sslmode=require&sslmode=disable"),
        ("database_url", "postgresql://app@127.0.0.1,db:5432/bailiwick"),
        ("database_url", "postgresql://app@/bailiwick?host=db"),
        ("database_url", "postgresql:///bailiwick"),
        ("migration_database_url", "postgresql://owner@db/bailiwick"),
    ],
)
def test_an_unsafe_production_does_not_start(name: str, value: str):
    with pytest.raises(ValidationError, match=name.upper()):
        ServiceSettings(**{**SAFE, name: value})


@pytest.mark.parametrize(
    "url",
    [
        f"{DATABASE}?sslmode=require",
        f"{DATABASE}?application_name=x&sslmode=verify-ca",
        "postgresql://app@127.0.0.1:5432/bailiwick",
        "postgresql://app@[::1]:5432/bailiwick",
        "postgresql://app@localhost/bailiwick",
        "postgresql://app@/bailiwick?host=/run/postgresql",
    ],
)
def test_a_database_over_tls_or_on_this_machine_is_safe(url: str):
    assert ServiceSettings(**{**SAFE, "database_url": url})


def test_a_private_network_may_do_without_tls_to_the_database():
    assert ServiceSettings(**{**SAFE, "database_url": DATABASE, "allow_database_without_tls": True})


def test_the_development_issuers_keys_are_known_by_what_is_in_the_file(tmp_path):
    """A copy under another name is as dangerous; the provider's own file is not."""
    file = tmp_path / "our-provider.json"
    file.write_text(json.dumps(Issuer(key_id="development-1").jwks()))
    with pytest.raises(ValidationError, match="AUTH_JWKS is the development issuer's"):
        ServiceSettings(**{**SAFE, "auth_jwks": str(file)})

    file.write_text(json.dumps(Issuer(key_id="2026-11").jwks()))
    assert ServiceSettings(**{**SAFE, "auth_jwks": str(file)})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.7", "metrics.example"])
def test_development_does_not_listen_on_the_network_by_accident(host: str):
    with pytest.raises(ValidationError, match="ALLOW_DEVELOPMENT_ON_NETWORK=true"):
        ServiceSettings(**LAPTOP, http_host=host)
    assert ServiceSettings(**LAPTOP, http_host=host, allow_development_on_network=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_development_listens_on_this_machine(host: str):
    assert ServiceSettings(**LAPTOP, http_host=host)


def test_production_listens_where_it_is_told():
    assert ServiceSettings(**SAFE, http_host="0.0.0.0")


def test_a_refusal_names_every_setting_by_its_variable_and_no_value(monkeypatch):
    """The sentence goes to the container's log."""
    monkeypatch.setenv("METRICS_DATABASE_URL", DATABASE)
    with pytest.raises(ValidationError) as refused:
        Settings()
    told = explain(refused.value, service="metrics")
    for name in ("ORGANISATION", "AUTH_ISSUER", "AUTH_JWKS", "KAFKA_SECURITY_PROTOCOL", "DATABASE_URL"):
        assert f"METRICS_{name}" in told
    assert "canary" not in told + str(refused.value)


def test_a_setting_that_is_missing_or_no_number_is_named_by_its_variable(monkeypatch):
    monkeypatch.setenv("METRICS_HTTP_PORT", "web")
    with pytest.raises(ValidationError) as refused:
        Settings()
    told = explain(refused.value, service="metrics")
    assert "METRICS_DATABASE_URL: Field required." in told
    assert "METRICS_HTTP_PORT: Input should be a valid integer" in told


def test_secrets_do_not_show():
    settings = ServiceSettings(**SAFE)
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()
