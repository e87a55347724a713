"""What the check of published contracts refuses and what it lets pass, and that it passes now."""

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.asyncapi import describe_events
from tests.contract.compatibility import (
    RELEASED,
    TODAY,
    TOPICS,
    WITHDRAWN,
    broken_since_main,
    broken_since_release,
    check,
    release,
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


BEGUN_AT = ("assignment.plan.drafted.v1", "/begun_at")
TAKEN_BACK = "- {message: assignment.plan.drafted.v1, place: /begun_at, why: test}\n"


class Repository:
    """A repository of its own, with documents as the code has them, or with a field more in one event."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / TOPICS).parent.mkdir(parents=True)
        (root / TOPICS).write_text((ROOT / TOPICS).read_text())
        for folder in (TODAY, RELEASED):
            (root / folder).mkdir(parents=True)
            self.write(folder, field_more=False)
        self.withdraw("[]\n")

    def write(self, folder: Path, *, field_more: bool) -> None:
        field = "        begun_at:\n          type: string\n" if field_more else ""
        for service in SERVICES:
            text = (ROOT / TODAY / f"{service}.yaml").read_text()
            text = text.replace("        drafted_at:", f"{field}        drafted_at:")
            (self.root / folder / f"{service}.yaml").write_text(text)

    def withdraw(self, lines: str) -> None:
        (self.root / WITHDRAWN).write_text(lines)

    def begin(self) -> None:
        """Have everything on main, and a branch on which work begins."""
        self.git("init", "--initial-branch=main")
        self.commit()
        self.git("checkout", "-b", "work")
        self.git("commit", "--allow-empty", "--message", "work")

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--message", "documents")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def broken(self) -> list[tuple[str, str]]:
        return [(finding.message, finding.place) for finding in broken_since_main(self.root) or []]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_what_breaks_main_is_told_until_it_is_withdrawn(repository: Repository):
    repository.write(TODAY, field_more=True)
    assert broken_since_main(repository.root) is None
    repository.begin()
    repository.write(TODAY, field_more=False)
    assert repository.broken() == [BEGUN_AT]
    repository.withdraw(TAKEN_BACK)
    assert repository.broken() == []
    check(repository.root)


@pytest.mark.parametrize("where", ["main", "work"])
def test_what_was_released_cannot_be_withdrawn(repository: Repository, where: str):
    """Nor by a release without it, whether the one that had it is on main or on the branch."""
    if where == "main":
        repository.write(TODAY, field_more=True)
        repository.write(RELEASED, field_more=True)
        repository.begin()
    else:
        repository.begin()
        repository.write(TODAY, field_more=True)
        release(repository.root)
        repository.commit()
    repository.write(TODAY, field_more=False)
    repository.write(RELEASED, field_more=False)
    repository.withdraw(TAKEN_BACK)
    assert repository.broken() == [BEGUN_AT]
    with pytest.raises(SystemExit, match="/begun_at: field-removed"):
        check(repository.root)


def test_a_release_that_breaks_the_one_before_is_not_made(repository: Repository):
    repository.write(RELEASED, field_more=True)
    before = (repository.root / RELEASED / "assignment.yaml").read_text()
    with pytest.raises(SystemExit, match=r"since the release: .*/begun_at: field-removed"):
        release(repository.root)
    assert (repository.root / RELEASED / "assignment.yaml").read_text() == before


def test_a_release_that_adds_is_made_and_begins_the_list_of_what_is_taken_back(repository: Repository):
    repository.write(TODAY, field_more=True)
    repository.withdraw(TAKEN_BACK)
    release(repository.root)
    assert "begun_at" in (repository.root / RELEASED / "assignment.yaml").read_text()
    assert yaml.safe_load((repository.root / WITHDRAWN).read_text()) == []


def test_a_setting_of_the_list_that_no_document_tells_is_told(repository: Repository):
    text = (repository.root / TOPICS).read_text()
    (repository.root / TOPICS).write_text(
        text.replace("    retention.bytes: -1\n", "    retention.bytes: 1000\n", 1)
    )
    with pytest.raises(SystemExit, match=f"{TOPIC}, retention.bytes: 1000 in {TOPICS}, -1 in the document"):
        check(repository.root)


def test_every_service_has_a_released_document():
    assert {file.stem for file in (ROOT / RELEASED).iterdir()} == set(SERVICES)
