"""The invariants A to J of the fault plan, asked of a deployment after a fault, when everything is quiet.

A acknowledged is in the database once and in the log; B nothing of what failed; C effect once; D versions dense
and rising; E no overlap; F one key, one answer; G (outbox and lag come to nothing) is waited for before; H only
2xx, 4xx and 503 with Retry-After; I memory and connections; J projections are what the log makes them.
"""

import contextlib
import json
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
    find_aborted,
    find_divergent,
    find_duplicated,
    find_gaps,
    find_inverted,
    find_lost,
    find_overlapping,
    find_stale,
    find_unseen,
    report,
)
from tests.faults.load import Load, name_of
from tests.faults.observed import Database, Raw, events_of
from tests.faults.organisation import missing_figures
from tests.faults.stage import Stage
from tests.faults.tampering import witness

RSS_LIMIT = 300 * 1024 * 1024
_ALIGNED = "assignment.account.aligned.v1"


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
    """A, B and F of the commands."""
    told = {record.command for record in records if record.command is not None}
    rows = database.rows("""
        SELECT idempotency_key AS name, count(*) AS times FROM assignment.audit_entries
        WHERE idempotency_key IS NOT NULL GROUP BY idempotency_key
    """)
    times = {row["name"]: row["times"] for row in rows}
    stored = {number for number in load.commands if name_of(seed, number) in times}
    twice = [f"{name} {count} times" for name, count in times.items() if count > 1]
    untold = [f"command {number} is in the database" for number in stored if number not in told]
    return [
        *find_lost(load.acknowledged, told, where="the log"),
        *find_lost(load.acknowledged, stored, where="the database"),
        *find_aborted(load.failed, load.commands.keys(), records),
        *report("B: a refused command is in the database", sorted(stored & load.failed)),
        *report("F: one key, several effects", twice),
        *report("A: stored without an event", untold),
        *report("never answered", [f"command {number}" for number in load.unresolved]),
    ]


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
    """C: what was added up equals what was listed."""
    rows = database.rows("""
        SELECT key, t.events, t.told, e.events AS listed, e.told AS listed_told
        FROM metrics.witness_tally t FULL JOIN (
            SELECT key, count(*) AS events, sum(told)::bigint AS told FROM metrics.witness_effects GROUP BY key
        ) e USING (key)
        WHERE (t.events, t.told) IS DISTINCT FROM (e.events, e.told)
    """)
    return report("C: tally and list differ", [dict(row) for row in rows])


def _parked(database: Database) -> list[Finding]:
    rows = database.rows("SELECT consumer, aggregateid, reason FROM metrics.parked_keys")
    return report("parked", [dict(row) for row in rows])


def _watermarks(database: Database, records: list[Record]) -> list[Finding]:
    """D: the reader stands at the last version of every key."""
    last: dict[str, int] = {}
    for record in records:
        last[record.key] = max(record.version, last.get(record.key, 0))
    rows = database.rows(
        "SELECT aggregateid, version FROM metrics.consumer_watermarks WHERE consumer = $1 AND topic = $2",
        witness.CONSUMER,
        witness.TOPIC,
    )
    found = {row["aggregateid"]: row["version"] for row in rows}
    wrong = [
        f"{key}: v{found.get(key)} of v{version}"
        for key, version in last.items()
        if found.get(key) != version
    ]
    return report("D: watermark", wrong)


def _projection(database: Database, raws: Iterable[Raw]) -> list[Finding]:
    """J: timelines and places of accounts are what the log says, worked out here from nothing but the log."""
    expected: dict[tuple[str, int], str | None] = {}
    under: dict[tuple[bytes | None, str], str] = {}
    for raw in raws:
        # Of two events under one version, as a restored publisher tells them, the first counts.
        event_id = raw.header("ce_id")
        if under.setdefault((raw.key, raw.header("ce_aggregateversion")), event_id) != event_id:
            continue
        if raw.header("ce_type") == _ALIGNED and raw.value:
            event = json.loads(raw.value)
            version = int(raw.header("ce_aggregateversion"))
            expected[event["account_id"], version] = event["to_territory_id"]
    rows = database.rows("SELECT account_id::text, version, territory_id::text FROM metrics.alignment_events")
    found = {(row["account_id"], row["version"]): row["territory_id"] for row in rows}
    places = {
        row["account_id"]: (row["version"], row["territory_id"])
        for row in database.rows("SELECT account_id::text, version, territory_id::text FROM metrics.accounts")
    }
    last: dict[str, tuple[int, str | None]] = {}
    for (account, version), territory in expected.items():
        last[account] = max(last.get(account, (0, None)), (version, territory), key=lambda told: told[0])
    return [
        *report("J: timeline", sorted(map(str, expected.items() ^ found.items()))),
        *report("J: place of an account", sorted(map(str, last.items() ^ places.items()))),
    ]


def _figures(stage: Stage) -> list[Finding]:
    """C and J: every order counts once, in both views, and every roll-up is what its facts add up to."""
    try:
        wrong = missing_figures(stage.fleet)
        proof = stage.fleet.api("metrics", role="admin").post("/v1/reconciliations").body
    except DemoFailed as failure:
        return report("figures", [failure])
    differing = [] if proof["equal"] else [f"{proof['differing']} of {proof['cells']} cells differ"]
    return report("C: figures", [wrong] if wrong else []) + report("J: roll-ups", differing)


def _processes(stage: Stage) -> list[Finding]:
    """I: memory stays small, and no connection is left in a transaction."""
    sizes = {name: resident_bytes(stage.fleet.pid(name)) for name in stage.fleet.names}
    stage.remark(f"largest process {max(sizes.values(), default=0) // 2**20} MB")
    fat = [f"{name} has {size // 2**20} MB" for name, size in sizes.items() if size > RSS_LIMIT]
    open_ = stage.database.rows("""
        SELECT application_name, state, left(query, 80) AS query FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
          AND state_change < clock_timestamp() - interval '2 seconds'
    """)
    dead = [f"{name} has ended" for name in stage.fleet.dead()]
    return [
        *report("I: memory", fat),
        *report("I: a connection in a transaction", [dict(row) for row in open_]),
        *report("I: a process that ended", dead),
    ]


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory; 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
