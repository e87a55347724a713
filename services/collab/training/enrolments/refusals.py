"""What enrolments and statements refuse."""

from shared.runtime.refusals import Refusal


class AlreadyEnrolled(Refusal):
    """The rep is enrolled in the programme, or completed it and has nothing to win by another pass."""


class UnknownCourse(Refusal):
    """The programme has no course of that code in the version of the enrolment."""


class StatementConflict(Refusal):
    """The statement id was told before, with other content: the first telling stays."""


class StatementVoided(Refusal):
    """The statement was voided before."""


class CourseSatisfied(Refusal):
    """The course is passed or waived as it is."""
