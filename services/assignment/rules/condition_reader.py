"""Reads conditions from JSON and finds every type error before a rule is stored, each with its JSON pointer."""

import re
from collections.abc import Mapping
from typing import Any

from services.assignment.rules.condition import (
    EQUALITY_OPS,
    FIELDS,
    LIST_OPS,
    MAX_NESTING,
    MAX_VALUES,
    NUMBER_OPS,
    NUMBERS,
    SEVERAL,
    TEXT_OPS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Value,
)
from services.assignment.texts import NotText, tidy

MAX_TEXT = 200
MAX_NUMBER = 2_147_483_647

_SHAPES = {
    "county": (re.compile(r"[0-9]{5}"), "a county is its five-digit FIPS code in text, such as '01001'"),
    "state": (re.compile(r"[A-Z]{2}"), "a state is two capital letters, such as 'TX'"),
    "language": (re.compile(r"[a-z]{2,3}(-[A-Z]{2})?"), "a language is a code such as 'es' or 'pt-BR'"),
    "need": (
        re.compile(r"[a-z][a-z0-9-]{1,39}"),
        "a need is a code of collab's vocabulary, such as 'training'",
    ),
}


class _Misfit(Exception):
    """One place that does not read: its pointer, and what belongs there."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = (pointer, detail)


class ConditionReader:
    """Reads one rule's condition; `problems` fills with (pointer, what belongs there)."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self._values = 0

    def read(self, raw: object, pointer: str) -> Condition | None:
        """Return the condition, or None when `problems` tells why there is none."""
        condition = self._condition(raw, pointer, 1)
        if self._values > MAX_VALUES:
            self.problems.append(
                (pointer, f"{self._values} values; at most {MAX_VALUES}: split the rule in two")
            )
        return None if self.problems else condition

    def _condition(self, raw: object, pointer: str, level: int) -> Condition | None:
        try:
            return self._shaped(raw, pointer, level)
        except _Misfit as misfit:
            self.problems.append(misfit.problem)
            return None

    def _shaped(self, raw: object, pointer: str, level: int) -> Condition | None:
        if not isinstance(raw, Mapping):
            raise _Misfit(pointer, "an object: {field, op, value}, {all: [...]} or {any: [...]}")
        if level > MAX_NESTING:
            raise _Misfit(pointer, f"at most {MAX_NESTING} levels of nesting")
        for name in ("all", "any"):
            if name in raw:
                return self._joined(name, raw, pointer, level)
        return self._comparison(raw, pointer)

    def _joined(self, name: str, raw: Mapping[str, Any], pointer: str, level: int) -> Condition | None:
        _know(raw, {name}, pointer)
        parts = raw[name]
        if not isinstance(parts, list) or not parts:
            raise _Misfit(f"{pointer}/{name}", "a list of at least one condition")
        read = [
            self._condition(part, f"{pointer}/{name}/{index}", level + 1) for index, part in enumerate(parts)
        ]
        whole = tuple(part for part in read if part is not None)
        if len(whole) < len(read):
            return None
        return AllOf(whole) if name == "all" else AnyOf(whole)

    def _comparison(self, raw: Mapping[str, Any], pointer: str) -> Condition:
        _know(raw, {"field", "op", "value"}, pointer)
        field, op, value = raw.get("field"), raw.get("op"), raw.get("value")
        if not isinstance(field, str) or field not in FIELDS:
            raise _Misfit(f"{pointer}/field", f"one of {', '.join(FIELDS)}")
        known = NUMBER_OPS if field in NUMBERS else EQUALITY_OPS if field in SEVERAL else TEXT_OPS
        if not isinstance(op, str) or op not in known:
            raise _Misfit(f"{pointer}/op", f"for {field}, one of {', '.join(sorted(known))}")
        self._values += len(value) if isinstance(value, list) else 1
        return Comparison(field, op, _value(field, op, value, f"{pointer}/value"))


def _know(raw: Mapping[str, Any], names: set[str], pointer: str) -> None:
    for name in sorted(set(raw) - names):
        try:
            tidy(name)
        except NotText as reason:
            # Such a name cannot stand in the answer either: point at the object that holds it.
            raise _Misfit(pointer, f"an unknown name, and {reason}") from None
        escaped = name.replace("~", "~0").replace("/", "~1")
        raise _Misfit(f"{pointer}/{escaped}", f"unknown here; known are {', '.join(sorted(names))}")


def _value(field: str, op: str, raw: object, pointer: str) -> Value:
    if op == "is_missing":
        return _flag(raw, pointer)
    if op in LIST_OPS:
        return _list(field, raw, pointer)
    if op == "between":
        return _ends(raw, pointer)
    return _one(field, raw, pointer, shaped=op != "starts_with")


def _flag(raw: object, pointer: str) -> bool:
    if raw is None or isinstance(raw, bool):
        return raw is not False
    raise _Misfit(pointer, "true (the default) or false")


def _list(field: str, raw: object, pointer: str) -> Value:
    if not isinstance(raw, list) or not raw:
        raise _Misfit(pointer, "a list of at least one value")
    # The same value twice means the same as once.
    values: dict[Any, None] = dict.fromkeys(
        _one(field, item, f"{pointer}/{index}", shaped=True) for index, item in enumerate(raw)
    )
    return tuple(values)


def _ends(raw: object, pointer: str) -> Value:
    if not isinstance(raw, list) or len(raw) != 2:
        raise _Misfit(pointer, "a list of two numbers: the lowest and the highest that match")
    low, high = (_number(item, f"{pointer}/{index}") for index, item in enumerate(raw))
    if low > high:
        raise _Misfit(pointer, "the lowest number comes first; as written nothing would match")
    return (low, high)


def _one(field: str, raw: object, pointer: str, *, shaped: bool) -> str | int:
    return _number(raw, pointer) if field in NUMBERS else _text(field, raw, pointer, shaped=shaped)


def _number(raw: object, pointer: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MAX_NUMBER:
        raise _Misfit(pointer, f"a whole number from 0 to {MAX_NUMBER}, not in quotes")
    return raw


def _text(field: str, raw: object, pointer: str, *, shaped: bool) -> str:
    if not isinstance(raw, str):
        raise _Misfit(pointer, "text in quotes: a number would lose its leading zeros")
    try:
        text = tidy(raw)
    except NotText as reason:
        raise _Misfit(pointer, str(reason)) from None
    if not 0 < len(text) <= MAX_TEXT:
        raise _Misfit(pointer, f"1 to {MAX_TEXT} characters; for blanks there is is_missing")
    shape = _SHAPES.get(field)
    if shaped and shape is not None and not shape[0].fullmatch(text):
        raise _Misfit(pointer, shape[1])
    return text


def read_stored(raw: object) -> Condition:
    """Return a condition that was checked when it was stored."""
    reader = ConditionReader()
    condition = reader.read(raw, "")
    if condition is None:
        raise ValueError(f"a stored condition does not read: {reader.problems[:3]}")
    return condition
