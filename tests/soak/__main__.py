"""python -m tests.soak [--minutes 60]: mixed load on all processes, a look every ten seconds, a verdict and a plot.

Samples go to `.local/soak/samples.jsonl` as they are taken, the summary to `.local/soak/summary.json`.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.demo.failing import DemoFailed
from deploy.local.paths import LOCAL
from deploy.local.service_processes import SERVICE_ROLES
from tests.faults.checks import Finding, report
from tests.faults.invariants import gather, judge
from tests.faults.stage import Stage, set_up, start_engines
from tests.faults.tables import find_ended
from tests.soak.flatness import find_growth, trend
from tests.soak.pace import find_shortfall
from tests.soak.sampling import Sample, look
from tests.soak.traffic import FACTS_PER_BATCH, FROM, Traffic

PROCESSES = (
    *(f"{service}.{role}" for service, roles in SERVICE_ROLES.items() for role in roles),
    *("assignment.api.2", "assignment.relay.2", "metrics.consumer.2"),
)
EVERY = 10.0
FOLDER = Path(LOCAL) / "soak"


@dataclass(frozen=True, slots=True)
class Rates:
    """What is asked for in a second."""

    commands: float
    facts: float
    reads: float
    notes: float

    def by_name(self) -> dict[str, float]:
        """Return how often a thing is to be done in a second; facts go in batches."""
        return {**asdict(self), "facts": self.facts / FACTS_PER_BATCH}


def main() -> int:
    """Run for as long as asked; status 1 unless everything stayed flat and nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=float, default=15.0, help="account imports and reads per second")
    parser.add_argument("--facts", type=float, default=100.0, help="facts per second, in batches")
    parser.add_argument("--reads", type=float, default=2.0, help="figures asked per second")
    parser.add_argument("--notes", type=float, default=2.0, help="notes written per second")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    rates = Rates(asked.commands, asked.facts, asked.reads, asked.notes)
    with (
        start_engines() as engines,
        set_up(engines, rate=rates.commands, seed=asked.seed, processes=PROCESSES) as stage,
    ):
        return soak(stage, minutes=asked.minutes, rates=rates)


def soak(stage: Stage, *, minutes: float, rates: Rates) -> int:
    """Load, look, come to rest, judge; print what was found."""
    traffic = Traffic(
        stage.fleet, seed=stage.seed, facts_rate=rates.facts, reads_rate=rates.reads, notes_rate=rates.notes
    )
    print(f"{minutes:g} minutes, {len(stage.fleet.names)} processes, {rates}", flush=True)
    samples: list[Sample] = []
    findings, seconds, sent = _load(stage, traffic, samples, seconds=minutes * 60)
    quiet, late = _judge(stage, traffic)
    findings += [
        *late,
        *report("traffic", traffic.heard.wrong),
        *report("traffic fell silent", traffic.heard.silent),
        *report("load", [repr(failure) for failure in stage.load.failures]),
        *report("not sent", find_shortfall(rates.by_name(), sent, seconds=seconds)),
        *report("not flat", growth(samples)),
        *report("a session in a transaction", [s.at for s in samples if s.idle_in_transaction]),
    ]
    _publish(stage, traffic, samples, findings, quiet=quiet)
    return int(bool(findings))


def _load(
    stage: Stage, traffic: Traffic, samples: list[Sample], *, seconds: float
) -> tuple[list[Finding], float, dict[str, int]]:
    """Load and look; return what broke that off, how long it took, and how often each thing was done meanwhile."""
    findings: list[Finding] = []
    began = time.monotonic()
    stage.load.start()
    traffic.start()
    try:
        _watch(stage, traffic, samples, seconds=seconds)
    except Exception as failure:  # noqa: BLE001 - what was sampled so far is judged and published all the same
        findings += report("looking broke off", [repr(failure)])
    took = time.monotonic() - began
    sent = {**traffic.heard.acts, "commands": stage.load.turns}
    traffic.finish()
    stage.load.finish()
    return findings, took, sent


