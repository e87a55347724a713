"""Bodies of activation requests and answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.assignment.alignments.activations.activation import Activation
from services.assignment.plans.schemas import WHO, WHOLE
from shared.http.bodies import Body, Instant, Name, View
from shared.http.principal import MANAGERS, Principal


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
    override_reason: Name | None = Field(
        default=None,
        description="Why the plan is to go in force even if the gate blocks it; recorded. Administrators only.",
    )


class ActivationView(View):
    """One plan taking over from another."""

    activation_id: UUID
    sequence: int = Field(description="Counts the organisation's activations: 1, 2, 3.")
    plan_id: UUID
    previous_plan_id: UUID | None
    kind: Literal["activation", "rollback"] = Field(
        description="`rollback` when the plan is the one that was in force just before; else `activation`."
    )
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str | None = Field(description=f"Who did it. {WHO}")
    accounts: int | None = Field(description=f"How many accounts were matched. {WHOLE}")
    moved: int | None = Field(
        description=f"How many of them changed territory; each is one aligned event. {WHOLE}"
    )
    gaps: int | None = Field(description=f"How many belong to no territory now, ties included. {WHOLE}")
    ties: int | None = Field(
        description=f"How many are wanted by several territories at the same position. {WHOLE}"
    )

    override_reason: str | None = Field(
        default=None, description=f"Why it went in force although the gate blocked it. {WHO}"
    )

    @classmethod
    def of(cls, activation: Activation, by: Principal) -> "ActivationView":
        """Show an activation as far as the caller may see it."""
        hidden = set() if by.scope.everything else {"accounts", "moved", "gaps", "ties"}
        if not by.roles & MANAGERS:
            hidden |= {"recorded_by", "override_reason"}
        return cls.model_validate(activation).model_copy(update=dict.fromkeys(hidden))
