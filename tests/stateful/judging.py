"""What has to hold when everything is quiet: invariants A to F and J, against the model and the log.

A and F: an acknowledged command is in the audit once and its events in the log; B: nothing else is. C: every event had
its effect once. D: versions dense and rising. E: no overlap. J: projections and figures are what the log makes them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from shared.contracts import assignment, sales
from shared.contracts.identity import account_id_of
from tests.faults.checks import (
    Applied,
    Finding,
    Period,
    find_divergent,
    find_duplicated,
    find_gaps,
    find_inverted,
    find_overlapping,
    find_unseen,
    report,
)
from tests.stateful.differences import differ
from tests.stateful.figures import judge_projections
from tests.stateful.model import ORDERLY, Model
from tests.stateful.stage import Stage
from tests.stateful.telling import find_unexplained_repeats, find_untold, find_untold_facts

# Operators have no keys.
_AUDITED = "SELECT idempotency_key FROM audit_entries WHERE idempotency_key IS NOT NULL"
WITNESSED = {
    contract.TYPE
    for contract in (
        assignment.AccountAligned,
        assignment.AccountRegistered,
        assignment.AccountChanged,
        assignment.PlanActivated,
        assignment.TreePublished,
        assignment.CoverageStarted,
        assignment.CoverageEnded,
        sales.FactsRecorded,
    )
}


async def judge_state(stage: Stage, model: Model) -> list[Finding]:
    """Return how assignment's tables differ from the model. Holds after every command."""
    return [*await _commands(stage, model), *await _state(stage, model)]


async def judge(stage: Stage, model: Model, repeatable: Iterable[str]) -> list[Finding]:
    """Return everything that must not be, when outboxes are empty and all is read."""
    reads = await stage.installation.log.read()
    records = [read.record() for read in reads if read.topic in {*ORDERLY, sales.FACTS}]
    seen = [read.record() for read in reads if read.wire_type in WITNESSED]
    applied = [
        Applied(*row)
        for row in await stage.rows(
            "metrics",
            "SELECT topic, partition, record_offset, topic || ' ' || key, version, "
            "CASE topic WHEN 'sales.facts.v1' THEN partition || ':' || record_offset ELSE event_id END, digest FROM witness_effects ORDER BY seq",
        )
    ]
    return [
        *await judge_state(stage, model),
        *find_untold(reads, model),
        *find_untold_facts(reads, model),
        *find_unexplained_repeats(reads, Counter(repeatable)),
        *find_divergent(records, applied),
        *find_inverted(records, where="log"),
        *find_gaps(records, where="log"),
        *find_duplicated(applied),
        *find_unseen(seen, applied),
        *find_inverted(applied, where="effects"),
        *await _tally(stage),
        *await judge_projections(stage, model, reads),
    ]


async def _commands(stage: Stage, model: Model) -> list[Finding]:
    """A, B and F: every command that was done is in the audit and under its key once, and no other is."""
    found = []
    for service, done in model.done.items():
        audited = Counter(key for (key,) in await stage.rows(service, _AUDITED))
        kept = {key for (key,) in await stage.rows(service, "SELECT key FROM idempotency_keys")}
        found += [
            *report(f"A: not in the audit of {service}", sorted(done - audited.keys())),
            *report(f"B: refused and in the audit of {service}", sorted(map(str, audited.keys() - done))),
            *report("F: one key, several effects", [k for k, times in audited.items() if times > 1]),
            *report("F: keys kept", sorted(done ^ kept)),
        ]
    return found


async def _state(stage: Stage, model: Model) -> list[Finding]:
    accounts = await stage.rows("assignment", "SELECT external_id, county, employees FROM accounts")
    aligned = await stage.rows("assignment", "SELECT account_id, territory_id FROM open_alignments")
    plans = await stage.rows("assignment", "SELECT plan_id, version, state FROM plans")
    coverages = await stage.rows(
        "assignment", "SELECT coverage_id, territory_id, rep_id, lower(valid), upper(valid) FROM coverages"
    )
    live = await stage.rows("assignment", "SELECT plan_id, sequence FROM live_plan")
    periods = await stage.rows(
        "assignment", "SELECT account_id::text, lower(valid), upper(valid) FROM alignments"
    )
    expected = [(name, one.county, one.employees) for name, one in model.accounts.items()]
    places = [(account_id_of(name), one.territory_id) for name, one in model.accounts.items() if model.live]
    covered = [(key, *asdict(one).values()) for key, one in model.coverages.items()]
    return [
        *differ("accounts", accounts, expected),
        *differ("alignments", aligned, places),
        *differ("plans", plans, [(key, one.version, one.state) for key, one in model.plans.items()]),
        *differ("coverages", coverages, covered),
        *differ(
            "live plan", [row for row in live if row[0]], [(model.live, model.sequence)] if model.live else []
        ),
        *find_overlapping(Period(of, _seconds(begin), end and _seconds(end)) for of, begin, end in periods),
    ]


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


async def _tally(stage: Stage) -> list[Finding]:
    """C: what was added up equals what was listed."""
    rows = await stage.rows(
        "metrics",
        """
        SELECT key, t.events, e.events FROM witness_tally t FULL JOIN (
            SELECT key, count(*) AS events FROM witness_effects GROUP BY key
        ) e USING (key) WHERE t.events IS DISTINCT FROM e.events
        """,
    )
    parked = await stage.rows("metrics", "SELECT consumer, aggregateid, reason FROM parked_keys")
    return [*report("C: tally and list differ", rows), *report("parked", parked)]
