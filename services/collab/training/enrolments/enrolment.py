"""An enrolment and what completes it. Pure.

open -> completed on the day on which the last course was passed or waived; completed -> open when a voided
pass leaves a course without another, or superseded when the rep was enrolled again since. A later pass never
moves the day; a voided one may.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID


class EnrolmentState(StrEnum):
    """Where an enrolment stands."""

    OPEN = "open"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Satisfied:
    """A course was passed, by a statement, or waived, by none."""

    course_code: str
    on: date
    statement_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The courses of a programme's version, and which of them are satisfied by what."""

    courses: frozenset[str]
    satisfied: tuple[Satisfied, ...] = ()
    completed_on: date | None = None
    enrolled_again: bool = False

    @property
    def state(self) -> EnrolmentState:
        """Return where the enrolment stands."""
        if self.completed_on is not None:
            return EnrolmentState.COMPLETED
        return EnrolmentState.SUPERSEDED if self.enrolled_again else EnrolmentState.OPEN

    @property
    def open_courses(self) -> frozenset[str]:
        """Return the courses that are neither passed nor waived."""
        return self.courses - {item.course_code for item in self.satisfied}

    def satisfy(self, item: Satisfied) -> "Enrolment":
        """Count a pass or a waiver."""
        satisfied = (*self.satisfied, item)
        completed_on = self.completed_on or _completion(self.courses, satisfied)
        return replace(self, satisfied=satisfied, completed_on=completed_on)

    def void(self, statement_id: UUID) -> "Enrolment":
        """Count a statement no more; the completion stays while others made on no later day hold it up."""
        satisfied = tuple(item for item in self.satisfied if item.statement_id != statement_id)
        completed_on = _completion(self.courses, satisfied)
        if self.completed_on is None:
            completed_on = None
        elif completed_on is not None:
            completed_on = max(completed_on, self.completed_on)
        return replace(self, satisfied=satisfied, completed_on=completed_on)


def _completion(courses: frozenset[str], satisfied: Iterable[Satisfied]) -> date | None:
    first: dict[str, date] = {}
    for item in satisfied:
        first[item.course_code] = min(item.on, first.get(item.course_code, item.on))
    return max(first.values()) if courses and courses <= first.keys() else None
