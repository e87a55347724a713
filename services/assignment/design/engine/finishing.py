"""Labels that the dual gave, made whole, moved into the band, and improved unit by unit."""

import numpy as np

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.balancing import Balanced
from services.assignment.design.engine.contiguity import Adjacency, reconnect
from services.assignment.design.engine.local_search import improve
from services.assignment.design.engine.plan import Plan, tally
from services.assignment.design.engine.proposal import Stage, Watcher
from services.assignment.design.engine.resplits import neighbours, resplit, travel, violation
from services.assignment.design.engine.scaled import Scaled

_EXACT = 1e-9
_HARD_PRICE = 4.0
_SOFT_PRICE = 2.5
_DEARER = (1.0, 4.0, 16.0, 64.0)
_HOT = (0.3, 0.6, 1.2)
# How many units re-splits may look at, over all rounds of one temperature.
_WORK = 20_000_000
_MOST_ROUNDS = 300


def finished(
    scaled: Scaled, balanced: Balanced, adjacency: Adjacency, random: np.random.Generator, watch: Watcher, *, whole: bool
) -> Plan:
    """Return a plan with the labels made whole, balanced and improved; `whole` asks for territories in one part."""
    watch(Stage.CONTIGUITY, 0.0, balanced.labels)
    labels = balanced.labels
    if whole:
        labels = reconnect(
            adjacency,
            scaled.units,
            labels,
            balanced.centres,
            balanced.prices,
            scaled.permitted,
            scaled.movable,
        )
    plan = make_plan(scaled, labels)
    watch(Stage.IMPROVE, 0.0, labels)
    _mend(plan, scaled, adjacency, random, watch, whole=whole)
    return plan


def make_plan(scaled: Scaled, labels: np.ndarray) -> Plan:
    """Return the plan of these labels, with the prices of its band."""
    territories, kinds = scaled.band.low.shape
    plan = Plan(
        scaled.units,
        labels,
        np.zeros(territories),
        np.zeros((territories, 2)),
        np.zeros((territories, kinds)),
        np.zeros(territories, np.int64),
        scaled.band.low + _EXACT,
        scaled.band.high - _EXACT,
        np.zeros((territories, kinds)),
        scaled.homes,
        scaled.pull,
        scaled.movable,
        scaled.permitted,
    )
    tally(plan)
    return plan


def _mend(
    plan: Plan, scaled: Scaled, adjacency: Adjacency, random: np.random.Generator, watch: Watcher, *, whole: bool
) -> None:
    looks = 20 * len(plan.labels)
    for dearer in _DEARER:
        _set_prices(plan, scaled, dearer)
        improve(plan, adjacency, whole=whole, looks=looks)
        if not _is_out(plan, scaled):
            return
    if not whole:
        return
    _set_prices(plan, scaled, 1.0)
    pairs = min(len(neighbours(plan, adjacency)), 200)
    rounds = int(np.clip(_WORK * len(plan.weight) / (16 * len(plan.labels) * max(pairs, 1)), 3, _MOST_ROUNDS))
    for step, temperature in enumerate(_HOT):
        watch(Stage.IMPROVE, (1 + step) / 4, plan.labels)
        if resplit(plan, adjacency, random, scaled.hard_columns(plan.loads.shape[1]), rounds=rounds, temperature=temperature, looks=looks):
            return


def _is_out(plan: Plan, scaled: Scaled) -> bool:
    return bool(violation(plan, scaled.hard_columns(plan.loads.shape[1])).max() > _EXACT)


def _set_prices(plan: Plan, scaled: Scaled, dearer: float) -> None:
    """A hard limit is as dear everywhere: more than travel can save anywhere, so that a surplus finds its way."""
    scale: Floats = travel(plan) / np.maximum(plan.weight, 1e-12)
    hard = scaled.hard_columns(plan.loads.shape[1])
    plan.price[:, hard] = dearer * _HARD_PRICE * max(float(scale.max()), 1e-12)
    plan.price[:, ~hard] = (_SOFT_PRICE * scale)[:, None]
