"""From today's territories: only what balance and travel justify moves, within a budget."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.balancing import Balanced, Free
from services.assignment.design.engine.descent import HOT, descend, settle
from services.assignment.design.engine.dual import Dual
from services.assignment.design.engine.filling import filled
from services.assignment.design.engine.finishing import by_moves, finished, make_plan
from services.assignment.design.engine.level import make_level
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Stage, Watcher
from services.assignment.design.engine.resplits import travel, violation
from services.assignment.design.engine.scaled import Scaled

_COLD = (0.1, 0.05, 0.02, 0.01)
_BUDGET_TRIES = 7
_FIRST_STAY = 0.5
_KEPT = 1e-9
_DEAREST = 1e9
# A move at the first of these prices leaves the dual's territories almost whole; above the last one nothing more is won.
_LOW_STAY, _HIGH_STAY = 0.4, 51.2


def from_today(
    problem: Problem,
    scaled: Scaled,
    adjacency: Adjacency,
    effort: Effort,
    random: np.random.Generator,
    watch: Watcher,
) -> tuple[Plan, Floats]:
    """Realign at the cost of a move; if more moves than the budget allows, at the least cost that keeps to it.

    Where no cost does, today's plan is mended move by move until the budget is used up. Return the plan and the prices
    (K, A) that it comes from.
    """
    whole = problem.adjacency is not None
    watch(Stage.BALANCE, 0.0, today(scaled))
    ladder = Ladder(scaled, adjacency, effort, random, whole=whole)
    hard = scaled.hard_columns(scaled.band.low.shape[1])
    asked = priced(scaled, problem.stay)
    low, high, stay = problem.stay, np.inf, problem.stay
    best: tuple[tuple[float, float], Step] | None = None
    for number in range(_BUDGET_TRIES):
        only_stops = _only_stops(watch, Stage.BALANCE, number / _BUDGET_TRIES)
        kept = [
            (_score(one.plan, asked, hard), one)
            for one in ladder.at(stay, only_stops)
            if moved_share(one.plan, scaled) <= problem.most_moved + _KEPT
        ]
        best = min(kept if best is None else [best, *kept], key=lambda one: one[0], default=None)
        if kept:
            high = stay
            if number == 0 or problem.most_moved == 0.0:
                break
        else:
            low = stay
        watch(Stage.BALANCE, (number + 1) / _BUDGET_TRIES, None if best is None else best[1].plan.labels)
        stay = max(2 * low, _FIRST_STAY) if high == np.inf else (low + high) / 2
    if best is None:
        plan = _within_budget(problem, scaled, adjacency)
        watch(Stage.IMPROVE, 1.0, plan.labels)
        return plan, np.zeros_like(scaled.band.low)
    (out, _), (dear, balanced, plan) = best
    watch(Stage.IMPROVE, 0.0, plan.labels)
    if out > 0.0:
        better = finished(
            dear, balanced, adjacency, random, _only_stops(watch, Stage.IMPROVE, 0.5), whole=whole
        )
        less = violation(better, hard).sum() < violation(plan, hard).sum()
        if less and moved_share(better, scaled) <= problem.most_moved + _KEPT:
            plan = better
    return plan, balanced.prices


class Step(NamedTuple):
    """A plan, the problem with the price of a move that it was made for, and the balance that it was made from."""

    dear: Scaled
    balanced: Balanced
    plan: Plan


class Ladder:
    """Plans at ever higher prices of a move.

    Where moves are dear, what the dual moves for balance is heavy units from all over, which are no territory in one part,
    and giving these back costs more than the price saved. From a plan at a low price, single moves and swaps take back
    what is no longer worth it, and keep territories whole: twice the price, and twice, until it is the one asked for.
    """

    def __init__(
        self,
        scaled: Scaled,
        adjacency: Adjacency,
        effort: Effort,
        random: np.random.Generator,
        *,
        whole: bool,
    ) -> None:
        self._scaled = scaled
        self._adjacency = adjacency
        self._rounds = effort.rounds // 2
        self._random = random
        self._whole = whole
        self._steps: list[Step] = []

    def at(self, stay: float, watch: Watcher) -> list[Step]:
        """Return the plan of the dual with this price of a move, and the one step by step from a low price."""
        alone = self._direct(stay, watch)
        if not self._whole or stay <= _LOW_STAY:
            return [alone]
        stay = min(stay, _HIGH_STAY)
        if not self._steps:
            self._steps.append(self._direct(_LOW_STAY, watch))
        number = 0
        while _LOW_STAY * 2 ** (number + 1) < stay:
            number += 1
            if number == len(self._steps):
                self._steps.append(self._raised(self._steps[-1], _LOW_STAY * 2**number, watch))
        return [alone, self._raised(self._steps[number], stay, watch)]

    def _direct(self, stay: float, watch: Watcher) -> Step:
        dear = priced(self._scaled, stay)
        return self._finished(dear, _realigned(dear, Free(dear), self._rounds), watch)

    def _raised(self, below: Step, stay: float, watch: Watcher) -> Step:
        dear = priced(self._scaled, stay)
        return self._finished(dear, replace(below.balanced, labels=below.plan.labels), watch)

    def _finished(self, dear: Scaled, balanced: Balanced, watch: Watcher) -> Step:
        plan = finished(
            dear, balanced, self._adjacency, self._random, watch, whole=self._whole, thorough=False
        )
        return Step(dear, balanced, plan)


def _score(plan: Plan, asked: Scaled, hard: Flags) -> tuple[float, float]:
    """Return how far a plan is out of its hard tolerances, and its travel with what its moves cost; less is better."""
    units = asked.units
    gone = (units.owner >= 0) & (plan.labels != units.owner)
    moves = float((units.weight * units.bonus)[gone].sum())
    out = np.maximum(violation(plan, hard) - _KEPT, 0.0)
    return float(out.sum()), float(travel(plan).sum()) + moves


def moved_share(plan: Plan, scaled: Scaled) -> float:
    """Return the share of the move_value of units with an owner that are elsewhere in the plan."""
    known = scaled.units.owner >= 0
    gone = known & (plan.labels != scaled.units.owner)
    return float(scaled.move_value[gone].sum() / max(float(scaled.move_value[known].sum()), 1e-300))


def priced(scaled: Scaled, stay: float) -> Scaled:
    """Return the same with what leaving its owner costs each unit, per weight in squared km.

    A move costs the same wherever it is made: `stay` times the travel of a mean unit today, times what moving it counts.
    So a heavy unit that mends balance alone is moved before many light ones.
    """
    units = scaled.units
    known = units.owner >= 0
    stay = min(stay, _DEAREST)
    if stay == 0.0:
        return scaled
    centres = middles(units.owner, scaled)
    off = ((units.xy[known] - centres[units.owner[known]]) ** 2).sum(axis=1)
    travel = float((units.weight[known] * off).sum()) / known.sum()
    bonus = np.where(known, stay * travel * scaled.move_value / units.weight, 0.0)
    return replace(scaled, units=units._replace(bonus=bonus))


def today(scaled: Scaled) -> Labels:
    """Return today's territories, shape (n,), with those of units that have none and units of territories that have none."""
    units, territories = scaled.units, scaled.territories
    where = middles(units.owner, scaled)
    holds = np.isin(np.arange(territories), units.owner)
    labels = units.owner.copy()
    for kind in np.unique(units.kinds):
        may = scaled.permitted[kind]
        lost = np.flatnonzero((units.kinds == kind) & ~(may[units.owner] & (units.owner >= 0)))
        near = np.flatnonzero(may & holds) if (may & holds).any() else np.flatnonzero(may)
        labels[lost] = near[cKDTree(where[near]).query(units.xy[lost])[1]]
    return filled(np.where(scaled.movable, labels, scaled.fixed).astype(np.int32), scaled)


