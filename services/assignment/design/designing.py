"""From a question to an answer: runs in the engine's own process and touches nothing but arrays.

Importing it loads the engine and its compiler, so only that process does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from services.assignment.design.answer import Answer
from services.assignment.design.around import around_changes, as_answer_to_changes
from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.barriers import Barriers, segments_of
from services.assignment.design.engine.geography import Plane, projected, road_weight
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.merge import Merged, linked, merged, touching, unfolded
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Shortfall, Stage, StoppedError
from services.assignment.design.engine.reachable import Frontier
from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.engine.solving import propose
from services.assignment.design.in_time import in_time
from services.assignment.design.inputs.question import Question
from services.assignment.design.lengths import lengths_km
from services.assignment.design.opposed import look_for_frontier, seconds_for_plan
from services.assignment.design.runs.run import Progress
from services.assignment.design.scored import scored_at_first
from services.assignment.design.sensing import Accounts, sensitivity
from services.assignment.design.watching import Tell, Watch

# Two shares that differ by less are one.
_ALIKE = 1e-9
# However many beginnings are asked for: what comes after takes as long as some of them.
_SHARE_OF_STARTS = 0.4
# How long may be spent on what one rep more or fewer would do, beyond as long as the proposal took.
_SENSITIVITY_SECONDS = 10.0


def design(question: Question, *, seconds: float, tell: Tell) -> Answer:
    """Return the best plan that is found within some seconds, and what it is worth.

    Raises WrongProblemError for a question that makes no sense, StoppedError when the time did not do for any plan.
    """
    begun = time.monotonic()
    tell(Progress(Stage.PREPARE.value, 0.0, None))
    task = _task(question)
    watch = Watch(
        tell,
        question,
        task.xy,
        task.plane,
        task.problem.targets,
        until=begun + seconds,
        starts_until=begun + seconds * _SHARE_OF_STARTS,
        of=task.of,
        homes=task.problem.homes,
    )
    if not question.around:
        watch.until = begun + seconds_for_plan(task.solved, seconds)
    found = _proposed(task, watch)
    took = time.monotonic() - begun
    frontier = _frontier(task, found, watch, took=took, until=begun + seconds)
    proposal = found if task.units is None else unfolded(task.units, task.problem, found, task.effort)
    if question.around:
        proposal = as_answer_to_changes(task.problem, proposal)
    moved_share = question.moved_share(proposal.labels)
    proposal = _within_budget(proposal, question, moved_share)
    latitude, longitude = task.plane.to_sphere(proposal.centres)
    middle = (latitude, longitude)
    km = lengths_km(question.latitude, question.longitude, proposal.labels, middle, question.road)
    enough = min(begun + seconds, time.monotonic() + took + _SENSITIVITY_SECONDS)
    accounts = Accounts(
        question.latitude, question.longitude, task.xy, task.plane, task.of, road=question.road
    )
    return Answer(
        proposal=proposal,
        weight=task.visits,
        neighbours=task.neighbours,
        latitude=latitude,
        longitude=longitude,
        mean_km=_mean_km(km, proposal.labels, question.territories),
        overall_km=float(km.mean()),
        targets=task.problem.targets,
        totals=question.measures.sum(axis=0),
        moved=int(question.moved(proposal.labels).sum()),
        aligned=int(question.aligned.sum()),
        moved_share=moved_share,
        unmet_groups=0 if task.units is None else task.units.unmet,
        frontier=frontier,
        scored=scored_at_first(task.problem, task.visits, task.plane, proposal),
        sensitivity=sensitivity(
            task.solved, found.labels, question.capacities, accounts, task.touching, until=enough
        ),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """What the engine is given: xy (n, 2) in km in a plane, who touches whom, the accounts' problem, and that of groups.

    visits (n,): how often one travels to each. The problem's weights are these, and more where roads wind.
    """

    question: Question
    effort: Effort
    xy: Floats
    plane: Plane
    visits: Floats
    neighbours: Adjacency
    problem: Problem
    units: Merged | None

    @property
    def solved(self) -> Problem:
        """What is solved: the problem of accounts, or of those that they are kept together in."""
        return self.problem if self.units is None else self.units.problem

    @property
    def of(self) -> Labels | None:
        """In which group each account is, shape (n,), as `solved` numbers them."""
        return None if self.units is None else self.units.of

    @property
    def touching(self) -> Adjacency:
        """Who touches whom of what is solved."""
        if self.units is None:
            return self.neighbours
        return touching(self.neighbours, self.units.of, len(self.units.first))


def _task(question: Question) -> _Task:
    xy, plane = projected(question.latitude, question.longitude)
    near = _touching(question, xy, plane)
    shares = question.capacities / question.capacities.sum()
    visits = np.ones(len(xy))
    problem = Problem(
        xy=xy,
        weight=visits if question.road is None else road_weight(visits, question.road),
        measures=question.measures,
        targets=shares[:, None] * question.measures.sum(axis=0),
        tolerance=question.tolerance,
        soft=question.soft,
        adjacency=near if question.contiguous else None,
        homes=_homes(question, plane.to_plane),
        pull=question.pull,
        incumbents=question.incumbents if (question.incumbents >= 0).any() else None,
        move_value=question.move_value,
        stay=question.stay,
        most_moved=_budget(question),
        fixed=question.fixed if (question.fixed >= 0).any() else None,
        kinds=question.kinds,
        permitted=question.permitted,
        least_units=question.least_accounts,
        most_units=question.most_accounts,
    )
    units = None if question.groups is None else merged(problem, question.groups)
    effort = Effort(starts=question.starts, seed=question.seed)
    return _Task(question, effort, xy, plane, visits, near, problem, units)


def _touching(question: Question, xy: Floats, plane: Plane) -> Adjacency:
    """Return which accounts touch: nothing crosses a barrier but those that are kept together."""
    segments = segments_of(question.barriers, plane)
    near = neighbours(xy, barriers=Barriers(segments=segments) if len(segments) else None)
    return near if question.groups is None else linked(near, question.groups)


def _frontier(task: _Task, found: Proposal, watch: Watch, *, took: float, until: float) -> Frontier | None:
    """Look for what else is within reach; around a change all else stays as it is."""
    if task.question.around:
        return None
    return look_for_frontier(
        task.solved,
        found,
        task.effort,
        length=watch.mean_km,
        took=took,
        until=until,
        tell=watch.looks_further,
    )


def _proposed(task: _Task, watch: Watch) -> Proposal:
    """Propose; what there is when the time is up is judged like any other plan."""
    problem, effort = task.solved, task.effort

    def propose_one() -> Proposal:
        if task.question.around:
            return around_changes(problem, effort, watch, touching=task.touching)
        return propose(problem, effort, watch)

    try:
        return in_time(propose_one, until=watch.until)
    except StoppedError:
        if watch.best is None:
            raise
    finally:
        watch.close()
    return judged(problem, watch.best, effort)


def _homes(question: Question, to_plane: Callable[[Floats, Floats], Floats]) -> Floats | None:
    known = ~np.isnan(question.homes[:, 0])
    if not known.any() or (question.pull == 0.0 and not question.around):
        return None
    homes = np.full((question.territories, 2), np.nan)
    homes[known] = to_plane(question.homes[known, 0], question.homes[known, 1])
    return homes


def _budget(question: Question) -> float:
    """Return how much of the engine's units may move, when what has to move has had its part of the budget."""
    if question.most_moved >= 1.0 or not question.uprooted.any():
        return question.most_moved
    free = float(question.move_value[question.incumbents >= 0].sum())
    uprooted = float(question.move_value[question.uprooted].sum())
    left = question.most_moved * (free + uprooted) - uprooted
    return min(max(left / free, 0.0), 1.0) if free > 0.0 else 0.0


