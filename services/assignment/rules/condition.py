"""The language of rules: comparisons of an account's fields, joined by all and any.

A missing value meets no comparison at all, not even `ne`; only `is_missing` sees it. A field of several values
meets `eq` and `in` with one of them, `ne` and `not_in` with none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FIELDS = (
    "external_id",
    "postal_code",
    "county",
    "state",
    "industry",
    "employees",
    "language",
    "need",
)
"""What a rule may look at, in the order in which an account's values are laid out for matching."""

INDEX: Mapping[str, int] = MappingProxyType({field: index for index, field in enumerate(FIELDS)})

NUMBERS = frozenset({"employees"})

SEVERAL = frozenset({"need"})
"""Fields of which an account may have several values at once: one text, joined by SEPARATOR."""
SEPARATOR = ","

EQUALITY_OPS = frozenset({"eq", "ne", "in", "not_in", "is_missing"})
TEXT_OPS = EQUALITY_OPS | {"starts_with"}
NUMBER_OPS = EQUALITY_OPS | {"lt", "lte", "gt", "gte", "between"}
LIST_OPS = frozenset({"in", "not_in"})

MAX_NESTING = 8
MAX_VALUES = 5_000

Value = str | int | bool | tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against a value; `between` includes both ends, `is_missing` takes true or false."""

    field: str
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class AllOf:
    """Met when every condition is."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Met when one condition is."""

    conditions: tuple["Condition", ...]


Condition = Comparison | AllOf | AnyOf


def describe_condition(condition: Condition) -> dict[str, object]:
    """Return the condition as JSON, in the form in which it is written."""
    if isinstance(condition, Comparison):
        value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
        return {"field": condition.field, "op": condition.op, "value": value}
    joined = "all" if isinstance(condition, AllOf) else "any"
    return {joined: [describe_condition(part) for part in condition.conditions]}


def fields_of(condition: Condition) -> frozenset[str]:
    """Return the fields a condition looks at."""
    if isinstance(condition, Comparison):
        return frozenset({condition.field})
    return frozenset().union(*(fields_of(part) for part in condition.conditions))
