"""State topics: the whole entity as of its last event, so that who subscribes late need not read all of history.

A state's version is the number of the last event it includes. It is written by the transaction
that wrote those events, while that holds their version rows: state and version cannot disagree, and states of a key
leave in the order of their versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import EventContract

# Entity by entity, by their keys: with two lists to be joined, a plan made while the tables had no statistics, or for
# a list of any length, may compare each with each.
_WRITE = """
INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, dataschema, headers, aggregateversion)
SELECT :topic, v.aggregateid, :type, state.payload, :source, :dataschema, CAST(:headers AS jsonb), v.last_version
FROM unnest(CAST(:keys AS text[])) AS k (key)
JOIN aggregate_versions v ON v.aggregatetype = :events AND v.aggregateid = k.key
LEFT JOIN LATERAL ({select}) AS state ON true
ORDER BY v.aggregateid
ON CONFLICT (aggregatetype, aggregateid, aggregateversion) DO NOTHING
"""
# A statement's time limit holds for as many entities as a command may touch.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class StateTopic:
    """How a service's entities become states.

    `select` is SQL that yields the `payload` (jsonb, as the contract has it) of the entity that `k.key` (text) names, or
    no row: an entity that has events and is not there any more becomes a tombstone.
    `events` is the topic whose versions the states carry.
    """

    contract: type[EventContract]
    events: str
    select: str

    @property
    def topic(self) -> str:
        """Return the state topic."""
        return self.contract.TOPIC

    def statement(self) -> TextClause:
        """Return the statement that writes the states of `:keys` into the outbox."""
        return text(_WRITE.format(select=self.select))


async def write_states(
    connection: AsyncConnection, states: StateTopic, keys: Sequence[str], *, source: str, headers: str
) -> int:
    """Write the states of these keys, whose version rows the caller has locked; return how many were written.

    One that waits in the outbox at the same version says the same already and is left.
    """
    names = {
        "topic": states.topic,
        "type": states.contract.TYPE,
        "dataschema": f"urn:bailiwick:{states.contract.TYPE}",
        "events": states.events,
        "source": source,
        "headers": headers,
    }
    statement, written = states.statement(), 0
    for at in range(0, len(keys), CHUNK):
        chunk = {"keys": list(keys[at : at + CHUNK])}
        written += (await connection.execute(statement, {**names, **chunk})).rowcount
    return written
