"""Bodies of the brief."""

from datetime import datetime
from decimal import Decimal
from typing import Self

from services.collab.briefs.queries import Brief, WithheldBecause
from services.collab.customers.profiles.schemas import ProfileView
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

    `figures` and `customer` are null, and `figures_withheld` says why, where the account lies outside your scope
    and this handoff no longer leads to it: it is neither sent nor accepted, or the account moved on. `customer` is
    the profile as it is now: needs, preferences and consents in force, with how complete they are. `notes` counts
    those on the account and its handoffs that you may read.
    """

    figures: FiguresView | None
    figures_withheld: WithheldBecause | None
    customer: ProfileView | None
    notes: int

    @classmethod
    def of(cls, brief: Brief) -> Self:
        """Show a brief."""
        return cls(
            figures=None if brief.figures is None else FiguresView.model_validate(brief.figures),
            figures_withheld=brief.figures_withheld,
            customer=None if brief.customer is None else ProfileView.of(brief.customer),
            notes=brief.notes,
        )


class HandoffWithBriefView(HandoffView):
    """A handoff with its brief."""

    brief: BriefView
