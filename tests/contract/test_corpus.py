"""Events that were published once are read for good: examples of every version, as they went out.

A version that gains a field gains an example, `shared/contracts/corpus/<wire type>/<number>.json`; the ones before
stay as they are.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from shared.contracts.asyncapi import describe_events
from shared.contracts.examples import examples_of, wire_types
from shared.contracts.registry import CONTRACTS, PUBLISHED
from shared.db.outbox import Outbox

CORPUS = {
    (kind, str(number)): example
    for kind in sorted(wire_types())
    for number, example in enumerate(examples_of(kind), start=1)
}


def test_every_event_has_an_example_and_none_is_forgotten():
    """Never delete an example: a version that is no longer sent still lies on somebody's topic."""
    assert {kind for kind, _ in CORPUS} == set(CONTRACTS)


@pytest.mark.parametrize("kind", CONTRACTS)
def test_every_field_says_something_in_some_example(kind: str):
    """A field that no example has could be renamed without a test turning red."""
    said = {path for one, told in CORPUS.items() if one[0] == kind for path in _said(told)}
    events = describe_events(next(s for s, sent in PUBLISHED.items() if CONTRACTS[kind] in sent), title="any")
    schemas = events["components"]["schemas"]
    assert set(_fields(schemas[CONTRACTS[kind].__name__], schemas)) - said == set()


@pytest.mark.parametrize("example", CORPUS, ids=str)
def test_an_old_event_is_read_without_losing_a_field(example: tuple[str, str]):
    event = CONTRACTS[example[0]].model_validate_json(json.dumps(CORPUS[example]))
    assert _without_added(json.loads(event.model_dump_json()), CORPUS[example]) == CORPUS[example]
    assert event.key


@pytest.mark.parametrize("example", CORPUS, ids=str)
def test_a_field_added_later_by_the_publisher_is_ignored(example: tuple[str, str]):
    assert CONTRACTS[example[0]].model_validate({**CORPUS[example], "field_of_tomorrow": {"x": 1}})


GROWING = [
    (kind, name)
    for kind, contract in CONTRACTS.items()
    for name, field in contract.model_fields.items()
    if field.json_schema_extra
]


@pytest.mark.parametrize(("kind", "name"), GROWING)
def test_a_word_of_tomorrow_is_read_and_not_published_today(kind: str, name: str):
    event = CONTRACTS[kind].model_validate({**CORPUS[kind, "1"], name: "word-of-tomorrow"})
    assert getattr(event, name) == "word-of-tomorrow"
    with pytest.raises(ValueError, match=name):
        Outbox(source="/test").add(event)


@pytest.mark.parametrize("service", PUBLISHED)
def test_the_examples_fit_the_published_schemas(service: str):
    document = describe_events(service, title=service)
    events = {message["name"]: message for message in document["components"]["messages"].values()}
    for message in (events[kind] for kind in events.keys() & CONTRACTS.keys()):
        schema = {**document["components"]["schemas"][message["title"]], "components": document["components"]}
        for example in (told for (kind, _), told in CORPUS.items() if kind == message["name"]):
            jsonschema.validate(example, _strict(schema))


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _said(told: Any, path: str = "") -> Iterator[str]:
    """Return the paths of all members that are not null; those of all entries of a list together."""
    if isinstance(told, list):
        for one in told:
            yield from _said(one, path)
    elif isinstance(told, dict):
        for name, value in told.items():
            if value is not None:
                yield f"{path}/{name}"
                yield from _said(value, f"{path}/{name}")


def _fields(schema: dict[str, Any], schemas: dict[str, Any], path: str = "") -> Iterator[str]:
    """Return the paths of all members that a schema names."""
    for name, member in schema.get("properties", {}).items():
        yield f"{path}/{name}"
        inner = member.get("items", member).get("$ref", "").rpartition("/")[2]
        if inner in schemas:
            yield from _fields(schemas[inner], schemas, f"{path}/{name}")


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
