"""The invariants A to J of the fault plan, asked of a deployment after a fault, when everything is quiet.

A acknowledged is in the database once and in the log; B nothing of what failed; C effect once; D versions dense
and rising; E no overlap; F one key, one answer; G (outbox and lag come to nothing) is waited for before; H only
2xx, 4xx and 503 with Retry-After; I memory and connections; J projections are what the log makes them.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.failing import DemoFailed
from tests.faults.checks import (
    Applied,
    Finding,
    Period,
    Record,
    Span,
    find_divergent,
    find_duplicated,
    find_gaps,
    find_inverted,
    find_overlapping,
    find_stale,
    find_unseen,
    report,
)
from tests.faults.load import Load, name_of
from tests.faults.observed import Database, Raw, events_of
from tests.faults.organisation import missing_figures
from tests.faults.stage import Stage
from tests.faults.tables import (
    Outcomes,
    find_unequal,
    find_unfit_processes,
    find_wrong_commands,
    find_wrong_projection,
    find_wrong_tally,
    find_wrong_watermarks,
)
from tests.faults.tampering import witness

RSS_LIMIT = 300 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in the log and in the reader's tables."""

    raws: list[Raw]
    records: list[Record]
    applied: list[Applied]

    @property
    def repeats(self) -> int:
        """Return how many records repeat an event that is in the log already."""
        return len(self.records) - len({record.event_id for record in self.records})


def gather(stage: Stage) -> Evidence:
    """Read the log to its end and the witness's list."""
    raws = stage.log.read(witness.TOPIC)
    rows = stage.database.rows("""
        SELECT topic, partition, record_offset, key, version, event_id, digest
        FROM metrics.witness_effects ORDER BY seq
    """)
    return Evidence(raws, events_of(raws), [Applied(*row) for row in rows])


def judge(stage: Stage, seed: int, evidence: Evidence) -> list[Finding]:
    """Return everything that must not be, of all invariants but G."""
    load, database, records = stage.load, stage.database, evidence.records
    return [
        *_commands(load, database, records, seed),
        *find_duplicated(evidence.applied),
        *find_divergent(records, evidence.applied),
        *find_unseen(records, evidence.applied),
        *find_inverted(records, where="log"),
        *find_gaps(records, where="log"),
        *find_inverted(evidence.applied, where="effects"),
        *find_gaps(evidence.applied, where="effects"),
        *find_stale(load.reads, _spans(load), _versions(records)),
        *find_overlapping(_periods(database)),
        *_tally(database),
        *_parked(database),
        *_watermarks(database, records),
        *_projection(database, evidence.raws),
        *_figures(stage),
        *report("F: another answer to the same key", load.tally.unlike),
        *report("H: unfit answer", load.tally.unfit),
        *_processes(stage),
    ]


def _commands(load: Load, database: Database, records: list[Record], seed: int) -> list[Finding]:
    rows = database.rows("""
        SELECT idempotency_key AS name, count(*) AS times FROM assignment.audit_entries
        WHERE idempotency_key IS NOT NULL GROUP BY idempotency_key
    """)
    outcomes = Outcomes(
        names={number: name_of(seed, number) for number in load.commands},
        acknowledged=load.acknowledged,
        failed=load.failed,
        unresolved=load.unresolved,
    )
    return find_wrong_commands(outcomes, records, {row["name"]: row["times"] for row in rows})


def _spans(load: Load) -> dict[int, Span]:
    return {0: Span("", 0.0, None), **{number: command.span for number, command in load.commands.items()}}


def _versions(records: Iterable[Record]) -> dict[int, int]:
    found = {0: 0}
    for record in records:
        if record.command is not None:
            found[record.command] = record.version
    return found


def _periods(database: Database) -> list[Period]:
    rows = database.rows("""
        SELECT account_id::text AS of, extract(epoch FROM lower(valid))::float8 AS begin,
               extract(epoch FROM upper(valid))::float8 AS end
        FROM assignment.alignments
    """)
    return [Period(row["of"], row["begin"], row["end"]) for row in rows]


def _tally(database: Database) -> list[Finding]:
    tallied = database.rows("SELECT key, events, told FROM metrics.witness_tally")
    listed = database.rows("""
        SELECT key, count(*) AS events, sum(told)::bigint AS told FROM metrics.witness_effects GROUP BY key
    """)
    return find_wrong_tally(
        *({row["key"]: (row["events"], row["told"]) for row in rows} for rows in (tallied, listed))
    )


def _parked(database: Database) -> list[Finding]:
    rows = database.rows("SELECT consumer, aggregateid, reason FROM metrics.parked_keys")
    return report("parked", [dict(row) for row in rows])


def _watermarks(database: Database, records: list[Record]) -> list[Finding]:
    rows = database.rows(
        "SELECT aggregateid, version FROM metrics.consumer_watermarks WHERE consumer = $1 AND topic = $2",
        witness.CONSUMER,
        witness.TOPIC,
    )
    return find_wrong_watermarks(records, {row["aggregateid"]: row["version"] for row in rows})


def _projection(database: Database, raws: Iterable[Raw]) -> list[Finding]:
    moves = database.rows(
        "SELECT account_id::text, version, territory_id::text FROM metrics.alignment_events"
    )
    accounts = database.rows("SELECT account_id::text, version, territory_id::text FROM metrics.accounts")
    return find_wrong_projection(
        raws,
        {(row["account_id"], row["version"]): row["territory_id"] for row in moves},
        {row["account_id"]: (row["version"], row["territory_id"]) for row in accounts},
    )


def _figures(stage: Stage) -> list[Finding]:
    """C and J: every order counts once, in both views, and every roll-up is what its facts add up to."""
    try:
        missing = missing_figures(stage.fleet)
        proof = stage.fleet.api("metrics", role="admin").post("/v1/reconciliations").body
    except DemoFailed as failure:
        return report("figures", [failure])
    return find_unequal(missing, proof)


def _processes(stage: Stage) -> list[Finding]:
    """I: memory stays small, no connection is left in a transaction, and nothing ended that was not ended."""
    sizes = {name: resident_bytes(stage.fleet.pid(name)) for name in stage.fleet.names}
    stage.remark(f"largest process {max(sizes.values(), default=0) // 2**20} MB")
    open_ = stage.database.rows("""
        SELECT application_name, state, left(query, 80) AS query FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
          AND state_change < clock_timestamp() - interval '2 seconds'
    """)
    return find_unfit_processes(
        sizes,
        limit=RSS_LIMIT,
        stuck=[dict(row) for row in open_],
        ended=stage.fleet.ended_by_themselves(),
    )


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory; 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
