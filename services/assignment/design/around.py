"""A proposal that answers what is new or gone alone, judged like any other: runs in the engine's own process."""

from dataclasses import replace

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Reason, Stage, Watcher
from services.assignment.design.engine.what_if import WhatIf, what_if


def around_changes(problem: Problem, effort: Effort, watch: Watcher, *, touching: Adjacency) -> Proposal:
    """Return the plan around territories without a unit and units without a territory, of the problem's incumbents.

    What is where it was stays, or is fixed. touching: who touches whom, also where no contiguity is asked for. Raises WrongProblemError where there are no incumbents.
    """
    before = problem.incumbents
    if before is None:
        before = np.full(problem.units, -1, np.int32)
    watch(Stage.PREPARE, 0.0, None)
    found = what_if(problem, before, touching=touching, watch=watch, seed=effort.seed)
    watch(Stage.REPORT, 0.0, found.labels)
    proposal = judged(problem, found.labels, effort)
    fixed = np.zeros(problem.units, np.bool_) if problem.fixed is None else problem.fixed >= 0
    reasons = np.where((found.labels == before) & ~fixed, np.int32(Reason.STAYS), proposal.reasons)
    return replace(proposal, reasons=reasons.astype(np.int32), why=_why(proposal, found))


def _why(proposal: Proposal, found: WhatIf) -> tuple[str, ...]:
    """Tell apart territories that the change did not bring out of balance: they were, and are left alone."""
    alone = sorted(set(found.off) - set(found.touched))
    if not alone:
        return proposal.why
    told = f"{len(alone)} territories that the change leaves alone are out of a tolerance, as today; realign mends them"
    return tuple(f"{why}; {told}" if why.startswith("measure-") else why for why in proposal.why)
