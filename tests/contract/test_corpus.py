"""Events that were published once are read for good: one example of every version, as it went out."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.contracts.asyncapi import describe_events
from shared.contracts.registry import CONTRACTS, PUBLISHED

CORPUS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "corpus").iterdir()}


def test_every_event_has_an_example_and_none_is_forgotten():
    """Never delete an example: a version that is no longer sent still lies on somebody's topic."""
    assert set(CORPUS) == set(CONTRACTS)


@pytest.mark.parametrize("kind", CORPUS)
def test_an_old_event_is_read_without_losing_a_field(kind: str):
    event = CONTRACTS[kind].model_validate_json(json.dumps(CORPUS[kind]))
    assert _without_added(json.loads(event.model_dump_json()), CORPUS[kind]) == CORPUS[kind]
    assert event.key


@pytest.mark.parametrize("kind", CORPUS)
def test_a_field_added_later_by_the_publisher_is_ignored(kind: str):
    assert CONTRACTS[kind].model_validate({**CORPUS[kind], "field_of_tomorrow": {"x": 1}})


@pytest.mark.parametrize("service", PUBLISHED)
def test_the_examples_fit_the_published_schemas(service: str):
    document = describe_events(service, title=service)
    events = {message["name"]: message for message in document["components"]["messages"].values()}
    for message in (events[kind] for kind in events.keys() & CONTRACTS.keys()):
        schema = {**document["components"]["schemas"][message["title"]], "components": document["components"]}
        jsonschema.validate(CORPUS[message["name"]], _strict(schema))


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_added(read: Any, told: Any) -> Any:
    """Return what was read without the members that the contract gained since: they say nothing, or it fails."""
    if isinstance(read, list):
        return [_without_added(one, other) for one, other in zip(read, told, strict=True)]
    if not isinstance(read, dict):
        return read
    return {
        name: _without_added(value, told.get(name))
        for name, value in read.items()
        if name in told or value is not None
    }
