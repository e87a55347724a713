"""Which sentence an operator reads when Postgres or Kafka fail a command."""

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from shared.kafka.broker_away import BrokerAway
from shared.messaging.operations.diagnosis import address_of, diagnose
from shared.runtime.settings import ServiceSettings

SETTINGS = ServiceSettings(
    environment="development",
    database_url=SecretStr("postgresql://toy_app:s3cret@db.example:6543/bailiwick"),
    kafka_bootstrap_servers="broker.example:9092",
    kafka_sasl_password=SecretStr("s3cret"),
)


def told(error):
    return diagnose(error, SETTINGS, service="metrics")


def from_postgres(kind, message, detail=""):
    """An error as SQLAlchemy hands it on: the adapter's, with the driver's own behind it."""
    origin = kind(message)
    origin.detail = detail
    adapted = Exception(f"<class>: {message} DETAIL: {detail}")
    adapted.sqlstate = kind.sqlstate
    adapted.__cause__ = origin
    return DBAPIError("SELECT 1", {"name": "Jane"}, adapted)


@pytest.mark.parametrize(
    ("kind", "message", "sentence", "fix"),
    [
        (asyncpg.InsufficientPrivilegeError, "permission denied for table t", "lacks a right: permission", "roles.sql"),
        (asyncpg.InvalidPasswordError, 'failed for user "toy_app"', "refuses the login: failed", "METRICS_DATABASE_URL"),
        (asyncpg.InvalidCatalogNameError, "no database", "has no such database: no database", "METRICS_DATABASE_URL"),
        (asyncpg.UndefinedTableError, "no relation", "another schema than this release: no relation", "`migrate`"),
        (asyncpg.UniqueViolationError, "duplicate key", "refuses this: duplicate key.", ""),
        (asyncpg.QueryCanceledError, "canceling", "took longer than its limit: canceling", "Nothing was changed"),
    ],
)  # fmt: skip
def test_what_does_not_pass_by_itself_is_not_away(kind, message, sentence, fix):
    found = told(from_postgres(kind, message, detail="Key (name)=(Jane)"))
    assert found.told.startswith("Postgres at db.example:6543 ")
    assert sentence in found.told
    assert fix in found.told
    assert not found.away
    assert "Jane" not in found.told


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "does not answer: "),
        (TimeoutError(), "does not answer: TimeoutError."),
        (asyncpg.InternalClientError("got result for unknown protocol state"), "does not answer: got"),
        (from_postgres(asyncpg.TooManyConnectionsError, "too many clients"), "cannot do this now: too many clients"),
        (from_postgres(asyncpg.DeadlockDetectedError, "deadlock detected"), "cannot do this now: deadlock"),
    ],
)  # fmt: skip
def test_what_passes_by_itself_is_away(error, sentence):
    found = told(error)
    assert f"Postgres at db.example:6543 {sentence}" in found.told
    assert found.away


class TopicAuthorizationFailed(Exception):
    """Named as the client's."""


def test_kafka_is_named_by_its_brokers():
    found = told(BrokerAway("Kafka: no answer within 15 s"))
    assert found.told == "Kafka at broker.example:9092 does not answer: no answer within 15 s."
    assert found.away


def test_a_broker_that_grants_no_right_is_not_away():
    error = BrokerAway("Kafka: [Error 29]")
    error.__cause__ = TopicAuthorizationFailed()
    found = told(error)
    assert found.told.startswith("Kafka at broker.example:9092 refuses this: [Error 29].")
    assert not found.away


def test_a_broker_that_may_refuse_the_login_is_asked_about():
    safe = SETTINGS.model_copy(update={"kafka_security_protocol": "SASL_SSL"})
    found = diagnose(BrokerAway("no answer"), safe, service="metrics")
    assert "Is the login right (KAFKA_SASL_*)?" in found.told


def test_a_file_that_is_missing_is_named():
    found = told(FileNotFoundError(2, "No such file or directory", "/etc/kafka/ca.pem"))
    assert (found.told, found.away) == ("/etc/kafka/ca.pem cannot be read: No such file or directory.", False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://u:p@db.example/b", "db.example:5432"),
        ("postgresql://u:p@one:1,two:2/b", "one:1,two:2"),
        ("postgresql://u:p@/b?host=/run/postgresql", "/run/postgresql"),
        ("postgresql://u:s3@cret@db:1/b", "db:1"),
        ("postgresql:///b", "localhost:5432"),
    ],
)
def test_an_address_is_told_without_its_login(url, address):
    assert address_of(url) == address


@pytest.mark.parametrize("password", ["pa/ss", "pa?ss", "pa#ss"])
def test_an_address_that_is_torn_apart_tells_nothing_of_the_password(password):
    assert "pa" not in address_of(f"postgresql://u:{password}@db:1/b").split()
    assert address_of(f"postgresql://u:{password}@db:1/b").startswith("an address that cannot be read")
