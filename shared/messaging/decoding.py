"""From bytes to events, before any transaction is open. What cannot be read becomes a value, not an exception."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared.contracts.envelope import Envelope
from shared.kafka import cloudevents
from shared.kafka.records import IncomingRecord
from shared.messaging.divergence import time_ordered
from shared.messaging.received import Received, Tombstone
from shared.messaging.subscription import Subscription

MAX_KEY_LENGTH = 255


class UnreadableKey(ValueError):
    """The key is no text that names an aggregate."""


class MissingVersion(ValueError):
    """A topic that counts versions carried a record without `ce_aggregateversion`."""


class UnexpectedTombstone(ValueError):
    """A null value on a topic that carries events, not state."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A readable event of a type nobody here handles; it counts for the version all the same."""

    envelope: Envelope


class Stage(StrEnum):
    """Where a record failed, in Kafka Connect's words."""

    KEY = "KEY_CONVERTER"
    HEADERS = "HEADER_CONVERTER"
    VALUE = "VALUE_CONVERTER"
    HANDLER = "TASK_PUT"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a record could not be read, or was refused by its handler."""

    error: Exception
    stage: Stage


Content = Received[Any] | Tombstone | PassedOver | Unreadable


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record and what it says. `key` and `version` are None where they could not be read or do not count.

    `event_id` is the event's id where that tells the order of events (UUIDv7), else None.
    """

    record: IncomingRecord
    key: str | None
    version: int | None
    content: Content
    event_id: str | None = None


def decode_record(record: IncomingRecord, subscription: Subscription) -> Decoded:
    """Read one record."""
    key: str | None = None
    version: int | None = None
    event_id: str | None = None
    stage = Stage.KEY
    try:
        key = _read_key(record, subscription)
        stage = Stage.HEADERS
        envelope = cloudevents.decode(record.headers)
        if subscription.order != "none":
            version = _read_version(envelope)
            event_id = time_ordered(envelope.id)
        stage = Stage.VALUE
        content = _read_content(record, subscription, envelope, key or "")
    except ValueError as error:  # pydantic's ValidationError is one, and so is UnicodeDecodeError
        return Decoded(record, key, version, Unreadable(error, stage), event_id)
    return Decoded(record, key, version, content, event_id)


def _read_key(record: IncomingRecord, subscription: Subscription) -> str | None:
    if record.key is None:
        if subscription.order == "none":
            return None
        raise UnreadableKey("null key on a topic that is ordered by key")
    key = record.key.decode()
    if not key or len(key) > MAX_KEY_LENGTH or "\x00" in key:
        raise UnreadableKey("the key is empty, longer than 255 characters or holds a NUL")
    return key


def _read_version(envelope: Envelope) -> int:
    version = envelope.aggregateversion
    if version is None or not 1 <= version < 1 << 63:
        raise MissingVersion(f"ce_aggregateversion is {version}")
    return version


def _read_content(
    record: IncomingRecord, subscription: Subscription, envelope: Envelope, key: str
) -> Content:
    place = record.topic, record.partition, record.offset, key
    if record.value is None:
        if subscription.order != "rising":
            raise UnexpectedTombstone("null value on a topic without tombstones")
        return Tombstone(envelope, *place)
    contract = subscription.contracts.get(envelope.type)
    if contract is None:
        return PassedOver(envelope)
    return Received(contract.model_validate_json(record.value), envelope, *place)


def describe_error(error: BaseException) -> str:
    """Say what went wrong without repeating the data, which may hold what no log should."""
    if isinstance(error, ValidationError):
        return "; ".join(
            # What is no JSON has no field to name.
            ": ".join(filter(None, (".".join(str(part) for part in problem["loc"]), problem["msg"])))
            for problem in error.errors(include_url=False, include_input=False, include_context=False)[:5]
        )
    if isinstance(error, DBAPIError):
        # SQLAlchemy's own text repeats statement and parameters.
        error = error.orig or error
    return str(error)[:1000].replace("\x00", "\N{REPLACEMENT CHARACTER}")
