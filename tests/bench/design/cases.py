"""What each case of the design bench measures, and how it tells it."""

import numpy as np

from tests.bench.design import du_family
from tests.bench.design.geography import Integers
from tests.bench.design.instances import kept, load
from tests.bench.design.measured import run
from tests.bench.design.recorded import AGAINST, GAP, MOVED, WALL_OF_A_MILLION
from tests.bench.design.score import moved, score
from tests.bench.design.solvers import OURS, Outcome, ours, peer
from tests.bench.report import Result

INSTANCES = {"county": "counties", "zip": "zips", "200k": "200k", "1m": "1m"}
SEEDS = 100


def result(
    case: str, value: float, unit: str, *, floor: float | None = None, samples: int = 1, note: str = ""
) -> Result:
    """Say what was measured."""
    return Result(
        bench="design",
        case=case,
        value=round(value, 4),
        unit=unit,
        floor=None if floor is None else round(floor, 4),
        ratio=None if not floor else round(value / floor, 4),
        samples=samples,
        note=note,
    )


def gap(place: str, territories: int) -> list[Result]:
    """How far above the lower bound at its own centres; floor: the prototype's, as recorded."""
    one, two = _on_one_and_two(place, territories)
    return [
        result(
            f"gap-{place}-{territories}",
            100 * one.cost.note["gap"],
            "% above bound",
            floor=GAP[f"{place}-{territories}"],
            samples=one.samples,
            note=f"{one.told()}, two threads {two.cost.wall_s:.2f} s; floor: prototype, as recorded",
        )
    ]


def bound(place: str, territories: int) -> list[Result]:
    """What the engine says no plan can cost less than at its centres; floor: what the cheapest flow to them costs."""
    mine = ours(INSTANCES[place], territories)
    centres = [] if mine.centres is None else mine.centres.tolist()
    flow = peer("flow_bound", INSTANCES[place], territories, centres=centres, band=0.05)
    instance = load(kept(INSTANCES[place]))
    cost = mine.score.wss * instance.weight.sum()
    return [
        result(
            f"bound-{place}-{territories}",
            mine.cost.note["bound"] / 1e9,
            "10⁹ km²",
            floor=flow.cost.note["cost"] / 1e9,
            note=f"above 1 it would be no bound; the plan is {100 * (cost / flow.cost.note['cost'] - 1):.2f} % above the flow",
        )
    ]


def million(territories: int) -> list[Result]:
    """How long a million accounts take on two threads."""
    one, two = _on_one_and_two("1m", territories)
    recorded = WALL_OF_A_MILLION.get(territories)
    return [
        result(
            f"1m-{territories}",
            two.cost.wall_s,
            "s",
            floor=recorded,
            note=f"two threads {two.cost.peak_mb:.0f} MB; one: {one.told()}; gap {100 * one.cost.note['gap']:.2f} %"
            + ("; floor: prototype, one thread, as recorded" if recorded else ""),
        )
    ]


def against(
    name: str, place: str, territories: int, *, equal: bool = False, **options: float
) -> list[Result]:
    """Squared distance and CPU beside a peer's; `equal`: with the peer's deviation where that is above 5 %."""
    module = {"ortools": "ortools_flow"}.get(name, name)
    theirs = peer(module, INSTANCES[place], territories, **options)
    tolerance = max(0.05, *theirs.score.deviation) if equal else 0.05
    mine = ours(INSTANCES[place], territories, tolerance=tolerance)
    case = f"vs-{name}-{place}-{territories}"
    recorded = AGAINST.get(f"{name}-{place}-{territories}")
    before = f"; prototype {recorded.wss:.2f} and {recorded.cpu:.3g} of its CPU" if recorded else ""
    return [
        result(
            case,
            mine.score.wss,
            "km²",
            floor=theirs.score.wss,
            samples=mine.samples,
            note=f"ours {mine.told()}; {name} {theirs.told()}{before}",
        ),
        result(f"{case}-cpu", mine.cost.cpu_s, "CPU s", floor=theirs.cost.cpu_s, samples=mine.samples),
    ]


def others(place: str, territories: int, *names: str) -> list[Result]:
    """Squared distance of peers that solve a part of it; floor: ours."""
    mine = ours(INSTANCES[place], territories)
    return [
        result(
            f"peers-{place}-{territories}/{name}",
            theirs.score.wss,
            "km²",
            floor=mine.score.wss,
            note=theirs.told(),
        )
        for name in names
        for theirs in [peer(name, INSTANCES[place], territories)]
    ]


