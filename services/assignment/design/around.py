"""A proposal that answers what is new or gone alone, judged like any other: runs in the engine's own process."""

from dataclasses import replace

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Reason, Shortfall, Stage, Watcher
from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.engine.what_if import what_if


def around_changes(problem: Problem, effort: Effort, watch: Watcher, *, touching: Adjacency) -> Proposal:
    """Return the plan around territories without a unit and units without a territory, of the problem's incumbents.

    touching: who touches whom, also where no contiguity is asked for. Raises WrongProblemError where there are no incumbents.
    """
    watch(Stage.PREPARE, 0.0, None)
    found = what_if(problem, _before(problem), touching=touching, watch=watch, seed=effort.seed)
    watch(Stage.REPORT, 0.0, found.labels)
    return judged(problem, found.labels, effort)


def as_answer_to_changes(problem: Problem, proposal: Proposal) -> Proposal:
    """Return a plan with what is told of one around changes: what is where it was stays there, or is fixed.

    Territories out of a tolerance, or in parts, that the change leaves alone are told apart: it did not bring that about.
    """
    before, labels = _before(problem), proposal.labels
    fixed = np.zeros(problem.units, np.bool_) if problem.fixed is None else problem.fixed >= 0
    reasons = np.where((labels == before) & ~fixed, np.int32(Reason.STAYS), proposal.reasons)
    gone = before != labels
    touched = np.union1d(before[gone & (before >= 0)], labels[gone]).astype(np.int64)
    off = _off_target(problem, proposal)
    why = tuple(part for one in proposal.why for part in _apart(one, touched, off))
    return replace(proposal, reasons=reasons.astype(np.int32), why=why)


def _before(problem: Problem) -> Labels:
    return np.full(problem.units, -1, np.int32) if problem.incumbents is None else problem.incumbents


def _off_target(problem: Problem, proposal: Proposal) -> Floats:
    """Return how far loads are off, |load / target - 1|, shape (K, A)."""
    totals = problem.measures.sum(axis=0)
    wanted = problem.targets / problem.targets.sum(axis=0) * totals
    return np.abs(np.where(totals > 0, proposal.loads / np.where(totals > 0, wanted, 1.0) - 1, 0.0))


def _apart(one: Shortfall, touched: Integers, off: Floats) -> list[Shortfall]:
    """Return a limit that does not hold, or two: of territories that gained or lost units, and of those left alone."""
    if one.code not in {ShortOf.OUT_OF_TOLERANCE, ShortOf.IN_PARTS}:
        return [one]
    parts = []
    among = np.isin(one.territories, touched)
    for code, some in ((one.code, among), (ShortOf.LEFT_ALONE, ~among)):
        territories = tuple(np.array(one.territories)[some].tolist())
        if territories:
            figure = None if one.measure is None else float(off[list(territories), one.measure].max())
            parts.append(replace(one, code=code, territories=territories, figure=figure))
    return parts
