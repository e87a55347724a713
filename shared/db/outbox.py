"""The writing side of the event spine: events leave with the transaction that caused them, or not at all."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import EventContract
from shared.contracts.words import refuse_unknown_words
from shared.db.states import StateTopic, write_states
from shared.runtime.correlation import current_correlation

# The version row of an aggregate is locked before its outbox row draws its seq: two writers of one key
# therefore commit in the order of their seq. Sorted, so that two batches never lock crosswise. Batches on
# `none` topics are aggregates of their own with one event each, and need no counter.
_APPEND = text("""
WITH incoming AS (
    SELECT * FROM unnest(
        CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:types AS text[]), CAST(:payloads AS text[]),
        CAST(:ordinals AS int[])
    ) AS i (topic, key, type, payload, ordinal)
), numbered AS (
    INSERT INTO aggregate_versions AS v (aggregatetype, aggregateid, last_version)
    SELECT c.topic, c.key, c.events
    FROM unnest(CAST(:counted_topics AS text[]), CAST(:counted_keys AS text[]), CAST(:counts AS int[]))
        AS c (topic, key, events)
    ORDER BY c.topic, c.key
    ON CONFLICT (aggregatetype, aggregateid) DO UPDATE SET last_version = v.last_version + excluded.last_version
    RETURNING v.aggregatetype, v.aggregateid, v.last_version
)
INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, dataschema, headers, aggregateversion)
SELECT i.topic, i.key, i.type, CAST(i.payload AS jsonb), :source, 'urn:bailiwick:' || i.type, CAST(:headers AS jsonb),
       coalesce(n.last_version + i.ordinal, 1)
FROM incoming i LEFT JOIN numbered n ON n.aggregatetype = i.topic AND n.aggregateid = i.key
ORDER BY i.topic, i.key, i.ordinal
""")


class Outbox:
    """Events of one unit of work, numbered densely per aggregate when they are written."""

    def __init__(self, *, source: str) -> None:
        self._source = source
        self._pending: list[tuple[str, str, str, str | None]] = []
        self._uncounted: set[tuple[str, str]] = set()
        self._states: dict[StateTopic, set[str]] = {}

    def add(self, event: EventContract) -> None:
        """Announce one event with this unit of work. Raises ValueError for a word its contract does not list."""
        refuse_unknown_words(event)
        if event.ORDER == "none":
            self._uncounted.add((event.TOPIC, event.key))
        self._pending.append((event.TOPIC, event.key, event.TYPE, event.model_dump_json()))

    def add_row(self, *, topic: str, key: str, wire_type: str, payload: str) -> None:
        """Announce something that is no event contract: the backbone's own records, such as dead letters."""
        self._pending.append((topic, key, wire_type, payload))

    def add_all(self, events: Iterable[EventContract]) -> None:
        """Announce several, in this order."""
        for event in events:
            self.add(event)

    def add_states(self, states: StateTopic, keys: Iterable[str]) -> None:
        """Tell, with the events of this unit of work, what has become of these entities: once each, at the end."""
        self._states.setdefault(states, set()).update(keys)

    def apart(self) -> "Outbox":
        """Return an outbox of the same source, for what may yet be taken back."""
        return Outbox(source=self._source)

    def take_over(self, other: "Outbox") -> None:
        """Announce what was announced apart, and not written yet, after all that was announced here."""
        self._pending += other._pending  # noqa: SLF001 - its own kind
        self._uncounted |= other._uncounted  # noqa: SLF001
        for states, keys in other._states.items():  # noqa: SLF001
            self.add_states(states, keys)

    def __len__(self) -> int:
        return len(self._pending)

    async def flush(self, connection: AsyncConnection) -> None:
        """Write what was announced since the last time.

        The end of the unit of work does it. A command that announces very much may do so between its steps,
        to hold less; an aggregate's numbers go on where they were.
        """
        if self._pending:
            await connection.execute(_APPEND, self._parameters())
            self._pending.clear()
        headers = json.dumps(current_correlation().headers())
        for states, keys in self._states.items():
            await write_states(connection, states, sorted(keys), source=self._source, headers=headers)
        self._states.clear()

    def _parameters(self) -> dict[str, Any]:
        counts, ordinals = number(((topic, key) for topic, key, _, _ in self._pending), self._uncounted)
        columns = list(zip(*self._pending, strict=True))
        return {
            "topics": list(columns[0]),
            "keys": list(columns[1]),
            "types": list(columns[2]),
            "payloads": list(columns[3]),
            "ordinals": ordinals,
            "counted_topics": [topic for topic, _ in counts],
            "counted_keys": [key for _, key in counts],
            "counts": list(counts.values()),
            "source": self._source,
            "headers": json.dumps(current_correlation().headers()),
        }


def number(
    places: Iterable[tuple[str, str]], uncounted: Collection[tuple[str, str]] = ()
) -> tuple[Counter[tuple[str, str]], list[int]]:
    """Number the events of a batch, given as topic and key.

    Returns how far each counted key's number rises, and per event its distance from the number it rises to:
    of three events -2, -1, 0.
    """
    told = list(places)
    counts = Counter(place for place in told if place not in uncounted)
    seen: Counter[tuple[str, str]] = Counter()
    ordinals = []
    for place in told:
        seen[place] += 1
        ordinals.append(seen[place] - counts[place])
    return counts, ordinals
