"""The same problem with other tolerances, from a plan that was found: what is within reach where not all is."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.balancing import Balanced, Free, are_many
from services.assignment.design.engine.descent import HOT, descend, settle
from services.assignment.design.engine.dual import Dual
from services.assignment.design.engine.finishing import finished, make_plan
from services.assignment.design.engine.level import make_level
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Stage, Watcher
from services.assignment.design.engine.realigning import moved_share, priced
from services.assignment.design.engine.resplits import travel, violation
from services.assignment.design.engine.scaled import Scaled, scaled

_BLOCK = 32
_FEW = 5_000
_COLD = (0.1, 0.05, 0.02, 0.01)
_KEPT = 1e-6


class Loosened:
    """Plans for other tolerances, each from the centres of a proposal's territories, or from the proposal unit by unit.

    Only the latter where moves are limited, whose budget it keeps to, and where territories are so many that they are cut
    by regions.
    """

    def __init__(self, problem: Problem, proposal: Proposal, effort: Effort, watch: Watcher) -> None:
        self._problem = problem
        self._proposal = proposal
        self._effort = effort
        self._watch = watch
        self._adjacency = problem.adjacency or neighbours(problem.xy)
        self._ready = scaled(problem)
        known = bool((self._ready.units.owner >= 0).any())
        self._from_today = known and (problem.stay > 0 or problem.most_moved < 1)
        self._by_moves = (self._from_today and problem.most_moved < 1) or are_many(
            self._ready, Free(self._ready)
        )
        self._left = self._budget_left()

    def solved(self, tolerance: Floats, soft: Flags, done: float) -> Labels | None:
        """Return labels, shape (n,), for these tolerances (A,), inf for a measure left alone; None if another limit breaks.

        done: which share of all plans is there already, for the watcher.
        """
        kept = np.isfinite(tolerance)
        asked = replace(
            self._problem,
            measures=np.ascontiguousarray(self._problem.measures[:, kept]),
            targets=self._problem.targets[:, kept],
            tolerance=tolerance[kept],
            soft=soft[kept],
        )
        ready = priced(scaled(asked), self._problem.stay) if self._from_today else scaled(asked)
        whole = self._problem.adjacency is not None
        random = np.random.default_rng([self._effort.seed, 2])

        def only_stops(_stage: Stage, _share: float, _labels: Labels | None) -> None:
            self._watch(Stage.REPORT, done, None)

        only_stops(Stage.REPORT, done, None)
        plans = [
            finished(
                ready,
                balanced,
                self._adjacency,
                random,
                only_stops,
                whole=whole,
                thorough=False,
                left=self._left,
            )
            for balanced in self._starts(ready, only_stops)
        ]
        holding = [plan for plan in plans if self._keeps_the_rest(plan, ready)]
        hard = ready.hard_columns(ready.band.low.shape[1])
        best = min(holding, key=lambda plan: _score(plan, hard), default=None)
        return None if best is None else best.labels

    def centres(self, labels: Labels) -> Floats:
        """Return where travel starts, shape (K, 2): the middles of territories, towards homes where these pull."""
        plan = make_plan(self._ready, labels)
        masses = np.column_stack([plan.weight, plan.sums])
        return Free(self._ready).anchors.without_held().of(masses, np.zeros_like(plan.sums))

    def _starts(self, ready: Scaled, watch: Watcher) -> Iterator[Balanced]:
        """Yield what to begin from: balance by prices, the proposal itself, or both.

        Prices of several measures that oppose each other leave territories in pieces, and of many units these take long
        to mend; one measure alone is balanced by them in no time.
        """
        alone = len(ready.hard) == 1
        if not self._by_moves and (alone or len(ready.movable) <= _FEW):
            yield self._balanced(ready, watch)
        if self._by_moves or not alone:
            yield self._as_proposed(ready)

    def _budget_left(self) -> float:
        """Return how much may still be moved away from its owner, of what moving counts."""
        if not self._from_today or self._problem.most_moved >= 1:
            return np.inf
        owner, value = self._ready.units.owner, self._ready.move_value
        gone = (owner >= 0) & (self._proposal.labels != owner)
        return max(float(self._problem.most_moved * value[owner >= 0].sum() - value[gone].sum()), 0.0)

    def _as_proposed(self, ready: Scaled) -> Balanced:
        prices = np.zeros_like(ready.band.low)
        return Balanced(self._proposal.labels.copy(), np.nan_to_num(self._proposal.centres), prices)

    def _balanced(self, ready: Scaled, watch: Watcher) -> Balanced:
        """Balance at full resolution from the proposal's centres; what it was asked is far from what this is."""
        free = Free(ready)
        if not len(free.order):
            return self._as_proposed(ready)
        middle = np.average(ready.units.xy, axis=0, weights=ready.units.weight)
        centres = np.where(np.isnan(self._proposal.centres), middle, self._proposal.centres)
        band = free.band.narrowed(free.room())
        dual = Dual(make_level(free.units, per_block=_BLOCK), band, centres, permitted=free.permitted)
        dual.anneal(HOT, steps=4)
        settle(dual, 0.25, steps=3)
        watch(Stage.BALANCE, 0.0, None)
        descend(dual, self._effort.rounds // 2, temperature=0.25, anchors=free.anchors)
        for temperature in _COLD:
            watch(Stage.BALANCE, 0.0, None)
            dual.solve(temperature, steps=6)
        return Balanced(free.all_labels(dual.labels(), ready), dual.centres, dual.prices)

    def _keeps_the_rest(self, plan: Plan, ready: Scaled) -> bool:
        """Tell whether all limits hold but the measures' own: no territory empty, sizes, the budget of moves."""
        sizes = slice(len(ready.hard), None)
        low, high = ready.band.low[:, sizes] - _KEPT, ready.band.high[:, sizes] + _KEPT
        in_sizes = ((plan.loads[:, sizes] >= low) & (plan.loads[:, sizes] <= high)).all()
        in_budget = moved_share(plan, ready) <= max(self._problem.most_moved, self._proposal.moved) + _KEPT
        return bool(in_sizes and in_budget and (plan.held > 0).all())


def _score(plan: Plan, hard: Flags) -> tuple[float, float]:
    """Return how far a plan is out of its hard tolerances, and what it travels: less is better."""
    return round(float(violation(plan, hard).sum()), 9), float(travel(plan).sum())
