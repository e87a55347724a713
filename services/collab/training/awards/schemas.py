"""Bodies of the award routes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.collab.training.certifications.schemas import Code
from services.collab.training.certifications.validity import AwardState
from shared.http.bodies import Body, Day, View

Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=1_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    ),
]


class NewAwardBody(Body):
    """Who holds which certification from which day on."""

    rep_id: UUID
    certification_code: Code
    valid_from: Day


class ReasonBody(Body):
    """Why."""

    reason: Reason


class AwardView(View):
    """Days on which a rep holds a certification: from `valid_from` on, and no longer on `valid_to`."""

    award_id: UUID
    rep_id: UUID
    certification_code: str
    valid_from: date
    valid_to: date
    granted_to: date = Field(description="Where it ended as granted; later than valid_to once revoked.")
    renewable_from: date
    lapses_on: date = Field(description="The first day after the grace.")
    renewal: bool
    enrolment_id: UUID | None = Field(description="Null when granted by hand.")
    granted_at: datetime
    granted_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    revocation_reason: str | None
    state: AwardState


class CohortView(View):
    """The reps who were first certified in a month."""

    month: date = Field(description="Its first day.")
    rep_ids: list[UUID]
    certified_now: int


class CohortsView(View):
    """Cohorts of one certification, oldest first, for comparing what their territories achieved."""

    certification_code: str
    items: list[CohortView]
