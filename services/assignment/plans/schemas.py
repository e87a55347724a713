"""Bodies of plan requests and answers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.assignment.plans.plan import PlanState
from services.assignment.plans.queries import PlanSummary
from shared.http.bodies import Body, Name, View
from shared.http.principal import MANAGERS, Principal

WHOLE = "Null for callers whose scope is single territories."
WHO = "Null for viewers and contributors: who plans is not for everybody."


class DraftPlanBody(Body):
    """A new, empty draft."""

    name: Name
    plan_id: UUID | None = Field(default=None, description="Leave out to get a new id.")


class PlanView(View):
    """A plan, without its tree and rules."""

    plan_id: UUID
    name: str
    state: PlanState
    version: int = Field(
        description="Rises with every change to the plan: its tree, rules, pins, placements; the ETag."
    )
    based_on_plan_id: UUID | None
    tree_id: UUID | None = Field(description="The published shape of the tree: equal trees have equal ids.")
    drafted_at: datetime
    drafted_by: str | None = Field(description=f"Who drafted it. {WHO}")
    activated_at: datetime | None = Field(
        description="When it last took over; every time it did is one of `GET /v1/activations`."
    )
    retired_at: datetime | None = Field(
        description="When the plan after it took over; null while it is a draft or live."
    )
    territories: int | None = Field(default=0, description=f"How many its tree has. {WHOLE}")
    rules: int | None = Field(default=0, description=f"How many it has. {WHOLE}")

    @classmethod
    def of(cls, plan: PlanSummary, by: Principal) -> "PlanView":
        """Show a plan as far as the caller may see it."""
        hidden = set() if by.scope.everything else {"territories", "rules"}
        if not by.roles & MANAGERS:
            hidden.add("drafted_by")
        return cls.model_validate(plan).model_copy(update=dict.fromkeys(hidden))
