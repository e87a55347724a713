"""Bodies of coverage requests and answers."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, Instant, View


class StartCoverageBody(Body):
    """Who covers which territory."""

    territory_id: UUID
    rep_id: UUID
    role: Literal["primary"] = "primary"
    share_percent: Decimal = Field(default=Decimal(100), gt=0, le=100, decimal_places=2)
    valid_from: Instant | None = Field(default=None, description="Now, when left out; never ahead.")


class CoverageView(View):
    """A rep on a territory in a role, for a period."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    role: Literal["primary"]
    share_percent: PlainDecimal
    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while it lasts.")
