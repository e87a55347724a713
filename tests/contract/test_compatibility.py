"""What the check of published contracts refuses and what it lets pass, and that it passes now."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from shared.contracts.asyncapi import describe_events
from tests.contract.compatibility import (
    RELEASED,
    broken_since_release,
)
from tests.contract.document_changes import refused_changes
from tests.contract.schema_changes import Comparison
from tests.contract.snapshots import ROOT, SERVICES

TEXT: dict[str, Any] = {"type": "string"}
NULLABLE: dict[str, Any] = {"anyOf": [TEXT, {"type": "null"}]}


def event(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"id": TEXT, **properties}, "required": ["id", *properties]}


def optional(**properties: Any) -> dict[str, Any]:
    return {**event(**properties), "required": ["id"]}


def growing(*words: str) -> dict[str, Any]:
    return {**TEXT, "x-extensible-enum": list(words)}


def listing(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


NODE = {"$ref": "#/components/schemas/Node"}

ALLOWED = {
    "nothing": (event(a=TEXT), event(a=TEXT)),
    "an optional field": (event(), optional(a=TEXT)),
    "an optional field of an entry": (event(a=listing(event())), event(a=listing(optional(b=TEXT)))),
    "a word of a growing list": (event(a=growing("x")), event(a=growing("x", "y"))),
    "another title and description": (event(a=TEXT), {**event(a={**TEXT, "description": "d"}), "title": "t"}),
}
REFUSED = {
    "a field removed": (event(a=TEXT), event(), "/a", "field-removed"),
    "a field renamed": (event(a=TEXT), event(b=TEXT), "/a", "field-removed"),
    "a new field that is required": (event(), event(a=TEXT), "/a", "new-field-required"),
    "a field that may be missing now": (event(a=TEXT), optional(a=TEXT), "/a", "field-made-optional"),
    "a field that must be there now": (optional(a=TEXT), event(a=TEXT), "/a", "field-made-required"),
    "another type": (
        event(a=TEXT),
        event(a={"type": "integer"}),
        "/a",
        "type-changed from string to integer",
    ),
    "a value turned list": (event(a=TEXT), event(a=listing(TEXT)), "/a", "type-changed from string to array"),
    "null allowed": (event(a=TEXT), event(a=NULLABLE), "/a", "null-added"),
    "null forbidden": (event(a=NULLABLE), event(a=TEXT), "/a", "null-removed"),
    "a word taken away": (event(a=growing("x", "y")), event(a=growing("x")), "/a", "word-removed ['y']"),
    "a word more in a closed list": (
        event(a={**TEXT, "enum": ["x"]}),
        event(a={**TEXT, "enum": ["x", "y"]}),
        "/a",
        "closed-list-changed ['x'] to ['x', 'y']",
    ),
    "a list closed": (event(a=growing("x")), event(a={**TEXT, "enum": ["x"]}), "/a", "list-opened-or-closed"),
    "another format": (
        event(a={**TEXT, "format": "uuid"}),
        event(a={**TEXT, "format": "date"}),
        "/a",
        "format-changed from 'uuid' to 'date'",
    ),
    "a limit lowered": (
        event(a={"type": "integer", "maximum": 9}),
        event(a={"type": "integer", "maximum": 5}),
        "/a",
        "maximum-changed from 9 to 5",
    ),
    "a limit set": (
        event(a=TEXT),
        event(a={**TEXT, "maxLength": 5}),
        "/a",
        "maxLength-changed from None to 5",
    ),
    "unknown fields forbidden": (
        event(),
        {**event(), "additionalProperties": False},
        "/",
        "additionalProperties-changed from None to False",
    ),
    "a default changed": (
        optional(a={**TEXT, "default": "x"}),
        optional(a={**TEXT, "default": "y"}),
        "/a",
        "default-changed from 'x' to 'y'",
    ),
    "a field of an entry removed": (
        event(a=listing(event(b=TEXT))),
        event(a=listing(event())),
        "/a/*/b",
        "field-removed",
    ),
    "an alternative more": (
        event(a={"anyOf": [TEXT, {"type": "integer"}]}),
        event(a={"anyOf": [TEXT, {"type": "integer"}, {"type": "boolean"}]}),
        "/a",
        "alternatives-changed (anyOf)",
    ),
    "the kind of one entry of a pair": (
        event(a={"type": "array", "prefixItems": [TEXT]}),
        event(a={"type": "array", "prefixItems": [{"type": "integer"}]}),
        "/a",
        "type-changed from string to integer",
    ),
}


@pytest.mark.parametrize(("before", "after"), ALLOWED.values(), ids=ALLOWED)
def test_an_addition_passes(before: dict[str, Any], after: dict[str, Any]):
    assert Comparison("e.v1", {}, {}).compare(before, after) == []


@pytest.mark.parametrize(("before", "after", "place", "rule"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_by_name(
    before: dict[str, Any], after: dict[str, Any], place: str, rule: str
):
    found = Comparison("e.v1", {}, {}).compare(before, after)
    assert ("e.v1", place, rule) in {(f.message, f.place, f.rule) for f in found}
    assert all(finding.advice for finding in found)


def test_a_schema_that_refers_to_itself_is_compared_once():
    def tree(**more: Any) -> dict[str, Any]:
        return {"Node": event(below=listing(NODE), **more)}

    before, after = tree(a=TEXT), tree()
    [finding] = Comparison("e.v1", before, after).compare(NODE, NODE)
    assert (finding.place, finding.rule) == ("/a", "field-removed")


def plans() -> dict[str, Any]:
    return deepcopy(describe_events("assignment", title="assignment"))


TOPIC = "assignment.plan.events.v1"


def without_topic(document: dict[str, Any]) -> None:
    del document["operations"][f"send-{TOPIC}"]


def without_event(document: dict[str, Any]) -> None:
    del document["operations"][f"send-{TOPIC}"]["messages"][0]


def more_partitions(document: dict[str, Any]) -> None:
    document["channels"][TOPIC]["bindings"]["kafka"]["partitions"] = 5


def setting(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        kafka = document["channels"][TOPIC]["bindings"]["kafka"]
        kafka["topicConfiguration"] = {**kafka["topicConfiguration"], name: value}

    return change


def without_retention(document: dict[str, Any]) -> None:
    kafka = document["channels"][TOPIC]["bindings"]["kafka"]
    kafka["topicConfiguration"] = {"cleanup.policy": ["delete"]}


def elsewhere(document: dict[str, Any]) -> None:
    document["channels"][TOPIC]["address"] = "plans"


def without_count(document: dict[str, Any]) -> None:
    document["channels"][TOPIC]["x-order"] = "none"


def without_version(document: dict[str, Any]) -> None:
    headers = document["components"]["messages"]["PlanDrafted"]["headers"]
    headers["required"] = [name for name in headers["required"] if name != "ce_aggregateversion"]


def renamed_type(document: dict[str, Any]) -> None:
    document["components"]["messages"]["PlanDrafted"]["name"] = "assignment.plan.begun.v1"


def without_field(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["PlanDrafted"]["properties"]["drafted_at"]


@pytest.mark.parametrize(
    ("change", "message", "place", "rule"),
    [
        (without_topic, "topic", TOPIC, "topic-removed"),
        (without_event, "assignment.plan.drafted.v1", TOPIC, "event-removed"),
        (more_partitions, "topic", TOPIC, "partitions-changed from 4 to 5"),
        (elsewhere, "topic", TOPIC, f"address-changed from {TOPIC} to plans"),
        (
            setting("retention.ms", 86_400_000),
            "topic",
            TOPIC,
            "retention.ms-shortened from -1 to 86400000",
        ),
        (
            setting("retention.bytes", 10**9),
            "topic",
            TOPIC,
            "retention.bytes-shortened from -1 to 1000000000",
        ),
        (without_retention, "topic", TOPIC, "retention.ms-shortened from -1 to 604800000"),
        (
            setting("max.message.bytes", 1000),
            "topic",
            TOPIC,
            "max.message.bytes-changed from 1048588 to 1000",
        ),
        (
            setting("max.compaction.lag.ms", 1000),
            "topic",
            TOPIC,
            f"max.compaction.lag.ms-shortened from {2**63 - 1} to 1000",
        ),
        (
            setting("message.timestamp.type", "LogAppendTime"),
            "topic",
            TOPIC,
            "message.timestamp.type-changed from None to LogAppendTime",
        ),
        (
            setting("cleanup.policy", ["compact"]),
            "topic",
            TOPIC,
            "cleanup.policy-changed from ['delete'] to ['compact']",
        ),
        (without_count, "topic", TOPIC, "order of versions-changed from dense to none"),
        (without_version, "assignment.plan.drafted.v1", "headers/ce_aggregateversion", "field-made-optional"),
        (renamed_type, "assignment.plan.drafted.v1", TOPIC, "event-removed"),
        (without_field, "assignment.plan.drafted.v1", "/drafted_at", "field-removed"),
    ],
)
def test_a_document_that_breaks_subscribers_is_refused(change: Any, message: str, place: str, rule: str):
    after = plans()
    change(after)
    found = refused_changes(plans(), after)
    assert [(f.message, f.place, f.rule) for f in found] == [(message, place, rule)]


def test_a_header_that_was_always_sent_may_be_promised_and_no_other():
    before = plans()
    headers = before["components"]["messages"]["PlanDrafted"]["headers"]
    headers["required"] = [name for name in headers["required"] if name != "ce_time"]
    assert refused_changes(before, plans()) == []
    headers["required"] = [name for name in headers["required"] if name != "ce_id"]
    [finding] = refused_changes(before, plans())
    assert (finding.place, finding.rule) == ("headers/ce_id", "field-made-required")


def test_a_setting_said_aloud_that_was_so_before_breaks_nobody():
    after = plans()
    setting("max.message.bytes", 1_048_588)(after)
    assert refused_changes(plans(), after) == []


def test_what_a_service_no_longer_reads_breaks_nobody():
    after = plans()
    received = [name for name, told in after["operations"].items() if told["action"] == "receive"]
    for name in received:
        del after["operations"][name]
    assert received
    assert refused_changes(plans(), after) == []


def test_a_topic_more_and_an_event_more_break_nobody():
    before = plans()
    without_event(before)
    del before["operations"]["send-assignment.coverage.events.v1"]
    assert refused_changes(before, plans()) == []


def test_todays_documents_break_nothing_released():
    assert [str(finding) for finding in broken_since_release()] == []


def test_every_service_has_a_released_document():
    assert {file.stem for file in (ROOT / RELEASED).iterdir()} == set(SERVICES)
