"""What may change in a service's AsyncAPI document. Pure: two documents in, findings out.

Only what the service sends is compared: what it reads of others stands in their documents. Topics that others write
to as well (facts) need no rules of their own, since these hold for writers and for readers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.asyncapi import ORDER
from tests.contract.schema_changes import Comparison, Finding

Document = Mapping[str, Any]

_FOR_EVER = -1
_KEPT_AT_LEAST = ("retention.ms", "delete.retention.ms", "min.compaction.lag.ms")
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
    was, now = before["topicConfiguration"], after["topicConfiguration"]
    facts = {
        "partitions": (before["partitions"], after["partitions"]),
        "cleanup.policy": (was["cleanup.policy"], now["cleanup.policy"]),
        "order of versions": (old.get(ORDER), new.get(ORDER)),
    }
    for name, (told, tells) in facts.items():
        if told != tells:
            yield Finding("topic", topic, f"{name}-changed from {told} to {tells}", _KEEP)
    for name in _KEPT_AT_LEAST:
        if name in was and _kept(now.get(name, 0)) < _kept(was[name]):
            yield Finding("topic", topic, f"{name}-shortened from {was[name]} to {now.get(name)}", _KEEP)


def _kept(milliseconds: int) -> float:
    return float("inf") if milliseconds == _FOR_EVER else milliseconds


def _message(comparison: Comparison, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    if old["contentType"] != new["contentType"]:
        yield Finding(comparison.message, "contentType", f"changed to {new['contentType']}", _KEEP)
    yield from comparison.compare(_key(old), _key(new), "key")
    yield from comparison.compare(old["headers"], new["headers"], "headers")
    yield from comparison.compare(old["payload"], new["payload"])


def _key(message: Mapping[str, Any]) -> Mapping[str, Any]:
    key: Mapping[str, Any] = message.get("bindings", {}).get("kafka", {}).get("key", {})
    return key


def _messages(document: Document, names: list[str]) -> dict[str, Mapping[str, Any]]:
    messages = document["components"]["messages"]
    return {messages[name]["name"]: messages[name] for name in names}


def _schemas(document: Document) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    return schemas
