"""The AsyncAPI 3.0 document of a service, made from its contracts: channels, messages, headers, payloads.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Iterable
from typing import Any

from shared.contracts.assignment import ACCOUNTS, COVERAGES, PLANS, REPS, TERRITORIES
from shared.contracts.customers import CUSTOMERS
from shared.contracts.envelope import EventContract
from shared.contracts.metrics import ACCOUNT_STATE, GOALS
from shared.contracts.registry import CONSUMED, CONTRACTS, PUBLISHED
from shared.contracts.sales import FACTS
from shared.contracts.training import TRAINING

# The names of consumers outlive their code: offsets and dead letter topics carry them.
_CONSUMERS: dict[str, dict[str, tuple[str, ...]]] = {
    "assignment": {
        "assignment.measures": (ACCOUNT_STATE,),
        "assignment.certifications": (TRAINING,),
        "assignment.customers": (CUSTOMERS,),
    },
    "metrics": {
        "metrics.attribution": (ACCOUNTS, PLANS, TERRITORIES),
        "metrics.coverages": (COVERAGES,),
        "metrics.facts": (FACTS,),
        "metrics.training": (TRAINING,),
    },
    "collab": {
        "collab.handoffs": (ACCOUNTS, PLANS, TERRITORIES, COVERAGES, ACCOUNT_STATE),
        "collab.training": (ACCOUNTS, TERRITORIES, REPS),
        "collab.goals": (GOALS,),
    },
}

_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
_DEAD_LETTER = "DeadLetter"
_ORDER = {
    "dense": "Versions of a key count 1, 2, 3: a skipped number is an event you have not seen.",
    "rising": "Versions of a key rise: the highest is the state. A null value says that the entity is gone.",
    "none": "Versions do not count: repeats are welcome and order does not matter.",
}


def describe_events(service: str, *, title: str) -> dict[str, Any]:
    """Return the document: what the service sends and what it receives."""
    sent, received = PUBLISHED.get(service, ()), CONSUMED.get(service, ())
    contracts = [*sent, *(contract for contract in CONTRACTS.values() if contract.TOPIC in received)]
    topics = {contract.TOPIC: contract for contract in contracts}
    rejected = [
        (topic, consumer, f"{topic}.{consumer}.dlq")
        for consumer, read in _CONSUMERS.get(service, {}).items()
        for topic in read
    ]
    schemas: dict[str, Any] = {}
    messages = {contract.__name__: _message(contract, schemas) for contract in contracts}
    if rejected:
        messages[_DEAD_LETTER] = _dead_letter()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": (
                "CloudEvents 1.0 in Kafka's binary mode: attributes are headers, the value is the data. "
                "An installation may put a prefix before every topic."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            **{topic: _channel(topic, contracts) for topic in topics},
            **{address: _dead_letters(topic, consumer, address) for topic, consumer, address in rejected},
        },
        "operations": {
            **{f"send-{topic}": _operation("send", topic, sent) for topic in topics if _on(topic, sent)},
            **{f"receive-{topic}": _operation("receive", topic, contracts) for topic in received},
            **{f"send-{address}": _send_dead_letters(address) for *_, address in rejected},
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _on(topic: str, contracts: Iterable[type[EventContract]]) -> list[type[EventContract]]:
    return [contract for contract in contracts if topic == contract.TOPIC]


def _channel(topic: str, contracts: Iterable[type[EventContract]]) -> dict[str, Any]:
    carried = _on(topic, contracts)
    return _channel_of(topic, _ORDER[carried[0].ORDER], [contract.__name__ for contract in carried])


def _dead_letters(topic: str, consumer: str, address: str) -> dict[str, Any]:
    what = f"Records of {topic} that {consumer} could not read or apply. Nothing reads this topic back:"
    return _channel_of(address, f"{what} `dlq replay` works from the database.", [_DEAD_LETTER])


def _channel_of(address: str, description: str, messages: Iterable[str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"topic": address, "bindingVersion": "0.5.0"}},
    }


def _operation(action: str, topic: str, contracts: Iterable[type[EventContract]]) -> dict[str, Any]:
    return _operation_of(action, topic, [contract.__name__ for contract in _on(topic, contracts)])


def _send_dead_letters(address: str) -> dict[str, Any]:
    return _operation_of("send", address, [_DEAD_LETTER])


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
    summary, _, rest = (contract.__doc__ or "").partition("\n")
    return {
        "name": contract.TYPE,
        "title": contract.__name__,
        "summary": summary,
        **({"description": " ".join(rest.split())} if rest.strip() else {}),
        "contentType": "application/json",
        "headers": _headers(contract),
        "payload": {"$ref": f"#/components/schemas/{contract.__name__}"},
        "bindings": {"kafka": {"key": _TEXT, "bindingVersion": "0.5.0"}},
    }


def _headers(contract: type[EventContract]) -> dict[str, Any]:
    attributes = {
        "ce_specversion": {"const": "1.0"},
        "content-type": {"const": "application/json"},
        "ce_id": _TEXT,
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_type": {"const": contract.TYPE},
        "ce_subject": _TEXT,
        "ce_partitionkey": _TEXT,
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": {"const": f"urn:bailiwick:{contract.TYPE}"},
        "ce_aggregateversion": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "ce_correlationid": _TEXT,
        "ce_causationid": _TEXT,
        "ce_traceparent": _TEXT,
    }
    required = ["ce_specversion", "ce_id", "ce_source", "ce_type"]
    if contract.ORDER != "none":
        required.append("ce_aggregateversion")
    return {"type": "object", "properties": attributes, "required": required}


def _dead_letter() -> dict[str, Any]:
    told = {
        "topic": _TEXT,
        "partition": _NUMBER,
        "offset": _NUMBER,
        "connector.name": {"type": "string", "description": "The consumer."},
        "task.id": _NUMBER,
        "stage": _TEXT,
        "class.name": _TEXT,
        "exception.class.name": _TEXT,
        "exception.message": _TEXT,
    }
    headers = {
        **{f"__connect.errors.{name}": schema for name, schema in told.items()},
        "dlq_attempt": {**_NUMBER, "description": "How many times this record has been rejected."},
        "dlq_value_left_out": {
            **_NUMBER,
            "description": "The size of a value too large to be carried along.",
        },
    }
    return {
        "name": "bailiwick.dead-letter.v1",
        "title": _DEAD_LETTER,
        "summary": "A rejected record: its own key, value and headers, and why it was rejected.",
        "description": "Whatever the bytes are, they are as they came. Headers are named as Kafka Connect does.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": headers,
            "required": [name for name in headers if name != "dlq_value_left_out"],
        },
        "payload": {},
    }
