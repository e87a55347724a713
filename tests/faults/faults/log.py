"""The log itself is injured: cut off, moved under the readers, filled with rubbish, repeats and late events."""

import json
import re
from datetime import UTC, datetime
from uuid import uuid4

from shared.contracts.identity import account_id_of
from tests.faults.fault import Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import Evidence
from tests.faults.raw_kafka import RawKafka
from tests.faults.stage import Stage
from tests.faults.tampering import witness

_GAPS = re.compile(r"^bailiwick_consumer_gaps_total\{.*\} [1-9]", re.MULTILINE)
READERS = ("metrics.consumer", "metrics.consumer.2")
FACTS, FACTS_READER = "sales.facts.v1", "metrics.facts"
PLANS = "assignment.plan.events.v1"
ACCOUNT = "assignment.account.registered.v1"


def raw_kafka(stage: Stage) -> RawKafka:
    """Return a way to handle the deployment's topics by hand."""
    return RawKafka(stage.engines.kafka.bootstrap_servers, stage.fleet.topic_prefix)


def truncate(stage: Stage) -> None:
    """Cut off records that were not read yet; the reader has to stop there and say so, not to skip them."""
    for name in READERS:
        stage.fleet.terminate(name)
    partition, end = _post_unread_facts(stage)
    before = stage.applied_to(FACTS_READER, FACTS).get(partition, 0)
    raw_kafka(stage).truncate(FACTS, partition, before=end - 1)
    for name in READERS:
        stage.fleet.launch(name)
    where = f"{FACTS}[{partition}]"
    stage.wait(
        lambda: None if _says_stopped(stage, where) else f"nobody says that {where} stopped", what="an alarm"
    )
    after = stage.applied_to(FACTS_READER, FACTS).get(partition, 0)
    stage.require(
        that=after == before, otherwise=f"{where} was at {before}, and went on to {after} in silence"
    )
    stage.remark(f"stopped at {before}, the log begins at {end - 1}")
    _accept_loss(stage, partition, end - 1)


def _post_unread_facts(stage: Stage) -> tuple[int, int]:
    """Post facts until a partition holds at least three records that nobody read; return it and its end."""
    metrics = stage.fleet.api("metrics", role="admin")
    while True:
        now = datetime.now(UTC).isoformat()
        spend = {
            "source": "faults",
            "kind": "spend",
            "external_id": f"S-{uuid4()}",
            "revision": 1,
            "created_at": now,
            "occurred_at": now,
            "amount": "1.00",
            "currency": "USD",
            "channel": "search",
        }
        answer = metrics.post("/v1/facts", {"facts": [spend]}, key=str(uuid4())).body
        assert answer["items"][0]["status"] == "accepted", answer
        applied = stage.applied_to(FACTS_READER, FACTS)
        for partition, end in stage.log.ends(FACTS).items():
            if end - applied.get(partition, 0) >= 3:
                return partition, end


def _says_stopped(stage: Stage, where: str) -> bool:
    """Tell whether a reader's readiness names the partition, and its metric says so too."""
    for name in READERS:
        status, words = stage.fleet.ask(name, "/health/ready")
        if status == 503 and where in words and "gone" in words:
            metrics = stage.fleet.ask(name, "/metrics")[1]
            return any(
                line.startswith("bailiwick_consumer_stopped")
                and f'topic="{FACTS}"' in line
                and line.endswith(" 1.0")
                for line in metrics.splitlines()
            )
    return False


def _accept_loss(stage: Stage, partition: int, start: int) -> None:
    """Do what an operator does who has to live with the loss: have it told, go on without, start anew."""
    listed = stage.fleet.command("events", "partition", "list", "--json")
    [row] = [json.loads(line) for line in listed.stdout.splitlines()]
    stage.require(
        that=listed.returncode == 3
        and (row["topic"], row["partition"], row["resumes_at"]) == (FACTS, partition, start),
        otherwise=f"partition list: {listed.stdout}{listed.stderr[-300:]}",
    )
    done = stage.fleet.command("events", "partition", "resume", FACTS_READER, FACTS, str(partition))
    stage.require(that=done.returncode == 0, otherwise=f"partition resume: {done.stderr[-300:]}")
    stage.remark(f"{row['lost']} records given up")
    for name in READERS:
        stage.fleet.terminate(name)
    stage.fleet.start(*READERS)


