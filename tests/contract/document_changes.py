"""What may change in a service's AsyncAPI document. Pure: two documents in, findings out.

Only what the service sends is compared: what it reads of others stands in their documents. Topics that others write
to as well (facts) need no rules of their own, since these hold for writers and for readers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.asyncapi import ORDER
from tests.contract.schema_changes import Comparison, Finding

Document = Mapping[str, Any]

_WITHOUT_END = -1
# Kafka's own, where a document says nothing: https://kafka.apache.org/documentation/#topicconfigs
_DEFAULTS = {
    "cleanup.policy": ["delete"],
    "retention.ms": 604_800_000,
    "retention.bytes": _WITHOUT_END,
    "delete.retention.ms": 86_400_000,
    "min.compaction.lag.ms": 0,
    "max.compaction.lag.ms": 2**63 - 1,
    "max.message.bytes": 1_048_588,
}
_KEPT_AT_LEAST = frozenset(
    {
        "retention.ms",
        "retention.bytes",
        "delete.retention.ms",
        "min.compaction.lag.ms",
        "max.compaction.lag.ms",
    }
)
# Sent with every record since the first one, and first documented as something that may be missing.
_SENT_EVER_SINCE = frozenset({"content-type", "ce_subject", "ce_partitionkey", "ce_time", "ce_dataschema"})
_KEEP = "subscribers rely on it: leave it as it was released, or carry the events over to a topic of a new version"


def refused_changes(before: Document, after: Document) -> list[Finding]:
    """Return what is refused of a new document, given the one that subscribers know."""
    return [finding for topic in sorted(_sent(before)) for finding in _topic(topic, before, after)]


def _sent(document: Document) -> dict[str, list[str]]:
    """Return the names of the messages that a service sends, by topic."""
    return {
        operation["channel"]["$ref"].removeprefix("#/channels/"): [
            message["$ref"].rpartition("/")[2] for message in operation["messages"]
        ]
        for operation in document["operations"].values()
        if operation["action"] == "send"
    }


def _topic(topic: str, before: Document, after: Document) -> Iterator[Finding]:
    sent = _sent(after).get(topic)
    if sent is None:
        yield Finding("topic", topic, "topic-removed", "subscribers read it: go on sending to it")
        return
    yield from _channel(topic, before["channels"][topic], after["channels"][topic])
    # By wire type: what a class is called is nobody's business.
    old, new = _messages(before, _sent(before)[topic]), _messages(after, sent)
    for wire_type, message in old.items():
        if wire_type not in new:
            yield Finding(wire_type, topic, "event-removed", "subscribers wait for it: go on sending it")
        else:
            yield from _message(
                Comparison(wire_type, _schemas(before), _schemas(after)), message, new[wire_type]
            )


def _channel(topic: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    before, after = old["bindings"]["kafka"], new["bindings"]["kafka"]
    facts = {
        "address": (old["address"], new["address"]),
        "name in Kafka": (before["topic"], after["topic"]),
        "partitions": (before["partitions"], after["partitions"]),
        "order of versions": (old.get(ORDER), new.get(ORDER)),
    }
    for name, (told, tells) in facts.items():
        if told != tells:
            yield Finding("topic", topic, f"{name}-changed from {told} to {tells}", _KEEP)
    yield from _settings(topic, before["topicConfiguration"], after["topicConfiguration"])


def _settings(topic: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Finding]:
    for name in sorted(was.keys() | now.keys()):
        told, tells = (side.get(name, _DEFAULTS.get(name)) for side in (was, now))
        if name not in _KEPT_AT_LEAST and told != tells:
            yield Finding("topic", topic, f"{name}-changed from {told} to {tells}", _KEEP)
        elif name in _KEPT_AT_LEAST and _kept(tells) < _kept(told):
            yield Finding("topic", topic, f"{name}-shortened from {told} to {tells}", _KEEP)


def _kept(amount: int) -> float:
    return float("inf") if amount == _WITHOUT_END else amount


def _message(comparison: Comparison, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    if old["contentType"] != new["contentType"]:
        yield Finding(comparison.message, "contentType", f"changed to {new['contentType']}", _KEEP)
    yield from comparison.compare(_key(old), _key(new), "key")
    yield from comparison.compare(_as_ever_sent(old["headers"], new["headers"]), new["headers"], "headers")
    yield from comparison.compare(old["payload"], new["payload"])


def _as_ever_sent(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the old headers with those required that older records have, too, and that are required now."""
    said = _SENT_EVER_SINCE & set(new["required"]) & old["properties"].keys()
    return {**old, "required": sorted({*old["required"], *said})}


def _key(message: Mapping[str, Any]) -> Mapping[str, Any]:
    key: Mapping[str, Any] = message.get("bindings", {}).get("kafka", {}).get("key", {})
    return key


def _messages(document: Document, names: list[str]) -> dict[str, Mapping[str, Any]]:
    messages = document["components"]["messages"]
    return {messages[name]["name"]: messages[name] for name in names}


def _schemas(document: Document) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    return schemas
