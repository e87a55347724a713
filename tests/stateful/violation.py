"""What is raised when something does not hold that has to."""

from collections.abc import Iterable

from tests.faults.checks import Finding


class Violation(AssertionError):
    """Something that must not be."""


def require(holds: object, what: str) -> None:
    """Raise Violation unless something holds."""
    if not holds:
        raise Violation(what)


def require_none(findings: Iterable[Finding]) -> None:
    """Raise Violation where anything was found."""
    if told := "\n".join(map(str, findings)):
        raise Violation(told)
