"""Bodies of the enrolment and statement routes."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.collab.training.awards.schemas import Reason
from services.collab.training.certifications.schemas import Code
from services.collab.training.certifications.validity import Withheld
from services.collab.training.enrolments.enrolment import EnrolmentState
from services.collab.training.programmes.schemas import Score, ShownScore
from shared.http.bodies import Body, Day, View


class NewEnrolmentBody(Body):
    """Who is to take which programme."""

    programme_id: UUID
    rep_id: UUID


class WaiverBody(Body):
    """Which course is let off, and why."""

    course_code: Code
    reason: Reason


class StatementBody(Body):
    """How somebody did in a course of an enrolment."""

    enrolment_id: UUID
    course_code: Code
    score: Score
    completed_on: Day


class CourseProgressView(View):
    """How a course of an enrolment stands."""

    course_code: str
    title: str
    mastery_score: ShownScore
    passed_on: date | None
    waived_on: date | None
    waived_by: str | None
    waiver_reason: str | None


class EnrolmentView(View):
    """A rep's passage through a version of a programme."""

    enrolment_id: UUID
    programme_id: UUID
    programme_version: int
    rep_id: UUID
    cause: Literal["territory_kind", "industry", "expiry", "manual"]
    territory_id: UUID | None = Field(description="The territory whose kind or industries named the rep.")
    renews_award_id: UUID | None
    state: EnrolmentState = Field(
        description="`superseded`: no longer completed, for a pass was voided, and the rep was enrolled again since."
    )
    version: int
    enrolled_at: datetime
    enrolled_by: str
    due_on: date
    completed_on: date | None
    award_id: UUID | None = Field(description="What the completion granted.")
    award_withheld: Withheld | None = Field(description="Why the completion granted nothing.")
    courses: list[CourseProgressView]


class StatementView(View):
    """What was told of a course."""

    statement_id: UUID
    enrolment_id: UUID
    course_code: str
    score: ShownScore
    passed: bool
    completed_on: date
    recorded_at: datetime
    recorded_by: str
    voided_at: datetime | None
    voided_by: str | None
    void_reason: str | None
    award_withheld: Withheld | None = Field(
        description="Why a pass granted nothing when it was told; `completed-before`: the rep has to be enrolled again."
    )
