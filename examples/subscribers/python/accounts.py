"""What this subscriber keeps: every account, where it belongs, and how far each topic was read, in one SQLite file.

An effect and the position it was read from are stored by one transaction. So a record counts once, whatever is
delivered twice and whenever the process dies.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATTRIBUTES = ("external_id", "postal_code", "county", "state", "industry", "employees")

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    account_id TEXT PRIMARY KEY, version INTEGER NOT NULL, territory_id TEXT, valid_from TEXT, attributes TEXT
);
CREATE TABLE IF NOT EXISTS positions (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition)
);
"""


class EventMissing(Exception):
    """An event was never seen: versions of an account count 1, 2, 3."""


@dataclass(frozen=True)
class Account:
    """An account as of one of its events."""

    account_id: str
    version: int = 0
    territory_id: str | None = None
    valid_from: str | None = None
    attributes: Mapping[str, Any] | None = None

    def after_state(self, version: int, state: Mapping[str, Any]) -> "Account":
        """Return the account as a state tells it; an older one than is known changes nothing."""
        if version < self.version:
            return self
        attributes = {name: state[name] for name in ATTRIBUTES}
        return Account(self.account_id, version, state["territory_id"], state["valid_from"], attributes)

    def after_event(self, version: int, wire_type: str, event: Mapping[str, Any]) -> "Account":
        """Return the account after an event. Repeats change nothing; raises EventMissing after a hole.

        Types that are not known here change nothing but the version: new ones may come at any time.
        """
        if version <= self.version:
            return self
        if version > self.version + 1:
            raise EventMissing(f"account {self.account_id}: version {version} after {self.version}")
        territory_id, valid_from, attributes = self.territory_id, self.valid_from, self.attributes
        if wire_type == "assignment.account.aligned.v1":
            territory_id = event["to_territory_id"]
            valid_from = None if territory_id is None else event["valid_from"]
        elif wire_type in {"assignment.account.registered.v1", "assignment.account.changed.v1"}:
            attributes = {name: event[name] for name in ATTRIBUTES}
        return Account(self.account_id, version, territory_id, valid_from, attributes)


class Accounts:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written in the block, or nothing."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def get(self, account_id: str) -> Account:
        """Return an account; one that is not known has version 0."""
        query = "SELECT version, territory_id, valid_from, attributes FROM accounts WHERE account_id = ?"
        row = self._file.execute(query, (account_id,)).fetchone()
        return Account(account_id) if row is None else Account(account_id, *row[:3], json.loads(row[3]))

    def put(self, account: Account) -> None:
        """Keep an account."""
        self._file.execute(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)",
            (
                account.account_id,
                account.version,
                account.territory_id,
                account.valid_from,
                json.dumps(account.attributes),
            ),
        )

    def forget(self, account_id: str) -> None:
        """Drop an account that is gone."""
        self._file.execute("DELETE FROM accounts WHERE account_id = ?", (account_id,))

    def positions(self, topic: str) -> dict[int, int]:
        """Return where to read on, by partition; empty before the first time."""
        query = "SELECT partition, next_offset FROM positions WHERE topic = ?"
        return dict(self._file.execute(query, (topic,)))

    def move(self, topic: str, partition: int, next_offset: int) -> None:
        """Remember where to read on."""
        self._file.execute(
            "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (topic, partition, next_offset)
        )
