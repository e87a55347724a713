"""What an acceptance of a proposal asks for, and its answer."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.assignment.design.proposals.commands.accept_proposal import AcceptedProposal
from services.assignment.design.proposals.stale_view import StaleView
from services.assignment.placements.placement import RejectedPair, Rejection
from services.assignment.placements.schemas import DETAILS, MAX_ERRORS
from shared.http.bodies import Body, View


class AcceptanceBody(Body):
    """What of a proposal a draft takes over."""

    territory_ids: Annotated[list[UUID], Field(min_length=1, max_length=5_000)] | None = Field(
        default=None, description="Only what goes to these territories; all of it when left out."
    )
    edit_version: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="The edit version that the proposal has to be at; any when left out.",
    )


class RejectedAccountView(View):
    """An account that the draft cannot have where the proposal puts it."""

    account_id: UUID
    territory_id: UUID
    code: Rejection
    detail: str

    @classmethod
    def of(cls, rejected: RejectedPair) -> "RejectedAccountView":
        """Show why an account was not taken over."""
        return cls(
            account_id=rejected.pair.account_id,
            territory_id=rejected.pair.territory_id,
            code=rejected.rejection,
            detail=DETAILS[rejected.rejection],
        )


class AcceptanceView(View):
    """What the draft took over; it has `plan_version` since, which is as before where nothing was taken."""

    run_id: UUID
    plan_id: UUID
    plan_version: int
    accounts: int = Field(description="Placed in the draft as proposed.")
    unchanged: int = Field(description="Those of them that it had placed so already.")
    pinned: int = Field(description="Those of them that stay elsewhere for as long as a pin holds them.")
    rejected: int = Field(
        description="Accounts that are there no more, or go to a territory that the draft lost or has divided since."
    )
    edit_version: int = Field(description="Of the proposal that was taken over.")
    edited: int = Field(description="Those of `accounts` that were moved by hand.")
    errors: list[RejectedAccountView] = Field(description=f"The first {MAX_ERRORS:,} rejected accounts.")
    stale: StaleView = Field(description="As it was before this acceptance.")

    @classmethod
    def of(cls, accepted: AcceptedProposal) -> "AcceptanceView":
        """Show what was accepted."""
        return cls(
            run_id=accepted.run_id,
            plan_id=accepted.plan_id,
            plan_version=accepted.plan_version,
            accounts=accepted.accounts,
            unchanged=accepted.unchanged,
            pinned=accepted.pinned,
            rejected=len(accepted.rejected),
            edit_version=accepted.edit_version,
            edited=accepted.edited,
            errors=[RejectedAccountView.of(one) for one in accepted.rejected[:MAX_ERRORS]],
            stale=StaleView.model_validate(accepted.stale),
        )
