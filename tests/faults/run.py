"""One fault, from a fresh deployment to a verdict."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka import KafkaException

from deploy.demo.failing import DemoFailed
from deploy.local.trouble import Trouble
from tests.faults.checks import Finding, report
from tests.faults.fault import Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import gather, judge
from tests.faults.report import FaultResult
from tests.faults.stage import Engines, Stage, set_up
from tests.faults.tables import find_ended

# The plan wants everything through so long after the healing; later is told, and red only if it never comes.
RECOVERY_SECONDS = 30.0
# What is waited for and never comes shows as one of these; anything else is an error nobody thought of.
_FORESEEN = (DemoFailed, Trouble, KafkaException)


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
    """Run one, whatever comes of it: what nobody foresaw, and a deployment that does not start, are verdicts too."""
    results: list[FaultResult] = []

    def prepare(fleet: Fleet) -> None:
        fault.prepare(fleet)
        options.mutate(fleet)

    try:
        with set_up(
            engines, rate=options.rate, seed=options.seed, processes=fault.processes, prepare=prepare
        ) as stage:
            results.append(_run(name, fault, stage, options))
    except Exception as failure:  # noqa: BLE001 - one fault's error must not cost the verdicts of the others
        return spoiled(name, fault.title, failure, *results)
    return results[0]


def spoiled(name: str, title: str, failure: Exception, *results: FaultResult) -> FaultResult:
    """Return the verdict on what could not be set up, or not be taken down once it had its result."""
    for result in results:
        finding = _finding("did not end", failure)
        verdict = str(finding) if result.verdict == "ok" else f"{result.verdict}; {finding}"
        return replace(result, verdict=verdict, kinds=[*result.kinds, finding.kind], broke=True)
    finding = _finding("did not start", failure)
    return FaultResult(name, title, 0, 0, 0, 0, -1.0, str(finding), kinds=[finding.kind], broke=True)


def _run(name: str, fault: Fault, stage: Stage, options: Options) -> FaultResult:
    """Load, break, mend, wait until quiet, judge. What never came is a verdict too."""
    stage.load.start()
    recovery, repeats, broke = -1.0, 0, False
    try:
        recovery = _break_and_heal(fault, stage, options)
        stage.load.finish()
        stage.quiesce()
        evidence = gather(stage)
        repeats = evidence.repeats
        stage.findings.extend(judge(stage, options.seed, evidence))
        fault.check(stage, evidence)
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is this fault's verdict
        broke = True
        kind = "never came" if isinstance(failure, _FORESEEN) else "broke off"
        stage.findings.extend([_finding(kind, failure), *find_ended(stage.fleet.ended_by_themselves())])
        stage.load.finish()
    stage.findings.extend(report("load", [repr(failure) for failure in stage.load.failures]))
    return replace(_result(name, fault, stage, recovery, repeats, options), broke=broke)


def _finding(kind: str, failure: Exception) -> Finding:
    name = type(failure).__name__
    return Finding(kind, 1, str(failure) if isinstance(failure, _FORESEEN) else f"{name}: {failure}")


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
        kinds=[finding.kind for finding in wrong],
        remarks=[f"{repeats} repeats in the log", *stage.remarks],
    )
