"""What becomes of each score that a caller sends: judged one by one, in order. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, StrictInt, ValidationError, model_validator

from services.collab.customers.satisfaction.score import RANGES, ScoreKind
from shared.http.bodies import Body, ExternalId, Instant

Status = Literal["recorded", "duplicate", "conflict", "invalid"]


class SentScore(Body):
    """An answer to a survey; NPS from 0 to 10, CSAT from 1 to 5."""

    external_id: ExternalId = Field(description="Yours: the same one again is the same answer.")
    kind: ScoreKind
    score: StrictInt
    answered_at: Instant

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        allowed = RANGES[self.kind]
        if self.score not in allowed:
            raise ValueError(f"score: {self.kind} goes from {allowed[0]} to {allowed[-1]}")
        return self

    @property
    def told(self) -> "Told":
        """Return what makes two answers the same."""
        return Told(self.kind, self.score, self.answered_at)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an answer."""

    kind: ScoreKind
    score: int
    answered_at: datetime


@dataclass(slots=True)
class Item:
    """One score as sent, and what became of it. `errors` are pairs of JSON pointer and detail."""

    index: int
    sent: SentScore | None = None
    score_id: UUID | None = None
    status: Status = "recorded"
    errors: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, member: str, detail: str) -> None:
        """Mark the score as one that cannot be taken."""
        self.status = "invalid"
        self.errors.append((f"/scores/{self.index}{member}", detail))


def read_items(sent: Sequence[Any], now: datetime) -> list[Item]:
    """Validate each score for itself: one mistake costs one score, not the request."""
    return [_read(index, one, now) for index, one in enumerate(sent)]


def _read(index: int, sent: Any, now: datetime) -> Item:
    item = Item(index)
    try:
        item.sent = SentScore.model_validate(sent)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            member = "".join(f"/{str(part)[:100]}" for part in problem["loc"])
            item.refuse(member, problem["msg"].removeprefix("Value error, "))
    else:
        if item.sent.answered_at > now:
            item.refuse("/answered_at", "lies ahead; an answer was given already")
    return item


def judge(items: Sequence[Item], known: Mapping[str, Told]) -> None:
    """Compare with what is stored and with the items before: the first telling stays."""
    told = dict(known)
    for item in items:
        if item.sent is None or item.status == "invalid":
            continue
        held = told.get(item.sent.external_id)
        if held is None:
            told[item.sent.external_id] = item.sent.told
        else:
            item.status = "duplicate" if held == item.sent.told else "conflict"
