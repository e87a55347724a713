"""Schedules that are known to show what random ones hardly ever do, and how they were found.

`python -m tests.simulation.known NAME...` finds them again, for what a byte stands for may change.
Those of `polls-in-one-run` were put together by hand: facts are written and sent; one is being applied and one waits while
the next two are truncated away and a later one is polled.
"""

import random
import sys
from collections.abc import Callable, Mapping

from tests.simulation.exploring import run_schedule
from tests.simulation.mutants import RARE, Mutant, Rare
from tests.simulation.world import HEADER

KNOWN: Mapping[str, tuple[str, ...]] = {
    "zombie-deletes": ("717210460f0846f040eb", "f834141432141432ee32ac", "e93d292929293a3aee38ec"),
    "no-offset-test": (
        "5eb207bd0907074040514f858a85857a7a",
        "7f5b0f0f0505b73a37e062cc",
    ),
    "before-look-up": ("d2dd20164d184c4fc6debdcf",),
    "polls-in-one-run": tuple(
        header + "08010131314f3161080101314f3188080101080101314f31fcfc080101314f31886161616161616161"
        for header in ("0014", "0414", "2014")
    ),
}
"""As hexadecimal digits, by the name in RARE."""
_EACH = 3
_LENGTH = 60


def shows(mutant: Mutant, schedule: bytes) -> bool:
    """Tell whether a schedule shows that something is out."""
    with mutant.armed() as safeguards:
        return any(each.kind in mutant.shows for each in run_schedule(schedule, safeguards).findings)


def is_clean(mutant: Mutant | None, schedule: bytes) -> bool:
    """Tell whether a schedule finds nothing, with something out or with all in place."""
    if mutant is None:
        return not run_schedule(schedule).findings
    with mutant.armed() as safeguards:
        return not run_schedule(schedule, safeguards).findings


def find(rare: Rare, *, seed: int) -> bytes:
    """Return a schedule that shows it, and nothing with only one thing out; as short as it gets."""

    def is_example(schedule: bytes) -> bool:
        return shows(rare.out, schedule) and all(is_clean(each, schedule) for each in (None, *rare.alone))

    chance = random.Random(seed)
    with rare.out.armed() as safeguards:
        while True:
            # Few kinds of steps in one schedule, so that the same often follow each other.
            kinds = chance.choices(range(256), k=chance.randint(8, 40))
            steps = bytes(chance.choices(kinds, k=_LENGTH))
            schedule = chance.randbytes(HEADER) + steps
            if any(each.kind in rare.out.shows for each in run_schedule(schedule, safeguards).findings):
                break
    return _shorten(schedule, is_example) if is_example(schedule) else find(rare, seed=seed + 1_000)


def _shorten(schedule: bytes, is_example: Callable[[bytes], bool]) -> bytes:
    """Leave steps out, one by one, until none can be."""
    at = HEADER
    while at < len(schedule):
        shorter = schedule[:at] + schedule[at + 1 :]
        if is_example(shorter):
            schedule, at = shorter, HEADER
        else:
            at += 1
    return schedule


if __name__ == "__main__":
    for name in sys.argv[1:] or RARE:
        for seed in range(_EACH):
            print(name, find(RARE[name], seed=seed).hex(), flush=True)
