"""What may change in a published JSON Schema: nothing but additions, so that nobody who reads events has to follow.

Events stay on their topics for ever. So the rules hold both ways: readers of the released contract read what goes out
today (Zalando's compatibility mode `forward`, rules 106 to 111; Confluent's FORWARD_TRANSITIVE), and readers of today
read what went out once. What is left is: optional fields, words in lists that may grow, and texts.

Pure: two schemas in, findings out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Schemas = Mapping[str, Any]

_TEXTS = frozenset({"title", "description", "examples", "$comment", "$defs", "deprecated"})
_GROWING = "x-extensible-enum"
_LOOKED_INTO = frozenset(
    {"$ref", "properties", "required", "items", "anyOf", "prefixItems", "type", "enum", _GROWING}
)
_NULL = {"type": "null"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A refused change: where, by which rule, and what to do instead."""

    message: str
    place: str
    rule: str
    advice: str

    def __str__(self) -> str:
        return f"{self.message}, {self.place}: {self.rule}; {self.advice}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents' schemas by name, and the message that is looked at."""

    message: str
    before: Schemas
    after: Schemas

    def compare(self, old: Schema, new: Schema, place: str = "/") -> list[Finding]:
        """Return what is refused of turning one schema into the other."""
        return list(self._compare(old, new, place, frozenset()))

    def _finding(self, place: str, rule: str, advice: str) -> Finding:
        return Finding(self.message, place, rule, advice)

    def _compare(
        self, old: Schema, new: Schema, place: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        pair = str(old.get("$ref")), str(new.get("$ref"))
        if pair in seen:
            return
        if "$ref" in old or "$ref" in new:
            seen |= {pair}
        old, new = _resolve(old, self.before), _resolve(new, self.after)
        yield from self._kinds(old, new, place)
        yield from self._words(old, new, place)
        yield from self._branches(old, new, place, seen)
        if old.get("type") == new.get("type") == "object":
            yield from self._fields(old, new, place, seen)
        if "items" in old and "items" in new:
            yield from self._compare(old["items"], new["items"], f"{place.rstrip('/')}/*", seen)
        yield from self._rest(old, new, place)

    def _kinds(self, old: Schema, new: Schema, place: str) -> Iterator[Finding]:
        before, after = _kind(old), _kind(new)
        if before != after:
            advice = "add a field of another name, or publish a new version of the event on a new topic"
            yield self._finding(place, f"type-changed from {before} to {after}", advice)

    def _words(self, old: Schema, new: Schema, place: str) -> Iterator[Finding]:
        if (_GROWING in old) != (_GROWING in new) or ("enum" in old) != ("enum" in new):
            yield self._finding(
                place, "list-opened-or-closed", "a list of words stays as open as it was released"
            )
        gone = [word for word in old.get(_GROWING, ()) if word not in new.get(_GROWING, old[_GROWING])]
        if gone:
            yield self._finding(place, f"word-removed {gone}", "older events say it: keep it in the list")
        if "enum" in old and "enum" in new and set(old["enum"]) != set(new["enum"]):
            advice = "only a list declared with one_of may grow, and none may shrink"
            yield self._finding(place, f"closed-list-changed {old['enum']} to {new['enum']}", advice)

    def _branches(
        self, old: Schema, new: Schema, place: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        for keyword in ("anyOf", "prefixItems"):
            before, after = old.get(keyword, []), new.get(keyword, [])
            if keyword == "anyOf" and (_NULL in before) != (_NULL in after):
                rule = "null-added" if _NULL in after else "null-removed"
                advice = (
                    "readers and older events hold on to whether null may come: leave it as it was released"
                )
                yield self._finding(place, rule, advice)
                before, after = ([each for each in side if each != _NULL] for side in (before, after))
            if len(before) != len(after) and before and after:
                yield self._finding(
                    place, f"alternatives-changed ({keyword})", "publish a new version of the event"
                )
            else:
                for one, other in zip(before, after, strict=False):
                    yield from self._compare(one, other, place, seen)

    def _fields(
        self, old: Schema, new: Schema, place: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            at = f"{place.rstrip('/')}/{name}"
            if name not in after:
                yield self._finding(at, "field-removed", "readers look for it: go on sending it")
                continue
            if name in needed_before - needed:
                yield self._finding(at, "field-made-optional", "readers count on it: go on always sending it")
            if name in needed - needed_before:
                yield self._finding(
                    at, "field-made-required", "older events do not have it: give it a default"
                )
            yield from self._compare(schema, after[name], at, seen)
        for name in after.keys() - before.keys():
            if name in needed:
                at = f"{place.rstrip('/')}/{name}"
                yield self._finding(
                    at, "new-field-required", "older events do not have it: give it a default"
                )

    def _rest(self, old: Schema, new: Schema, place: str) -> Iterator[Finding]:
        """Whatever else a schema says (formats, patterns, limits, constants, defaults) stays as it is."""
        for name in sorted((old.keys() | new.keys()) - _TEXTS - _LOOKED_INTO):
            if old.get(name) != new.get(name):
                rule = f"{name}-changed from {old.get(name)!r} to {new.get(name)!r}"
                advice = "narrower refuses older events, wider surprises readers: leave it as it was released"
                yield self._finding(place, rule, advice)


def _resolve(schema: Schema, schemas: Schemas) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return {**schemas[reference.rpartition("/")[2]], **beside}


def _kind(schema: Schema) -> str:
    """Return what kind of value a schema takes; which alternatives there are is compared elsewhere."""
    if "anyOf" in schema:
        others = [each for each in schema["anyOf"] if each != _NULL]
        return _kind(others[0]) if len(others) == 1 else "one of several"
    if "$ref" in schema:
        return "object"
    return str(schema.get("type", "anything"))
