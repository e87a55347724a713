"""What we publish about ourselves is what the code says, and hangs together."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from shared.contracts.asyncapi import describe_events, publisher_of
from shared.contracts.asyncapi_messages import describe_message
from shared.contracts.envelope import EventContract
from shared.contracts.examples import examples_of
from shared.contracts.registry import CONSUMED, CONTRACTS, PUBLISHED
from shared.contracts.topics import CONSUMERS, SETTINGS
from shared.contracts.topics import TOPICS as TOLD
from shared.http.events_page import render_events_page
from shared.kafka.records import IncomingRecord, OutgoingRecord
from shared.messaging.dead_letter_record import MAX_VALUE_BYTES, WIRE_TYPE, Rejection, pack, unpack
from shared.messaging.operations.retelling import REPUBLISHED, ToldEvent
from shared.messaging.operations.versions import _told
from shared.messaging.outgoing import to_record
from shared.messaging.subscription import dead_letter_topic
from shared.runtime.correlation import Correlation, new_traceparent
from tests.contract.snapshots import SERVICES, build_app, outdated

TOPICS = yaml.safe_load((Path(__file__).parents[2] / "deploy/kafka/topics.yaml").read_text())


def test_the_committed_documents_are_what_the_code_says():
    assert outdated() == [], "run `make docs` and commit what changed"


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = document
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_in_both_documents_leads_somewhere(service: str):
    app = build_app(service)
    for document in (app.openapi(), describe_events(service, title=service)):
        plain = json.loads(json.dumps(document))
        for reference in references(plain):
            assert resolve(plain, reference) is not None


@pytest.mark.parametrize("service", SERVICES)
def test_channels_operations_and_messages_are_complete(service: str):
    document = describe_events(service, title=service)
    assert document["asyncapi"] == "3.0.0"
    channels = document["channels"]
    assert {name: channel["address"] for name, channel in channels.items()} == {
        name: name for name in channels
    }
    assert all(channel["bindings"]["kafka"]["topic"] == name for name, channel in channels.items())
    told = {
        action: {
            (operation["channel"]["$ref"], message["$ref"].rpartition("/")[2])
            for operation in document["operations"].values()
            if operation["action"] == action
            for message in operation["messages"]
        }
        for action in ("send", "receive")
    }
    assert told["send"] == {(f"#/channels/{c.TOPIC}", c.__name__) for c in PUBLISHED[service]} | {
        (f"#/channels/{topic}", "DeadLetter") for topic in dead_letter_topics(service)
    }
    assert told["receive"] == {
        (f"#/channels/{c.TOPIC}", c.__name__) for c in CONTRACTS.values() if c.TOPIC in CONSUMED[service]
    }
    events = {
        m["title"]: m for m in document["components"]["messages"].values() if m["title"] != "DeadLetter"
    }
    for name, message in events.items():
        assert message["headers"]["properties"]["ce_type"]["const"] == message["name"]
        assert message["payload"]["$ref"] == f"#/components/schemas/{name}"
        assert message["summary"]


def dead_letter_topics(service: str) -> set[str]:
    """Return the dead letter topics of a service as the reviewed list has them."""
    return {
        dead_letter_topic(topic, consumer["name"])
        for consumer in TOPICS["consumers"]
        if consumer["name"].startswith(f"{service}.")
        for topic in consumer["reads"]
    }


def test_a_dead_letter_is_what_the_document_says():
    """The document and the code that packs rejected records share no line."""
    original = [("ce_type", b"sales.facts.recorded.v1"), ("odd", None)]
    record = IncomingRecord("sales.facts.v1", 3, 17, b"k", b"\xff" * (MAX_VALUE_BYTES + 1), original)
    _, value, headers = unpack(pack(record, Rejection("metrics.facts", "decode", "ValueError", "no JSON")))
    document = describe_events("metrics", title="metrics")
    told = document["components"]["messages"]["DeadLetter"]
    added = {name: (text or b"").decode() for name, text in headers[len(original) :]}
    jsonschema.validate(added, told["headers"])
    assert added.keys() == told["headers"]["properties"].keys()
    assert headers[: len(original)] == original
    assert (value, added["dlq_value_left_out"]) == (b"", str(MAX_VALUE_BYTES + 1))
    assert told["name"] == WIRE_TYPE


@pytest.mark.parametrize("wire_type", [c.TYPE for c in CONTRACTS.values() if c.ORDER != "none"])
def test_a_record_is_what_the_document_says(wire_type: str):
    """As the relay makes it of an outbox row; also of what is told once more, after a restore or on request."""
    contract = CONTRACTS[wire_type]
    told = describe_message(contract, publisher_of(contract))["headers"]
    correlation = Correlation("c", new_traceparent(), causation_id="e")
    first = _sent(contract, json.dumps(correlation.headers()))
    hold(first, told)
    if contract.ORDER == "dense":
        record = IncomingRecord(contract.TOPIC, 0, 0, first.key, first.value, first.headers)
        *_, headers = _told(ToldEvent(record, "0198c5a2-0000-7000-8000-000000000001", divergent=True))
        retold = _sent(contract, headers)
        assert "ce_retells" in dict(retold.headers)
        hold(retold, told)
    if contract.ORDER == "rising":
        again = _sent(contract, json.dumps({**correlation.headers(), REPUBLISHED: "true"}))
        assert "ce_republished" in dict(again.headers)
        hold(again, told)


def _sent(contract: type[EventContract], headers: str) -> OutgoingRecord:
    event = contract.model_validate(examples_of(contract.TYPE)[-1])
    return to_record(
        {
            "aggregatetype": contract.TOPIC,
            "aggregateid": event.key,
            "type": contract.TYPE,
            "payload": event.model_dump_json(),
            "source": "/example/service",
            "dataschema": f"urn:bailiwick:{contract.TYPE}",
            "headers": headers,
            "id": "0198c5a2-0000-7000-8000-000000000002",
            "aggregateversion": 3,
            "created_at": datetime(2026, 11, 23, 9, tzinfo=UTC),
        }
    )


def hold(record: OutgoingRecord, schema: dict[str, Any]) -> None:
    """Hold a record's headers against the document's: all that are sent are told, too."""
    sent = {name: (value or b"").decode() for name, value in record.headers}
    jsonschema.validate(sent, schema)
    assert sent.keys() <= schema["properties"].keys()


def test_every_topic_of_the_contracts_is_in_the_reviewed_list():
    listed = set(references_to_names(TOPICS))
    assert {contract.TOPIC for contract in CONTRACTS.values()} <= listed


def test_the_documents_tell_of_topics_what_the_reviewed_list_makes():
    """The list is no part of an image, so the contracts say it again: partitions, settings, who reads what."""
    assert {t["name"]: (t["kind"], t["partitions"]) for t in TOPICS["topics"]} == TOLD
    in_documents = {
        kind: {
            name: ",".join(value) if isinstance(value, list) else value for name, value in settings.items()
        }
        for kind, settings in SETTINGS.items()
    }
    assert in_documents == TOPICS["kinds"]
    told = {name: set(read) for consumers in CONSUMERS.values() for name, read in consumers.items()}
    assert told == {consumer["name"]: set(consumer["reads"]) for consumer in TOPICS["consumers"]}


@pytest.mark.parametrize("service", SERVICES)
def test_receivers_are_named_by_their_group(service: str):
    document = describe_events(service, title=service)
    told = {
        (
            operation["bindings"]["kafka"]["groupId"]["const"],
            operation["channel"]["$ref"].removeprefix("#/channels/"),
        )
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    }
    assert told == {(name, topic) for name, read in CONSUMERS[service].items() for topic in read}


@pytest.mark.parametrize("service", SERVICES)
def test_messages_show_all_their_examples_with_headers_that_fit(service: str):
    document = describe_events(service, title=service)
    for message in document["components"]["messages"].values():
        if message["title"] != "DeadLetter":
            assert tuple(e["payload"] for e in message["examples"]) == examples_of(message["name"])
            for example in message["examples"]:
                jsonschema.validate(example["headers"], message["headers"])
                key = CONTRACTS[message["name"]].model_validate(example["payload"]).key
                assert example["headers"]["ce_subject"] == key


def references_to_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from references_to_names(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_to_names(value)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("service", SERVICES)
async def test_both_documents_are_served(service: str):
    app = build_app(service)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        assert (await http.get("/openapi.json")).json() == json.loads(json.dumps(app.openapi()))
        served = (await http.get("/asyncapi.json")).json()
        page = await http.get("/asyncapi")
    assert served == json.loads(json.dumps(describe_events(service, title=app.title)))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for told in (*served["channels"], *(m["name"] for m in served["components"]["messages"].values())):
        assert told in page.text
    # Nothing is fetched from elsewhere, and nothing runs.
    assert not re.search(r"<script|<link|<img|https?://|@import|url\(", page.text)
    await app.state.parts.engine.dispose()


def test_what_a_document_tells_is_text_on_the_page():
    document = json.loads(json.dumps(describe_events("metrics", title="<script>alert(1)</script>")))
    document["components"]["messages"]["GoalAtRisk"]["summary"] = "<b>bold</b> & more"
    page = render_events_page(document)
    assert "<script>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in page


@pytest.mark.parametrize("service", SERVICES)
def test_operations_have_a_name_of_their_own_and_a_sentence(service: str):
    operations = [
        operation for path in build_app(service).openapi()["paths"].values() for operation in path.values()
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["description"].endswith((".", "`")) for operation in operations)
