"""Two lists of rows, as they are and as they ought to be."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.faults.checks import Finding, report


def differ(what: str, found: Iterable[Any], expected: Iterable[Any]) -> list[Finding]:
    """Return what is there and ought not to be, and what is not there; how often counts, order does not."""
    left, right = Counter(map(str, map(tuple, found))), Counter(map(str, map(tuple, expected)))
    return [
        *report(f"{what}: not as the model has it", sorted((left - right).elements())),
        *report(f"{what}: missing", sorted((right - left).elements())),
    ]
