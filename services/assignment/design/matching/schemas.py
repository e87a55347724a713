"""What a matching is asked, and its answer."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator

from services.assignment.design.matching.question import Matching, Pair, Question
from services.assignment.design.runs.measures import Currency, currency_of_revenue
from services.assignment.design.runs.queries import DesignRun
from services.assignment.design.runs.run import Counted
from shared.http.bodies import Body, View

Weight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class MatchingQuery(Body):
    """What is asked for in the query string."""

    relocation_weight: Weight = Field(
        default=0.5,
        description=(
            "0: as few relationships as possible are lost; 1: reps live as near to their territory as possible. Between "
            "them each is told in its average over all pairs that may be and are known."
        ),
    )
    counted: Counted = Field(
        default=Counted.ACCOUNTS, description="What a relationship counts: an account 1, or its revenue."
    )
    currency: Currency | None = Field(default=None, validate_default=True, description="Of the revenue.")

    _of_revenue = field_validator("currency")(currency_of_revenue)


class PairView(View):
    """A territory with a rep, and both parts of what that costs."""

    rep_id: UUID | None = Field(description="Null: nobody, the territory is vacant.")
    km: float | None = Field(
        description="From the rep's home to the territory's middle, as the crow flies; null where one is not known."
    )
    kept: float = Field(description="What the rep has of it today: accounts, or their revenue.")
    lost: float = Field(description="What others have of it today, who would lose it.")


class MatchedTerritoryView(View):
    """A proposed territory: with the rep under whose territory's name it comes, and with whom it is matched."""

    territory_id: UUID
    name: str
    capacity: float
    changes: bool = Field(description="Another rep than now would cover it.")
    named: PairView
    best: PairView


class SumView(View):
    """What a whole matching comes to."""

    km: float = Field(description="Of all reps whose home is known.")
    kept: float
    lost: float
    cost: float = Field(
        description=(
            "Both, as they are weighed: each by its average over all pairs that may be and are known, and by the number of "
            "territories. For comparing matchings of one run."
        )
    )


class MatchingView(View):
    """Which rep should get which of a run's territories."""

    run_id: UUID
    plan_id: UUID
    relocation_weight: float
    counted: Counted
    currency: str | None
    named: SumView = Field(description="Reps stay with their territories' names.")
    best: SumView = Field(description="No matching costs less.")
    saved: SumView
    vacant: int = Field(description="Territories that nobody covers now: as many stay so.")
    without_home: list[UUID] = Field(
        description="Reps whose home is not known: they count no relocation, wherever they go."
    )
    territories: list[MatchedTerritoryView]

    @classmethod
    def of(cls, run: DesignRun, asked: MatchingQuery, question: Question, found: Matching) -> "MatchingView":
        """Show a matching."""
        seats = question.seats
        named, best = found.named_sum, found.best_sum
        return cls(
            run_id=run.run_id,
            plan_id=run.plan_id,
            relocation_weight=asked.relocation_weight,
            counted=asked.counted,
            currency=asked.currency,
            named=SumView.model_validate(named),
            best=SumView.model_validate(best),
            saved=SumView(
                km=named.km - best.km,
                kept=best.kept - named.kept,
                lost=named.lost - best.lost,
                cost=named.cost - best.cost,
            ),
            vacant=sum(seat.rep_id is None for seat in seats),
            without_home=sorted(
                {seat.rep_id for seat in seats if seat.rep_id is not None and seat.home is None}
            ),
            territories=[
                MatchedTerritoryView(
                    territory_id=seat.territory_id,
                    name=seat.name,
                    capacity=seat.capacity,
                    changes=seats[after.seat].rep_id != seat.rep_id,
                    named=_pair(question, before),
                    best=_pair(question, after),
                )
                for seat, before, after in zip(seats, found.named, found.best, strict=True)
            ],
        )


def _pair(question: Question, pair: Pair) -> PairView:
    return PairView(rep_id=question.seats[pair.seat].rep_id, km=pair.km, kept=pair.kept, lost=pair.lost)
