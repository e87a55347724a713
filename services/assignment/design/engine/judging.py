"""What a plan is worth that somebody else made: an earlier step of the engine, or a person."""

import numpy as np
from threadpoolctl import threadpool_limits

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.balancing import Free
from services.assignment.design.engine.finishing import make_plan
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.reporting import report
from services.assignment.design.engine.scaled import scaled


def judged(problem: Problem, labels: Labels, effort: Effort | None = None) -> Proposal:
    """Return the proposal that has these labels, shape (n,), each 0 to K - 1: the same figures as `propose` gives.

    Raise WrongProblemError for a problem that makes no sense.
    """
    with threadpool_limits(1, user_api="blas"):
        ready = scaled(problem)
        plan = make_plan(ready, labels.astype(np.int32))
        nothing = np.zeros_like(ready.band.low)
        return report(problem, ready, Free(ready), plan, effort or Effort(), nothing, problem.adjacency)
