"""Answers of diffs."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from services.assignment.accounts.schemas import GapReason
from services.assignment.alignments.diffs.diff import Exchange, PlaceDiff
from services.assignment.alignments.diffs.queries import PlanDiff, TerritoryDiff
from services.assignment.rules.matcher import Reason
from shared.contracts.money import PlainDecimal
from shared.http.bodies import View


class MoneyExchangeView(View):
    """Money gained, lost and kept, in one currency."""

    currency: str
    gained: PlainDecimal
    lost: PlainDecimal
    kept: PlainDecimal


class TerritoryDiffView(View):
    """What a territory would gain, lose and keep; the row without an id is the gap."""

    territory_id: UUID | None
    name: str | None
    accounts_gained: int
    accounts_lost: int
    accounts_kept: int
    revenue: list[MoneyExchangeView] = Field(description="Of the last twelve months, as metrics tells it.")
    pipeline: list[MoneyExchangeView] = Field(description="Open opportunities, as metrics tells it.")

    @classmethod
    def of(cls, row: TerritoryDiff) -> "TerritoryDiffView":
        """Show one territory's part."""
        return cls(
            territory_id=row.territory_id,
            name=row.name,
            accounts_gained=int(row.diff.accounts.gained),
            accounts_lost=int(row.diff.accounts.lost),
            accounts_kept=int(row.diff.accounts.kept),
            revenue=_money(row.diff.revenue),
            pipeline=_money(row.diff.pipeline),
        )


class MovedMoneyView(View):
    """Money that moves and money that stays, in one currency."""

    currency: str
    moved: PlainDecimal
    kept: PlainDecimal


class DiffSummaryView(View):
    """The whole in a few figures."""

    accounts: int
    moved: int
    kept: int
    gaps: int = Field(description="Accounts that would belong to no territory, ties included.")
    ties: int = Field(description="Accounts that several territories want at the same position.")
    revenue: list[MovedMoneyView]
    pipeline: list[MovedMoneyView]

    @classmethod
    def of(cls, totals: PlaceDiff, reasons: Mapping[Reason, int]) -> "DiffSummaryView":
        """Show the whole."""
        return cls(
            accounts=int(totals.accounts.gained + totals.accounts.kept),
            moved=int(totals.accounts.gained),
            kept=int(totals.accounts.kept),
            gaps=sum(reasons.values()),
            ties=reasons.get(Reason.TIE, 0),
            revenue=moved_money(totals.revenue),
            pipeline=moved_money(totals.pipeline),
        )


class PlanDiffView(View):
    """A plan against what is in force.

    With single territories as scope, only what becomes of the accounts that are there by the live plan;
    accounts that would come from elsewhere are not told, nor counted.
    """

    plan_id: UUID
    version: int = Field(description="The plan's version that was compared; activate it with this If-Match.")
    against_plan_id: UUID | None = Field(description="The live plan; null before the first activation.")
    summary: DiffSummaryView
    territories: list[TerritoryDiffView]
    reasons: dict[GapReason, int] = Field(description="Why accounts would be in a gap, and how many.")
    rules_without_accounts: list[UUID] = Field(
        description="Rules that win no account as things stand; with single territories as scope, those that "
        "send there and win none of the accounts that are there now."
    )

    @classmethod
    def of(cls, diff: PlanDiff) -> "PlanDiffView":
        """Show a diff."""
        return cls(
            plan_id=diff.plan_id,
            version=diff.version,
            against_plan_id=diff.against_plan_id,
            summary=DiffSummaryView.of(diff.totals, diff.reasons),
            territories=[TerritoryDiffView.of(row) for row in diff.territories],
            reasons={reason.value: count for reason, count in diff.reasons.items()},
            rules_without_accounts=diff.rules_without_accounts,
        )


def _money(exchanges: Mapping[str, Exchange]) -> list[MoneyExchangeView]:
    return [
        MoneyExchangeView(currency=currency, gained=one.gained, lost=one.lost, kept=one.kept)
        for currency, one in sorted(exchanges.items())
    ]


def moved_money(exchanges: Mapping[str, Exchange]) -> list[MovedMoneyView]:
    """Show by currency what moves and what stays."""
    return [
        MovedMoneyView(currency=currency, moved=one.gained, kept=one.kept)
        for currency, one in sorted(exchanges.items())
    ]
