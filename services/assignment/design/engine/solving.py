"""From a problem to a proposal."""

from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Watcher, unwatched

__all__ = ["propose"]


def propose(problem: Problem, effort: Effort | None = None, watch: Watcher = unwatched) -> Proposal:
    """Put every unit into a territory. Raise WrongProblemError for a problem that makes no sense.

    Equal problems and efforts give equal proposals, on one thread or many.
    """
    raise NotImplementedError
