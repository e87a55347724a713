"""Answers about accounts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.assignment.accounts.queries import AlignedAccount
from shared.http.bodies import View

Cause = Literal["rule", "pin", "design", "import"]
GapReason = Literal["no_match", "tie"]


class CurrentAlignmentView(View):
    """Where an account belongs now, since when and why."""

    territory_id: UUID | None = Field(description="Null: a gap; `reason` tells why.")
    plan_id: UUID
    rule_id: UUID | None
    cause: Cause
    reason: GapReason | None
    valid_from: datetime


class AccountView(View):
    """An account; `alignment` is null until a plan is live."""

    account_id: UUID
    external_id: str
    name: str
    postal_code: str | None
    county: str | None
    state: str | None
    latitude: float | None
    longitude: float | None
    industry: str | None
    employees: int | None
    registered_at: datetime
    changed_at: datetime
    alignment: CurrentAlignmentView | None

    @classmethod
    def of(cls, account: AlignedAccount) -> "AccountView":
        """Show an account with its alignment folded into one member."""
        own = {name: getattr(account, name) for name in cls.model_fields if name != "alignment"}
        aligned = account.valid_from is not None
        return cls(**own, alignment=CurrentAlignmentView.model_validate(account) if aligned else None)
