"""The inbound contract: sales facts, from our own intake or any other system."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.envelope import AggregateOrder, EventContract
from shared.contracts.identity import account_id_of, fact_key
from shared.contracts.money import NOT_MONEY, fits_minor_units

FACTS = "sales.facts.v1"
MAX_FACTS_PER_RECORD = 500

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^[^\x00]+$")
]
ChannelName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00]+$")
]
# Days are of UTC: an instant at the edge may lie in another year there.
_FIRST, _END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_CURRENCY = re.compile(r"^[A-Z]{3}$")


class Fact(BaseModel):
    """One sales event as recorded; a higher revision of the same entity corrects or voids it.

    `created_at` is when the entity came to be and is the same on every revision; `occurred_at` is when
    what this revision tells happened. `amount` is in major units of `currency`, at most 10^10: so that the
    64-bit sums of roll-ups hold 900,000 facts of the largest size in the smallest unit.

    A `deal` is a contract that was signed, a `refund` what was given back of an order. `lead_external_id` and
    `order_external_id` name facts of the same source and account. `paid` tells whether a lead came, or money
    went, through a channel that is paid for.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Name
    kind: Literal["lead", "opportunity", "order", "spend", "deal", "refund"]
    external_id: Name
    revision: int = Field(ge=1, le=2_147_483_647)
    created_at: AwareDatetime
    occurred_at: AwareDatetime
    account_id: UUID | None = None
    account_external_id: Name | None = None
    stage: Literal["open", "won", "lost"] | None = None
    amount: Decimal | None = Field(default=None, ge=Decimal("-1e10"), le=Decimal("1e10"), decimal_places=3)
    currency: str | None = None
    voided: bool = False
    channel: ChannelName | None = None
    paid: bool | None = None
    lead_external_id: Name | None = None
    order_external_id: Name | None = None

    @model_validator(mode="after")
    def hang_together(self) -> Self:
        """Refuse combinations that no roll-up could count; each message names the field and the fix."""
        for problem in _problems(self):
            raise ValueError(problem)
        return self

    @property
    def entity_key(self) -> UUID:
        """Return the key under which every revision of this entity is one fact."""
        return fact_key(
            source=self.source, kind=self.kind, external_id=self.external_id, created_at=self.created_at
        )

    @property
    def account(self) -> UUID | None:
        """Return the account the fact belongs to, named by either id."""
        if self.account_id is not None or self.account_external_id is None:
            return self.account_id
        return account_id_of(self.account_external_id)

    @property
    def origin_external_id(self) -> str | None:
        """Return the lead or the order that this came of."""
        return self.lead_external_id or self.order_external_id


def _problems(fact: Fact) -> list[str]:
    found: list[str] = []
    if not _FIRST <= fact.created_at < _END:
        found.append("created_at: years 1990 to 2199 in UTC are kept")
    if not _FIRST <= fact.occurred_at < _END:
        found.append("occurred_at: years 1990 to 2199 in UTC are kept")
    if fact.account_id is None and fact.account_external_id is None and fact.kind != "spend":
        found.append("account_external_id: give account_id or account_external_id")
    if (fact.stage is None) == (fact.kind == "opportunity"):
        found.append("stage: an opportunity has stage open, won or lost; other kinds have none")
    if (fact.amount is None) != (fact.currency is None):
        found.append("currency: amount and currency go together")
    if fact.amount is None and fact.kind in {"order", "spend", "deal", "refund"} and not fact.voided:
        found.append(f"amount: {fact.kind} needs an amount and a currency")
    if fact.currency is not None and not _CURRENCY.match(fact.currency):
        found.append("currency: use the three capital letters of ISO 4217")
    elif fact.currency in NOT_MONEY:
        found.append(
            f"currency: {fact.currency} is ISO 4217's code for no currency; name the one that was paid in"
        )
    elif fact.amount is not None and fact.currency and not fits_minor_units(fact.amount, fact.currency):
        found.append(f"amount: more decimals than {fact.currency} has")
    return found + _link_problems(fact)


def _link_problems(fact: Fact) -> list[str]:
    found: list[str] = []
    if fact.kind not in {"lead", "spend"} and (fact.channel is not None or fact.paid is not None):
        found.append("paid: leads and spend come through a channel, paid or not; other kinds have none")
    if fact.lead_external_id is not None and fact.kind not in {"opportunity", "deal", "order"}:
        found.append("lead_external_id: opportunities, deals and orders come of leads; leave it out")
    if (fact.order_external_id is not None) != (fact.kind == "refund"):
        found.append("order_external_id: a refund names its order; other kinds have none")
    if fact.kind == "refund" and fact.amount is not None and fact.amount <= 0:
        found.append("amount: a refund tells what was given back, above 0")
    return found


class FactsRecorded(EventContract):
    """Facts that somebody recorded: 1 to 500, in any order, repeats welcome."""

    TYPE: ClassVar[str] = "sales.facts.recorded.v1"
    TOPIC: ClassVar[str] = FACTS
    ORDER: ClassVar[AggregateOrder] = "none"

    batch_id: UUID
    facts: tuple[Fact, ...] = Field(min_length=1, max_length=MAX_FACTS_PER_RECORD)

    @property
    def key(self) -> str:
        """Spread batches over partitions: facts carry their own order."""
        return str(self.batch_id)