def _within_budget(proposal: Proposal, question: Question, moved_share: float) -> Proposal:
    """Tell of the whole budget what the engine knows of its own part: what has to move in any case counts, too."""
    why = tuple(one for one in proposal.why if one.code is not ShortOf.MOST_MOVED)
    if moved_share > question.most_moved + _ALIKE:
        why = (*why, Shortfall(code=ShortOf.MOST_MOVED, figure=moved_share))
    return replace(proposal, feasible=not why, why=why)


def _mean_km(km: Floats, labels: Labels, territories: int) -> Floats:
    """Return the mean of each territory's units, shape (K,), nan without any."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.bincount(labels, km, territories) / np.bincount(labels, minlength=territories))


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
        least_accounts=np.array([10.0, 10.0, 10.0]),
        most_accounts=np.array([100.0, 100.0, 100.0]),
        barriers=(np.array([[5.55, 45.05], [5.55, 45.5]]),),
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
            least_accounts=None,
            most_accounts=None,
            groups=np.arange(side * side, dtype=np.int32) // 2,
            barriers=(),
            road=1.0 + columns / side,
        ),
        replace(
            small,
            around=True,
            incumbents=(rows // 6).astype(np.int32),
            fixed=np.full(side * side, -1, np.int32),
        ),
    ):
        design(question, seconds=600.0, tell=lambda _: None)
