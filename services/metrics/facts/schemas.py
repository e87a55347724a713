"""Bodies of the facts routes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema

from services.metrics.facts.intake import Item, Status, count_by_status
from services.metrics.facts.queries import Credit, FactFound, FactWithOrigin
from shared.contracts.money import NO_CURRENCY, PlainDecimal, from_minor
from shared.contracts.sales import Fact
from shared.http.bodies import Body, View
from shared.http.problems import FieldProblem

MAX_FACTS = 1_000

# Read one by one later, so that one bad fact is one bad item; callers see the schema all the same.
SentFact = Annotated[Any, WithJsonSchema(Fact.model_json_schema())]


class SubmitFactsBody(Body):
    """Facts in any order; repeats are welcome and count once."""

    facts: list[SentFact] = Field(min_length=1, max_length=MAX_FACTS)


class ItemView(View):
    """What became of one fact: `errors` says where and why it is invalid."""

    index: int
    status: Status
    entity_key: UUID | None
    errors: list[FieldProblem] = Field(default_factory=list)


class SubmittedView(View):
    """What became of each, in the order sent, and how many of each status."""

    items: list[ItemView]
    counts: dict[Status, int]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        """Show what became of facts."""
        return cls.model_validate(
            {
                "items": [
                    ItemView(
                        index=item.index,
                        status=item.status,
                        entity_key=item.row.entity_key if item.row else None,
                        errors=[FieldProblem(pointer=where, detail=why) for where, why in item.errors],
                    )
                    for item in items
                ],
                "counts": count_by_status(items),
            }
        )


class FactView(View):
    """One revision of a fact; money in major units."""

    entity_key: UUID
    revision: int
    source: str
    kind: str
    external_id: str
    stage: str | None
    account_id: UUID | None
    occurred_at: datetime
    day: date
    amount: PlainDecimal | None
    currency: str | None
    voided: bool
    recorded_at: datetime
    channel: str | None
    paid: bool | None
    origin_external_id: str | None = Field(
        description="The lead that this came of; of a refund, the order that it gives back."
    )

    @classmethod
    def of(cls, fact: FactFound) -> Self:
        """Show a fact."""
        money = fact.currency != NO_CURRENCY
        return cls(
            **{name: value for name, value in fact._asdict().items() if name in cls.model_fields}
            | {
                "amount": from_minor(fact.amount_minor, fact.currency) if money else None,
                "currency": fact.currency if money else None,
            }
        )


class CreditView(View):
    """Whom the fact counts for: the territory, and all that stand above it in the tree used."""

    view: str
    territory_id: UUID
    tree_id: UUID | None
    line: list[UUID]

    @classmethod
    def of(cls, credit: Credit) -> Self:
        """Show a credit."""
        return cls(**credit._asdict())


class FactDetailView(FactView):
    """A fact with its credits, and the revisions that it replaced."""

    credits: list[CreditView]
    history: list[FactView]
    history_left_out: int = Field(
        description="How many replaced revisions are not shown: those of accounts outside the caller's scope."
    )

    @classmethod
    def of_origin(cls, found: FactWithOrigin) -> Self:
        """Show a fact with its origin."""
        return cls(
            **FactView.of(found.fact).model_dump(),
            credits=[CreditView.of(credit) for credit in found.credits],
            history=[FactView.of(fact) for fact in found.history],
            history_left_out=found.history_left_out,
        )
