"""Every proposal says of itself what is true, and puts no unit where it may not be."""

import numpy as np
from hypothesis import Phase, given, settings

from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import problems

QUICK = Effort(starts=2, rounds=6)


def check(problem: Problem, found: Proposal) -> None:
    """Work out again what the proposal says of its labels, and whether each may be."""
    labels = found.labels
    assert labels.shape == (problem.units,)
    assert ((labels >= 0) & (labels < problem.territories)).all()
    if problem.fixed is not None:
        held = problem.fixed >= 0
        assert (labels[held] == problem.fixed[held]).all()
    if problem.kinds is not None and problem.permitted is not None:
        assert problem.permitted[problem.kinds, labels].all()
    np.testing.assert_allclose(found.loads, recheck.loads(problem, labels), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.deviation, recheck.deviation(problem, labels), rtol=1e-9, atol=1e-9)
    middle = recheck.centres(problem, labels)
    np.testing.assert_allclose(found.centres, middle, rtol=1e-7, atol=1e-7)
    weight = problem.weight
    km = (weight * recheck.distances(problem, labels, middle)).sum() / weight.sum()
    np.testing.assert_allclose(found.mean_km, km, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.cost, recheck.cost(problem, labels, middle), rtol=1e-6, atol=1e-9)
    share, units = recheck.moved(problem, labels)
    np.testing.assert_allclose(found.moved, share, rtol=1e-9, atol=1e-12)
    assert found.moved_units == units
    if problem.adjacency is not None:
        assert found.parts.tolist() == recheck.parts(problem.adjacency, labels, problem.territories).tolist()
    assert recheck.told(found) == recheck.broken(problem, labels)
    assert found.feasible == (not recheck.broken(problem, labels))
    check_gap(problem, found)


def check_gap(problem: Problem, found: Proposal) -> None:
    """A gap is told of what is within the tolerances alone; below zero it would say the plan is better than any can be."""
    assert found.bound >= 0
    within = (found.deviation <= problem.tolerance + 1e-6).all()
    if found.gap is not None:
        assert within
        assert found.gap >= -1e-9
        np.testing.assert_allclose(found.cost, found.bound * (1 + found.gap), rtol=1e-9, atol=1e-9)


# Shrinking would solve thousands of problems to find one with a unit less.
@settings(max_examples=20, phases=[Phase.generate])
@given(problems(most_units=60))
def test_a_proposal_says_what_is_true_of_its_labels(problem):
    check(problem, propose(problem, QUICK))
