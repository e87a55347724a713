"""What a Connect worker makes of a change event by the options in deploy/debezium, and by no others.

Written after https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html and the
documentation of Kafka Connect's InsertHeader, StringConverter and SimpleHeaderConverter. An option that is not known
here is refused, so that the configuration cannot say more than is tested.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.kafka.records import OutgoingRecord

_ROUTER = "io.debezium.transforms.outbox.EventRouter"
_INSERT_HEADER = "org.apache.kafka.connect.transforms.InsertHeader"
_CONVERTERS = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
}
_ROUTER_OPTIONS = {
    "type",
    "table.op.invalid.behavior",
    "table.field.event.id",
    "table.field.event.key",
    "table.field.event.payload",
    "table.expand.json.payload",
    "table.fields.additional.placement",
    "route.by.field",
    "route.topic.regex",
    "route.topic.replacement",
    "route.tombstone.on.empty.payload",
}


class UnexpectedUpdate(Exception):
    """An outbox row was changed, which `table.op.invalid.behavior=fatal` ends the task for."""


def send(config: Mapping[str, str], change: Mapping[str, Any]) -> OutgoingRecord | None:
    """Return the record that a worker would send; None for one that the router drops."""
    assert {name: config[name] for name in _CONVERTERS} == _CONVERTERS
    record: OutgoingRecord | None = None
    for name in config["transforms"].split(","):
        prefix = f"transforms.{name}."
        options = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
        if options["type"] == _ROUTER:
            record = _route(options, change)
        elif record is not None:
            record = _with_header(options, record)
    return record


def _route(options: Mapping[str, str], change: Mapping[str, Any]) -> OutgoingRecord | None:
    assert set(options) == _ROUTER_OPTIONS
    assert options["table.expand.json.payload"] == "false"
    payload = change["payload"]
    if payload["op"] == "d":
        return None
    if payload["op"] == "u":
        assert options["table.op.invalid.behavior"] == "fatal"
        raise UnexpectedUpdate
    row = payload["after"]
    headers = [("id", _header(row[options["table.field.event.id"]]))]
    for placement in options["table.fields.additional.placement"].split(","):
        field, place, alias = placement.split(":")
        assert place == "header", "in the envelope, the value would be no longer the payload alone"
        headers.append((alias, _header(row[field])))
    value = row[options["table.field.event.payload"]]
    empty = value is None or not value.strip()
    if empty:
        assert options["route.tombstone.on.empty.payload"] == "true"
    topic = _replace(
        row[options["route.by.field"]], options["route.topic.regex"], options["route.topic.replacement"]
    )
    key = row[options["table.field.event.key"]].encode()
    return OutgoingRecord(topic, key, None if empty else value.encode(), headers, payload["ts_ms"])


def _with_header(options: Mapping[str, str], record: OutgoingRecord) -> OutgoingRecord:
    assert options["type"] == _INSERT_HEADER
    added = (options["header"], options["value.literal"].encode())
    return OutgoingRecord(
        record.topic, record.key, record.value, [*record.headers, added], record.timestamp_ms
    )


def _header(value: str | int | None) -> bytes | None:
    """SimpleHeaderConverter: a text as it is, a number in decimal."""
    return None if value is None else str(value).encode()


def _replace(text: str, regex: str, replacement: str) -> str:
    """Java's spelling of named groups: `(?<name>...)` and `${name}`."""
    found = re.fullmatch(regex.replace("(?<", "(?P<"), text)
    return text if found is None else found.expand(re.sub(r"\$\{(\w+)\}", r"\\g<\1>", replacement))
