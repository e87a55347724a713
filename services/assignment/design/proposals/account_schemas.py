"""Answers about the accounts of a proposal: where each would go, and why."""

from uuid import UUID

from pydantic import Field

from services.assignment.design.proposals.queries import ProposedAccount, ReasonWhy
from services.assignment.design.proposals.reasons import WHY
from shared.http.bodies import View


class ProposedAccountView(View):
    """Where an account would go."""

    account_id: UUID
    from_territory_id: UUID | None = Field(
        description="Where it belonged when the run was made; null: nowhere."
    )
    to_territory_id: UUID
    proposed_territory_id: UUID = Field(
        description="Where the engine would have it, whoever moved it by hand."
    )
    moved: bool
    road_factor: float = Field(
        description="By what the road to it is longer than the crow's way: that of the first region it is in."
    )
    reason: ReasonWhy
    why: str = Field(description="The same in a sentence.")

    @classmethod
    def of(cls, one: ProposedAccount) -> "ProposedAccountView":
        """Show an account."""
        return cls(
            account_id=one.account_id,
            from_territory_id=one.territory_before,
            to_territory_id=one.territory_after,
            proposed_territory_id=one.territory_proposed,
            moved=one.territory_before not in {None, one.territory_after},
            road_factor=one.road_factor,
            reason=one.reason,
            why=WHY[one.reason],
        )
