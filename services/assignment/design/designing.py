"""From a question to an answer: runs in the engine's own process and touches nothing but arrays.

Importing it loads the engine and its compiler, so only that process does.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from services.assignment.design.answer import Answer
from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.geography import projected
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem, loads_of
from services.assignment.design.engine.proposal import Proposal, Stage, StoppedError
from services.assignment.design.engine.solving import propose
from services.assignment.design.inputs.question import Question
from services.assignment.design.opposed import look_for_frontier, seconds_for_plan
from services.assignment.design.runs.run import Figures, Progress

# Often enough to watch, seldom enough not to be felt.
_TELL_SECONDS = 0.3
# How long a step may take beyond the time there is; its worker gives it longer.
_LINGER_SECONDS = 5.0
# Two shares that differ by less are one.
_ALIKE = 1e-9

Tell = Callable[[Progress], None]


@dataclass(slots=True)
class Watch:
    """Tells how far the engine is, now and then, and stops it between two steps when its time is up.

    `targets` (K, A) in the measures' own units. `best` are the best labels so far.
    """

    tell: Tell
    question: Question
    xy: Floats
    targets: Floats
    until: float
    best: Labels | None = None
    stage: Stage | None = None
    _told_at: float = 0.0
    _closed: bool = False
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, stage: Stage, share: float, labels: Labels | None) -> None:
        """Take note of what the engine is at. Raises StoppedError when the time is up."""
        with self._one_at_a_time:
            # While some units are nowhere yet, there is no plan.
            if labels is not None and labels.min(initial=0) >= 0:
                self.best = labels.copy()
            now = time.monotonic()
            if self._closed or (now >= self.until and stage is not Stage.REPORT):
                raise StoppedError
            if stage is not self.stage or now - self._told_at >= _TELL_SECONDS:
                self.tell(Progress(stage.value, min(max(share, 0.0), 1.0), self._figures()))
                # After the figures, which take their time where there is a million units.
                self.stage, self._told_at = stage, time.monotonic()

    def looks_further(self, share: float) -> None:
        """Tell that there is a plan, and how much of what is told beside it is done."""
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self.tell(Progress(Stage.REPORT.value, share, self._figures()))
            self._told_at = time.monotonic()

    def close(self) -> None:
        """Tell no more."""
        with self._one_at_a_time:
            self._closed = True

    def _figures(self) -> Figures | None:
        if self.best is None:
            return None
        question, labels = self.question, self.best
        loads = loads_of(labels, question.measures, question.territories)
        moved = None if question.from_scratch else _share_moved(question, labels)
        return Figures(
            deviation=tuple(np.abs(loads / self.targets - 1).max(axis=0).tolist()),
            mean_km=float(distances(self.xy, labels, question.territories).mean()),
            moved=moved,
        )


def design(question: Question, *, seconds: float, tell: Tell) -> Answer:
    """Return the best plan that is found within some seconds, and what it is worth.

    Raises WrongProblemError for a question that makes no sense, StoppedError when the time did not do for any plan.
    """
    begun = time.monotonic()
    tell(Progress(Stage.PREPARE.value, 0.0, None))
    xy, plane = projected(question.latitude, question.longitude)
    touching = neighbours(xy)
    totals = question.measures.sum(axis=0)
    shares = question.capacities / question.capacities.sum()
    targets = shares[:, None] * totals
    weight = np.ones(len(xy))
    problem = Problem(
        xy=xy,
        weight=weight,
        measures=question.measures,
        targets=targets,
        tolerance=question.tolerance,
        soft=question.soft,
        adjacency=touching if question.contiguous else None,
        homes=_homes(question, plane.to_plane),
        pull=question.pull,
        incumbents=question.incumbents if (question.incumbents >= 0).any() else None,
        move_value=question.move_value,
        stay=question.stay,
        most_moved=_budget(question),
        fixed=question.fixed if (question.fixed >= 0).any() else None,
        kinds=question.kinds,
        permitted=question.permitted,
    )
    watch = Watch(tell, question, xy, targets, begun + seconds_for_plan(problem, seconds))
    effort = Effort(starts=question.starts, seed=question.seed)
    proposal = _proposed(problem, effort, watch)
    frontier = look_for_frontier(
        problem,
        proposal,
        effort,
        took=time.monotonic() - begun,
        until=begun + seconds,
        tell=watch.looks_further,
    )
    moved_share = _share_moved(question, proposal.labels)
    if moved_share > question.most_moved + _ALIKE and proposal.feasible:
        why = f"most_moved: {moved_share:.2%} moves: what belongs to no territory that is designed moves in any case"
        proposal = replace(proposal, feasible=False, why=(*proposal.why, why))
    latitude, longitude = plane.to_sphere(proposal.centres)
    return Answer(
        proposal=proposal,
        weight=weight,
        neighbours=touching,
        latitude=latitude,
        longitude=longitude,
        mean_km=_mean_km(xy, proposal, weight),
        targets=targets,
        totals=totals,
        moved=int(_moved(question, proposal.labels).sum()),
        aligned=int(_aligned(question).sum()),
        moved_share=moved_share,
        frontier=frontier,
    )


def _proposed(problem: Problem, effort: Effort, watch: Watch) -> Proposal:
    """Propose, on a thread of its own: a step that does not end in time is left to itself, and to the process's end."""
    answers: queue.Queue[Proposal | BaseException] = queue.Queue()

    def work() -> None:
        try:
            answers.put(propose(problem, effort, watch))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=max(watch.until - time.monotonic(), 0.0) + _LINGER_SECONDS)
    except queue.Empty:
        answer = StoppedError()
    watch.close()
    if isinstance(answer, StoppedError) and watch.best is not None:
        # What there is when the time is up is judged like any other plan.
        return judged(problem, watch.best, effort)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def distances(xy: Floats, labels: Labels, territories: int) -> Floats:
    """Return the distance of each unit from the middle of its territory in km, shape (n,)."""
    counts = np.maximum(np.bincount(labels, minlength=territories), 1)
    centres = np.column_stack([np.bincount(labels, xy[:, axis], territories) / counts for axis in (0, 1)])
    return np.asarray(np.hypot(*(xy - centres[labels]).T))


