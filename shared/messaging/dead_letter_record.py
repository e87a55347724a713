"""A rejected record on its way through the outbox, and its original bytes on the dead-letter topic.

An outbox payload is JSON and a rejected record may be anything, so key, value and headers travel in base64
and the relay turns them back. Header names follow Kafka Connect, which operators' tools know.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from shared.kafka.records import Headers, IncomingRecord

WIRE_TYPE = "bailiwick.dead-letter.v1"
ATTEMPT = "dlq_attempt"
# The relay's batches and the broker's limit leave room for this much; the rest stays on the source topic.
MAX_VALUE_BYTES = 900_000
_PREFIX = "__connect.errors."


@dataclass(frozen=True, slots=True)
class Rejection:
    """Where a record was rejected, by whom, and why."""

    consumer: str
    stage: str
    error_class: str
    message: str


def pack(record: IncomingRecord, rejection: Rejection) -> str:
    """Return the outbox payload of a rejected record."""
    value, headers = record.value, [*record.headers, *_error_headers(record, rejection)]
    if value is not None and len(value) > MAX_VALUE_BYTES:
        headers.append(("dlq_value_left_out", str(len(value)).encode()))
        value = b""
    return json.dumps({"key": _encode(record.key), "value": _encode(value), "headers": pack_headers(headers)})


def unpack(payload: str) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """Return key, value and headers as they go to the dead-letter topic."""
    packed = json.loads(payload)
    return _decode(packed["key"]), _decode(packed["value"]), unpack_headers(packed["headers"])


def pack_headers(headers: Headers) -> list[list[str | None]]:
    """Return headers in a form that JSON and jsonb can hold, whatever their bytes."""
    return [[_encode(name.encode("utf-8", "surrogatepass")), _encode(value)] for name, value in headers]


def unpack_headers(packed: list[list[str | None]]) -> list[tuple[str, bytes | None]]:
    """Reverse pack_headers."""
    return [
        ((_decode(name) or b"").decode("utf-8", "surrogatepass"), _decode(value)) for name, value in packed
    ]


def outbox_key(record: IncomingRecord) -> str:
    """Return a text key for the outbox row; the record keeps its own on the topic."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        key = ""
    usable = key and len(key) <= 255 and "\x00" not in key
    return key if usable else f"partition-{record.partition}"


def _error_headers(record: IncomingRecord, rejection: Rejection) -> list[tuple[str, bytes | None]]:
    found: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "connector.name": rejection.consumer,
        "task.id": record.partition,
        "stage": rejection.stage,
        "class.name": rejection.consumer,
        "exception.class.name": rejection.error_class,
        "exception.message": rejection.message,
    }
    attempts = [value for name, value in record.headers if name == ATTEMPT and value and value.isdigit()]
    attempt = int(attempts[-1]) + 1 if attempts else 1
    headers: list[tuple[str, bytes | None]] = [
        (_PREFIX + name, str(value).encode("utf-8", "replace")) for name, value in found.items()
    ]
    return [*headers, (ATTEMPT, str(attempt).encode())]


def _encode(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _decode(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
