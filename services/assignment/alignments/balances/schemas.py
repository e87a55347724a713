"""Answers of balances."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from services.assignment.alignments.balances.fairness import Ratio, Undefined
from services.assignment.alignments.balances.queries import Measure, PlanBalance, Spread, TerritoryBalance
from services.assignment.alignments.balances.travel import Travel
from services.assignment.alignments.diffs.schemas import MovedMoneyView, moved_money
from services.assignment.alignments.fit.fit import FitTally
from services.assignment.territories.tree import TerritoryKind
from shared.contracts.money import PlainDecimal
from shared.http.bodies import View


class RatioView(View):
    """A ratio, or why it has no value."""

    value: PlainDecimal | None
    reason: Undefined | None

    @classmethod
    def of(cls, ratio: Ratio) -> "RatioView":
        """Show a ratio."""
        return cls(value=ratio.value, reason=ratio.reason)


class FairnessView(View):
    """How evenly one measure is spread over the territories."""

    measure: Measure
    currency: str | None
    territories: int
    total: PlainDecimal
    mean: PlainDecimal | None = Field(description="Total by territories, to four decimals.")
    lowest: PlainDecimal | None
    highest: PlainDecimal | None
    gini: RatioView = Field(description="0 when all have the same; towards 1 when one has everything.")
    p90_to_p10: RatioView
    highest_to_lowest: RatioView
    within_band: int = Field(description="Territories within 15 % of the mean.")
    share_within_band: RatioView
    balance: RatioView = Field(description="1 less half the sum of distances from the mean, by the total.")

    @classmethod
    def of(cls, spread: Spread) -> "FairnessView":
        """Show the spread of one measure."""
        fairness = spread.fairness
        return cls(
            measure=spread.measure,
            currency=spread.currency,
            territories=fairness.territories,
            total=fairness.total,
            mean=None if fairness.mean is None else fairness.mean.quantize(Decimal("0.0001")),
            lowest=fairness.lowest,
            highest=fairness.highest,
            gini=RatioView.of(fairness.gini),
            p90_to_p10=RatioView.of(fairness.p90_to_p10),
            highest_to_lowest=RatioView.of(fairness.highest_to_lowest),
            within_band=fairness.within_band,
            share_within_band=RatioView.of(fairness.share_within_band),
            balance=RatioView.of(fairness.balance),
        )


class AmountView(View):
    """An amount of money."""

    currency: str
    amount: PlainDecimal


class TravelView(View):
    """How far accounts lie from the middle of their territory, over the sphere; null where none has a point."""

    placed_accounts: int
    latitude: float | None
    longitude: float | None
    mean_km: float | None
    farthest_km: float | None

    @classmethod
    def of(cls, travel: Travel) -> "TravelView":
        """Show distances to the metre, and the middle to some ten metres."""
        latitude, longitude = travel.centre or (None, None)
        return cls(
            placed_accounts=travel.placed,
            latitude=_rounded(latitude, 4),
            longitude=_rounded(longitude, 4),
            mean_km=_rounded(travel.mean_km, 3),
            farthest_km=_rounded(travel.farthest_km, 3),
        )


class TerritoryFitView(View):
    """How well those who cover a territory now fit the accounts it would hold; each by the rep who fits it best."""

    scored_accounts: int
    unscored_accounts: int = Field(
        description="They ask for nothing, nothing is known of the reps, or nobody covers."
    )
    mean_score: PlainDecimal | None = Field(
        description="In percent, of the scored accounts; null without any."
    )
    misfits: int = Field(description="Accounts of which less than half of what they ask for is met.")

    @classmethod
    def of(cls, fits: FitTally) -> "TerritoryFitView":
        """Show a tally."""
        mean = Decimal(fits.total) / fits.scored if fits.scored else None
        return cls(
            scored_accounts=fits.scored,
            unscored_accounts=fits.unscored,
            mean_score=None if mean is None else mean.quantize(Decimal("0.01")),
            misfits=fits.misfits,
        )


class TerritoryBalanceView(View):
    """What a territory would hold."""

    territory_id: UUID
    name: str
    kind: TerritoryKind
    accounts: int
    employees: int = Field(description="Of its accounts, as far as known: the size of its market.")
    revenue: list[AmountView] = Field(description="Of the last twelve months, as metrics tells it.")
    pipeline: list[AmountView] = Field(description="Open opportunities, as metrics tells it.")
    potential: list[AmountView] = Field(
        description=(
            "By the estimate that was asked for: what is known of accounts, and estimated of prospects. Accounts that "
            "came after the estimate add nothing."
        )
    )
    travel: TravelView
    fit: TerritoryFitView
    vacant: bool = Field(description="Nobody covers it as primary now.")

    @classmethod
    def of(cls, row: TerritoryBalance) -> "TerritoryBalanceView":
        """Show one territory."""
        return cls(
            territory_id=row.territory.territory_id,
            name=row.territory.name,
            kind=row.territory.kind,
            accounts=row.holding.accounts,
            employees=row.holding.employees,
            revenue=_amounts(row.holding.revenue),
            pipeline=_amounts(row.holding.pipeline),
            potential=_amounts(row.holding.potential),
            travel=TravelView.of(row.travel),
            fit=TerritoryFitView.of(row.holding.fits),
            vacant=row.vacant,
        )


class OverlapView(View):
    """Two territories whose rules both want the same accounts."""

    territory_ids: tuple[UUID, UUID]
    accounts: int


class DisruptionView(View):
    """What would change hands against the live plan."""

    accounts: int
    moved: int
    revenue: list[MovedMoneyView]
    pipeline: list[MovedMoneyView]


class PlanBalanceView(View):
    """How a plan would spread accounts, money and travel over its territories, if it went live now.

    Territories are those that hold accounts, and all that have none below them. With single territories as
    scope, only the accounts that are there by the live plan count, as in the diff.
    """

    plan_id: UUID
    version: int
    against_plan_id: UUID | None
    fairness: list[FairnessView]
    territories: list[TerritoryBalanceView]
    gaps: int = Field(description="Accounts that would belong to no territory, ties included.")
    ties: int
    vacancies: int = Field(description="Territories that nobody covers as primary now.")
    overlapping_accounts: int = Field(
        description="Accounts that rules of several territories want; the position decides, or they tie."
    )
    overlaps: list[OverlapView] = Field(description="The fifty pairs that share most accounts.")
    disruption: DisruptionView

    @classmethod
    def of(cls, balance: PlanBalance) -> "PlanBalanceView":
        """Show a balance."""
        moves = balance.moves
        return cls(
            plan_id=balance.plan_id,
            version=balance.version,
            against_plan_id=balance.against_plan_id,
            fairness=[FairnessView.of(spread) for spread in balance.spreads],
            territories=[TerritoryBalanceView.of(row) for row in balance.territories],
            gaps=balance.gaps,
            ties=balance.ties,
            vacancies=sum(row.vacant for row in balance.territories),
            overlapping_accounts=balance.overlapping,
            overlaps=[OverlapView(territory_ids=pair, accounts=count) for pair, count in balance.overlaps],
            disruption=DisruptionView(
                accounts=int(moves.accounts.gained + moves.accounts.kept),
                moved=int(moves.accounts.gained),
                revenue=moved_money(moves.revenue),
                pipeline=moved_money(moves.pipeline),
            ),
        )


def _amounts(sums: Mapping[str, Decimal]) -> list[AmountView]:
    return [AmountView(currency=currency, amount=sums[currency]) for currency in sorted(sums)]


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
