"""CloudEvents 1.0 in Kafka's binary mode: attributes are `ce_` headers, the value is the data, null a tombstone.

https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
"""

from datetime import datetime

from pydantic import ValidationError

from shared.contracts.envelope import Envelope
from shared.kafka.records import Headers

SPECVERSION = ("ce_specversion", b"1.0")
CONTENT_TYPE = ("content-type", b"application/json")
_FIELD_OF = {f"ce_{name}": name for name in Envelope.model_fields}


class NotACloudEvent(ValueError):
    """The record's headers are no CloudEvent that we could read."""


def encode(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Return the headers of an event."""
    headers = [SPECVERSION, CONTENT_TYPE]
    for name in Envelope.model_fields:
        value = getattr(envelope, name)
        if value is not None:
            headers.append((f"ce_{name}", _as_text(value).encode()))
    if envelope.subject is not None:
        headers.append(("ce_partitionkey", envelope.subject.encode()))
    return headers


def decode(headers: Headers) -> Envelope:
    """Read an event's attributes. Raises NotACloudEvent; unknown extensions are ignored."""
    found: dict[str, str] = {}
    specversion = None
    name = ""
    try:
        for name, value in headers:
            field = _FIELD_OF.get(name)
            if value is None:
                continue
            if field is not None:
                found[field] = value.decode()
            elif name == "ce_specversion":
                specversion = value
            elif name == "content-type" and value.startswith(b"application/cloudevents"):
                raise NotACloudEvent("structured mode: send attributes as ce_ headers (binary mode)")
    except UnicodeDecodeError as error:
        raise NotACloudEvent(f"{name} is not UTF-8") from error
    if specversion != b"1.0":
        raise NotACloudEvent(f"ce_specversion is {specversion!r}, not b'1.0'")
    try:
        return Envelope.model_validate(found)
    except ValidationError as error:
        raise NotACloudEvent(_first_problem(error)) from error


def format_time(moment: datetime) -> str:
    """Return the instant as RFC 3339 text."""
    return moment.isoformat().replace("+00:00", "Z")


def _as_text(value: object) -> str:
    return format_time(value) if isinstance(value, datetime) else str(value)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"ce_{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
