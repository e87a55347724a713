"""Bodies of coverage requests and answers."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from services.assignment.reps.coverages.commands.start_coverage import Holdover
from services.assignment.reps.coverages.coverage import Role
from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, Instant, View

StartedRole = Literal["primary", "backup", "overlay"]


class StartCoverageBody(Body):
    """Who covers which territory."""

    territory_id: UUID
    rep_id: UUID
    role: StartedRole = Field(
        default="primary",
        description="`primary` and `backup` are one rep's at a time: who comes takes over. An `overlay` is shared, "
        "up to 100 % together. A `holdover` comes of a hand-over.",
    )
    share_percent: Decimal = Field(default=Decimal(100), gt=0, le=100, decimal_places=2)
    valid_from: Instant | None = Field(default=None, description="Now, when left out; never ahead.")
    valid_to: Instant | None = Field(default=None, description="When it ends, if that is known; ahead.")
    holdover_until: Instant | None = Field(
        default=None, description="Until when the outgoing rep keeps a coverage in the role of `holdover`."
    )
    holdover_share_percent: Decimal = Field(default=Decimal(100), gt=0, le=100, decimal_places=2)

    @model_validator(mode="after")
    def _in_order(self) -> "StartCoverageBody":
        if self.valid_from is not None and self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to: must lie after valid_from")
        return self

    def holdover(self) -> Holdover | None:
        """Return what the outgoing rep keeps."""
        if self.holdover_until is None:
            return None
        return Holdover(self.holdover_until, self.holdover_share_percent)


class EndCoverageBody(Body):
    """When a coverage ends, with nobody taking over."""

    valid_to: Instant | None = Field(default=None, description="Now, when left out; never in the past.")


class CoverageView(View):
    """A rep on a territory in a role, for a period."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    role: Role
    share_percent: PlainDecimal
    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while no end is known.")
