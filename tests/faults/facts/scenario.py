"""Facts are posted in bulk while their consumer and Kafka are killed; the figures are compared to the cent."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.facts.load import BATCH, Load
from tests.faults.facts.stage import Stage, seconds_since
from tests.faults.report import FaultResult

PATIENCE = 180.0

Break = Callable[[Stage], None]


@dataclass(frozen=True)
class Scenario:
    """Breaks, each in the middle of its share of the facts that are posted meanwhile."""

    title: str
    facts: int
    breaks: tuple[Break, ...]


def _kill_consumer(stage: Stage) -> None:
    stage.kill_process("metrics.consumer")


def _kill_kafka(stage: Stage) -> None:
    stage.kill_kafka()


FACTS = 200_000
SCENARIO = Scenario(
    "200,000 facts, consumer killed three times, Kafka once",
    FACTS,
    (_kill_consumer, _kill_consumer, _kill_kafka, _kill_consumer),
)


def run_scenario(stage: Stage, *, facts: int | None = None) -> FaultResult:
    """Post, break, mend, and compare metrics with what was acknowledged, to the cent."""
    scenario = SCENARIO
    size = facts or scenario.facts
    load = Load(
        stage.processes.endpoints().urls["metrics"],
        stage.token(),
        facts=size,
        shares=len(scenario.breaks) + 1,
    )
    load.start()
    try:
        recoveries = [_break(break_, number, stage, load) for number, break_ in enumerate(scenario.breaks)]
    finally:
        load.finish()
    stage.wait_for_figures(load.ledger, seconds=120 + size / 500)
    return FaultResult(
        fault="facts",
        title=scenario.title,
        ops=size,
        acked=load.ledger.acked,
        unknown=load.ledger.unknown,
        duplicates_absorbed=load.ledger.statuses["duplicate"] + BATCH * load.ledger.replayed,
        recovery_seconds=max(recoveries),
        verdict=_verdict(load, stage),
    )


def _break(break_: Break, number: int, stage: Stage, load: Load) -> float:
    """Break something while a share is being posted; return how long until facts were counted again."""
    posted = load.release(number)
    stage.wait_for_records(posted // 2, seconds=PATIENCE)
    before, began = stage.records_read(), time.monotonic()
    break_(stage)
    stage.wait_for_records(min(before + 1, posted), seconds=PATIENCE)
    return seconds_since(began)


def _verdict(load: Load, stage: Stage) -> str:
    if load.ledger.unknown:
        return f"{load.ledger.unknown} facts without an answer"
    if load.ledger.refused():
        return f"answered {dict(load.ledger.statuses)}"
    freshness = stage.metrics.get("/v1/freshness").body
    if freshness["parked_keys"] or freshness["conflicting_facts"]:
        return f"parked {freshness['parked_keys']}, conflicting {freshness['conflicting_facts']}"
    proof = stage.metrics.post("/v1/reconciliations").body
    return "ok" if proof["equal"] else f"{proof['differing']} of {proof['cells']} cells differ"
