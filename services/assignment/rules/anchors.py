"""Finds what an account must have for a rule to be worth trying: the values under which the rule is indexed."""

from dataclasses import dataclass
from typing import Any

from services.assignment.rules.condition import INDEX, AllOf, Comparison, Condition

Key = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Anchors:
    """An account that meets the condition has one of these values or prefixes."""

    values: frozenset[Key] = frozenset()
    prefixes: frozenset[tuple[int, str]] = frozenset()
    # Having one of them is all that the condition asks: it need not be evaluated any more.
    sufficient: bool = False

    def __len__(self) -> int:
        return len(self.values) + len(self.prefixes)


def find_anchors(condition: Condition) -> Anchors | None:
    """Return the anchors, or None for a condition that has to be tried on every account."""
    if isinstance(condition, Comparison):
        return _of_comparison(condition)
    found = [find_anchors(part) for part in condition.conditions]
    known = [anchors for anchors in found if anchors is not None]
    if isinstance(condition, AllOf):
        # One part is enough, and the one with the fewest values is tried on the fewest accounts.
        fewest = min(known, key=len, default=None)
        if fewest is None:
            return None
        return Anchors(fewest.values, fewest.prefixes, fewest.sufficient and len(found) == 1)
    return _of_any(known) if len(known) == len(found) else None


def _of_any(parts: list[Anchors]) -> Anchors:
    return Anchors(
        frozenset().union(*(part.values for part in parts)),
        frozenset().union(*(part.prefixes for part in parts)),
        all(part.sufficient for part in parts),
    )


def _of_comparison(condition: Comparison) -> Anchors | None:
    index = INDEX[condition.field]
    if condition.op == "eq":
        return Anchors(values=frozenset({(index, condition.value)}), sufficient=True)
    if condition.op == "in" and isinstance(condition.value, tuple):
        return Anchors(values=frozenset((index, value) for value in condition.value), sufficient=True)
    if condition.op == "is_missing" and condition.value is True:
        return Anchors(values=frozenset({(index, None)}), sufficient=True)
    if condition.op == "starts_with" and isinstance(condition.value, str):
        return Anchors(prefixes=frozenset({(index, condition.value)}), sufficient=True)
    return None
