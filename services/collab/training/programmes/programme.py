"""A programme's version: its courses, what it grants, and whom it enrols. Pure."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Course:
    """One course; a score of `mastery_score` or more passes it."""

    code: str
    title: str
    mastery_score: Decimal

    def is_passed_with(self, score: Decimal) -> bool:
        """Return whether a score is enough."""
        return score >= self.mastery_score


@dataclass(frozen=True, slots=True)
class EnrolmentRule:
    """Whom a programme enrols by itself.

    Reps who cover a territory of one of these kinds, reps whose territory has accounts of one of these
    industries, and reps whose certification of this programme enters its renewal window.
    """

    territory_kinds: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    on_expiry: bool = False


@dataclass(frozen=True, slots=True)
class ProgrammeVersion:
    """What a programme asks and gives. Written once; a change is another version."""

    name: str
    grants: str | None
    courses: tuple[Course, ...]
    rule: EnrolmentRule
    due_days: int

    def course(self, code: str) -> Course | None:
        """Return one course, if the version has it."""
        return next((course for course in self.courses if course.code == code), None)