def move_positions(stage: Stage) -> None:
    """Delete the group's positions, set them to the end, set them to the beginning: Postgres knows better."""
    kafka = raw_kafka(stage)
    for number, positions in enumerate((None, stage.log.ends(witness.TOPIC), dict.fromkeys(range(8), 0))):
        for name in READERS:
            stage.fleet.terminate(name)
        stage.hold(2)
        if positions is None:
            kafka.delete_group(witness.CONSUMER)
        else:
            ends = stage.log.ends(witness.TOPIC)
            kafka.move_group(witness.CONSUMER, witness.TOPIC, ends if number == 1 else positions)
        stage.fleet.start(*READERS)
        stage.wait_until_through()


def spoil(stage: Stage) -> None:
    """Send what nobody can read: bad JSON, a wrong shape, no key, no version, too much."""
    kafka = raw_kafka(stage)
    good = {"plan_id": str(uuid4()), "based_on_plan_id": None, "drafted_at": datetime.now(UTC).isoformat()}
    kind = "assignment.plan.activated.v1"
    sent = {
        "bad JSON": kafka.produce(
            PLANS, b'{"plan_id": ', key=b"bad-json", headers=_headers("bad-json", 1, kind)
        ),
        "wrong shape": kafka.produce(
            PLANS, b'{"plan_id": 7}', key=b"shape", headers=_headers("shape", 1, kind)
        ),
        "no key": kafka.produce(
            PLANS, json.dumps(good).encode(), key=None, headers=_headers("none", 1, kind)
        ),
        "no version": kafka.produce(PLANS, b"{}", key=b"no-version", headers={"ce_id": "x"}),
    }
    stage.require(that=not any(sent.values()), otherwise=f"not sent: {sent}")
    too_much = kafka.produce(PLANS, b"x" * 2 * 2**20, key=b"much", headers=_headers("much", 1, kind))
    stage.require(that=too_much is not None, otherwise="the broker took 2 MiB, beyond the limit of a topic")
    large = kafka.produce(PLANS, b"x" * 1_000_000, key=b"large", headers=_headers("large", 1, kind))
    expected = len(sent) + (large is None)
    letters = f"{PLANS}.{witness.CONSUMER}.dlq"
    stage.wait(
        lambda: None if sum(stage.log.ends(letters).values()) >= expected else "letters missing",
        what="dead letters",
    )
    _look_at_letters(stage, letters, expected)
    applied, ends = stage.applied_to(witness.CONSUMER, PLANS), stage.log.ends(PLANS)
    stage.require(
        that=all(applied.get(partition, 0) == end for partition, end in ends.items() if end),
        otherwise=f"the partition does not move on: {applied} of {ends}",
    )
    for row in stage.database.rows("SELECT aggregateid FROM metrics.parked_keys"):
        done = stage.fleet.command("events", "dlq", "discard", witness.CONSUMER, PLANS, row["aggregateid"])
        stage.require(that=done.returncode == 0, otherwise=f"discard: {done.stderr[-300:]}")


def _look_at_letters(stage: Stage, topic: str, expected: int) -> None:
    letters = stage.log.read(topic)
    stage.remark(f"{len(letters)} dead letters")
    stage.require(that=len(letters) == expected, otherwise=f"{len(letters)} dead letters of {expected}")
    for letter in letters:
        told = {name for name in letter.headers if name.startswith("__connect.errors.")}
        stage.require(
            that={"__connect.errors.topic", "__connect.errors.offset", "__connect.errors.stage"} <= told
            and letter.header("__connect.errors.topic").endswith(PLANS),
            otherwise=f"a dead letter tells only {sorted(told)}",
        )
    values = {letter.value for letter in letters}
    stage.require(that=b'{"plan_id": ' in values, otherwise="a dead letter lost its original bytes")


