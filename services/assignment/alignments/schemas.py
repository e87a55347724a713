"""Answers about the alignment history of accounts."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.assignment.accounts.schemas import Cause, GapReason
from shared.http.bodies import View


class AlignmentView(View):
    """Where an account belonged in a period, and why."""

    territory_id: UUID | None = Field(description="Null: a gap; `reason` tells why.")
    plan_id: UUID = Field(
        description="The plan that put the account here; one that decides the same later leaves the period as it is."
    )
    rule_id: UUID | None
    cause: Cause
    reason: GapReason | None
    activation_id: UUID | None = Field(description="Null when the account itself changed, not the plan.")
    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while the period lasts.")
    recorded_at: datetime


class HistoryView(View):
    """The alignments of an account, oldest first."""

    account_id: UUID
    items: list[AlignmentView]
