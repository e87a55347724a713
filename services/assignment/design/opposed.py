"""What is within reach where measures oppose each other, looked for in the time that a run has left.

Importing it loads the engine: only the engine's own process does.
"""

import queue
import threading
import time
from collections.abc import Callable

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.frontier import frontier_of, is_opposed, reached
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Stage, StoppedError
from services.assignment.design.engine.reachable import Frontier, FrontierPoint
from shared.runtime.logging import get_logger

# Of what the plan took; small ones take so little that nobody minds as much again.
_SHARE_OF_THE_RUN = 0.5
_SECONDS_AT_LEAST = 2.0
# Of the time there is for a run, where several measures may oppose each other.
_SHARE_KEPT = 0.15

log = get_logger(__name__)


def seconds_for_plan(problem: Problem, seconds: float) -> float:
    """Return how much of the time there is a plan may take, so that something is left to tell what is within reach."""
    return seconds if problem.measures.shape[1] == 1 else seconds * (1.0 - _SHARE_KEPT)


def look_for_frontier(
    problem: Problem,
    proposal: Proposal,
    effort: Effort,
    *,
    took: float,
    until: float,
    tell: Callable[[float], None],
) -> Frontier | None:
    """Return the frontier where a tolerance is missed, as far as half of what the plan took, and the time, allow.

    took: seconds. until: by the monotonic clock. `tell` hears which share is done. None, too, where not one plan came of it:
    a run has its proposal, and does not fail for this.
    """
    ends = min(until, time.monotonic() + max(_SHARE_OF_THE_RUN * took, _SECONDS_AT_LEAST))
    if not is_opposed(problem, proposal) or time.monotonic() >= ends:
        return None
    found: queue.Queue[FrontierPoint | None] = queue.Queue()

    def watch(_stage: Stage, share: float, _labels: Labels | None) -> None:
        if time.monotonic() >= ends:
            raise StoppedError
        tell(share)

    def work() -> None:
        try:
            for point in reached(problem, proposal, effort, watch):
                found.put(point)
        except StoppedError:
            pass
        except Exception:
            log.exception("frontier not found")
        finally:
            found.put(None)

    # On a thread of its own: a step that does not end in time is left to itself, and to the process's end.
    threading.Thread(target=work, daemon=True).start()
    points = _until(found, ends)
    return frontier_of(problem, proposal, points).without_labels() if points else None


def _until(found: "queue.Queue[FrontierPoint | None]", ends: float) -> list[FrontierPoint]:
    points: list[FrontierPoint] = []
    while True:
        try:
            point = found.get(timeout=max(ends - time.monotonic(), 0.0))
        except queue.Empty:
            return points
        if point is None:
            return points
        points.append(point)
