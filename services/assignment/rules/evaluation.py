"""Turns conditions into plain functions of an account's values, so that matching runs without a lookup."""

from collections.abc import Callable, Sequence
from typing import Any

from services.assignment.rules.condition import INDEX, SEPARATOR, SEVERAL, AllOf, Comparison, Condition

Values = Sequence[Any]
"""An account's values in the order of condition.FIELDS; what comes after them is not looked at."""

Test = Callable[[Values], bool]


def compile_condition(condition: Condition) -> Test:
    """Return a function that tells whether an account's values meet the condition."""
    if isinstance(condition, Comparison):
        comparisons = _OF_SEVERAL if condition.field in SEVERAL else _COMPARISONS
        return comparisons[condition.op](INDEX[condition.field], condition.value)
    tests = tuple(compile_condition(part) for part in condition.conditions)
    if len(tests) == 1:
        return tests[0]
    return _all_of(tests) if isinstance(condition, AllOf) else _any_of(tests)


# Plain loops: a generator inside all() or any() costs four times as much, on a path run millions of times.
def _all_of(tests: tuple[Test, ...]) -> Test:
    def met(values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - see above
            if not test(values):
                return False
        return True

    return met


def _any_of(tests: tuple[Test, ...]) -> Test:
    def met(values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - see above
            if test(values):
                return True
        return False

    return met


def _eq(index: int, value: Any) -> Test:
    return lambda values: bool(values[index] == value)


def _ne(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index] != value


def _in(index: int, value: Any) -> Test:
    members = frozenset(value)
    return lambda values: values[index] in members


def _not_in(index: int, value: Any) -> Test:
    members = frozenset(value)
    return lambda values: values[index] is not None and values[index] not in members


def _starts_with(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index].startswith(value)


def _between(index: int, value: Any) -> Test:
    low, high = value
    return lambda values: values[index] is not None and low <= values[index] <= high


def _lt(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index] < value


def _lte(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index] <= value


def _gt(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index] > value


def _gte(index: int, value: Any) -> Test:
    return lambda values: values[index] is not None and values[index] >= value


def _is_missing(index: int, value: Any) -> Test:
    return lambda values: (values[index] is None) is value


_COMPARISONS: dict[str, Callable[[int, Any], Test]] = {
    "eq": _eq,
    "ne": _ne,
    "in": _in,
    "not_in": _not_in,
    "starts_with": _starts_with,
    "between": _between,
    "lt": _lt,
    "lte": _lte,
    "gt": _gt,
    "gte": _gte,
    "is_missing": _is_missing,
}


def _has_one(index: int, value: Any) -> Test:
    wanted = frozenset(value if isinstance(value, tuple) else (value,))
    return lambda values: values[index] is not None and not wanted.isdisjoint(values[index].split(SEPARATOR))


def _has_none(index: int, value: Any) -> Test:
    unwanted = frozenset(value if isinstance(value, tuple) else (value,))
    return lambda values: values[index] is not None and unwanted.isdisjoint(values[index].split(SEPARATOR))


_OF_SEVERAL: dict[str, Callable[[int, Any], Test]] = {
    "eq": _has_one,
    "in": _has_one,
    "ne": _has_none,
    "not_in": _has_none,
    "is_missing": _is_missing,
}
