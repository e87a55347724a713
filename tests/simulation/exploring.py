"""Running schedules: one by bytes, or as many as one likes from a seed."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.faults.checks import Finding
from tests.simulation.judging import judge
from tests.simulation.mutants import Mutant
from tests.simulation.restored import find_not_held, find_not_told_anew
from tests.simulation.safeguards import ALL, Safeguards
from tests.simulation.world import HEADER, World

SHORTEST, LONGEST = 20, 120
DRAWN = st.binary(min_size=HEADER + LONGEST - SHORTEST, max_size=HEADER + LONGEST)
"""Schedules as Hypothesis draws them; long ones, for it prefers the short ones of a range."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a schedule came to."""

    schedule: bytes
    findings: list[Finding]
    world: World

    def __str__(self) -> str:
        found = "; ".join(map(str, self.findings)) or "in order"
        return f"{found}\n  run_schedule(bytes.fromhex({self.schedule.hex()!r}))"


def run_schedule(schedule: bytes, safeguards: Safeguards = ALL) -> Run:
    """Run a schedule, heal, and judge. A byte says who does what next; the first two, which troubles there are."""
    world = World(int.from_bytes(schedule[:HEADER], "little"), safeguards)
    for byte in schedule[HEADER:]:
        world.step(byte)
    world.heal()
    held = find_not_held(world) if world.restored else []
    if world.restored:
        world.remedy()
    told = find_not_told_anew(world) if world.restored else []
    return Run(schedule, [*held, *told, *judge(world)], world)


def explore(schedules: int, *, seed: int, safeguards: Safeguards = ALL) -> Iterator[Run]:
    """Run so many schedules, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(schedules):
        yield run_schedule(chance.randbytes(chance.randint(SHORTEST, LONGEST) + HEADER), safeguards)


def schedules_until_found(mutant: Mutant, *, seed: int, within: int = 20_000) -> tuple[int, Run] | None:
    """Return how many schedules it takes to see that the safeguard is gone, and the run that shows it."""
    with mutant.armed() as safeguards:
        for number, run in enumerate(explore(within, seed=seed, safeguards=safeguards), 1):
            if mutant.shows & {finding.kind for finding in run.findings}:
                return number, run
    return None


@dataclass(slots=True)
class Tally:
    """What many schedules held, so that one sees they held anything."""

    schedules: int = 0
    steps: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, run: Run) -> None:
        """Count a run in."""
        world = run.world
        copies = Counter(told.event_id for _, _, told in world.log.history)
        self.schedules += 1
        self.steps += world.steps
        self.seen.update(
            {
                "commands": len(world.producing.acknowledged),
                "records": len(world.log.history),
                "effects": len(world.reading.effects),
                "repeats": len(world.log.history) - len(copies),
                "disordered logs": world.log.strayed,
                "truncated logs": any(world.log.begins.values()),
                "stopped partitions": any(reading.stopped for reading in world.group.readings),
                "parked keys": bool(world.reading.parked_keys),
                "restored publishers": world.restored,
                "events told anew": len({told.event_id for _, _, told in world.log.history if told.retells}),
                "partitions read by two": world.group.shared,
            }
        )
