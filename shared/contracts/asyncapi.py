"""The AsyncAPI 3.0 document of a service, made from its contracts: channels, operations, messages, schemas.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Iterable
from typing import Any

from shared.contracts.asyncapi_messages import BINDING, DEAD_LETTER, describe_dead_letter, describe_message
from shared.contracts.envelope import EventContract
from shared.contracts.registry import CONSUMED, CONTRACTS, PUBLISHED
from shared.contracts.topics import CONSUMERS, SETTINGS, TOPICS, Kind

ORDER = "x-order"
"""A channel's extension: how versions of a key count, `dense`, `rising` or `none`."""

_ORDER = {
    "dense": "Versions of a key count 1, 2, 3: a skipped number is an event you have not seen.",
    "rising": "Versions of a key rise: the highest is the state. A null value says that the entity is gone.",
    "none": "Versions do not count: repeats are welcome and order does not matter.",
}


def describe_events(service: str, *, title: str) -> dict[str, Any]:
    """Return the document: what the service sends and what it receives."""
    sent, received = PUBLISHED.get(service, ()), CONSUMED.get(service, ())
    contracts = [*sent, *(contract for contract in CONTRACTS.values() if contract.TOPIC in received)]
    topics = list(dict.fromkeys(contract.TOPIC for contract in contracts))
    readers = [(topic, consumer) for consumer, read in CONSUMERS.get(service, {}).items() for topic in read]
    schemas: dict[str, Any] = {}
    messages = {contract.__name__: _message(contract, schemas) for contract in contracts}
    if readers:
        messages[DEAD_LETTER] = describe_dead_letter()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": (
                "CloudEvents 1.0 in Kafka's binary mode: attributes are headers, the value is the data. "
                "An installation may put a prefix before every topic and group id."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            **{topic: _channel(topic, contracts) for topic in topics},
            **{_dead_letter_topic(*reader): _dead_letters(*reader) for reader in readers},
        },
        "operations": {
            **{f"send-{topic}": _operation("send", topic, sent) for topic in topics if _on(topic, sent)},
            **{
                f"receive-{topic}-by-{consumer}": _receive(topic, consumer, contracts)
                for topic, consumer in readers
            },
            **{f"send-{_dead_letter_topic(*reader)}": _send_dead_letters(*reader) for reader in readers},
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def publisher_of(contract: type[EventContract]) -> str:
    """Return the service that sends an event."""
    return next(service for service, sent in PUBLISHED.items() if contract in sent)


def _on(topic: str, contracts: Iterable[type[EventContract]]) -> list[type[EventContract]]:
    return [contract for contract in contracts if topic == contract.TOPIC]


def _channel(topic: str, contracts: Iterable[type[EventContract]]) -> dict[str, Any]:
    carried = _on(topic, contracts)
    order = carried[0].ORDER
    names = [contract.__name__ for contract in carried]
    return {**_channel_of(topic, *TOPICS[topic], _ORDER[order], names), ORDER: order}


def _dead_letter_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}.dlq"


def _dead_letters(topic: str, consumer: str) -> dict[str, Any]:
    what = f"Records of {topic} that {consumer} could not read or apply. Nothing reads this topic back:"
    description = f"{what} `events dlq replay` works from the database."
    return _channel_of(_dead_letter_topic(topic, consumer), "dead-letters", 1, description, [DEAD_LETTER])


def _channel_of(
    address: str, kind: Kind, partitions: int, description: str, messages: Iterable[str]
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": address,
                "partitions": partitions,
                "topicConfiguration": SETTINGS[kind],
                "bindingVersion": BINDING,
            }
        },
    }


def _receive(topic: str, consumer: str, contracts: Iterable[type[EventContract]]) -> dict[str, Any]:
    group = {"type": "string", "const": consumer}
    binding = {"groupId": group, "clientId": group, "bindingVersion": BINDING}
    return {**_operation("receive", topic, contracts), "bindings": {"kafka": binding}}


def _operation(action: str, topic: str, contracts: Iterable[type[EventContract]]) -> dict[str, Any]:
    return _operation_of(action, topic, [contract.__name__ for contract in _on(topic, contracts)])


def _send_dead_letters(topic: str, consumer: str) -> dict[str, Any]:
    return _operation_of("send", _dead_letter_topic(topic, consumer), [DEAD_LETTER])


def _operation_of(action: str, address: str, messages: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{address}"},
        "messages": [{"$ref": f"#/channels/{address}/messages/{name}"} for name in messages],
    }


def _message(contract: type[EventContract], schemas: dict[str, Any]) -> dict[str, Any]:
    payload = contract.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas.update(payload.pop("$defs", {}))
    schemas[contract.__name__] = payload
    return describe_message(contract, publisher_of(contract))
