"""Labels that the dual gave, made whole, moved into the band, and improved unit by unit."""

from collections.abc import Callable

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.balancing import Balanced
from services.assignment.design.engine.chains import by_chains
from services.assignment.design.engine.contiguity import reconnect
from services.assignment.design.engine.corridors import with_corridors
from services.assignment.design.engine.filling import filled
from services.assignment.design.engine.local_search import improve
from services.assignment.design.engine.plan import Plan, tally
from services.assignment.design.engine.proposal import Stage, Watcher
from services.assignment.design.engine.resplits import resplit, touching_pairs, travel, violation
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.swaps import swap

_EXACT = 1e-9
_SOFT_PRICE = 2.5
# Rounds of moves: how dear the band is, and by which share of it narrower. At first surplus finds its way to where there is
# room; then nothing is worth leaving the band; and what is left over between two full territories wants a little more room.
_FLUID, _HARD = 4.0, 100.0
_ROUNDS = ((_FLUID, 0.0), (_HARD, 0.0), (_HARD, 0.01))
# Where leaving an owner is dearer than that, so must the band be.
_HARDEST = 10_000.0
_TURNS = 4
_SWAPPED = 1_500
_HOT = (0.03, 0.1, 0.3, 0.6, 1.2)
_WARM = 0.15
_STAYS = (256.0, 64.0, 16.0, 4.0, 1.0, 0.25)
# How many units re-splits may look at, over all rounds of one temperature.
_WORK = 20_000_000
_MOST_ROUNDS, _MOST_EVERYWHERE = 300, 150
# In a brief search so many rounds of nothing better are enough (measured: more of them seldom helped, a higher temperature did).
_BRIEF = 40


def finished(
    scaled: Scaled,
    balanced: Balanced,
    adjacency: Adjacency,
    random: np.random.Generator,
    watch: Watcher,
    *,
    whole: bool,
    thorough: bool = True,
    left: float = np.inf,
    swaps: bool = True,
) -> Plan:
    """Return a plan with the labels made whole, balanced and improved.

    `whole` asks for territories in one part. Not `thorough`, what moves of units do not bring into the band stays out of it.
    left: how much may still be moved away from owners, of what moving counts.
    Without `swaps` no two units change places.
    """
    labels = filled(balanced.labels, scaled)
    watch(Stage.CONTIGUITY, 0.0, labels)
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
        labels = with_corridors(adjacency, scaled.units, labels, scaled.permitted, scaled.movable)
    plan = make_plan(scaled, labels)
    plan.left[0] = left
    watch(Stage.IMPROVE, 0.0, labels)
    _mend(plan, scaled, adjacency, random, watch, whole=whole, thorough=thorough, swaps=swaps)
    return plan


def make_plan(scaled: Scaled, labels: Labels) -> Plan:
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
        scaled.move_value,
        np.full(1, np.inf),
    )
    tally(plan)
    return plan


def _mend(
    plan: Plan,
    scaled: Scaled,
    adjacency: Adjacency,
    random: np.random.Generator,
    watch: Watcher,
    *,
    whole: bool,
    thorough: bool,
    swaps: bool,
) -> None:
    dearer = ((_HARDEST, 0.01),) if scaled.units.bonus.any() else ()
    for dearness, narrower in (*_ROUNDS, *dearer):
        _set_limits(plan, scaled, dearness, narrower)
        _improve(plan, adjacency, whole=whole, swaps=swaps)
        _set_limits(plan, scaled, dearness, 0.0)
        if not is_out(plan, scaled) and dearness >= _HARD:
            return
    _set_limits(plan, scaled, _HARDEST if dearer else _HARD, 0.0)
    if by_chains(plan, adjacency, scaled.hard_columns(plan.loads.shape[1]), whole=whole):
        _improve(plan, adjacency, whole=whole, swaps=swaps)
    if thorough:
        search(plan, scaled, adjacency, random, watch, whole=whole)