def success(place: str, territories: int) -> list[Result]:
    """Of a hundred seeds, how many give balanced, whole territories."""
    arguments = ("seeds", str(kept(INSTANCES.get(place, place))), str(territories), str(SEEDS))
    _, cost = run(OURS, *arguments, limit_s=7_200)
    lacking = cost.note["lacking"]
    return [
        result(
            f"success-{place}-{territories}",
            SEEDS - len(lacking),
            f"of {SEEDS} seeds",
            samples=SEEDS,
            note=f"CPU {cost.cpu_s / SEEDS:.2f} s each"
            + "".join(f"; seed {seed}: {what}" for seed, what in list(lacking.items())[:3]),
        )
    ]


def realign() -> list[Result]:
    """How few ZIPs a realignment moves if it may travel 5 % farther than greenfield."""
    plans, cost = run(OURS, "realign", str(kept("zips")), "50", limit_s=1_800)
    today, green, best = (labels.astype(np.int64) for labels in plans)
    instance = load(kept("zips"))
    off, new, old = (score(instance, labels, 50) for labels in (today, green, best))
    frontier = ", ".join(
        f"{100 * share:.1f} % at {100 * farther:+.1f} %"
        for _, share, farther, *_ in sorted(cost.note["frontier"])
    )
    return [
        result(
            "realign-zip-50",
            100 * moved(today, best) / instance.units,
            "% of units moved",
            floor=MOVED,
            note=f"travel {100 * (old.wd / new.wd - 1):+.1f} %, {100 * max(old.deviation):.1f} % off, {old.broken} broken; "
            f"today is {100 * max(off.deviation):.0f} % off, least possible {100 * cost.note['least_moved']:.1f} % of the "
            f"measure; floor: prototype at +6 %, as recorded; tried: {frontier}",
        )
    ]


def what_if() -> list[Result]:
    """How long one waits for an answer with one rep more and one fewer, 200,000 accounts in 50 territories."""
    plans, cost = run(OURS, "what_if", str(kept("200k")), "50", threads=2)
    plan, *rest = (labels.astype(np.int64) for labels in plans)
    instance = load(kept("200k"))
    start = score(instance, plan, 50)

    def told(before: Integers, after: Integers, territories: int) -> str:
        found, known = score(instance, after, territories), before >= 0
        share = moved(before[known], after[known]) / known.sum()
        return (
            f"{100 * max(found.deviation):.1f} % off, {found.broken} broken, {found.wd:.1f} km (before {start.wd:.1f} km), "
            f"{100 * share:.1f} % of those with an incumbent moved"
        )

    return [
        result(
            f"what-if-200k-{word}",
            seconds,
            "s",
            samples=5,
            note=f"{cpu:.2f} CPU s, {told(before, after, count)}; realigning all: {whole_cpu:.1f} CPU s, {told(before, whole, count)}",
        )
        for word, count, (before, after, whole), seconds, cpu, whole_cpu in zip(
            ("one-more", "one-fewer"),
            (51, 49),
            (rest[:3], rest[3:]),
            cost.note["seconds"],
            cost.note["cpu"],
            cost.note["whole_cpu"],
            strict=True,
        )
    ]


def family() -> list[Result]:
    """How many of the family of three measures are within 5 % on each and whole, and how long the longest took."""
    labels, cost = run(OURS, "family", limit_s=1_800)
    seconds = cost.note["seconds"]
    members = list(du_family.family())
    scores = [
        score(one, found.astype(np.int64), count, du_family.MEASURES)
        for (one, count), found in zip(members, labels, strict=True)
    ]
    good = [found.holds(du_family.TOLERANCE) for found in scores]
    bad = [
        f"{one.name}x{count} {100 * max(found.deviation):.1f} %"
        for (one, count), found, holds in zip(members, scores, good, strict=True)
        if not holds
    ]
    return [
        result(
            "du-family",
            100 * sum(good) / len(good),
            "% feasible",
            samples=len(good),
            note=f"CPU at most {max(seconds):.2f} s, {sum(seconds) / len(good):.2f} s on average"
            + ("; not: " + ", ".join(bad[:6]) if bad else ""),
        )
    ]


def _on_one_and_two(place: str, territories: int) -> tuple[Outcome, Outcome]:
    """Design on one thread and on two. RuntimeError where these are not the same plan."""
    one, two = (ours(INSTANCES[place], territories, threads=threads) for threads in (1, 2))
    if moved(one.labels, two.labels):
        raise RuntimeError(f"{place} {territories}: one thread and two gave different proposals")
    return one, two
