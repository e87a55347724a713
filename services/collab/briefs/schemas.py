"""Bodies of the brief."""

from datetime import datetime
from decimal import Decimal

from services.collab.briefs.queries import WithheldBecause
from services.collab.handoffs.schemas import HandoffView
from shared.http.bodies import View


class FigureView(View):
    """An account's money in one currency, in major units."""

    currency: str
    trailing_revenue: Decimal
    open_pipeline: Decimal


class FiguresView(View):
    """An account's figures; `as_of` is null, and the list empty, while metrics has told nothing of it."""

    as_of: datetime | None
    by_currency: tuple[FigureView, ...]


class BriefView(View):
    """What the receiving side should know of the account.

    `figures` is null, and `figures_withheld` says why, once the handoff is neither sent nor accepted and the
    account lies outside your scope. `notes` counts those on the account and its handoffs that you may read.
    """

    figures: FiguresView | None
    figures_withheld: WithheldBecause | None
    notes: int


class HandoffWithBriefView(HandoffView):
    """A handoff with its brief."""

    brief: BriefView