def search(
    plan: Plan,
    scaled: Scaled,
    adjacency: Adjacency,
    random: np.random.Generator,
    watch: Watcher,
    *,
    whole: bool,
    brief: bool = False,
) -> None:
    """Cut territories anew until a plan that is out of its band is in it; hotter, where that does not come of it.

    `brief`, a temperature at which nothing gets better is soon left: for one plan of several.
    """
    if hopeless(scaled) or not is_out(plan, scaled):
        return
    hard = scaled.hard_columns(plan.loads.shape[1])
    rounds = _affordable_rounds(plan, adjacency)
    _set_limits(plan, scaled, _FLUID, 0.0)
    for step, temperature in enumerate(_HOT):
        tick = _ticker(watch, (1 + step) / 8, plan.labels)
        patience = _BRIEF if brief else rounds
        if resplit(
            plan,
            adjacency,
            random,
            hard,
            tick,
            rounds=rounds,
            patience=patience,
            temperature=temperature,
            whole=whole,
        ):
            break
    _set_limits(plan, scaled, _HARD, 0.0)
    _improve(plan, adjacency, whole=whole)


def improve_lumpy(
    plan: Plan,
    scaled: Scaled,
    adjacency: Adjacency,
    random: np.random.Generator,
    watch: Watcher,
    *,
    whole: bool,
) -> None:
    """Cut all pairs of neighbouring territories anew for a while: large units leave much to gain."""
    _set_limits(plan, scaled, _HARD, 0.0)
    rounds = min(_affordable_rounds(plan, adjacency), _MOST_EVERYWHERE)
    resplit(
        plan,
        adjacency,
        random,
        scaled.hard_columns(plan.loads.shape[1]),
        _ticker(watch, 0.9, plan.labels),
        rounds=rounds,
        patience=rounds,
        temperature=_WARM,
        whole=whole,
        everywhere=True,
    )
    _improve(plan, adjacency, whole=whole)


def is_out(plan: Plan, scaled: Scaled) -> bool:
    """Tell whether a load is out of its hard band."""
    return bool(violation(plan, scaled.hard_columns(plan.loads.shape[1])).max() > _EXACT)


def hopeless(scaled: Scaled) -> bool:
    """Tell whether it is known that no plan is within the tolerances."""
    return bool((scaled.oversize[scaled.hard] > 0).any()) or len(scaled.movable) < scaled.territories


def _affordable_rounds(plan: Plan, adjacency: Adjacency) -> int:
    pairs = min(len(touching_pairs(plan, adjacency)), 200)
    each = 16 * len(plan.labels) * max(pairs, 1) / len(plan.weight)
    return int(np.clip(_WORK / each, 3, min(_MOST_ROUNDS, 20 + len(plan.labels))))


def _ticker(watch: Watcher, share: float, labels: Labels) -> Callable[[], None]:
    return lambda: watch(Stage.IMPROVE, share, labels)


def _improve(plan: Plan, adjacency: Adjacency, *, whole: bool, swaps: bool = True) -> None:
    """Move and swap units until little comes of it."""
    for _ in range(_TURNS):
        improve(plan, adjacency, whole=whole, looks=20 * len(plan.labels))
        # Small units fill a territory to its limit one by one; pairs of them are many, and little comes of it.
        many = len(plan.labels) > _SWAPPED * len(plan.weight)
        if many or not swaps or not swap(plan, adjacency, whole=whole):
            break


def _set_limits(plan: Plan, scaled: Scaled, dearness: float, narrower: float) -> None:
    """A hard limit is as dear everywhere: more than travel can save anywhere, so that a surplus finds its way."""
    scale: Floats = travel(plan) / np.maximum(plan.weight, 1e-12)
    hard = scaled.hard_columns(plan.loads.shape[1])
    plan.price[:, hard] = dearness * max(float(scale.max()), 1e-12)
    plan.price[:, ~hard] = (_SOFT_PRICE * scale)[:, None]
    margin = np.maximum(narrower * scaled.band.half, _EXACT)
    plan.low[:] = scaled.band.low + margin
    plan.high[:] = scaled.band.high - margin


def by_moves(plan: Plan, scaled: Scaled, adjacency: Adjacency, *, whole: bool) -> None:
    """Move single units into balance, those first that are worth a high price of a move, while the plan has any left."""
    for stay in _STAYS:
        _set_limits(plan, scaled, _FLUID, 0.0)
        travel_each = float(travel(plan).sum()) / len(plan.labels)
        plan.units.bonus[:] = stay * travel_each * plan.value / plan.units.weight
        improve(plan, adjacency, whole=whole, looks=20 * len(plan.labels))
    # Where neighbours are full a unit has to go over several borders, which a single move does not.
    _set_limits(plan, scaled, _HARD, 0.0)
    by_chains(plan, adjacency, scaled.hard_columns(plan.loads.shape[1]), whole=whole)
    plan.units.bonus[:] = 0.0