def _homes(question: Question, to_plane: Callable[[Floats, Floats], Floats]) -> Floats | None:
    known = ~np.isnan(question.homes[:, 0])
    if not known.any() or question.pull == 0.0:
        return None
    homes = np.full((question.territories, 2), np.nan)
    homes[known] = to_plane(question.homes[known, 0], question.homes[known, 1])
    return homes


def _share_moved(question: Question, labels: Labels) -> float:
    return _share(question.move_value, _moved(question, labels), _aligned(question))


def _budget(question: Question) -> float:
    """Return how much of the engine's units may move, when what has to move has had its part of the budget."""
    if question.most_moved >= 1.0 or not question.uprooted.any():
        return question.most_moved
    free = float(question.move_value[question.incumbents >= 0].sum())
    uprooted = float(question.move_value[question.uprooted].sum())
    left = question.most_moved * (free + uprooted) - uprooted
    return min(max(left / free, 0.0), 1.0) if free > 0.0 else 0.0


def _aligned(question: Question) -> Flags:
    return np.asarray((question.incumbents >= 0) | question.uprooted)


def _moved(question: Question, labels: Labels) -> Flags:
    return np.asarray(((question.incumbents >= 0) & (question.incumbents != labels)) | question.uprooted)


def _share(value: Floats, part: Flags, whole: Flags) -> float:
    total = float(value[whole].sum())
    return float(value[part].sum()) / total if total > 0.0 else 0.0


def _mean_km(xy: Floats, proposal: Proposal, weight: Floats) -> Floats:
    away = np.hypot(*(xy - proposal.centres[proposal.labels]).T)
    count = len(proposal.centres)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            np.bincount(proposal.labels, weight * away, count) / np.bincount(proposal.labels, weight, count)
        )


def warm_up() -> None:
    """Have everything loaded and compiled that a run may need: a small question of each kind, answered."""
    side = 12
    rows, columns = np.divmod(np.arange(side * side), side)
    measures = np.column_stack([np.ones(side * side), 1.0 + (rows * 7 + columns * 3) % 5])
    small = Question(
        latitude=45.0 + rows / 10,
        longitude=5.0 + columns / 10,
        measures=measures,
        move_value=np.ones(side * side),
        incumbents=(rows // 4).astype(np.int32),
        uprooted=np.zeros(side * side, dtype=np.bool_),
        fixed=np.where(rows + columns == 0, 0, -1).astype(np.int32),
        kinds=(columns == 0).astype(np.int32),
        permitted=np.array([[True, True, True], [True, True, False]]),
        capacities=np.array([1.0, 1.0, 0.5]),
        homes=np.array([[45.2, 5.2], [45.8, 5.8], [np.nan, np.nan]]),
        tolerance=np.array([0.1, 0.2]),
        soft=np.array([False, True]),
        pull=0.5,
        stay=0.1,
        most_moved=0.5,
        contiguous=True,
        starts=2,
        seed=1,
    )
    for question in (
        small,
        replace(
            small,
            pull=0.0,
            stay=0.0,
            most_moved=1.0,
            kinds=None,
            permitted=None,
            contiguous=False,
        ),
    ):
        design(question, seconds=600.0, tell=lambda _: None)