def _judge(stage: Stage, traffic: Traffic) -> tuple[float, list[Finding]]:
    """Come to rest, and return after how many seconds, -1 for never, and what the invariants find."""
    try:
        quiet = stage.quiesce()
        counted = stage.wait(
            lambda: _missing_facts(stage, traffic), what="every fact is counted", seconds=180
        )
        return max(quiet, counted), judge(stage, stage.seed, gather(stage))
    except Exception as failure:  # noqa: BLE001 - a finding beside the others
        ended = find_ended(stage.fleet.ended_by_themselves())
        return -1.0, [*report("never came", [repr(failure)]), *ended]


def growth(samples: list[Sample]) -> list[str]:
    """Return what did not stay flat."""
    if not samples:
        return ["nothing was sampled"]
    names = samples[0].memory
    return find_growth(
        [sample.at for sample in samples],
        memory={name: [sample.memory[name] for sample in samples] for name in names},
        files={name: [float(sample.files[name]) for sample in samples] for name in names},
        sessions=[float(sum(sample.sessions.values())) for sample in samples],
        lag=[float(sample.lag) for sample in samples],
        outbox_age=[sample.outbox_age for sample in samples],
    )


def _watch(stage: Stage, traffic: Traffic, samples: list[Sample], *, seconds: float) -> None:
    began, told = time.monotonic(), 0
    with (FOLDER / "samples.jsonl").open("w") as file:
        while (at := time.monotonic() - began) < seconds:
            answers = stage.load.tally.seconds
            times = [*answers[told:], *traffic.heard.take_seconds()]
            told = len(answers)
            sample = look(stage, at=at, seconds=times, facts=len(traffic.heard.orders))
            samples.append(sample)
            file.write(json.dumps(sample.told()) + "\n")
            file.flush()
            if len(samples) % 30 == 1:
                _say(sample)
            time.sleep(max(0.0, EVERY - (time.monotonic() - began - at)))


def _say(sample: Sample) -> None:
    print(
        f"{sample.at / 60:5.1f} min  {sum(sample.memory.values()):,.0f} MB in {len(sample.memory)} processes, "
        f"{sum(sample.sessions.values())} sessions, outbox {sample.outbox_rows} rows {sample.outbox_age:.1f} s, "
        f"lag {sample.lag}, p50 {sample.p50_ms:.0f} ms, p99 {sample.p99_ms:.0f} ms",
        flush=True,
    )


def _missing_facts(stage: Stage, traffic: Traffic) -> str | None:
    """Return how the year of the traffic differs from what was acknowledged, to the cent."""
    orders = traffic.heard.orders
    window = {"view": "as_is", "from": FROM.date(), "to": FROM.date().replace(year=FROM.year + 1)}
    try:
        totals = stage.fleet.api("metrics", role="admin").get("/v1/figures", **window).body["totals"]
    except DemoFailed as failure:
        return str(failure)
    count = sum(row["orders"] for row in totals)
    cents = sum(round(float(row["revenue"]) * 100) for row in totals)
    wanted = sum(int(amount * 100) for amount in orders.values())
    return (
        None
        if (count, cents) == (len(orders), wanted)
        else f"{count} of {len(orders)} orders, {cents} of {wanted} cents"
    )


def _publish(
    stage: Stage, traffic: Traffic, samples: list[Sample], findings: list[Finding], *, quiet: float
) -> None:
    at = [sample.at for sample in samples]
    names = samples[0].memory if samples else {}
    memory = {name: trend(at, [sample.memory[name] for sample in samples]) for name in names}
    summary = {
        "minutes": round(max(at, default=0.0) / 60, 1),
        "acknowledged": len(stage.load.acknowledged),
        "facts": len(traffic.heard.orders),
        "notes": traffic.heard.notes,
        "answers": dict(traffic.heard.answers),
        "statuses": {str(status): count for status, count in stage.load.tally.statuses.items()},
        "quiet_after_seconds": round(quiet, 1),
        "memory_mb": {
            name: {"early": seen.early, "late": seen.late, "per_hour": round(seen.per_hour, 1)}
            for name, seen in memory.items()
        },
        "findings": [str(finding) for finding in findings],
    }
    (FOLDER / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    sys.exit(main())
