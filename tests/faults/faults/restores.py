"""A publisher's database comes back from a backup: it numbers its events below what it has told before."""

import json
import re

from deploy.local.postgres_binaries import find_postgres
from tests.faults.fault import Fault
from tests.faults.faults.storage import run_program
from tests.faults.invariants import Evidence
from tests.faults.load import COUNTIES, name_of
from tests.faults.stage import Stage
from tests.faults.tampering import witness

APIS = ("assignment.api", "assignment.api.2")
RELAYS = ("assignment.relay", "assignment.relay.2")
READERS = ("metrics.consumer", "metrics.consumer.2")
_DIVERGED = re.compile(r"^bailiwick_consumer_diverged_total\{.*\} [1-9]", re.MULTILINE)
_DIFFERENCE = 3


def restore_publisher(stage: Stage) -> None:
    """Put assignment's schema back to 20 s ago and let it go on; when readers have told, do what operating.md says."""
    url, backup = stage.fleet.database_url(), stage.fleet.folder / "assignment.dump"
    stage.mark("backup")
    run_program(
        find_postgres().path("pg_dump"), "--format=custom", "--schema=assignment", f"--file={backup}", url
    )
    stage.hold(20)
    for name in (*APIS, *RELAYS):
        stage.fleet.terminate(name)
    stage.mark("stopped")
    stage.database.run("DROP SCHEMA assignment CASCADE")
    run_program(find_postgres().path("pg_restore"), f"--dbname={url}", str(backup))
    # As somebody does who has not read the page: events are told under numbers that readers know.
    stage.fleet.start(*APIS, *RELAYS)
    stage.hold(8)
    _require_reported(stage)
    _follow_the_page(stage)


def _require_reported(stage: Stage) -> None:
    told = "SELECT count(*) FROM metrics.parked_keys WHERE reason = 'diverged'"
    stage.wait(lambda: None if stage.database.value(told) else "no key diverged", what="a diverged key")
    metrics = [stage.fleet.ask(name, "/metrics")[1] for name in READERS]
    stage.require(
        that=any(_DIVERGED.search(each) for each in metrics), otherwise="no reader counts diverged keys"
    )
    logs = [stage.fleet.log_of(name) for name in READERS]
    stage.require(
        that=any("key parked" in each and "diverged" in each for each in logs), otherwise="no log tells of it"
    )
    lag = _lines(stage.fleet.command("events", "lag", "--json").stdout)
    shown = sum(row.get("diverged_keys", 0) for row in lag)
    stage.require(that=shown > 0, otherwise="`events lag` shows no diverged key")
    stage.remark(f"{shown} keys diverged")


def _follow_the_page(stage: Stage) -> None:
    """Stop what writes, raise the numbers, start again, settle the readers, change back what only they know."""
    for name in APIS:
        stage.fleet.terminate(name)
    empty = "SELECT count(*) FROM assignment.outbox"
    stage.wait(lambda: "rows wait" if stage.database.value(empty) else None, what="the outbox")
    compared = stage.fleet.command("events", "versions", "compare", "--json", service="assignment")
    stage.require(
        that=compared.returncode == _DIFFERENCE, otherwise=f"compare: {compared.stdout}{compared.stderr}"
    )
    rehearsed, raised = (
        _lines(
            stage.fleet.command("events", "versions", "raise", *more, "--json", service="assignment").stdout
        )
        for more in (("--dry-run",), ("--as", "jane"))
    )
    stage.require(that=rehearsed[0]["dry_run"] and not raised[0]["dry_run"], otherwise="raise: no rehearsal")
    stage.remark(f"{raised[0]['keys']} keys raised, {raised[0]['told_anew']} events told anew")
    stage.wait(lambda: "rows wait" if stage.database.value(empty) else None, what="the outbox")
    again = stage.fleet.command("events", "versions", "compare", service="assignment")
    stage.require(that=again.returncode == 0, otherwise=f"compare, after it was raised: {again.stdout}")
    stage.fleet.start(*APIS)
    stage.wait(lambda: _settle(stage), what="settled keys")
    listed = [row for row in _lines(compared.stdout) if row["topic"] == witness.TOPIC]
    _change_and_change_back(stage, [str(row["key"]) for row in listed])


def _settle(stage: Stage) -> str | None:
    """Settle what was told anew; what readers have not read yet is left for the next time."""
    done = stage.fleet.command("events", "dlq", "settle", witness.CONSUMER, witness.TOPIC, "--json")
    return None if done.returncode == 0 else f"settle: {done.stdout}{done.stderr[-300:]}"


def _change_and_change_back(stage: Stage, forgotten: list[str]) -> None:
    """Tell readers the last word of accounts of which they know more than the backup had."""
    rows = stage.database.rows(
        "SELECT external_id, name, county, employees FROM assignment.accounts WHERE account_id::text = ANY ($1)",
        forgotten,
    )
    truth = [dict(row) for row in rows]
    others = [
        {**row, "county": COUNTIES[(COUNTIES.index(row["county"]) + 1) % len(COUNTIES)]} for row in truth
    ]
    for told in (others, truth):
        stage.fleet.api("assignment", role="admin").upload("/v1/accounts/imports", told)


def _lines(answer: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.splitlines()]


def agree(stage: Stage, evidence: Evidence) -> None:
    """Nothing is dropped in silence, only what the backup had not is lost, publisher and reader end alike."""
    _require_told_anew(stage, evidence)
    rows = stage.database.rows("SELECT idempotency_key AS name FROM assignment.audit_entries")
    stored = {row["name"] for row in rows}
    lost = [
        command.number
        for command in stage.load.commands.values()
        if command.acknowledged is not None
        and name_of(stage.seed, command.number) not in stored
        and not (stage.marks["backup"] <= command.acknowledged and command.invoked <= stage.marks["stopped"])
    ]
    stage.require(that=not lost, otherwise=f"commands {lost[:5]} are lost that the backup should have")
    differing = stage.database.rows("""
        SELECT a.external_id, p.territory_id::text AS publisher, r.territory_id::text AS reader
        FROM assignment.accounts a
        LEFT JOIN assignment.alignments p ON p.account_id = a.account_id AND p.valid @> now()
        LEFT JOIN metrics.accounts r ON r.account_id = a.account_id
        WHERE p.territory_id IS DISTINCT FROM r.territory_id
    """)
    stage.require(
        that=not differing, otherwise=f"{len(differing)} accounts differ, as {dict((differing or [{}])[0])}"
    )


def _require_told_anew(stage: Stage, evidence: Evidence) -> None:
    applied = {effect.event_id for effect in evidence.applied}
    digests = {record.event_id: record.digest for record in evidence.records}
    copies = {raw.header("ce_retells"): raw.header("ce_id") for raw in evidence.raws}
    unseen = [record.event_id for record in evidence.records if record.event_id not in applied]
    silent = [
        event
        for event in unseen
        if copies.get(event) not in applied or digests[event] != digests[copies[event]]
    ]
    stage.require(that=not silent, otherwise=f"{len(silent)} events were dropped in silence, as {silent[:1]}")
    stage.require_hurt(that=bool(unseen), otherwise="no event diverged")


FAULTS = {
    "F29b": Fault(
        "assignment restored to 20 s ago, its numbers raised then",
        restore_publisher,
        check=agree,
        exempt=(
            "lost from the database",
            "stale read",
            "inverted in log",
            "unseen",
            "F: another answer",
        ),
    )
}
