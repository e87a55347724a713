"""A fact as it is stored: minor units, UTC, one digest of what it says. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.money import NO_CURRENCY, to_minor
from shared.contracts.sales import Fact

Rank = tuple[int, int]


def rank_of(revision: int, payload_hash: UUID) -> Rank:
    """Return what a telling counts by: the highest revision, of its tellings the one of the smallest digest.

    The digest means nothing; but whoever was told the same, in whatever order, ends with the same telling.
    """
    return revision, -payload_hash.int


class FactRow(NamedTuple):
    """What is stored of a fact as it was told; the order is that of FACT_ROWS."""

    entity_key: UUID
    revision: int
    source: str
    kind: str
    external_id: str
    stage: str | None
    account_id: UUID | None
    occurred_at: datetime
    amount_minor: int
    currency: str
    voided: bool
    payload_hash: UUID
    channel: str | None
    paid: bool | None
    origin_external_id: str | None

    @property
    def rank(self) -> Rank:
        """Return what it counts by."""
        return rank_of(self.revision, self.payload_hash)


_TYPES = {
    "entity_key": "uuid",
    "revision": "int",
    "source": "text",
    "kind": "text",
    "external_id": "text",
    "stage": "text",
    "account_id": "uuid",
    "occurred_at": "timestamptz",
    "amount_minor": "bigint",
    "currency": "text",
    "voided": "boolean",
    "payload_hash": "uuid",
    "channel": "text",
    "paid": "boolean",
    "origin_external_id": "text",
}
TOLD = ", ".join(_TYPES)
FACT_ROWS = f"""
    SELECT {TOLD}, CAST(occurred_at AT TIME ZONE 'UTC' AS date) AS day
    FROM unnest({", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in _TYPES.items())}) AS i ({TOLD})
"""
"""SQL: the rows that `columns_of` binds, with their UTC day."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """What counts of each entity, by key; `contradicted` are other tellings of the same revision."""

    newest: list[FactRow]
    contradicted: list[FactRow]


def row_of(fact: Fact) -> FactRow:
    """Return a valid fact as its row."""
    currency = fact.currency or NO_CURRENCY
    amount_minor = 0 if fact.amount is None else to_minor(fact.amount, currency)
    occurred_at = fact.occurred_at.astimezone(UTC)
    account_id = fact.account
    said = f"{fact.kind}|{fact.stage}|{account_id}|{occurred_at.isoformat()}|{amount_minor}|{currency}|{fact.voided}"
    extras = (fact.channel, fact.paid, fact.origin_external_id)
    # What was told before there were these members must keep its digest, or telling it again contradicts it.
    if any(extra is not None for extra in extras):
        said = f"{said}|{extras!r}"
    return FactRow(
        fact.entity_key,
        fact.revision,
        fact.source,
        fact.kind,
        fact.external_id,
        fact.stage,
        account_id,
        occurred_at,
        amount_minor,
        currency,
        fact.voided,
        # 16 bytes stored as a uuid: a fixed width, unlike bytea.
        UUID(bytes=blake2b(said.encode(), digest_size=16).digest()),
        fact.channel,
        fact.paid,
        fact.origin_external_id,
    )


def reduce_to_newest(rows: Iterable[FactRow]) -> Reduced:
    """Keep what ranks highest of each entity; sorted, so writers never cross."""
    newest: dict[UUID, FactRow] = {}
    contradicted: list[FactRow] = []
    for row in rows:
        held = newest.setdefault(row.entity_key, row)
        if held is row:
            continue
        if held.rank < row.rank:
            newest[row.entity_key] = row
        if held.revision == row.revision and held.payload_hash != row.payload_hash:
            contradicted.append(min(held, row, key=lambda one: one.rank))
    # A uuid's bytes, and so Postgres, sort as its number does.
    return Reduced([newest[key] for key in sorted(newest, key=lambda key: key.int)], contradicted)


def columns_of(rows: Sequence[FactRow]) -> dict[str, list[Any]]:
    """Return rows as one array per column, as the statements bind them."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(FactRow._fields)
    return {name: list(column) for name, column in zip(FactRow._fields, columns, strict=True)}
