"""What becomes of each fact that a caller sends: judged one by one, in order. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import ConfigDict, ValidationError

from services.metrics.facts.fact_row import FactRow, Rank, rank_of, row_of
from shared.contracts.sales import MAX_FACTS_PER_RECORD, Fact

Status = Literal["accepted", "duplicate", "superseded", "conflict", "invalid"]

# A record of the outbox holds 900 kB; a fact of long names can take 2 kB.
_MAX_RECORD_CHARACTERS = 200_000


class SentFact(Fact):
    """A fact as a caller sends it: a misspelt field is a mistake worth telling, not something to pass over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(NamedTuple):
    """What is known of an entity."""

    revision: int
    payload_hash: UUID
    account_id: UUID | None

    @property
    def rank(self) -> Rank:
        """Return what it counts by."""
        return rank_of(self.revision, self.payload_hash)


@dataclass(slots=True)
class Item:
    """One fact as sent, and what became of it. `errors` are pairs of JSON pointer and detail.

    `counts` says whether it ranks above what is known; the telling that a conflict is with may rank above or below.
    """

    index: int
    fact: Fact | None = None
    row: FactRow | None = None
    status: Status = "accepted"
    counts: bool = False
    errors: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, member: str, detail: str) -> None:
        """Mark the fact as one that cannot be counted."""
        self.status = "invalid"
        self.errors.append((f"/facts/{self.index}{member}", detail))


def read_items(sent: Sequence[Any]) -> list[Item]:
    """Validate each fact for itself: one mistake costs one fact, not the request."""
    return [_read(index, one) for index, one in enumerate(sent)]


def _read(index: int, sent: Any) -> Item:
    item = Item(index)
    try:
        item.fact = SentFact.model_validate(sent)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            member = "".join(f"/{part}" for part in problem["loc"])
            item.refuse(member, problem["msg"].removeprefix("Value error, "))
    else:
        item.row = row_of(item.fact)
    return item


def judge(items: Sequence[Item], known: Mapping[UUID, Told]) -> None:
    """Compare with what is stored and with the items before."""
    told = dict(known)
    for item in items:
        if item.row is None or item.status == "invalid":
            continue
        held = told.get(item.row.entity_key)
        item.status = _compare(item.row, held)
        item.counts = held is None or held.rank < item.row.rank
        if item.counts:
            told[item.row.entity_key] = _told(item.row)


def count_by_status(items: Sequence[Item]) -> dict[Status, int]:
    """Return how many items met each fate."""
    return dict(Counter(item.status for item in items))


def refuse_outside(items: Sequence[Item], known: Mapping[UUID, Told], *, covered: Collection[UUID]) -> None:
    """Refuse what names, or corrects, a fact of an account that is not covered.

    A correction of something that is not counted yet could be of anybody's; it has to wait a moment.
    """
    told = dict(known)
    for item in items:
        if item.row is None or item.status == "invalid":
            continue
        held = told.get(item.row.entity_key)
        if item.row.account_id not in covered or (held is not None and held.account_id not in covered):
            item.refuse("/account_id", "no account that your token covers; facts go to accounts in its scope")
        elif held is None and item.row.revision > 1:
            item.refuse(
                "/revision", "the revision before is not counted yet; send it first, or try again soon"
            )
        else:
            told[item.row.entity_key] = _told(item.row)


def _told(row: FactRow) -> Told:
    return Told(row.revision, row.payload_hash, row.account_id)


def _compare(row: FactRow, held: Told | None) -> Status:
    if held is None or held.revision < row.revision:
        return "accepted"
    if held.revision > row.revision:
        return "superseded"
    return "duplicate" if held.payload_hash == row.payload_hash else "conflict"


def split_into_records(facts: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    """Cut facts into records of bounded number and size, in order."""
    record: list[Fact] = []
    size = 0
    for fact in facts:
        length = len(fact.model_dump_json())
        if record and (len(record) == MAX_FACTS_PER_RECORD or size + length > _MAX_RECORD_CHARACTERS):
            yield tuple(record)
            record, size = [], 0
        record.append(fact)
        size += length
    if record:
        yield tuple(record)
