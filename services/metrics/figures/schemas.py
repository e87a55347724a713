"""Bodies of the figures routes. Money is a decimal string in major units of the row's currency."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from services.metrics.figures.queries import Cell, Figures
from shared.contracts.money import PlainDecimal, from_minor
from shared.http.bodies import View


class Amounts(View):
    """What was counted. `currency` is XXX for what carries no money; sums of counts go over all currencies."""

    currency: str
    revenue: PlainDecimal
    orders: int
    leads: int
    opportunities: int
    open_amount: PlainDecimal = Field(description="Amount of opportunities whose newest revision is open.")
    won: int
    won_amount: PlainDecimal
    lost: int
    lost_amount: PlainDecimal
    spend: PlainDecimal
    facts: int = Field(description="How many facts the row stands for.")


class FiguresRow(Amounts):
    """A territory with everything below it, in one period and currency."""

    territory_id: UUID = Field(description="00000000-0000-0000-0000-000000000000 is what no territory holds.")
    parent_id: UUID | None = Field(description="In the tree in force now; null for a root.")
    period: date | None = Field(description="First day of the month, or the day; null with grain=total.")

    @classmethod
    def of(cls, cell: Cell) -> Self:
        """Show a row."""
        return cls(
            territory_id=cell.territory_id, parent_id=cell.parent_id, period=cell.period, **amounts_of(cell)
        )


class FiguresMeta(View):
    """What the figures were worked out with."""

    plan_id: UUID | None
    tree_id: UUID | None
    facts: int
    as_of: datetime


class FiguresView(View):
    """Figures, and their totals over the whole period.

    The totals are those of the territory asked for; without one, of everything the caller may see: for the
    whole organisation that includes what no territory holds, so both views have the same totals.
    """

    view: Annotated[str, Field(pattern="^(as_was|as_is)$")]
    rows: list[FiguresRow]
    totals: list[Amounts]
    meta: FiguresMeta

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """Show figures."""
        return cls(
            view=figures.view,
            rows=[FiguresRow.of(cell) for cell in figures.rows],
            totals=[Amounts(**amounts_of(cell)) for cell in figures.totals],
            meta=FiguresMeta(
                plan_id=figures.plan_id,
                tree_id=figures.tree_id,
                facts=sum(cell.facts for cell in figures.totals),
                as_of=figures.as_of,
            ),
        )


def amounts_of(cell: Cell) -> dict[str, str | int | Decimal]:
    """Return a cell's figures by their public names."""
    currency = cell.currency
    return {
        "currency": currency,
        "revenue": from_minor(cell.revenue_minor, currency),
        "orders": cell.orders,
        "leads": cell.leads,
        "opportunities": cell.opportunities,
        "open_amount": from_minor(cell.open_minor, currency),
        "won": cell.won,
        "won_amount": from_minor(cell.won_minor, currency),
        "lost": cell.lost,
        "lost_amount": from_minor(cell.lost_minor, currency),
        "spend": from_minor(cell.spend_minor, currency),
        "facts": cell.facts,
    }
