"""What to tell an operator when Postgres or Kafka fail a command: which of the two, where, why, and what to do.

"Away" is what passes by itself. A wrong password, a missing database or right and a schema of another release do not,
though a running consumer waits for their mending, too (transient.py). No sentence holds a password.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from asyncpg import InternalClientError, PostgresError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shared.db.sqlstate import LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlstate_of
from shared.kafka.broker_away import BrokerAway
from shared.messaging.transient import is_transient
from shared.runtime.settings import ServiceSettings

FAILURES = (SQLAlchemyError, InternalClientError, OSError)

# By SQLSTATE, or by its class: what Postgres does, and what the operator can do.
_REFUSALS = {
    QUERY_CANCELED: ("took longer than its limit", "Nothing was changed."),
    "42501": ("lacks a right", "Run deploy/postgres/roles.sql again, then `migrate`."),
    "28": ("refuses the login", "Put {service}_DATABASE_URL right (a rebuild takes {service}_MIGRATION_DATABASE_URL, too)."),
    "3D": ("has no such database", "Put {service}_DATABASE_URL right, or run deploy/postgres/roles.sql."),
    "3F": ("has no such schema", "Run deploy/postgres/roles.sql, then `migrate`."),
    "42": ("holds another schema than this release", "Run `migrate`."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A sentence or two, and whether the same words may succeed later without any change."""

    told: str
    away: bool


def diagnose(error: Exception, settings: ServiceSettings, *, service: str) -> Diagnosis:
    """Return what to tell of an error of FAILURES."""
    if isinstance(error, BrokerAway):
        return _of_kafka(error, settings)
    if isinstance(error, FileNotFoundError | PermissionError) and error.filename:
        return Diagnosis(f"{error.filename} cannot be read: {error.strerror}.", away=False)
    return _of_postgres(error, settings, service)


def _of_kafka(error: BrokerAway, settings: ServiceSettings) -> Diagnosis:
    where = f"Kafka at {settings.kafka_bootstrap_servers}"
    why = str(error).removeprefix("Kafka: ")
    # Of the client's errors, those of authentication and authorisation have it in their names.
    if "Auth" in type(error.__cause__).__name__:
        return Diagnosis(
            f"{where} refuses this: {why}. Put KAFKA_SASL_* or the broker's ACLs right.", away=False
        )
    # The client asks again until nobody waits any more, whether brokers are silent or refuse the login.
    login = (
        " Is the login right (KAFKA_SASL_*)?" if settings.kafka_security_protocol.startswith("SASL") else ""
    )
    return Diagnosis(f"{where} does not answer: {why}.{login}", away=True)


def _of_postgres(error: Exception, settings: ServiceSettings, service: str) -> Diagnosis:
    where = f"Postgres at {address_of(settings.database_url.get_secret_value())}"
    why = _said(error)
    state = (sqlstate_of(error) if isinstance(error, DBAPIError) else None) or ""
    if state == LOCK_NOT_AVAILABLE:
        return Diagnosis(
            "What this would change is in use by a running process; retry in a moment.", away=False
        )
    if (found := _REFUSALS.get(state) or _REFUSALS.get(state[:2])) is not None:
        what, do = found
        return Diagnosis(f"{where} {what}: {why}. {do.format(service=service.upper())}", away=False)
    if not state and (is_transient(error) or isinstance(error, InternalClientError)):
        return Diagnosis(f"{where} does not answer: {why}.", away=True)
    if is_transient(error):
        return Diagnosis(f"{where} cannot do this now: {why}. Retry in a moment.", away=True)
    return Diagnosis(f"{where} refuses this: {why}.", away=False)


def _said(error: Exception) -> str:
    """Return the driver's own words; those of SQLAlchemy repeat the statement, the server's detail holds data."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    origin = getattr(origin, "__cause__", None) or origin
    said = str(origin.args[0]) if isinstance(origin, PostgresError) and origin.args else str(origin)
    return said.strip().removesuffix(".") or type(origin).__name__


def address_of(url: str) -> str:
    """Return host and port of a database's address, without login or password."""
    parts = urlsplit(url)
    _, at, hosts = parts.netloc.rpartition("@")
    if not at and "@" in url:
        return "an address that cannot be read (a password needs its /, ?, # and @ percent-encoded)"
    hosts = hosts or ",".join(parse_qs(parts.query).get("host", ["localhost"]))
    return hosts if ":" in hosts or hosts.startswith("/") else f"{hosts}:5432"
