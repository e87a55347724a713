"""Settings that are fine on a laptop and dangerous in production keep the process from starting."""

import pytest

from shared.runtime.settings import DEVELOPMENT_ISSUER, ServiceSettings, UnsafeSettings

SAFE = {
    "environment": "production",
    "database_url": "postgresql://app:canary@db/bailiwick",
    "auth_issuer": "https://login.example",
    "auth_jwks": "https://login.example/jwks",
    "kafka_security_protocol": "SASL_SSL",
}


def test_a_safe_production_starts():
    assert ServiceSettings(**SAFE).environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth_issuer", DEVELOPMENT_ISSUER),
        ("auth_issuer", DEVELOPMENT_ISSUER + "/"),
        ("auth_issuer", DEVELOPMENT_ISSUER.upper()),
        ("auth_jwks", "http://login.example/jwks"),
        ("auth_jwks", "HTTP://login.example/jwks"),
        ("auth_jwks", ".local/issuer/jwks.json"),
        ("kafka_security_protocol", "PLAINTEXT"),
        ("kafka_security_protocol", "SASL_PLAINTEXT"),
    ],
)
def test_an_unsafe_production_does_not(name: str, value: str):
    with pytest.raises((UnsafeSettings, ValueError), match=name.upper()):
        ServiceSettings(**{**SAFE, name: value})


def test_secrets_do_not_show():
    settings = ServiceSettings(**SAFE)
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_refused_setting_does_not_tell_the_secrets_beside_it():
    """The error goes to the container's log."""
    with pytest.raises(ValueError, match="AUTH_ISSUER") as refused:
        ServiceSettings(environment="production", database_url="postgresql://u:s3cret@h/db")
    assert "s3cret" not in str(refused.value)
