"""Messages of the AsyncAPI documents: an event with its headers, key and examples, and a dead letter."""

from typing import Any

from shared.contracts.envelope import EventContract
from shared.contracts.examples import examples_of

BINDING = "0.5.0"
"""The version of AsyncAPI's Kafka bindings: https://github.com/asyncapi/bindings/tree/master/kafka"""

DEAD_LETTER = "DeadLetter"
EXAMPLE_ID = "0198c5a2-0000-7000-8000-0000000000ff"
EXAMPLE_TIME = "2026-11-23T09:00:00.125000Z"

# With every record of ours; who else writes facts need not send them.
_ALWAYS = ("content-type", "ce_subject", "ce_partitionkey", "ce_time", "ce_dataschema", "ce_aggregateversion")

_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}


def describe_message(contract: type[EventContract], service: str) -> dict[str, Any]:
    """Return an event's message; its payload refers to the schema of the contract's name."""
    summary, _, rest = (contract.__doc__ or "").partition("\n")
    return {
        "name": contract.TYPE,
        "title": contract.__name__,
        "summary": summary,
        **({"description": " ".join(rest.split())} if rest.strip() else {}),
        "contentType": "application/json",
        "headers": _headers(contract),
        "payload": {"$ref": f"#/components/schemas/{contract.__name__}"},
        "bindings": {"kafka": {"key": _key(contract), "bindingVersion": BINDING}},
        "examples": _examples(contract, service),
    }


def _key(contract: type[EventContract]) -> dict[str, Any]:
    said = (contract.key.__doc__ or "").partition("\n")[0]
    return {**_TEXT, "description": f"UTF-8, the same as ce_subject. {said}".strip()}


def _headers(contract: type[EventContract]) -> dict[str, Any]:
    attributes = {
        "ce_specversion": {"const": "1.0"},
        "content-type": {"const": "application/json"},
        "ce_id": {**_TEXT, "description": "Names the event; a repeat has the same."},
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_type": {"const": contract.TYPE},
        "ce_subject": {**_TEXT, "description": "The aggregate: the record's key."},
        "ce_partitionkey": _TEXT,
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": {"const": f"urn:bailiwick:{contract.TYPE}"},
        "ce_aggregateversion": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "ce_correlationid": _TEXT,
        "ce_causationid": _TEXT,
        "ce_traceparent": _TEXT,
    }
    if contract.ORDER == "dense":
        told = "The id of an event that is told once more, under a new version, after a restore of its publisher."
        attributes["ce_retells"] = {**_TEXT, "description": told}
    if contract.ORDER == "rising":
        told = "There where a state is told once more as it is, on an operator's request."
        attributes["ce_republished"] = {"const": "true", "description": told}
    required = ["ce_specversion", "ce_id", "ce_source", "ce_type"]
    if contract.ORDER != "none":
        required += _ALWAYS
    return {"type": "object", "properties": attributes, "required": required}


def _examples(contract: type[EventContract], service: str) -> list[dict[str, Any]]:
    told = examples_of(contract.TYPE)
    return [
        {
            "name": f"{contract.TYPE}-{number}",
            "summary": "As it goes out now." if number == len(told) else "As it once went out.",
            "headers": _example_headers(contract, payload, service, number),
            "payload": payload,
        }
        for number, payload in enumerate(told, start=1)
    ]


def _example_headers(
    contract: type[EventContract], payload: dict[str, Any], service: str, version: int
) -> dict[str, str]:
    key = contract.model_validate(payload).key
    return {
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_id": EXAMPLE_ID,
        "ce_source": f"/example/{service}",
        "ce_type": contract.TYPE,
        "ce_subject": key,
        "ce_partitionkey": key,
        "ce_time": EXAMPLE_TIME,
        "ce_dataschema": f"urn:bailiwick:{contract.TYPE}",
        "ce_aggregateversion": "1" if contract.ORDER == "none" else str(version),
    }


def describe_dead_letter() -> dict[str, Any]:
    """Return the message of a rejected record."""
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
        "title": DEAD_LETTER,
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
