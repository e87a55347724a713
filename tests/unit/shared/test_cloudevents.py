"""Our codec and the CloudEvents SDK must understand each other."""

from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.contracts.envelope import Envelope
from shared.kafka.cloudevents import NotACloudEvent, decode, encode

ENVELOPE = Envelope(
    id="0199f2a1-7d1c-7abc-8def-001122334455",
    source="/demo/assignment",
    type="assignment.account.aligned.v1",
    subject="Zürich, 中文",
    time=datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC),
    dataschema="urn:bailiwick:assignment.account.aligned.v1",
    aggregateversion=7,
    correlationid="c0ffee",
    causationid="cause",
    traceparent="00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
)


def test_what_we_write_we_read():
    assert decode(encode(ENVELOPE)) == ENVELOPE


def test_the_sdk_reads_what_we_write():
    message = sdk.KafkaMessage(headers=dict(encode(ENVELOPE)), key=b"key", value=b'{"a": 1}')
    event = sdk.from_binary(message, JSONFormat(), CloudEvent)
    assert event.get_id() == ENVELOPE.id
    assert event.get_type() == ENVELOPE.type
    assert event.get_source() == ENVELOPE.source
    assert event.get_subject() == ENVELOPE.subject
    assert event.get_time() == ENVELOPE.time
    assert event.get_dataschema() == ENVELOPE.dataschema
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("aggregateversion") == "7"
    assert event.get_data() == {"a": 1}


def test_we_read_what_the_sdk_writes():
    attributes = ENVELOPE.model_dump(exclude_none=True) | {"specversion": "1.0", "aggregateversion": "7"}
    attributes["datacontenttype"] = "application/json"
    message = sdk.to_binary(CloudEvent(attributes=attributes, data={"a": 1}), JSONFormat())
    assert decode(list(message.headers.items())) == ENVELOPE


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ([], "ce_specversion"),
        ([("ce_specversion", b"0.3")], "ce_specversion"),
        ([("ce_specversion", b"1.0"), ("ce_id", b"1")], "ce_source"),
        ([("ce_specversion", b"1.0"), ("ce_id", b"\xff")], "ce_id is not UTF-8"),
        ([("content-type", b"application/cloudevents+json")], "structured mode"),
        ([*encode(ENVELOPE), ("ce_aggregateversion", b"seven")], "ce_aggregateversion"),
    ],
)
def test_what_is_no_cloudevent_says_why(headers, complaint):
    with pytest.raises(NotACloudEvent, match=complaint):
        decode(headers)


def test_unknown_extensions_and_null_headers_are_passed_over():
    assert decode([*encode(ENVELOPE), ("ce_new", b"\xff"), ("ce_subject", None), ("x", b"y")]) == ENVELOPE