def middles(labels: Labels, scaled: Scaled) -> Floats:
    """Return the weighted means of territories, shape (K, 2); of one without units, that of everything."""
    units, territories = scaled.units, scaled.territories
    known = labels >= 0
    owner, weight, xy = labels[known], units.weight[known], units.xy[known]
    held = np.bincount(owner, weight, territories)
    sums = np.column_stack([np.bincount(owner, weight * xy[:, d], territories) for d in (0, 1)])
    middle = np.average(units.xy, axis=0, weights=units.weight)
    return np.where(held[:, None] > 0, sums / np.maximum(held, 1e-300)[:, None], middle)


def _realigned(scaled: Scaled, free: Free, rounds: int) -> Balanced:
    """Balance from today's centres at full resolution; the units' bonus says what a move costs."""
    level = make_level(free.units, per_block=16)
    start = free.anchors.without_held().of(np.zeros((scaled.territories, 3)), middles(today(scaled), scaled))
    dual = Dual(level, free.band.narrowed(free.room()), start, permitted=free.permitted)
    dual.anneal(HOT, steps=4)
    settle(dual, 0.25, steps=3)
    descend(dual, rounds, temperature=0.25, anchors=free.anchors)
    for temperature in _COLD:
        dual.solve(temperature, steps=6)
    return Balanced(free.all_labels(dual.labels(), scaled), dual.centres, dual.prices)


def _within_budget(problem: Problem, scaled: Scaled, adjacency: Adjacency) -> Plan:
    """Return today's plan with those moves that mend most for what they count, as many as the budget allows."""
    known = scaled.units.owner >= 0
    plan = make_plan(scaled, today(scaled))
    gone = known & (plan.labels != scaled.units.owner)
    plan.left[0] = problem.most_moved * scaled.move_value[known].sum() - scaled.move_value[gone].sum() + _KEPT
    by_moves(plan, scaled, adjacency, whole=problem.adjacency is not None)
    return plan


def _only_stops(watch: Watcher, stage: Stage, done: float) -> Watcher:
    """Return a watcher that may stop the work and is shown nothing: stages come once, these would come with every try."""
    return lambda _stage, _share, _labels: watch(stage, done, None)
