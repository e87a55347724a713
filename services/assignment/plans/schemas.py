"""Bodies of plan requests and answers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.assignment.plans.plan import PlanState
from shared.http.bodies import Body, Name, View


class DraftPlanBody(Body):
    """A new, empty draft."""

    name: Name
    plan_id: UUID | None = Field(default=None, description="Leave out to get a new id.")


class PlanView(View):
    """A plan, without its tree and rules."""

    plan_id: UUID
    name: str
    state: PlanState
    version: int = Field(description="Rises with every change to the plan, its tree or its rules; the ETag.")
    based_on_plan_id: UUID | None
    tree_id: UUID | None = Field(description="The published shape of the tree: equal trees have equal ids.")
    drafted_at: datetime
    drafted_by: str
    activated_at: datetime | None
    retired_at: datetime | None
    territories: int = 0
    rules: int = 0