def _headers(key: str, version: int, kind: str) -> dict[str, str | bytes]:
    return {
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_id": f"injected-{key}-{version}",
        "ce_source": "/injected",
        "ce_type": kind,
        "ce_subject": key,
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_aggregateversion": str(version),
    }


def fail_on_one_key(stage: Stage) -> None:
    """Deploy a bug that refuses one busy account; its events wait, the others flow, a replay heals it."""
    key = str(account_id_of("K-1"))
    stage.fleet.arm("failing-handler", key)
    parked = "SELECT count(*) FROM metrics.parked_keys WHERE aggregateid = $1 AND reason = 'failed'"
    stage.wait(lambda: None if stage.database.value(parked, key) else "not parked", what="a parked key")
    stage.hold(5)
    others = stage.database.value("SELECT count(*) FROM metrics.parked_keys")
    stage.require(that=others == 1, otherwise=f"{others} keys are parked, not one")
    flowing = stage.wait_until_through()
    waiting = stage.database.value("SELECT count(*) FROM metrics.parked_records")
    stage.require_hurt(that=waiting > 0, otherwise="no record of the key waited")
    stage.remark(f"{waiting} records waited, the others were through in {flowing:.1f} s")
    stage.fleet.disarm("failing-handler")
    done = stage.fleet.command("events", "dlq", "replay", witness.CONSUMER, witness.TOPIC, key)
    stage.require(that=done.returncode == 0, otherwise=f"replay: {done.stderr[-300:]}")


def repeat_and_reorder(stage: Stage) -> None:
    """Send old records again, and a new account's third event before its second."""
    kafka = raw_kafka(stage)
    for old in stage.log.read(witness.TOPIC)[:200]:
        kafka.produce(
            witness.TOPIC, old.value, key=old.key, headers=list(old.headers.items()), partition=old.partition
        )
    key = str(account_id_of("injected"))
    _tell_of_account(kafka, key, 1)
    _tell_of_account(kafka, key, 3)
    parked = "SELECT count(*) FROM metrics.parked_keys WHERE aggregateid = $1 AND reason = 'gap'"
    stage.wait(lambda: None if stage.database.value(parked, key) else "not parked", what="a parked key")
    gaps = [stage.fleet.ask(name, "/metrics")[1] for name in READERS]
    stage.require(
        that=any(_GAPS.search(told) for told in gaps),
        otherwise="no reader counts the gap",
    )
    _tell_of_account(kafka, key, 2)
    stage.wait(
        lambda: "still parked" if stage.database.value(parked, key) else None, what="the key's healing"
    )


def _tell_of_account(kafka: RawKafka, key: str, version: int) -> None:
    event = {
        "account_id": key,
        "external_id": "injected",
        "postal_code": None,
        "county": None,
        "state": None,
        "industry": None,
        "employees": None,
    }
    kafka.produce(
        witness.TOPIC, json.dumps(event).encode(), key=key.encode(), headers=_headers(key, version, ACCOUNT)
    )


def absorbed(stage: Stage, evidence: Evidence) -> None:
    """The repeats have to lie in the log, else nothing was absorbed."""
    stage.require_hurt(that=evidence.repeats >= 200, otherwise=f"only {evidence.repeats} repeats in the log")


def _buggy(fleet: Fleet) -> None:
    fleet.tamper("metrics.consumer", "failing-handler")


FAULTS = {
    "F24": Fault("records that nobody can read", spoil),
    "F25": Fault("a handler's bug for one key, then a replay", fail_on_one_key, prepare=_buggy),
    "F26": Fault(
        "old records sent again, a late event",
        repeat_and_reorder,
        check=absorbed,
        exempt=("inverted in log",),
    ),
    "F27": Fault("log truncated beyond what was read", truncate),
    "F28": Fault("a group's positions deleted, at the end, stale", move_positions),
}
