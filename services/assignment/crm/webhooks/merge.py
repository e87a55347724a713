"""Puts changes of single fields over what is known of accounts: the newer change of a field wins, each counts once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.assignment.accounts.account import AccountDetails
from services.assignment.crm.position import Half, lay_over
from services.assignment.crm.shapes import System
from services.assignment.crm.webhooks.record_change import Change, RecordChange, WrongChange
from services.assignment.imports.cells import Misfit
from shared.contracts.identity import account_id_of


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of one record."""

    index: int
    external_id: str | None
    outcome: str
    field: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Merge:
    """Puts changes of single fields over what is known of the accounts."""

    source: System
    seen: set[str]
    stamps: dict[tuple[UUID, str], datetime]
    details: dict[UUID, AccountDetails]
    halves: dict[UUID, Half]
    touched: dict[UUID, AccountDetails] = field(default_factory=dict)
    fresh_halves: dict[UUID, Half | None] = field(default_factory=dict)
    fresh_keys: list[str] = field(default_factory=list)
    fresh_stamps: dict[tuple[UUID, str], datetime] = field(default_factory=dict)

    def take_all(self, changes: Sequence[Change]) -> tuple[RecordOutcome, ...]:
        """Take changes over, and tell in their order what became of each."""
        # Oldest first, whatever order they came in: each record is judged against what was before it.
        oldest_first = sorted(range(len(changes)), key=lambda index: _when(changes[index]))
        outcomes = {index: self._take(index, changes[index]) for index in oldest_first}
        for index in oldest_first:
            # What did not fit what was there may fit what came after it: a ZIP of another country, then no county.
            if outcomes[index].outcome == "rejected":
                outcomes[index] = self._take(index, changes[index])
        return tuple(outcomes[index] for index in range(len(changes)))

    def _take(self, index: int, change: Change) -> RecordOutcome:
        if isinstance(change, WrongChange):
            return RecordOutcome(index, change.external_id, "rejected", change.field, change.detail)
        told = change.told
        if change.event_key in self.seen:
            return RecordOutcome(index, told.external_id, "duplicate")
        account_id = account_id_of(told.external_id)
        newer = {
            name: value for name, value in told.fields.items() if self._is_newer(account_id, name, change)
        }
        try:
            self._merge(account_id, told.external_id, newer)
        except Misfit as misfit:
            named = told.named(misfit.field, self.source)
            return RecordOutcome(index, told.external_id, "rejected", named, misfit.detail)
        self.seen.add(change.event_key)
        self.fresh_keys.append(change.event_key)
        for name in newer:
            self.stamps[account_id, name] = self.fresh_stamps[account_id, name] = change.changed_at
        superseded = told.fields and not newer
        return RecordOutcome(index, told.external_id, "superseded" if superseded else "applied")

    def _is_newer(self, account_id: UUID, name: str, change: RecordChange) -> bool:
        known = self.stamps.get((account_id, name))
        return known is None or change.changed_at >= known

    def _merge(self, account_id: UUID, external_id: str, newer: dict[str, Any]) -> None:
        known = self.details.get(account_id)
        if known is not None and not newer:
            return
        before: dict[str, Any] = {"external_id": external_id} if known is None else asdict(known)
        if known is None and self.source is System.HUBSPOT:
            # HubSpot tells of a new company field by field: until its name comes, it goes by its id.
            before["name"] = external_id
        waiting = self.fresh_halves.get(account_id, self.halves.get(account_id))
        account, half = lay_over(before, waiting, newer)
        self.details[account_id] = self.touched[account_id] = account
        if half != waiting:
            self.fresh_halves[account_id] = half


def _when(change: Change) -> datetime:
    return change.changed_at if isinstance(change, RecordChange) else datetime.max.replace(tzinfo=UTC)
