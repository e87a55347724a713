"""Answers about the accounts that a plan would move, or send nowhere."""

from uuid import UUID

from pydantic import Field

from services.assignment.accounts.schemas import Cause, GapReason
from services.assignment.alignments.moves.queries import PlannedAccount
from services.assignment.rules.matcher import Reason
from shared.contracts.money import PlainDecimal
from shared.http.bodies import View


class AccountMeasuresView(View):
    """An account's trailing revenue and open pipeline, in one currency."""

    currency: str
    revenue: PlainDecimal
    pipeline: PlainDecimal


class MoveView(View):
    """An account that a plan would move."""

    account_id: UUID
    from_territory_id: UUID | None
    to_territory_id: UUID | None
    rule_id: UUID | None
    cause: Cause = Field(description="What sends it there: a rule, a pin, or a placement (`design`).")
    reason: GapReason | None = Field(description="Why it would be in a gap, if it would.")
    measures: list[AccountMeasuresView]

    @classmethod
    def of(cls, move: PlannedAccount) -> "MoveView":
        """Show a move."""
        return cls(
            account_id=move.account_id,
            from_territory_id=move.from_territory_id,
            to_territory_id=move.match.territory_id,
            rule_id=move.match.rule_id,
            cause=move.match.cause,
            reason=None if move.match.reason is None else move.match.reason.value,
            measures=_measures(move),
        )


class GapView(View):
    """An account that a plan sends to no territory, and why."""

    account_id: UUID
    from_territory_id: UUID | None
    reason: GapReason
    tied_rule_ids: list[UUID] = Field(description="The rules that disagree, when it is a tie.")
    measures: list[AccountMeasuresView]

    @classmethod
    def of(cls, gap: PlannedAccount) -> "GapView":
        """Show a gap."""
        return cls(
            account_id=gap.account_id,
            from_territory_id=gap.from_territory_id,
            reason="tie" if gap.match.reason is Reason.TIE else "no_match",
            tied_rule_ids=list(gap.match.tied),
            measures=_measures(gap),
        )


def _measures(account: PlannedAccount) -> list[AccountMeasuresView]:
    return [AccountMeasuresView.model_validate(one) for one in account.measures]
