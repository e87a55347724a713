"""Turns the items of a Salesforce assignment rule into a condition, and a condition into items.

Item n is the n-th by SortOrder; without BooleanFilter all must hold. A blank value stands for "missing", and a
list of values, separated by commas, for any of them.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from services.assignment.crm.salesforce.boolean_filter import Filter, Joined, write_filter
from services.assignment.crm.shapes import WrongRecord
from services.assignment.crm.states import code_of
from services.assignment.rules.condition import NUMBERS, AllOf, Comparison, Condition
from services.assignment.rules.condition_reader import ConditionReader

RULE_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "Id": "external_id",
        "BillingPostalCode": "postal_code",
        "BillingState": "state",
        "BillingStateCode": "state",
        "County_FIPS__c": "county",
        "Industry": "industry",
        "NumberOfEmployees": "employees",
        "Language__c": "language",
        "Need__c": "need",
    }
)
_THEIRS = {"is_missing": "equals", "eq": "equals", "in": "equals", "ne": "notEqual", "not_in": "notEqual"} | {
    "starts_with": "startsWith",
    "lt": "lessThan",
    "lte": "lessOrEqual",
    "gt": "greaterThan",
    "gte": "greaterOrEqual",
}
_ORDER = {theirs: ours for ours, theirs in _THEIRS.items() if theirs[:4] in {"less", "grea"}}
OPERATIONS = tuple(dict.fromkeys(_THEIRS.values()))
_WHOLE = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Item:
    """One criterion as Salesforce writes it."""

    field: str
    operation: str
    value: str


def read_item(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition of one item, as rules are written. Raises WrongRecord."""
    field = _field(record.get("Field"))
    operation = record.get("Operation")
    if operation not in OPERATIONS:
        raise WrongRecord(
            "Operation", f"not supported here; write the rule with {', '.join(OPERATIONS)}", "unsupported"
        )
    values = _values(record.get("Value"))
    if field == "state":
        values = [str(code_of(value)) for value in values]
    condition = _condition(field, str(operation), [_number(field, value) for value in values])
    reader = ConditionReader()
    if reader.read(condition, "") is None:
        place, detail = reader.problems[0]
        raise WrongRecord(
            "Field" if place == "/field" else "Operation" if place == "/op" else "Value", detail
        )
    return condition


def join_items(joined: Filter, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the condition that a filter makes of its items."""
    if isinstance(joined, int):
        return items[joined - 1]
    name = "all" if joined.operator == "AND" else "any"
    return {name: [join_items(part, items) for part in joined.parts]}


def write_items(condition: Condition) -> tuple[list[Item], str | None]:
    """Return the items of a condition and its BooleanFilter, None when all of them must hold."""
    items: list[Item] = []
    joined = _write(condition, items)
    plain = Joined("AND", tuple(range(1, len(items) + 1)))
    return items, None if joined in {1, plain} else write_filter(joined)


def _field(raw: object) -> str:
    name = raw.removeprefix("Account.") if isinstance(raw, str) else ""
    if name not in RULE_FIELDS:
        raise WrongRecord(
            "Field", f"accounts are kept without it; known are {', '.join(RULE_FIELDS)}", "unsupported"
        )
    return RULE_FIELDS[name]


def _values(raw: object) -> list[str]:
    if raw is None or raw == "":
        return []
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str):
        raise WrongRecord("Value", "text; several values with commas between them")
    try:
        rows = list(csv.reader(io.StringIO(raw, newline=""), strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise WrongRecord(
            "Value", f"values with commas between them, in quotes where they hold one ({error})"
        ) from None
    values = [value.strip() for row in rows for value in row]
    if len(rows) != 1 or not all(values):
        raise WrongRecord("Value", "a blank among values; for missing ones write an item of its own")
    return values


def _number(field: str, value: str) -> str | int:
    return int(value) if field in NUMBERS and _WHOLE.fullmatch(value) else value


def _condition(field: str, operation: str, values: list[str | int]) -> dict[str, Any]:
    if operation in {"equals", "notEqual"}:
        if not values:
            return {"field": field, "op": "is_missing", "value": operation == "equals"}
        if len(values) == 1:
            return {"field": field, "op": "eq" if operation == "equals" else "ne", "value": values[0]}
        return {"field": field, "op": "in" if operation == "equals" else "not_in", "value": values}
    if operation == "startsWith":
        parts = [{"field": field, "op": "starts_with", "value": value} for value in values]
        if not parts:
            raise WrongRecord("Value", "is missing", "missing")
        return parts[0] if len(parts) == 1 else {"any": parts}
    if len(values) != 1:
        raise WrongRecord("Value", "one whole number, without separators")
    return {"field": field, "op": _ORDER[operation], "value": values[0]}


def _write(condition: Condition, items: list[Item]) -> Filter:
    if isinstance(condition, Comparison):
        return _write_comparison(condition, items)
    if len(condition.conditions) == 1:
        return _write(condition.conditions[0], items)
    operator = "AND" if isinstance(condition, AllOf) else "OR"
    return Joined(operator, tuple(_write(part, items) for part in condition.conditions))


def _write_comparison(condition: Comparison, items: list[Item]) -> Filter:
    name = next(theirs for theirs, ours in RULE_FIELDS.items() if ours == condition.field)
    if condition.op == "between" and isinstance(condition.value, tuple):
        low, high = condition.value
        items.append(Item(name, "greaterOrEqual", str(low)))
        items.append(Item(name, "lessOrEqual", str(high)))
        return Joined("AND", (len(items) - 1, len(items)))
    if condition.op == "is_missing":
        items.append(Item(name, "equals" if condition.value else "notEqual", ""))
    else:
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        items.append(Item(name, _THEIRS[condition.op], _one_line(values)))
    return len(items)


def _one_line(values: tuple[object, ...]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
