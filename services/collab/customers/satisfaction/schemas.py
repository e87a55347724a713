"""Bodies of the satisfaction routes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema

from services.collab.customers.satisfaction.intake import Item, SentScore, Status
from services.collab.customers.satisfaction.score import ScoreKind
from shared.http.bodies import Body, View
from shared.http.problems import FieldProblem

MAX_SCORES = 500

# Read one by one later, so that one bad score is one bad row; callers see the schema all the same.
Sent = Annotated[
    Any, WithJsonSchema(SentScore.model_json_schema(ref_template="#/components/schemas/{model}"))
]


class NewScoresBody(Body):
    """What a customer answered; repeats are welcome and count once."""

    scores: list[Sent] = Field(min_length=1, max_length=MAX_SCORES)


class ScoreItemView(View):
    """What became of one score: `errors` says where and why it is invalid."""

    index: int
    status: Status
    external_id: str | None
    score_id: UUID | None
    errors: list[FieldProblem]


class ScoresReportView(View):
    """What became of each, in the order sent, and how many of each status."""

    items: list[ScoreItemView]
    counts: dict[Status, int]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        """Show what became of scores."""
        shown = [
            ScoreItemView(
                index=item.index,
                status=item.status,
                external_id=None if item.sent is None else item.sent.external_id,
                score_id=item.score_id,
                errors=[FieldProblem(pointer=where, detail=why) for where, why in item.errors],
            )
            for item in items
        ]
        return cls(items=shown, counts=dict(Counter(item.status for item in items)))


class ScoreView(View):
    """An answer of a customer."""

    score_id: UUID
    kind: ScoreKind
    score: int
    answered_at: datetime


class NpsView(View):
    """Promoters (9, 10) less detractors (0 to 6) in percent of all answers; null with a reason without any."""

    value: Decimal | None
    reason: Literal["no-answers"] | None
    n: int
    promoters: int = Field(validation_alias="high")
    detractors: int = Field(validation_alias="low")


class CsatView(View):
    """Answers 4 and 5 in percent of all answers; null with a reason without any."""

    value: Decimal | None
    reason: Literal["no-answers"] | None
    n: int
    satisfied: int = Field(validation_alias="high")


class TerritorySatisfactionView(View):
    """The figures of a territory and everything below it."""

    territory_id: UUID
    nps: NpsView
    csat: CsatView
