"""Bodies of activation requests and answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.assignment.instants import Instant
from shared.http.bodies import Body, View


class ActivatePlanBody(Body):
    """When, and instead of which plan; both may be left out."""

    effective_at: Instant | None = Field(
        default=None,
        description="Now, when left out. Only the very first activation may date back.",
    )
    replacing_plan_id: UUID | None = Field(
        default=None,
        description="`against_plan_id` of the diff you read: refused when another plan is live by now.",
    )


class ActivationView(View):
    """One plan taking over from another."""

    activation_id: UUID
    sequence: int = Field(description="Counts the organisation's activations: 1, 2, 3.")
    plan_id: UUID
    previous_plan_id: UUID | None
    kind: Literal["activation", "rollback"]
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str
    accounts: int = Field(description="How many accounts were matched.")
    moved: int = Field(description="How many of them changed territory; each is one aligned event.")
    gaps: int = Field(description="How many belong to no territory now, ties included.")
    ties: int = Field(description="How many are wanted by several territories at the same position.")
