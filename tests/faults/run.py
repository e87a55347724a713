"""One fault, from a fresh deployment to a verdict."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from deploy.demo.failing import DemoFailed
from deploy.local.trouble import Trouble
from tests.faults.checks import Finding
from tests.faults.fault import Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import gather, judge
from tests.faults.report import FaultResult
from tests.faults.stage import Engines, Stage, set_up

# The plan wants everything through so long after the healing; later is told, and red only if it never comes.
RECOVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """How much load, for how long, and where histories and logs are kept: when a verdict is not ok, or always.

    `mutate` breaks the product on top of what the fault breaks.
    """

    seed: int
    rate: float
    seconds: float
    histories: Path
    keep: bool = False
    mutate: Callable[[Fleet], None] = lambda _: None


def run_fault(name: str, fault: Fault, engines: Engines, options: Options) -> FaultResult:
    """Run one, whatever comes of it: a deployment that does not even start is a verdict too."""
    try:
        return _run(name, fault, engines, options)
    except (DemoFailed, Trouble, KafkaException, OSError) as failure:
        return FaultResult(name, fault.title, 0, 0, 0, 0, -1.0, f"did not start: {failure}")


def _run(name: str, fault: Fault, engines: Engines, options: Options) -> FaultResult:
    """Found, load, break, mend, wait until quiet, judge. What never came is a verdict too."""

    def prepare(fleet: Fleet) -> None:
        fault.prepare(fleet)
        options.mutate(fleet)

    with set_up(
        engines, rate=options.rate, seed=options.seed, processes=fault.processes, prepare=prepare
    ) as stage:
        stage.load.start()
        recovery, repeats = -1.0, 0
        try:
            recovery = _break_and_heal(fault, stage, options)
            stage.load.finish()
            stage.quiesce()
            evidence = gather(stage)
            repeats = evidence.repeats
            stage.findings.extend(judge(stage, options.seed, evidence))
            fault.check(stage, evidence)
        except (DemoFailed, Trouble, KafkaException) as failure:
            stage.findings.append(Finding("never came", 1, str(failure) or type(failure).__name__))
            stage.load.finish()
        return _result(name, fault, stage, recovery, repeats, options)


def _break_and_heal(fault: Fault, stage: Stage, options: Options) -> float:
    time.sleep(options.seconds / 4)
    fault.act(stage)
    stage.heal()
    recovery = stage.wait_until_through()
    late = "late: " if recovery > RECOVERY_SECONDS else ""
    stage.remark(f"{late}outbox through after {stage.sent_after:.1f} s, lag after {recovery:.1f} s")
    time.sleep(max(0.0, options.seconds * 5 / 12 - recovery))
    return recovery


def _result(
    name: str, fault: Fault, stage: Stage, recovery: float, repeats: int, options: Options
) -> FaultResult:
    wrong = [f for f in stage.findings if not f.kind.startswith(fault.exempt or ("\0",))]
    if wrong or options.keep:
        kept = options.histories / f"{name}-{options.seed}"
        shutil.copytree(
            stage.fleet.folder, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("issuer", "tampering")
        )
        stage.load.history.write(kept / "history.jsonl")
        stage.remark(f"history and logs in {kept.name}")
    load = stage.load
    return FaultResult(
        fault=name,
        title=fault.title,
        ops=load.tally.requests,
        acked=len(load.acknowledged),
        unknown=load.tally.unknown,
        duplicates_absorbed=repeats + load.tally.replayed,
        recovery_seconds=round(recovery, 1),
        verdict="; ".join(map(str, wrong)) or "ok",
        remarks=[f"{repeats} repeats in the log", *stage.remarks],
    )
